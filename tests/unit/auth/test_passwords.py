"""Station passwords: generated, chosen, derived again; accepted by the gateway in every form that a station sends."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from services.auth.api.fields import ChosenPassword
from services.auth.domain.stations import Password, Station
from services.auth.passwords import Passwords
from services.gateway.settings import UnknownStations
from services.gateway.transport.handshake import Admitted, Request, decide
from voltbus.v1.credentials_pb2 import Credentials

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSWORDS = Passwords(b"a key")
CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789*-_=:+|@."
TEXTS = st.text(CHARACTERS, min_size=16, max_size=40)


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
    assert admitted(other.encode(), stored) == (other == text)


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
    "text", ["", "x" * 15, "x" * 41, "with blanks in between", "ümlaut-password-x", "x" * 16 + "\n"]
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
