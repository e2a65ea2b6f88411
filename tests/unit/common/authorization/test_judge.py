"""Which rule decides, and what is kept of it."""

from datetime import UTC, datetime, timedelta

import pytest

from services.common.authorization.decisions import HIDDEN, ruling
from services.common.authorization.judge import MEANING, Rule, judge
from services.ocpp.id_tokens import TYPES, Authorization, IdToken, Token, find_group

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATUS = Authorization


def card(status: Authorization = STATUS.ACCEPTED, expires_at: datetime | None = None) -> Token:
    return Token("A1", "ISO14443", status, expires_at)


@pytest.mark.parametrize(
    ("type", "known", "status", "rule"),
    [
        ("ISO14443", card(), STATUS.ACCEPTED, Rule.REGISTERED),
        (None, card(), STATUS.ACCEPTED, Rule.REGISTERED),
        ("ISO14443", None, STATUS.UNKNOWN, Rule.UNKNOWN_TOKEN),
        ("eMAID", card(), STATUS.UNKNOWN, Rule.OTHER_TYPE),
        ("KeyCode", None, STATUS.INVALID, Rule.UNKNOWN_KEY_CODE),
        ("NoAuthorization", None, STATUS.ACCEPTED, Rule.NO_AUTHORIZATION),
        ("ISO14443", card(STATUS.BLOCKED), STATUS.BLOCKED, Rule.BLOCKED),
        ("ISO14443", card(STATUS.BLOCKED, expires_at=NOW), STATUS.BLOCKED, Rule.BLOCKED),
        ("ISO14443", card(expires_at=NOW), STATUS.EXPIRED, Rule.EXPIRED),
        ("ISO14443", card(expires_at=NOW + timedelta(seconds=1)), STATUS.ACCEPTED, Rule.REGISTERED),
        ("ISO14443", card(STATUS.EXPIRED), STATUS.EXPIRED, Rule.EXPIRED),
        ("ISO14443", card(STATUS.NO_CREDIT), STATUS.NO_CREDIT, Rule.REGISTERED_REFUSED),
    ],
)
def test_a_verdict_and_its_rule(type: str | None, known: Token | None, status: Authorization, rule: Rule) -> None:
    info = judge(IdToken("A1", type), known, NOW)
    assert (info.status, info.rule) == (status, rule)


def member(status: Authorization = STATUS.ACCEPTED, expires_at: datetime | None = None) -> Token:
    return Token("A1", "ISO14443", status, expires_at, group_id="FLEET")


def group(status: Authorization) -> Token:
    return Token("FLEET", "Central", status, expires_at=NOW)


@pytest.mark.parametrize(
    ("known", "called", "status", "rule"),
    [
        (member(), group(STATUS.BLOCKED), STATUS.BLOCKED, Rule.GROUP_BLOCKED),
        (member(), group(STATUS.ACCEPTED), STATUS.ACCEPTED, Rule.REGISTERED),
        (member(), group(STATUS.EXPIRED), STATUS.ACCEPTED, Rule.REGISTERED),
        (member(), None, STATUS.ACCEPTED, Rule.REGISTERED),
        (member(STATUS.BLOCKED), group(STATUS.BLOCKED), STATUS.BLOCKED, Rule.BLOCKED),
        (member(expires_at=NOW), group(STATUS.BLOCKED), STATUS.EXPIRED, Rule.EXPIRED),
        (None, group(STATUS.BLOCKED), STATUS.UNKNOWN, Rule.UNKNOWN_TOKEN),
    ],
)
def test_a_card_of_a_blocked_group_is_blocked(
    known: Token | None, called: Token | None, status: Authorization, rule: Rule
) -> None:
    """C09.FR.13: a group is called by an idToken of type Central. The card is still told to be of it (C09.FR.12)."""
    info = judge(IdToken("A1", "ISO14443"), known, NOW, group=called)
    assert (info.status, info.rule, info.group_id) == (status, rule, known and known.group_id)


def test_where_it_is_free_a_card_of_a_blocked_group_charges_as_well() -> None:
    info = judge(IdToken("A1"), member(), NOW, group=group(STATUS.BLOCKED), free_vend=True)
    assert (info.status, info.rule) == (STATUS.ACCEPTED, Rule.FREE_VEND)


def test_a_group_is_called_by_a_central_idtoken_of_its_id_in_any_case() -> None:
    """A card that has the same text is a card: blocked, because it was lost, it takes nobody with it."""
    registered = {"Central/fleet": group(STATUS.BLOCKED), "ISO14443/fleet": card()}
    assert find_group(member(), registered.get) is registered["Central/fleet"]
    assert find_group(card(), registered.get) is None
    assert find_group(None, registered.get) is None
    del registered["Central/fleet"]
    assert find_group(member(), registered.get) is None


def test_every_rule_says_in_plain_words_what_it_means() -> None:
    assert MEANING.keys() == set(Rule)
    assert len(set(MEANING.values())) == len(Rule)


@pytest.mark.parametrize("type", TYPES)
def test_of_a_key_code_nothing_is_kept_that_could_be_used(type: str) -> None:
    """C04.FR.04."""
    presented = IdToken("1234", type)
    kept = ruling("c", "CP1", "Authorize", presented, judge(presented, None, NOW), NOW)
    assert (kept.id_token, kept.token_key) == ((HIDDEN, "") if type == "KeyCode" else ("1234", "1234"))


def test_a_text_that_postgres_cannot_hold_is_kept_all_the_same() -> None:
    presented = IdToken("a\0b", "x\0")
    kept = ruling("c", "CP1", "Authorize", presented, judge(presented, None, NOW), NOW)
    assert not [text for text in kept if isinstance(text, str) and "\0" in text]


@pytest.mark.parametrize(
    ("known", "rule"),
    [(card(), Rule.FREE_VEND), (card(STATUS.BLOCKED), Rule.FREE_VEND), (None, Rule.FREE_VEND)],
)
def test_where_it_is_free_whoever_comes_may_charge(known: Token | None, rule: Rule) -> None:
    info = judge(IdToken("A1", "ISO14443"), known, NOW, free_vend=True)
    assert (info.status, info.rule, info.expires_at) == (STATUS.ACCEPTED, rule, None)


def test_what_asks_for_no_id_token_is_not_free_vend_for_that() -> None:
    """C02.FR.02."""
    assert judge(IdToken("", "NoAuthorization"), None, NOW, free_vend=True).rule == Rule.NO_AUTHORIZATION
