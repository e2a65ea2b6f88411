"""The outside authorizer: who is asked about, what is made of its answers, and while it is away."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from services.auth.domain.outside import KEPT, MOST_KEPT, Said, is_asked, taken
from services.auth.domain.tokens import RegisteredToken
from services.auth.outside_authorizer import FAILURES, LONGEST, PAUSE, NoVerdict, OutsideAuthorizer
from services.common.authorization.judge import Place, Rule, judge
from services.common.calls.stations import UNREGISTERED, Registration
from services.common.web.outbound.breaker import Breaker
from services.common.web.outbound.client import Outbound
from services.ocpp.id_tokens import Authorization, IdToken, Token
from tests.clients.authorizer import Authorizer, authorizing
from tests.patience import GIVE_UP

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
PLACE = Place("CP1")
CARD = IdToken("04AA", "ISO14443")
ACCEPTED = Authorization.ACCEPTED


def verdict(said: Said, presented: IdToken = CARD) -> Token:
    decision = taken(None, presented, said, NOW)
    assert decision
    return decision.registered.token


@pytest.mark.parametrize(
    ("presented", "asked"),
    [
        (CARD, True),
        (IdToken("04AA"), True),
        (IdToken("04AA", "X-Other"), True),
        (IdToken("04AA", "Central"), False),
        (IdToken("1234", "KeyCode"), False),
        (IdToken("", "NoAuthorization"), False),
        (IdToken("", "ISO14443"), False),
        (IdToken("a\0b"), False),
        (IdToken("ä"), False),
        (IdToken(" a"), False),
        (IdToken("a" * 256), False),
    ],
)
def test_who_is_asked_about(presented: IdToken, asked: bool) -> None:
    """Not about key codes (C04.FR.04), nor about groups, which are the operator's own."""
    assert is_asked(presented, judge(presented, None, NOW, PLACE)) is asked


def test_nobody_is_asked_about_what_is_registered_or_has_a_verdict_that_counts() -> None:
    for known in (Token("04AA", "ISO14443", Authorization.BLOCKED), Token("04AA", "eMAID", ACCEPTED)):
        assert not is_asked(CARD, judge(CARD, known, NOW, PLACE))
    said = verdict(Said(ACCEPTED, LATER))
    assert not is_asked(CARD, judge(CARD, said, NOW, PLACE))
    assert not is_asked(CARD, judge(CARD, verdict(Said(Authorization.UNKNOWN, LATER)), NOW, PLACE))
    assert is_asked(CARD, judge(CARD, said, LATER, PLACE))


@pytest.mark.parametrize(
    ("said", "until"),
    [
        (Said(ACCEPTED), NOW + KEPT),
        (Said(ACCEPTED, LATER), LATER),
        (Said(ACCEPTED, NOW - timedelta(1)), NOW),
        (Said(ACCEPTED, NOW + timedelta(30)), NOW + MOST_KEPT),
    ],
)
def test_until_when_a_verdict_counts(said: Said, until: datetime) -> None:
    token = verdict(said)
    assert (token.outside_until, token.cache_expires_at) == (until, until)


@pytest.mark.parametrize(
    ("said", "status", "rule"),
    [
        (Said(ACCEPTED), ACCEPTED, Rule.OUTSIDE),
        (Said(Authorization.BLOCKED), Authorization.BLOCKED, Rule.OUTSIDE_REFUSED),
        (Said(Authorization.UNKNOWN), Authorization.UNKNOWN, Rule.OUTSIDE_REFUSED),
        (Said(ACCEPTED, expires_at=NOW), Authorization.EXPIRED, Rule.EXPIRED),
    ],
)
def test_what_is_decided_by_it(said: Said, status: Authorization, rule: Rule) -> None:
    info = judge(CARD, verdict(said), NOW, PLACE)
    assert (info.status, info.rule) == (status, rule)


def test_when_it_has_lapsed_the_id_token_is_unknown_again() -> None:
    """A start is judged by when it happened: then it counted still."""
    token = verdict(Said(ACCEPTED, LATER))
    assert judge(CARD, token, LATER - timedelta(seconds=1), PLACE).status == ACCEPTED
    lapsed = judge(CARD, token, LATER, PLACE)
    assert (lapsed.status, lapsed.rule) == (Authorization.UNKNOWN, Rule.UNKNOWN_TOKEN)


@pytest.mark.parametrize("said", [Said(ACCEPTED, prepaid=True), Said(Authorization.NO_CREDIT)])
def test_no_station_caches_a_verdict_on_a_prepaid_account(said: Said) -> None:
    """2.1 C17.FR.01, FR.02: cacheExpiryDateTime is now."""
    assert judge(CARD, verdict(said), NOW, PLACE).kept_until == NOW


def test_what_was_registered_meanwhile_counts_more() -> None:
    own = RegisteredToken(Token("04AA", "ISO14443", Authorization.BLOCKED), NOW, NOW)
    assert taken(own, CARD, Said(ACCEPTED), NOW) is None
    before = RegisteredToken(verdict(Said(ACCEPTED, LATER)), NOW, NOW)
    again = taken(before, CARD, Said(Authorization.BLOCKED), LATER)
    assert again
    assert again.registered.token.status == Authorization.BLOCKED


@pytest.mark.parametrize(("type", "kept"), [(None, "ISO14443"), ("X-Other", "ISO14443"), ("eMAID", "eMAID")])
def test_the_type_under_which_it_is_kept(type: str | None, kept: str) -> None:
    assert verdict(Said(ACCEPTED), IdToken("04AA", type)).type == kept


def test_a_breaker_opens_after_failures_in_a_row_and_tries_one_at_a_time() -> None:
    now = [0.0]
    breaker = Breaker(2, 10, lambda: now[0])
    breaker.note(answered=False)
    breaker.note(answered=True)
    breaker.note(answered=False)
    assert breaker.admits()
    breaker.note(answered=False)
    assert not breaker.admits()
    now[0] = 10
    assert (breaker.admits(), breaker.admits()) == (True, False)
    breaker.note(answered=False)
    assert not breaker.admits()
    now[0] = 20
    assert breaker.admits()
    breaker.note(answered=True)
    assert (breaker.admits(), breaker.admits()) == (True, True)


@pytest.fixture
async def authorizer() -> AsyncIterator[Authorizer]:
    async with authorizing() as one:
        yield one


async def ask(authorizer: Authorizer, *, networks: str = "127.0.0.0/8", timeout: float = GIVE_UP) -> Said:
    outbound = Outbound([ip_network(networks)], timeout)
    try:
        client = OutsideAuthorizer(outbound, authorizer.url, "secret", Breaker(FAILURES, PAUSE))
        return await client.ask("c.1", CARD, "CP1", Registration(("vienna",), "garage"))
    finally:
        await outbound.close()


async def test_what_it_is_sent_and_answers(authorizer: Authorizer) -> None:
    authorizer.says["04AA"] = {"status": "Accepted", "valid_until": "2026-03-01T12:05:00Z", "language": "de", "more": 1}
    assert await ask(authorizer) == Said(ACCEPTED, LATER, language="de")
    assert authorizer.asked == [
        {"id_token": "04AA", "type": "ISO14443", "station_id": "CP1", "groups": ["vienna"], "location_id": "garage"}
    ]
    assert "authorization: bearer secret\r\n" in authorizer.headers.lower()
    assert "idempotency-key: c.1\r\n" in authorizer.headers.lower()


@pytest.mark.parametrize(
    "how",
    [
        {"status": "401 Unauthorized"},
        {"status": "500 Internal Server Error"},
        # Nor is a redirect followed.
        {"status": "302 Found\r\nlocation: http://127.0.0.1/"},
        {"raw": b""},
        {"raw": b"\xff"},
        {"raw": b'{"status": "Maybe"}'},
        {"raw": b'{"status": "Accepted", "valid_until": "soon"}'},
        {"raw": b"[" * LONGEST},
        {"raw": b" " * (LONGEST + 1)},
    ],
)
async def test_what_cannot_be_used_is_no_verdict(authorizer: Authorizer, how: Any) -> None:
    for name, value in how.items():
        setattr(authorizer, name, value)
    with pytest.raises(NoVerdict):
        await ask(authorizer)


async def test_silence_is_no_verdict(authorizer: Authorizer) -> None:
    authorizer.silent = True
    with pytest.raises(NoVerdict, match="no answer within"):
        await ask(authorizer, timeout=0.1)


async def test_networks_of_ones_own_are_asked_where_they_are_named(authorizer: Authorizer) -> None:
    with pytest.raises(NoVerdict, match="VOLTBUS_OUTBOUND_ALLOW"):
        await ask(authorizer, networks="10.0.0.0/8")
    assert not authorizer.asked


async def test_while_it_does_not_answer_it_is_not_asked(authorizer: Authorizer) -> None:
    authorizer.status = "503 Service Unavailable"
    outbound = Outbound([ip_network("127.0.0.0/8")], GIVE_UP)
    client = OutsideAuthorizer(outbound, authorizer.url, None, Breaker(FAILURES, PAUSE, lambda: 0.0))
    for _ in range(FAILURES + 1):
        with pytest.raises(NoVerdict):
            await client.ask("c.1", CARD, "CP1", UNREGISTERED)
    await outbound.close()
    assert len(authorizer.asked) == FAILURES
    assert "authorization:" not in authorizer.headers.lower()
