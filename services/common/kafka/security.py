"""How clients reach Kafka: its brokers, TLS, and by what they prove who they are. Every client is made with this."""

import ssl
from typing import Any

from services.common.kafka.oauth import ClientCredentials, TokenProvider
from services.common.process.errors import Misconfigured
from services.common.process.settings import CommonSettings
from services.common.process.tls_files import as_file


def client_options(settings: CommonSettings) -> dict[str, Any]:
    """What every client of aiokafka is given. Raises Misconfigured."""
    protocol = settings.kafka_security_protocol
    options: dict[str, Any] = {"bootstrap_servers": settings.kafka_bootstrap, "security_protocol": protocol}
    context = _tls(settings) if protocol.endswith("SSL") else None
    if context:
        options["ssl_context"] = context
    return options | (_sasl(settings, context) if protocol.startswith("SASL") else {})


def _sasl(settings: CommonSettings, context: ssl.SSLContext | None) -> dict[str, Any]:
    mechanism, name, password = (
        settings.kafka_sasl_mechanism,
        settings.kafka_sasl_username,
        settings.kafka_sasl_password,
    )
    if mechanism == "OAUTHBEARER":
        provider = TokenProvider(_credentials(settings), context or _trusting(settings))
        return {"sasl_mechanism": mechanism, "sasl_oauth_token_provider": provider}
    if name is None or password is None:
        raise Misconfigured(f"VOLTBUS_KAFKA_SASL_USERNAME and VOLTBUS_KAFKA_SASL_PASSWORD: {mechanism} needs both")
    plain = {"sasl_plain_username": name, "sasl_plain_password": password.get_secret_value()}
    return {"sasl_mechanism": mechanism, **plain}


def _credentials(settings: CommonSettings) -> ClientCredentials:
    url, client, secret = (
        settings.kafka_oauth_token_url,
        settings.kafka_oauth_client_id,
        settings.kafka_oauth_client_secret,
    )
    if url is None or client is None or secret is None:
        names = ", ".join(f"VOLTBUS_KAFKA_OAUTH_{name}" for name in ("TOKEN_URL", "CLIENT_ID", "CLIENT_SECRET"))
        raise Misconfigured(f"{names}: OAUTHBEARER needs all three")
    if not url.startswith(("https://", "http://")):
        raise Misconfigured(f"VOLTBUS_KAFKA_OAUTH_TOKEN_URL: {url!r} is no address of HTTP")
    return ClientCredentials(url, client, secret.get_secret_value(), settings.kafka_oauth_scope)


def _tls(settings: CommonSettings) -> ssl.SSLContext:
    context, certificate, key = _trusting(settings), settings.kafka_ssl_certificate, settings.kafka_ssl_key
    if (certificate is None) != (key is None):
        raise Misconfigured("VOLTBUS_KAFKA_SSL_CERTIFICATE and VOLTBUS_KAFKA_SSL_KEY: set both or none")
    if certificate and key:
        # Never asked for at a terminal.
        password = settings.kafka_ssl_key_password.get_secret_value() if settings.kafka_ssl_key_password else ""
        with as_file(certificate) as chain, as_file(key.get_secret_value()) as private:
            try:
                context.load_cert_chain(chain, private, password)
            except (ssl.SSLError, ValueError):
                names = "VOLTBUS_KAFKA_SSL_CERTIFICATE and VOLTBUS_KAFKA_SSL_KEY"
                raise Misconfigured(f"{names}: not a PEM certificate with its key, or a wrong key password") from None
    return context


def _trusting(settings: CommonSettings) -> ssl.SSLContext:
    """Trusts the CAs that are given, else those of the system."""
    try:
        return ssl.create_default_context(cadata=settings.kafka_ssl_ca)
    except (ssl.SSLError, ValueError):
        raise Misconfigured("VOLTBUS_KAFKA_SSL_CA: no certificates in PEM") from None
