"""Station passwords: generated, chosen, derived again; accepted by the gateway in every form that a station sends."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from services.auth.api.fields import ChosenPassword
from services.auth.dialects import BY_VERSION
from services.auth.domain.stations import Password, Station
from services.auth.passwords import Passwords
from services.gateway.settings import UnknownStations
from services.gateway.transport.handshake import Admitted, Request, decide
from services.ocpp import passwords
from voltbus.v1.credentials_pb2 import Credentials

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSWORDS = Passwords(b"a key")
CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789*-_=:+|@."
TEXTS = st.text(CHARACTERS, min_size=16, max_size=64)
KEY = "000102030405060708090a0b0c0d0e0ff0f1f2f3"
TEXT = "*-_=:+|@.Correct-Horse-9"


def admitted(sent: bytes, stored: Password) -> bool:
    """Whether the gateway admits the Basic credentials."""
    credentials = "Basic " + base64.b64encode(b"CP1:" + sent).decode()
    station = Credentials(station_id="CP1", password_hash=stored.hash)
    asked = Request("/ocpp/CP1", credentials, ["ocpp1.6"])
    return isinstance(decide(asked, "CP1", station, policy=UnknownStations.REJECT, keys=[b"a key"]), Admitted)


@given(TEXTS, TEXTS)
def test_a_password_opens_and_no_other(text: str, other: str) -> None:
    """A00.FR.205, A00.FR.207."""
    stored = PASSWORDS.hashed(text)
    assert admitted(text.encode(), stored)
    same = other == text or (passwords.HEXADECIMAL.fullmatch(text.encode()) and other.lower() == text.lower())
    assert admitted(other.encode(), stored) == bool(same)


@pytest.mark.parametrize(
    ("chosen", "sent", "opens", "rule"),
    [
        (KEY, bytes.fromhex(KEY), True, "1.6-J §6.2: the bytes that the key spells"),
        (KEY, KEY.encode(), True, "1.6, what stations do: its digits"),
        (KEY, KEY.upper().encode(), True, "1.6: digits have no case"),
        (KEY.upper(), bytes.fromhex(KEY), True, "1.6: nor in the registration"),
        (KEY.upper(), KEY.encode(), True, "1.6: nor in the registration"),
        ("aA" * 16, b"\xaa" * 16, True, "1.6: nor in both mixed; A00.FR.205: 16 bytes at the least"),
        ("aA" * 16, b"Aa" * 16, True, "1.6: nor in both mixed"),
        (KEY, bytes.fromhex(KEY)[:-1], False, "not a part of it"),
        (KEY, bytes.fromhex(KEY) + b"\0", False, "nor more"),
        (KEY, bytes.fromhex(KEY).hex().encode().hex().encode(), False, "nor digits of digits"),
        (b"sixteen-bytes-16".hex(), b"sixteen-bytes-16", True, "1.6: a key that spells text"),
        ("sixteen-bytes-16", b"sixteen-bytes-16", True, "1.6: the same, registered as that text"),
        ("sixteen-bytes-16", b"SIXTEEN-BYTES-16", False, "2.x A00.FR.205: text has case"),
        (TEXT, TEXT.encode(), True, "2.x A00.FR.205: UTF-8"),
        (TEXT, TEXT.encode("utf-16-le"), False, "2.x A00.FR.205: UTF-8"),
        (TEXT, base64.b64encode(TEXT.encode()), False, "2.x A00.FR.205: not in base64"),
        (TEXT, TEXT.encode().hex().encode(), False, "2.x A00.FR.205: not encoded into octets"),
        ("x" * 16, b"x" * 16, True, "2.x A00.FR.205: 16 characters at the least"),
        ("x" * 40, b"x" * 40, True, "2.0.1 ed.3 A00.FR.205: 40 at the most"),
        ("x" * 64, b"x" * 64, True, "2.1, 2.0.1 errata 2025-09 A00.FR.205: 64 at the most"),
        ("x" * 64, b"x" * 65, False, "2.1, 2.0.1 errata 2025-09 A00.FR.205: 64 at the most"),
    ],
)
def test_what_each_version_sends_as_its_password(chosen: str, sent: bytes, opens: bool, rule: str) -> None:
    text = TypeAdapter(ChosenPassword).validate_python(chosen).get_secret_value()
    assert admitted(sent, PASSWORDS.hashed(text)) is opens, rule


@pytest.mark.parametrize(
    ("password", "versions"),
    [
        (KEY, {"1.6", "2.0.1"}),
        (KEY.upper(), {"1.6", "2.0.1"}),
        (KEY[:32], {"1.6", "2.0.1"}),
        (KEY[:33], {"2.0.1"}),
        (KEY[:30], {"2.0.1"}),
        (KEY + "00", {"2.0.1"}),
        (TEXT, {"2.0.1"}),
        ("x" * 64, {"2.0.1"}),
    ],
)
def test_what_a_station_of_each_version_can_be_asked_to_take(password: str, versions: set[str]) -> None:
    """A00.FR.205 of 2.x, and of the whitepaper for 1.6; the station says how many more than 40 it takes (A01.FR.04)."""
    assert versions <= BY_VERSION.keys()
    assert {name for name, dialect in BY_VERSION.items() if not dialect.password_fault(password)} >= versions
    assert (BY_VERSION["1.6"].password_fault(password) is None) is ("1.6" in versions)


def test_what_is_longer_than_any_password_is_not_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is presented costs no work that its sender chooses."""

    def hashed(*_: object) -> bytes:
        raise AssertionError("it was hashed")

    monkeypatch.setattr(passwords, "keyed", hashed)
    assert not passwords.matches(b"x" * 65, b"", b"a key")
    with pytest.raises(AssertionError):
        passwords.matches(b"x" * 64, b"", b"a key")


@given(st.binary(min_size=8, max_size=20))
def test_a_password_in_hexadecimal_opens_as_bytes_and_as_text(secret: bytes) -> None:
    """1.6-J §6.2."""
    stored = PASSWORDS.hashed(secret.hex())
    assert admitted(secret, stored)
    assert admitted(secret.hex().encode(), stored)
    assert not admitted(secret + b"\0", stored)


def test_a_generated_password_has_what_both_versions_ask_for() -> None:
    """A00.FR.205: at most 40 characters of passwordString; 1.6-J §6.2: 40 hexadecimal digits are a 20-byte key."""
    text, stored = PASSWORDS.generate()
    assert TypeAdapter(ChosenPassword).validate_python(text).get_secret_value() == text
    assert len(bytes.fromhex(text)) == 20
    assert admitted(bytes.fromhex(text), stored)
    assert len({PASSWORDS.generate()[0] for _ in range(100)}) == 100


@given(TEXTS)
def test_whatever_is_a_password_string_can_be_chosen(text: str) -> None:
    assert TypeAdapter(ChosenPassword).validate_python(text).get_secret_value() == text


@pytest.mark.parametrize(
    "text", ["", "x" * 15, "x" * 65, "with blanks in between", "ümlaut-password-x", "x" * 16 + "\n"]
)
def test_what_no_station_can_hold_cannot_be_chosen(text: str) -> None:
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(ChosenPassword).validate_python(text)
    assert not text or text not in raised.value.errors()[0]["msg"]


def station(password: Password | None) -> Station:
    return Station("CP1", password, None, (), None, NOW, NOW)


@given(st.text(min_size=1), st.text(min_size=1))
def test_the_same_request_again_gives_the_same_password(key: str, other: str) -> None:
    text, stored = PASSWORDS.rotate(station(None), key)
    again, kept = PASSWORDS.rotate(station(stored), key)
    assert (again, kept) == (text, stored)
    assert (PASSWORDS.rotate(station(stored), other)[0] == text) == (key == other)


def test_an_older_request_again_never_brings_its_password_back() -> None:
    first, stored = PASSWORDS.rotate(station(None), "one")
    _, stored = PASSWORDS.rotate(station(stored), "two")
    assert PASSWORDS.rotate(station(stored), "one")[0] != first


def test_without_a_key_every_request_is_new() -> None:
    text, stored = PASSWORDS.rotate(station(None), None)
    assert PASSWORDS.rotate(station(stored), None)[0] != text
    assert (stored.rotation_key, stored.rotation_nonce) == (b"", b"")


def test_what_is_stored_does_not_give_the_password_away() -> None:
    text, stored = PASSWORDS.rotate(station(None), "one")
    assert text not in repr(stored)
    assert Passwords(b"another key").rotate(station(stored), "one")[0] != text


def test_a_request_that_is_repeated_after_the_key_was_replaced_has_its_password() -> None:
    replaced = Passwords(b"a newer key", b"a key")
    text, stored = PASSWORDS.rotate(station(None), "one")
    assert replaced.rotate(station(stored), "one") == (text, stored)
    assert Passwords(b"a newer key").rotate(station(stored), "one")[0] != text
    assert replaced.rotate(station(None), "two")[1].hash != PASSWORDS.hashed(text).hash
    text, stored = replaced.rotate(station(stored), "two")
    assert replaced.hashed(text).hash == stored.hash
