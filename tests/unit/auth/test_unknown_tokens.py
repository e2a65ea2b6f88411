"""IdTokens that nobody knows: what is kept of them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain.requests import AuthorizationDecided
from services.auth.domain.unknown_tokens import MOST_STATIONS, UnknownToken, together, unknown_token
from services.common.authorization.judge import Place, judge
from services.ocpp.id_tokens import Authorization, IdToken, Token

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def seen(number: int, key: str = "a", station: str = "CP1") -> UnknownToken:
    at = NOW + timedelta(seconds=number)
    return UnknownToken(key, "", key.upper(), 1, at, at, (station,))


def decided(token: IdToken, known: Token | None = None) -> AuthorizationDecided:
    return AuthorizationDecided("CP1", token, judge(token, known, NOW, Place("CP1")), NOW, "c", "Authorize", NOW)


def test_only_what_nobody_knows_is_unknown() -> None:
    assert unknown_token(decided(IdToken("Ab"))) == UnknownToken("ab", "", "Ab", 1, NOW, NOW, ("CP1",))
    blocked = Token("Ab", "ISO14443", Authorization.BLOCKED)
    for one in (
        decided(IdToken("Ab"), blocked),
        decided(IdToken("Ab", "eMAID"), blocked),
        decided(IdToken("1234", "KeyCode")),
        decided(IdToken("", "NoAuthorization")),
        decided(IdToken("a\0")),
    ):
        assert unknown_token(one) is None


@given(st.permutations([seen(n, "ab"[n % 2], f"CP{n % 3}") for n in range(9)]))
def test_of_each_the_count_the_times_and_the_last_stations_whatever_the_order(order: Sequence[UnknownToken]) -> None:
    first, second = together(order)
    assert (first.key, first.times, second.key, second.times) == ("a", 5, "b", 4)
    assert (first.first_seen_at, first.last_seen_at) == (NOW, NOW + timedelta(seconds=8))
    assert (first.stations[0], set(first.stations)) == ("CP2", {"CP0", "CP1", "CP2"})


def test_stations_are_bounded() -> None:
    [one] = together(seen(n, station=f"CP{n}") for n in range(100))
    assert one.stations == tuple(f"CP{n}" for n in range(99, 99 - MOST_STATIONS, -1))
