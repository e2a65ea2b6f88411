"""Times and idTokens."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ocpp.errors import OcppError
from services.ocpp.id_tokens import Authorization, IdToken, Token, authorize, token_key
from services.ocpp.timestamps import read_time, write_time

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CARD = Token("AbCd", "ISO14443", Authorization.ACCEPTED, group_id="FLEET", cache_expires_at=NOW + timedelta(days=1))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-06-01T12:00:00Z", NOW),
        ("2026-06-01T12:00:00.000Z", NOW),
        ("2026-06-01T14:00:00+02:00", NOW),
        ("2026-06-01T12:00:00", NOW),
        (" 2026-06-01T12:00:00Z ", NOW),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_times_are_read_leniently(text: str, moment: datetime) -> None:
    assert read_time(text) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_time_is_said(text: str) -> None:
    with pytest.raises(OcppError):
        read_time(text)


def test_times_are_written_in_utc_with_milliseconds() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=5)))
    assert write_time(there) == "2026-06-01T12:00:00.000Z"


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_written_time_is_read_again(moment: datetime) -> None:
    assert abs(read_time(write_time(moment)) - moment) < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("presented", "known", "status"),
    [
        (IdToken("abcd"), CARD, Authorization.ACCEPTED),
        (IdToken("abcd", "ISO14443"), CARD, Authorization.ACCEPTED),
        (IdToken("abcd", "ISO15693"), CARD, Authorization.ACCEPTED),
        (IdToken("abcd", "KeyCode"), CARD, Authorization.UNKNOWN),
        (IdToken("other"), None, Authorization.UNKNOWN),
        (IdToken("", "NoAuthorization"), None, Authorization.ACCEPTED),
        (IdToken("x"), Token("x", "Central", Authorization.BLOCKED), Authorization.BLOCKED),
        (IdToken("x"), Token("x", "Central", Authorization.ACCEPTED, expires_at=NOW), Authorization.EXPIRED),
        (IdToken("x"), Token("x", "Central", Authorization.BLOCKED, expires_at=NOW), Authorization.BLOCKED),
        (
            IdToken("x"),
            Token("x", "Central", Authorization.ACCEPTED, NOW + timedelta(seconds=1)),
            Authorization.ACCEPTED,
        ),
    ],
)
def test_verdicts(presented: IdToken, known: Token | None, status: Authorization) -> None:
    assert authorize(presented, known, NOW).status == status


def test_a_verdict_carries_group_and_cache_expiry() -> None:
    info = authorize(IdToken("ABCD"), CARD, NOW)
    assert (info.group_id, info.cache_expires_at) == ("FLEET", CARD.cache_expires_at)


def test_id_tokens_are_case_insensitive() -> None:
    assert token_key("DEADbeef") == token_key("deadBEEF") == IdToken("DeAdBeEf").key
