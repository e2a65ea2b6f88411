"""Nothing of what is secret, or names a driver, is in what the log keeps; everything else is, byte for byte."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.firmware.frame_log.masking import SHORT_WORDS, WORDS, masked_payload, masked_text
from services.ocpp.examples import full
from services.ocpp.versions import VERSIONS

# As no other text has them.
TOKEN = st.from_regex(r"[0-9A-Z]{8}X[0-9a-z]{6}", fullmatch=True)
NAMES = st.sampled_from(
    (
        *("idTag", "IDTAG", "id_token", "parentIdTag", "additionalIdToken", "groupIdToken", "password", "rfid"),
        *("AuthorizationKey", "cardNumber", "customerIdentifier", "vpn_secret", "basicAuthPassword", "exiRequest"),
    )
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def with_tokens(draw: Any) -> tuple[Any, list[str]]:
    """Any JSON in which tokens stand under names of theirs, as lists, in JSON within a text, and in other texts."""
    tokens = draw(st.lists(TOKEN, min_size=1, max_size=3, unique=True))
    value: Any = draw(PLAIN)
    for token in tokens:
        name = draw(NAMES)
        held = {name: draw(st.sampled_from([token, [token], [{"x": 1}, token]]))}
        if draw(st.booleans()):
            held = {"data": json.dumps(held), "a": draw(PLAIN)}
        if draw(st.booleans()):
            held["note"] = f"seen {token.lower()} today"
        value = {"outer": [held, value], draw(st.text(max_size=5)): draw(PLAIN)}
    return value, tokens


@given(with_tokens(), st.booleans())
def test_no_token_that_was_in_a_frame_is_in_what_is_kept(case: tuple[Any, list[str]], ascii_only: bool) -> None:
    value, tokens = case
    kept = masked_payload(json.dumps(value, ensure_ascii=ascii_only).encode()).lower()
    assert not [token for token in tokens if token.lower().encode() in kept]
    json.loads(kept)


@given(with_tokens(), st.integers(1, 400))
def test_nor_where_the_frame_is_cut_off(case: tuple[Any, list[str]], length: int) -> None:
    value, tokens = case
    # Nobody can know of a token before the word that says what it is.
    written = json.dumps({key: value[key] for key in ("outer",)}).encode()[:length]
    kept = masked_payload(written).lower()
    assert not [token for token in tokens if token.encode() in kept]


@given(PLAIN)
def test_a_frame_without_a_word_is_kept_byte_for_byte(value: Any) -> None:
    written = json.dumps({"value": value, "unit": "Wh"}, indent=1, ensure_ascii=False).encode()
    if not any(word in written.lower() for word in WORDS + SHORT_WORDS):
        assert masked_payload(written) == written


@pytest.mark.parametrize("version", VERSIONS)
def test_no_request_loses_what_is_not_secret(version: str) -> None:
    """The names of all fields stay, whatever the action."""
    for action in sorted(VERSIONS[version].schemas.actions):
        payload = full(VERSIONS[version].schemas.request_document(action))
        kept = orjson.loads(masked_payload(orjson.dumps(payload), action))
        assert kept.keys() == payload.keys(), action


@pytest.mark.parametrize(
    ("payload", "secret"),
    [
        ({"key": "AuthorizationKey", "value": "hunter-22"}, "hunter-22"),
        ({"configurationKey": [{"key": "WifiPassword", "readonly": False, "value": "hunter-22"}]}, "hunter-22"),
        (
            {
                "setVariableData": [
                    {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
                    | {"attributeValue": "hunter-22"}
                ]
            },
            "hunter-22",
        ),
        (
            {
                "reportData": [
                    {"component": {"name": "X"}, "variable": {"name": "SomeSecret"}}
                    | {"variableAttribute": [{"type": "Actual", "value": "hunter-22"}]}
                ]
            },
            "hunter-22",
        ),
        (
            {
                "eventData": [
                    {"component": {"name": "TokenReader"}, "variable": {"name": "Token"}} | {"actualValue": "04A2B3C4"}
                ]
            },
            "04A2B3C4",
        ),
        ({"idToken": {"idToken": "12345678901234", "type": "KeyCode"}}, "1234"),
        ({"idToken": {"idToken": "AB"}, "certificate": "MIIcontract"}, "MIIcontract"),
        ({"location": "ftp://user:hunter-22@host/dir"}, "hunter-22"),
        ({"location": "ftp:\\/\\/user:hunter-22@host/dir"}, "hunter-22"),
        ({"connectionData": {"vpn": {"server": "s", "key": "hunter-22"}}}, "hunter-22"),
        ({"data": "idTag=04A2B3C4;x=1"}, "04A2B3C4"),
        ({"data": "-----BEGIN PRIVATE KEY-----\nMIIhunter"}, "MIIhunter"),
        ({"idTag": 4029384756}, "4029384756"),
        ({"customData": {"vendorId": "X", "uid": "04A2B3C4"}}, "04A2B3C4"),
        ({"customData": {"vendorId": "X", "nfcUid": "04A2B3C4"}}, "04A2B3C4"),
        ({"customData": {"vendorId": "X", "tagId": ["04A2B3C4"]}}, "04A2B3C4"),
        ({"info": "tag 04A2B3C4"}, "04A2B3C4"),
        ({"idTag": "04A2B3C4", "info": "card 04a2b3c4 read"}, "04a2b3c4"),
    ],
)
def test_what_is_secret_by_what_stands_beside_it_is_left_out(payload: Any, secret: str) -> None:
    assert secret in json.dumps(payload)
    assert secret.encode() not in masked_payload(json.dumps(payload).encode())


def test_what_customers_are_told_of_is_personal() -> None:
    written = b'{"data": "Mrs Smith", "seqNo": 0, "requestId": 1, "x": "customer"}'
    assert b"Smith" not in masked_payload(written, "NotifyCustomerInformation")


def test_an_address_with_escaped_slashes_is_one() -> None:
    assert b"hunter-22" not in masked_payload(b'{"location": "ftp:\\/\\/user:hunter-22@host/dir"}')


def test_other_numbers_beside_a_short_word_are_another_kind() -> None:
    assert b"nfcab" in masked_payload(b'{"info": "nfcab"}')
    assert b"04ab" not in masked_payload(b'{"info": "nfc-04ab"}')


def test_an_escaped_name_hides_nothing() -> None:
    assert b"04A2B3C4" not in masked_payload(b'{"id\\u0054ag": "04A2B3C4"}')


def test_of_a_long_token_the_end_stays_to_tell_it_from_others() -> None:
    assert masked_payload(b'{"idTag":"04A2B3C4D5E6F7"}') == '{"idTag":"…E6F7"}'.encode()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("payload: is missing", "payload: is missing"),
        ("idTag: must have 20 characters at most", "idTag…"),
        ("unknown card 04A2B3C4", "unknown card…"),
        ("read tag 04A2B3C4", "read tag…"),
        ("UID=04A2B3C4", "UID…"),
        ("NFC-04A2B3C4", "NFC…"),
        ("nfcA04A2B3C4", "nfc…"),
        ("badge no. 04A2B3C4", "badge…"),
        ("Karte 04A2B3C4 gelesen", "Karte…"),
        ("authorized, User: 04A2B3C4", "authorized, User…"),
        ("user interface: no reaction", "user interface: no reaction"),
        ("fluid low, stage 2, overvoltage", "fluid low, stage 2, overvoltage"),
        ("KeyCode", "KeyCode"),
    ],
)
def test_a_text_ends_where_something_may_follow_that_is_secret(text: str, kept: str) -> None:
    assert masked_text(text) == kept


def test_a_frame_nested_too_deep_is_kept_without_what_is_deep_in_it() -> None:
    deep = b'{"idTag":' * 200 + b'"04A2B3C4"' + b"}" * 200
    assert b"04A2B3C4" not in masked_payload(deep)
