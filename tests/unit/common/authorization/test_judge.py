"""Which rule decides, and what is kept of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.common.authorization.decisions import HIDDEN, ruling
from services.common.authorization.judge import MEANING, Place, Rule, judge, place_of
from services.common.calls.stations import UNREGISTERED, Registration
from services.ocpp.id_tokens import TYPES, Authorization, IdToken, Token, find_group

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATUS = Authorization
PLACE, FREE = Place("CP1"), Place("CP1", free_vend=True)


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
    info = judge(IdToken("A1", type), known, NOW, PLACE)
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
    info = judge(IdToken("A1", "ISO14443"), known, NOW, PLACE, group=called)
    assert (info.status, info.rule, info.group_id) == (status, rule, known and known.group_id)


def test_where_it_is_free_a_card_of_a_blocked_group_charges_as_well() -> None:
    info = judge(IdToken("A1"), member(), NOW, FREE, group=group(STATUS.BLOCKED))
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
    kept = ruling("c", "CP1", "Authorize", presented, judge(presented, None, NOW, PLACE), NOW)
    assert (kept.id_token, kept.token_key) == ((HIDDEN, "") if type == "KeyCode" else ("1234", "1234"))


def test_a_text_that_postgres_cannot_hold_is_kept_all_the_same() -> None:
    presented = IdToken("a\0b", "x\0")
    kept = ruling("c", "CP1", "Authorize", presented, judge(presented, None, NOW, PLACE), NOW)
    assert not [text for text in kept if isinstance(text, str) and "\0" in text]


@pytest.mark.parametrize(
    ("known", "rule"),
    [(card(), Rule.FREE_VEND), (card(STATUS.BLOCKED), Rule.FREE_VEND), (None, Rule.FREE_VEND)],
)
def test_where_it_is_free_whoever_comes_may_charge(known: Token | None, rule: Rule) -> None:
    info = judge(IdToken("A1", "ISO14443"), known, NOW, FREE)
    assert (info.status, info.rule, info.expires_at) == (STATUS.ACCEPTED, rule, None)


def test_what_asks_for_no_id_token_is_not_free_vend_for_that() -> None:
    """C02.FR.02."""
    assert judge(IdToken("", "NoAuthorization"), None, NOW, FREE).rule == Rule.NO_AUTHORIZATION


def ruled(**rules: Any) -> Token:
    return replace(card(), **rules)


@pytest.mark.parametrize(
    ("rules", "place", "status", "rule"),
    [
        ({"valid_from": NOW}, PLACE, STATUS.ACCEPTED, Rule.REGISTERED),
        ({"valid_from": NOW + timedelta(seconds=1)}, PLACE, STATUS.NOT_AT_THIS_TIME, Rule.NOT_YET_VALID),
        ({"allowed_stations": ("cp1",)}, PLACE, STATUS.ACCEPTED, Rule.REGISTERED),
        ({"allowed_stations": ("CP2",)}, PLACE, STATUS.NOT_AT_THIS_LOCATION, Rule.ELSEWHERE),
        ({"allowed_groups": ("a",)}, PLACE, STATUS.NOT_AT_THIS_LOCATION, Rule.ELSEWHERE),
        ({"allowed_groups": ("a",)}, Place("CP1", ("b", "a")), STATUS.ACCEPTED, Rule.REGISTERED),
        ({"allowed_groups": ("a",), "allowed_stations": ("CP1",)}, PLACE, STATUS.ACCEPTED, Rule.REGISTERED),
        ({"denied_stations": ("CP1",)}, PLACE, STATUS.NOT_AT_THIS_LOCATION, Rule.ELSEWHERE),
        ({"denied_stations": ("CP2",)}, PLACE, STATUS.ACCEPTED, Rule.REGISTERED),
        (
            {"denied_groups": ("b",), "allowed_stations": ("CP1",)},
            Place("CP1", ("b",)),
            STATUS.NOT_AT_THIS_LOCATION,
            Rule.ELSEWHERE,
        ),
        ({"evses": ("CP1/1",)}, Place("CP1", evse_id=1), STATUS.ACCEPTED, Rule.REGISTERED),
        ({"evses": ("CP1/1",)}, Place("CP1", evse_id=2), STATUS.NOT_AT_THIS_LOCATION, Rule.OTHER_EVSE),
        ({"evses": ("CP2/1",)}, Place("CP1", evse_id=2), STATUS.ACCEPTED, Rule.REGISTERED),
        ({"valid_from": NOW + timedelta(1)}, FREE, STATUS.ACCEPTED, Rule.FREE_VEND),
        ({"status": STATUS.BLOCKED, "denied_stations": ("CP1",)}, PLACE, STATUS.BLOCKED, Rule.BLOCKED),
    ],
)
def test_when_and_where_it_may_charge(rules: Any, place: Place, status: Authorization, rule: Rule) -> None:
    """C01.FR.22, AuthorizationStatusEnumType."""
    info = judge(IdToken("A1"), ruled(**rules), NOW, place)
    assert (info.status, info.rule) == (status, rule)


def test_where_some_evses_are_allowed_the_station_is_told_which() -> None:
    """C01.FR.19, FR.20, FR.22."""
    known = ruled(evses=("cp1/3", "CP1/1", "CP1/1", "CP2/2"))
    assert judge(IdToken("A1"), known, NOW, PLACE).evse_ids == (1, 3)
    assert judge(IdToken("A1"), known, NOW, Place("CP1", evse_id=3)).evse_ids == (1, 3)
    assert judge(IdToken("A1"), known, NOW, Place("CP1", evse_id=2)).evse_ids == ()
    assert judge(IdToken("A1"), known, NOW, Place("CP9")).evse_ids == ()


def test_a_master_pass_stops_and_starts_nothing() -> None:
    """C16.FR.03: it is told its group, by which a station knows it."""
    master = replace(group(STATUS.ACCEPTED), master_pass=True)
    asked = judge(IdToken("A1"), member(), NOW, PLACE, group=master)
    started = judge(IdToken("A1"), member(), NOW, PLACE, group=master, starts=True)
    assert (asked.status, asked.group_id) == (STATUS.ACCEPTED, "FLEET")
    assert (started.status, started.rule) == (STATUS.INVALID, Rule.MASTER_PASS)


@pytest.mark.parametrize(
    ("most", "others", "starts", "status"),
    [
        (None, 5, True, STATUS.ACCEPTED),
        (1, 0, True, STATUS.ACCEPTED),
        (1, 1, True, STATUS.CONCURRENT_TX),
        (2, 1, True, STATUS.ACCEPTED),
        (2, 3, True, STATUS.CONCURRENT_TX),
        (1, 1, False, STATUS.ACCEPTED),
    ],
)
def test_so_many_sessions_at_once(most: int | None, others: int, starts: bool, status: Authorization) -> None:
    """2.1 AuthorizationStatusEnumType: ConcurrentTx is for starts alone."""
    known = ruled(max_sessions=most)
    assert judge(IdToken("A1"), known, NOW, PLACE, starts=starts, others=others).status == status


def test_a_place_is_what_its_registration_says() -> None:
    assert place_of("CP1", Registration(("a",), "", free_vend=""), 2) == Place("CP1", ("a",), 2, free_vend=True)
    assert place_of("CP1", UNREGISTERED) == Place("CP1")
