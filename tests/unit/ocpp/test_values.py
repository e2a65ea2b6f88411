"""Times and idTokens."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.authorization.judge import Place, judge
from services.ocpp.errors import OcppError
from services.ocpp.id_tokens import (
    CARDS,
    TYPES,
    Authorization,
    IdToken,
    Token,
    TokenInfo,
    find,
    mask,
    record_key,
    token_key,
)
from services.ocpp.passwords import keyed, matches
from services.ocpp.timestamps import EARLIEST, LATEST, read_time, write_time
from services.ocpp.v16 import id_tag_info
from services.ocpp.v201 import id_token_info
from services.ocpp.versions import VERSIONS

PLACE = Place("CP1")
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
        ("2026-06-01T12:00:00z", NOW),
        ("2026-06-01t12:00:00.123456789z", NOW + timedelta(microseconds=123456)),
        ("2026-06-01 12:00:00+0000", NOW),
        ("20260601T120000Z", NOW),
        ("2026-06-01T12", NOW),
        ("2026-06-01T11:59:60Z", NOW),
        ("2026-05-31T24:00:00Z", NOW - timedelta(hours=12)),
        (str(int(NOW.timestamp())), NOW),
        (str(int(NOW.timestamp() * 1000)), NOW),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_times_are_read_leniently(text: str, moment: datetime) -> None:
    assert read_time(text) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_time_is_said(text: str) -> None:
    with pytest.raises(OcppError):
        read_time(text)


@pytest.mark.parametrize(
    "text",
    [
        *("2026-06-01", " 2026-06-01 ", "20260601", "2026-W23-1", "2026-06", "2026"),
        *("2026-06-01Z", "2026-06-01+02:00", "2026-06-01-05", "2026-06-01T", "2026-06-01 "),
    ],
)
def test_a_day_alone_is_no_time(text: str) -> None:
    """It was midnight, and a session from midnight to midnight, without a doubt; and a zone was a time of day."""
    with pytest.raises(OcppError):
        read_time(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("0001-01-01T00:00:00Z", EARLIEST),
        ("0001-01-01T00:05:00", EARLIEST + timedelta(minutes=5)),
        ("9999-12-31T23:59:59.999999Z", LATEST - timedelta(microseconds=1)),
        ("9999-12-30T23:59:59Z", LATEST - timedelta(seconds=1)),
    ],
)
def test_a_clock_that_was_never_set_says_a_time_that_can_be_reckoned_with(text: str, moment: datetime) -> None:
    """Zero of .NET and of Go, and their largest."""
    assert read_time(text) == moment
    assert moment - timedelta(hours=23) < moment < moment + timedelta(hours=23)


def test_times_are_written_in_utc_with_milliseconds() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=5)))
    assert write_time(there) == "2026-06-01T12:00:00.000Z"


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)))
def test_a_written_time_is_read_again(moment: datetime) -> None:
    assert abs(read_time(write_time(moment)) - moment) < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("presented", "known", "status"),
    [
        (IdToken("abcd"), CARD, Authorization.ACCEPTED),
        (IdToken("abcd", "ISO14443"), CARD, Authorization.ACCEPTED),
        (IdToken("abcd", "ISO15693"), CARD, Authorization.ACCEPTED),
        (IdToken("abcd", "Local"), CARD, Authorization.ACCEPTED),
        (IdToken("x", "ISO14443"), Token("x", "Local", Authorization.ACCEPTED), Authorization.ACCEPTED),
        (IdToken("x", "ISO14443"), Token("x", "Central", Authorization.ACCEPTED), Authorization.UNKNOWN),
        (IdToken("x", "eMAID"), Token("x", "Local", Authorization.ACCEPTED), Authorization.UNKNOWN),
        (IdToken("abcd", "MacAddress"), CARD, Authorization.UNKNOWN),
        (IdToken("abcd", "RFID"), CARD, Authorization.ACCEPTED),
        (IdToken("abcd", "KeyCode"), CARD, Authorization.INVALID),
        (IdToken("1234", "KeyCode"), None, Authorization.INVALID),
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
    assert judge(presented, known, NOW, PLACE).status == status


@pytest.mark.parametrize("presented", [None, *TYPES, "SomethingNew"])
@pytest.mark.parametrize("known", TYPES)
def test_a_verdict_does_not_depend_on_where_the_token_stands(presented: str | None, known: str) -> None:
    """By its key with a type, or by its text alone, as it was at first: each gives what the token itself gives."""
    token, asked = Token("AbCd", known, Authorization.BLOCKED), IdToken("aBcD", presented)
    for key in (record_key("AbCd", known), token_key("AbCd")):
        found = find(asked, {key: token}.get)
        assert judge(asked, found, NOW, PLACE) == judge(asked, token, NOW, PLACE)
    assert find(IdToken("abc", presented), {record_key("AbCd", known): token}.get) is None


def test_the_token_of_the_presented_type_is_meant() -> None:
    tokens = {record_key("A", kind): Token("A", kind, Authorization.ACCEPTED) for kind in CARDS}
    for kind in CARDS:
        assert find(IdToken("a", kind), tokens.get) == tokens[record_key("A", kind)]


def test_keys_with_a_type_are_no_keys_without_one() -> None:
    """What is in lower case throughout has no type of OCPP before it."""
    assert all(record_key("x/y", kind) != record_key("x/y", kind).casefold() for kind in TYPES)


def test_a_verdict_carries_group_and_cache_expiry() -> None:
    info = judge(IdToken("ABCD"), CARD, NOW, PLACE)
    assert (info.group_id, info.cache_expires_at) == ("FLEET", CARD.cache_expires_at)


def test_id_tokens_are_case_insensitive() -> None:
    assert token_key("DEADbeef") == token_key("deadBEEF") == IdToken("DeAdBeEf").key


SOON, LATER = NOW + timedelta(days=1), NOW + timedelta(days=900)


@pytest.mark.parametrize(
    ("info", "v16", "v201"),
    [
        (TokenInfo(Authorization.ACCEPTED), {"status": "Accepted"}, {"status": "Accepted"}),
        (TokenInfo(Authorization.UNKNOWN), {"status": "Invalid"}, {"status": "Unknown"}),
        (TokenInfo(Authorization.NO_CREDIT), {"status": "Blocked"}, {"status": "NoCredit"}),
        (TokenInfo(Authorization.NOT_AT_THIS_TIME), {"status": "Invalid"}, {"status": "NotAtThisTime"}),
        (
            TokenInfo(Authorization.ACCEPTED, expires_at=LATER),
            {"status": "Accepted", "expiryDate": write_time(LATER)},
            {"status": "Accepted"},
        ),
        (
            TokenInfo(Authorization.ACCEPTED, expires_at=LATER, cache_expires_at=SOON),
            {"status": "Accepted", "expiryDate": write_time(SOON)},
            {"status": "Accepted", "cacheExpiryDateTime": write_time(SOON)},
        ),
        (
            TokenInfo(Authorization.ACCEPTED, expires_at=SOON, cache_expires_at=LATER),
            {"status": "Accepted", "expiryDate": write_time(SOON)},
            {"status": "Accepted", "cacheExpiryDateTime": write_time(SOON)},
        ),
        (
            TokenInfo(Authorization.BLOCKED, group_id="FLEET", language="de-AT"),
            {"status": "Blocked", "parentIdTag": "FLEET"},
            {"status": "Blocked", "groupIdToken": {"idToken": "FLEET", "type": "Central"}, "language1": "de-AT"},
        ),
        (
            TokenInfo(Authorization.ACCEPTED, group_id="G" * 21),
            {"status": "Accepted"},
            {"status": "Accepted", "groupIdToken": {"idToken": "G" * 21, "type": "Central"}},
        ),
    ],
)
def test_a_verdict_in_the_words_of_each_version(info: TokenInfo, v16: object, v201: object) -> None:
    """1.6 §7.27; C01.FR.06, C09.FR.02, C10.FR.13."""
    assert id_tag_info(info) == v16
    assert id_token_info(info) == v201
    VERSIONS["1.6"].schemas.check_response("Authorize", {"idTagInfo": id_tag_info(info)})
    VERSIONS["2.0.1"].schemas.check_response("Authorize", {"idTokenInfo": id_token_info(info)})


@pytest.mark.parametrize("status", Authorization)
def test_every_status_can_be_said_in_both_versions(status: Authorization) -> None:
    VERSIONS["1.6"].schemas.check_response("Authorize", {"idTagInfo": id_tag_info(TokenInfo(status))})
    VERSIONS["2.0.1"].schemas.check_response("Authorize", {"idTokenInfo": id_token_info(TokenInfo(status))})


def test_what_logs_may_show_of_an_id_token() -> None:
    """C04.FR.04: no key code in any logging."""
    assert mask("04A2B3C4D5E6F7") == "…E6F7"
    assert mask("123456") == mask("") == "…"


PASSWORDS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789*-_=:+|@.", min_size=16, max_size=40)


@given(PASSWORDS, PASSWORDS)
def test_a_password_is_itself_and_no_other(password: str, other: str) -> None:
    """A00.FR.205, A00.FR.207."""
    stored = keyed(b"key", password.encode())
    assert matches(password.encode(), stored, b"key")
    assert matches(other.encode(), stored, b"key") == (other == password)
    assert not matches(password.encode(), stored, b"another key")


@given(st.binary(min_size=8, max_size=20))
def test_a_key_in_hexadecimal_is_known_by_its_bytes_and_by_its_text(secret: bytes) -> None:
    """1.6-J §6.2: an AuthorizationKey goes over the wire as the bytes that it spells."""
    stored = keyed(b"key", secret.hex().encode())
    assert matches(secret, stored, b"key")
    assert matches(secret.hex().encode(), stored, b"key")
    assert not matches(secret[:-1], stored, b"key")
