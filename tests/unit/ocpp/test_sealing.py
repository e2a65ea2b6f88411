"""Secrets on their way: sealed for one service and one station, opened by nobody else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ocpp.sealing import CannotOpen, Opened, Sealing, is_sealed

KEY, SECRET = b"key", "hunter-22-hunter-22"
SEALING = Sealing(KEY)
PASSWORDS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789*-_=:+|@.", min_size=1, max_size=40)


def payload(value: str) -> bytes:
    return json.dumps({"key": "AuthorizationKey", "value": value}).encode()


@given(PASSWORDS)
def test_what_is_sealed_says_nothing_and_is_opened_as_it_was(secret: str) -> None:
    """A01.FR.09; the text fits into an attributeValue and into a CiString500Type."""
    sealed = SEALING.seal(secret, "auth", "CP1")
    assert is_sealed(sealed)
    assert len(sealed) < 200
    assert SEALING.open(payload(sealed), "auth", "CP1") == Opened(payload(secret), (secret.encode(),))


def test_no_two_texts_are_the_same() -> None:
    assert SEALING.seal(SECRET, "auth", "CP1") != SEALING.seal(SECRET, "auth", "CP1")


@pytest.mark.parametrize(
    ("key", "service", "station_id"), [(b"other", "auth", "CP1"), (KEY, "firmware", "CP1"), (KEY, "auth", "CP2")]
)
def test_it_is_for_one_service_one_station_and_one_key(key: bytes, service: str, station_id: str) -> None:
    sealed = payload(SEALING.seal(SECRET, "auth", "CP1"))
    with pytest.raises(CannotOpen):
        Sealing(key).open(sealed, service, station_id)


@pytest.mark.parametrize("made_up", ["voltbus-sealed.AAAA", "voltbus-sealed.A", "voltbus-sealed." + "A" * 200])
def test_a_text_that_nobody_sealed_is_not_opened(made_up: str) -> None:
    with pytest.raises(CannotOpen):
        SEALING.open(payload(made_up), "auth", "CP1")


@pytest.mark.parametrize("value", ["30", "a voltbus-sealed.AAAA", "voltbus-sealed", ""])
def test_any_other_payload_stays_as_it_is(value: str) -> None:
    assert SEALING.open(payload(value), "auth", "CP1") == Opened(payload(value))


def test_a_secret_is_hidden_in_what_a_station_says() -> None:
    opened = SEALING.open(payload(SEALING.seal("00ff" * 8, "auth", "CP1")), "auth", "CP1")
    assert opened.hidden_in(b'[4, "1", "GenericError", "bad: %b"]' % b"00FF" * 8).count(b"00FF" * 8) == 0
    assert opened.hidden_in(b"[3]") == b"[3]"


def test_what_was_sealed_with_the_key_before_is_opened() -> None:
    """It may be on its way while gateways get the new key."""
    sealed = payload(SEALING.seal(SECRET, "auth", "CP1"))
    both = Sealing(b"a newer key", KEY)
    assert both.open(sealed, "auth", "CP1").payload == payload(SECRET)
    newer = payload(both.seal(SECRET, "auth", "CP1"))
    assert both.open(newer, "auth", "CP1").payload == payload(SECRET)
    with pytest.raises(CannotOpen):
        SEALING.open(newer, "auth", "CP1")
