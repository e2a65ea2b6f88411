"""Why Kafka cannot be reached, in one line for people: aiokafka says only that it cannot.

It is found out by one more connection, and where that fails by what the port does speak.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from typing import Any

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from services.common.kafka.oauth import NoToken
from services.common.kafka.rights import who

# Seconds for each connection that is tried.
PATIENCE = 5.0
PROTOCOL = "VOLTBUS_KAFKA_SECURITY_PROTOCOL"
USER = "VOLTBUS_KAFKA_SASL_USERNAME, VOLTBUS_KAFKA_SASL_PASSWORD"
CLIENT = "VOLTBUS_KAFKA_OAUTH_…"
DENIALS = (ClusterAuthorizationFailedError, GroupAuthorizationFailedError, TopicAuthorizationFailedError)
# OpenSSL's numbers of what a certificate lacks: the name, or the address, by which the broker is reached.
ANOTHER_NAME = (62, 64)


def may_not(error: Exception, options: Mapping[str, Any]) -> str:
    """A sentence where a broker answers, and who asks may not do that; else empty."""
    if not isinstance(error, DENIALS):
        return ""
    what = type(error).__name__.removesuffix("Error")
    return f"Kafka at {options['bootstrap_servers']} denies this to {who(options)}: {what} (ACLs)"


async def why_unreachable(options: Mapping[str, Any], patience: float = PATIENCE) -> str:
    """A sentence: what a person can mend at one of the brokers, or else that none of them answers.

    options: of a client. patience: seconds for each connection.
    """
    silent = dict[str, None]()
    for host, port, _ in collect_hosts(options["bootstrap_servers"], randomize=False):
        try:
            await _connect(host, port, options, patience, metadata=True)
        except (KafkaError, OSError, TimeoutError) as error:
            if reason := _refusal(error, options) or await _mismatch(host, port, options, patience, error):
                return f"Kafka at {host}:{port} {reason}"
            silent[_said(error)] = None
        else:
            silent["but has just now"] = None
    return f"Kafka at {options['bootstrap_servers']} does not answer ({'; '.join(silent)})"


def _refusal(error: Exception, options: Mapping[str, Any]) -> str:
    """What an error says by itself that a person can mend; empty if nothing."""
    match error:
        case NoToken():
            return f"is not asked: {error.args[0]}"
        case SaslAuthenticationFailed():
            return f"refuses {who(options)}: {_said(error)} ({USER if 'sasl_plain_username' in options else CLIENT})"
        case UnsupportedSaslMechanismError():
            return f"takes no {options['sasl_mechanism']}: VOLTBUS_KAFKA_SASL_MECHANISM"
        case IllegalSaslStateError():
            return f"asks for no user at this port: {PROTOCOL} is {options['security_protocol']}"
        case ssl.SSLCertVerificationError(verify_code=code, verify_message=message):
            what, setting = ("is not trusted", "VOLTBUS_KAFKA_SSL_CA")
            if code in ANOTHER_NAME:
                what, setting = "is for another name", "the address in VOLTBUS_KAFKA_BOOTSTRAP"
            return f"has a certificate that {what}: {message.rstrip('.')} ({setting})"
    return ""


async def _mismatch(host: str, port: int, options: Mapping[str, Any], patience: float, error: Exception) -> str:
    """What the port speaks instead, or asks for beside; empty if that is not it."""
    protocol = options["security_protocol"]
    if protocol.endswith("SSL"):
        if await _speaks(host, port, {"security_protocol": "PLAINTEXT"}, patience):
            return f"speaks no TLS at this port: {PROTOCOL} is {protocol}"
        if "CERTIFICATE" in str(getattr(error.__cause__ or error, "reason", "")):
            return "wants another client certificate: VOLTBUS_KAFKA_SSL_CERTIFICATE, VOLTBUS_KAFKA_SSL_KEY"
    elif await _speaks_tls(host, port, patience):
        return f"speaks TLS at this port: {PROTOCOL} is {protocol}"
    # Whoever has not said who it is may ask for nothing but versions.
    if "SASL" not in protocol and isinstance(error, KafkaError) and await _speaks(host, port, options, patience):
        return f"wants to know who asks: {PROTOCOL} is {protocol}, and not SASL_…"
    return ""


async def _speaks(host: str, port: int, options: Mapping[str, Any], patience: float) -> bool:
    """Whether a broker answers there what anybody may ask."""
    with contextlib.suppress(KafkaError, OSError, TimeoutError):
        await _connect(host, port, options, patience, metadata=False)
        return True
    return False


async def _speaks_tls(host: str, port: int, patience: float) -> bool:
    """By a handshake and nothing more: a certificate of ours may be asked for after it, and theirs is not looked at."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(patience):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
        writer.close()
        return True
    return False


async def _connect(host: str, port: int, options: Mapping[str, Any], patience: float, *, metadata: bool) -> None:
    """metadata: ask for them, too, which is the first thing that is asked of whoever has not said who it is."""
    more = {name: value for name, value in options.items() if name != "bootstrap_servers"}
    connection = await create_conn(host, port, request_timeout_ms=round(patience * 1000), **more)
    try:
        if metadata:
            await connection.send(MetadataRequest([]))
    finally:
        with contextlib.suppress(OSError):
            connection.close()


def _said(error: Exception) -> str:
    """Its words, without the number and the name that are before them."""
    cause = error.__cause__ if isinstance(error, KafkaError) and isinstance(error.__cause__, Exception) else error
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    return (str(cause.args[-1]) if cause.args else "") or type(cause).__name__
