"""Settings of Kafka that cannot be right are one line at start, and none shows a secret."""

from typing import Any

import pytest

from services.common.kafka.security import client_options
from services.common.process.errors import Misconfigured
from services.common.process.settings import CommonSettings
from tests.clients.brokers import Authority

CA = Authority.new("the CA of the tests")
CERTIFICATE, KEY = CA.issue("voltbus")
_, ENCRYPTED = CA.issue("voltbus", key_password="of the key")
OAUTH: dict[str, Any] = {
    "kafka_security_protocol": "SASL_PLAINTEXT",
    "kafka_sasl_mechanism": "OAUTHBEARER",
    "kafka_oauth_token_url": "https://issuer.example/token",
    "kafka_oauth_client_id": "voltbus",
    "kafka_oauth_client_secret": "the secret",
}


def test_by_default_nothing_is_asked_for() -> None:
    assert client_options(CommonSettings()) == {
        "bootstrap_servers": "localhost:9092",
        "security_protocol": "PLAINTEXT",
    }


def test_a_user_without_tls() -> None:
    given: dict[str, Any] = {"kafka_sasl_username": "one", "kafka_sasl_password": "secret"}
    options = client_options(CommonSettings(kafka_security_protocol="SASL_PLAINTEXT", **given))
    assert "ssl_context" not in options
    assert (options["sasl_mechanism"], options["sasl_plain_username"]) == ("SCRAM-SHA-512", "one")
    assert options["sasl_plain_password"] == "secret"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kafka_security_protocol": "SASL_SSL"}, "VOLTBUS_KAFKA_SASL_PASSWORD: SCRAM-SHA-512 needs both"),
        ({"kafka_security_protocol": "SASL_SSL", "kafka_sasl_username": "x"}, "VOLTBUS_KAFKA_SASL_PASSWORD"),
        ({"kafka_security_protocol": "SSL", "kafka_ssl_ca": "no PEM"}, "VOLTBUS_KAFKA_SSL_CA: no certificates in PEM"),
        ({"kafka_security_protocol": "SSL", "kafka_ssl_certificate": CERTIFICATE}, "VOLTBUS_KAFKA_SSL_KEY: set both"),
        ({"kafka_security_protocol": "SSL", "kafka_ssl_key": KEY}, "VOLTBUS_KAFKA_SSL_KEY: set both or none"),
        (
            {"kafka_security_protocol": "SSL", "kafka_ssl_certificate": CERTIFICATE, "kafka_ssl_key": CA.issue("x")[1]},
            "VOLTBUS_KAFKA_SSL_KEY: not a PEM certificate with its key",
        ),
        (
            {"kafka_security_protocol": "SSL", "kafka_ssl_certificate": CERTIFICATE, "kafka_ssl_key": ENCRYPTED},
            "wrong key password",
        ),
        (OAUTH | {"kafka_oauth_client_id": None}, "VOLTBUS_KAFKA_OAUTH_CLIENT_ID"),
        (OAUTH | {"kafka_oauth_token_url": "issuer"}, "VOLTBUS_KAFKA_OAUTH_TOKEN_URL: 'issuer' is no address of HTTP"),
    ],
)
def test_what_is_missing_or_wrong_is_named(given: dict[str, Any], said: str) -> None:
    with pytest.raises(Misconfigured, match=said) as raised:
        client_options(CommonSettings(**given))
    assert "\n" not in str(raised.value)
    assert "PRIVATE" not in str(raised.value)


def test_no_secret_is_shown() -> None:
    settings = CommonSettings(**OAUTH, kafka_sasl_password="of the user", kafka_ssl_key=KEY)
    shown = repr(settings) + repr(client_options(settings))
    assert not [secret for secret in ("the secret", "of the user", "PRIVATE") if secret in shown]
