"""What people may see of a payload."""

from typing import Any

import pytest

from services.ocpp.masking import masked, masked_text

CARD = "04A2B3C4D5E6F7"


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        ({"idTag": CARD, "parentIdTag": "1234"}, {"idTag": "…E6F7", "parentIdTag": "…"}),
        ({"idToken": {"idToken": CARD, "type": "eMAID"}}, {"idToken": {"idToken": "…E6F7", "type": "eMAID"}}),
        ({"list": [{"idTag": CARD}]}, {"list": [{"idTag": "…E6F7"}]}),
        ({"additionalInfo": [{"additionalIdToken": CARD}]}, {"additionalInfo": [{"additionalIdToken": "…E6F7"}]}),
        ({"vpn": {"password": "p", "user": "u"}}, {"vpn": {"password": "…", "user": "u"}}),
        (
            {"variable": {"name": "BasicAuthPassword"}, "attributeValue": "p", "component": {"name": "SecurityCtrlr"}},
            {"variable": {"name": "BasicAuthPassword"}, "attributeValue": "…", "component": {"name": "SecurityCtrlr"}},
        ),
        (
            {"variable": {"name": "BasicAuthPassword"}, "variableAttribute": [{"value": "p", "type": "Actual"}, {}]},
            {"variable": {"name": "BasicAuthPassword"}, "variableAttribute": [{"value": "…", "type": "Actual"}, {}]},
        ),
        ({"mutability": "WriteOnly", "value": "p"}, {"mutability": "WriteOnly", "value": "…"}),
        ({"vpn": {"key": "psk", "type": "IPSec"}}, {"vpn": {"key": "…", "type": "IPSec"}}),
        (
            {"idToken": {"idToken": "1234567890123", "type": "KeyCode"}},
            {"idToken": {"idToken": "…", "type": "KeyCode"}},
        ),
        ({"location": "ftp://me:pw@host/file"}, {"location": "ftp://…@host/file"}),
        ({"location": "https://host/a@b?c"}, {"location": "https://host/a@b?c"}),
        ({"key": "AuthorizationKey", "value": "30"}, {"key": "AuthorizationKey", "value": "…"}),
        ({"key": "ApnPsk", "value": "k"}, {"key": "ApnPsk", "value": "…"}),
        ({"apn": {"apn": "internet", "simPin": 1234}}, {"apn": {"apn": "internet", "simPin": "…"}}),
        ({"key": "HeartbeatInterval", "value": "300"}, {"key": "HeartbeatInterval", "value": "300"}),
        ({"timestamp": "2026-01-01T00:00:00Z", "meterStop": 7}, {"timestamp": "2026-01-01T00:00:00Z", "meterStop": 7}),
    ],
)
def test_cards_and_secrets_are_masked_in_every_version(payload: Any, shown: Any) -> None:
    assert masked(payload) == shown


def test_cards_are_shown_where_that_is_asked_for_and_secrets_never() -> None:
    payload = {"idTag": CARD, "connection": {"basicAuthPassword": "p"}, "idToken": {"idToken": "12", "type": "KeyCode"}}
    shown = {"idTag": CARD, "connection": {"basicAuthPassword": "…"}, "idToken": {"idToken": "…", "type": "KeyCode"}}
    assert masked(payload, tokens=False) == shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ('{"key": "AuthorizationKey", "value": "p"}', '{"key":"AuthorizationKey","value":"…"}'),
        ('{"idTag": "04A2B3C4", "data": "x" }', '{"idTag": "04A2B3C4", "data": "x" }'),
        (
            '{"password":"p","data":' + "[" * 500 + "]" * 500 + "}",
            '{"password":"…","data":' + "[" * 63 + '"…"' + "]" * 63 + "}",
        ),
        (r'{"location":"ftp:\/\/me:pw@host\/file"}', '{"location":"ftp://…@host/file"}'),
    ],
)
def test_a_text_without_secrets_stays_as_it_is(written: str, shown: str) -> None:
    assert masked_text(written) == shown
