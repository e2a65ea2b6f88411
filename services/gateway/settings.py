"""Settings of the gateway, read once from the environment; secrets also from files (VOLTBUS_…_FILE)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from services.common.process.settings import Names, Networks, PasswordKeys


class UnknownStations(StrEnum):
    """What happens to a station that nobody registered."""

    REJECT = "reject"
    QUARANTINE = "quarantine"
    ACCEPT = "accept"


class WithoutSubprotocol(StrEnum):
    """What a station that offers no subprotocol is taken to speak."""

    REFUSE = "refuse"
    V16 = "1.6"


class Reading(StrEnum):
    """What happens to a message that breaks its schema."""

    TOLERANT = "tolerant"
    STRICT = "strict"


class ForwardedHeader(StrEnum):
    """In which header a trusted proxy says from where a request is."""

    NONE = "none"
    X_FORWARDED_FOR = "x-forwarded-for"
    FORWARDED = "forwarded"


class CertificateHeader(StrEnum):
    """In which header a trusted proxy says which certificate a station has shown: of Envoy, of nginx, of RFC 9440."""

    NONE = "none"
    XFCC = "x-forwarded-client-cert"
    SSL_CLIENT_CERT = "ssl-client-cert"
    CLIENT_CERT = "client-cert"


# The first and the last of them.
PortRange = tuple[int, int]


def _ports(given: Any) -> Any:
    """`80,443,1024-65535`; what is none is named."""
    if not isinstance(given, str):
        return given
    ranges = []
    for one in filter(None, (part.strip() for part in given.split(","))):
        first, _, last = one.partition("-")
        if not (first.isdecimal() and (last or first).isdecimal() and 0 < int(first) <= int(last or first) < 65536):
            raise ValueError(f"{one!r} is no port: give ports and ranges of them, such as 80,443,1024-65535")
        ranges.append((int(first), int(last or first)))
    return ranges


class Settings(PasswordKeys):
    """Times are in seconds, sizes in bytes."""

    gateway_port: int = Field(9000, ge=1, le=65535, description="where stations connect")
    gateway_plain: bool = Field(True, description="whether stations may connect without TLS, on that port")
    gateway_tls_port: int = Field(
        9443, ge=1, le=65535, description="where stations connect with TLS, if there is a certificate"
    )
    gateway_tls_certificate: str | None = Field(
        None, description="PEM of the certificate that stations are shown, and of its chain"
    )
    gateway_tls_key: SecretStr | None = Field(None, description="PEM of its key, RSA or ECDSA")
    gateway_tls_second_certificate: str | None = Field(
        None, description="PEM of another, with the other kind of key: A00.FR.318 needs both"
    )
    gateway_tls_second_key: SecretStr | None = Field(None, description="PEM of the key of that one")
    gateway_tls_client_ca: str | None = Field(
        None, description="PEM of the CAs whose certificates stations may show (security profile 3)"
    )
    cpo_names: Names = Field(
        (), description="organization names, one of which the certificate of a station must have (A00.FR.404)"
    )
    gateway_tls_rsa_suites: bool = Field(
        False, description="whether the TLS_RSA suites of OCPP are there, which have no forward secrecy (A00.FR.318)"
    )
    gateway_trusted_proxies: Networks = Field(
        (), description="networks of proxies in front of the gateway: what they say of stations counts"
    )
    gateway_proxy_protocol: bool = Field(
        False, description="whether connections of these begin with a header of the PROXY protocol, version 1 or 2"
    )
    gateway_forwarded_header: ForwardedHeader = Field(
        ForwardedHeader.X_FORWARDED_FOR,
        description="in which header these say where a request is from: x-forwarded-for, forwarded (RFC 7239), none",
    )
    gateway_forwarded_proto: bool = Field(
        False,
        description="whether these also set there, whatever a station wrote, by what it came to them: "
        "x-forwarded-proto, or proto of forwarded; else no header says that a station speaks TLS",
    )
    gateway_forwarded_tls: Names = Field(
        (),
        max_length=2,
        description="headers that these set to the version and the cipher of a station's TLS, to be shown: "
        "x-tls-version,x-tls-cipher",
    )
    gateway_client_certificate_header: CertificateHeader = Field(
        CertificateHeader.NONE,
        description="in which header these say which certificate a station has shown: x-forwarded-client-cert (Envoy), "
        "ssl-client-cert (nginx), client-cert (RFC 9440), none",
    )
    soap_port: int = Field(0, ge=0, le=65535, description="where stations speak SOAP, as OCPP 1.5 does; 0: nowhere")
    soap_tls_port: int = Field(
        0, ge=0, le=65535, description="where they speak it by TLS, with the certificates of the gateway; 0: nowhere"
    )
    soap_silence: float = Field(
        900, gt=0, description="silence after which a station that speaks SOAP counts as gone; heartbeats are shorter"
    )
    soap_allow: Networks = Field(
        (), description="networks of stations that speak SOAP, which are called there, also without TLS: 10.0.0.0/8,…"
    )
    soap_call_ports: Annotated[Sequence[PortRange], NoDecode, BeforeValidator(_ports)] = Field(
        ((80, 80), (443, 443), (1024, 65535)), description="ports that such stations may be called at: 80,443,8000-8999"
    )
    soap_call_ca: str | None = Field(
        None, description="PEM of the CAs that certificates of such stations are of, where they are called by https"
    )
    soap_call_certificate: str | None = Field(
        None, description="PEM of the certificate that they are shown there, and of its chain"
    )
    soap_call_key: SecretStr | None = Field(None, description="PEM of its key")
    gateway_http_port: int = Field(9080, ge=1, le=65535, description="health, readiness and metrics")
    unknown_stations: UnknownStations = Field(UnknownStations.REJECT, description="reject, quarantine or accept")
    without_subprotocol: WithoutSubprotocol = Field(
        WithoutSubprotocol.REFUSE, description="what a station that offers no subprotocol speaks: 1.6, or refuse"
    )
    reading: Reading = Field(
        Reading.TOLERANT,
        description="tolerant: of a message that breaks its schema, what can be used is read; strict: it is refused; "
        "a registration may say otherwise of its station",
    )
    message_size: int = Field(
        256 * 1024, ge=1024, le=450_000, description="longest message of a station, also after inflation"
    )
    call_timeout: float = Field(30, gt=0, description="how long a station's CALL waits for its answer")
    command_timeout: float = Field(30, gt=0, description="how long a station may take to answer a CALL")
    call_queue: int = Field(64, ge=1, description="CALLs, and commands, that wait for the line of one connection")
    call_queue_size: int = Field(
        64 * 1024, ge=1024, description="bytes of CALLs that wait for the line of one connection"
    )
    waiting_size: int = Field(
        64 * 1024 * 1024, ge=1024 * 1024, description="bytes of messages that wait in the whole gateway"
    )
    ping_interval: float = Field(60, ge=0, description="silence after which a station is pinged; 0: never")
    pong_timeout: float = Field(30, gt=0, description="silence after a ping that ends the connection")
    send_timeout: float = Field(
        60, gt=0, description="how long a station may read nothing of what is sent to it before its connection ends"
    )
    message_rate: float = Field(100, ge=0, description="messages a second that one station may send for long; 0: any")
    byte_rate: float = Field(
        256 * 1024,
        ge=0,
        description="bytes a second that one station may send for long, after inflation; 0: any number",
    )
    burst: float = Field(
        100, ge=1, description="seconds' worth of both rates that may come faster, as after a time offline"
    )
    burst_speed: float = Field(2.5, ge=1, description="times both rates, at which that is read")
    flood_timeout: float = Field(
        900,
        ge=0,
        description="how long a station that sends faster is only slowed down before it is closed; 0: for ever",
    )
    handshakes: int = Field(
        5_000, ge=1, description="connections whose upgrade request has not come yet; of more, the oldest is ended"
    )
    takeovers: int = Field(
        3,
        ge=0,
        description="how often a device replaces another one that is alive under its id, before that one stays; "
        "0: always",
    )
    reconnects: int = Field(60, ge=0, description="how often a minute one station may connect; 0: any number")
    alive_interval: float = Field(60, gt=0, description="how often an open connection is reported on ocpp.connections")
    unacknowledged: int = Field(
        20_000, ge=1, description="records that Kafka has not acknowledged before sockets are paused"
    )
    unacknowledged_size: int = Field(
        64 * 1024 * 1024, ge=1024 * 1024, description="bytes of records that Kafka has not acknowledged, likewise"
    )
    behind: int = Field(5_000, ge=100, description="records that a service is behind before stations are slowed down")
    kafka_grace: float = Field(60, ge=0, description="how long a gateway stays ready while Kafka does not answer")
    slot_ttl: float = Field(10, gt=0, description="how long a slot stays leased without renewal")
    route_ttl: float = Field(120, gt=0, description="how long a route stays in Redis without renewal")
    drain_seconds: float = Field(10, ge=0, description="over which connections are closed at shutdown")
    deflate: bool = Field(True, description="whether permessage-deflate is offered (2.0.1 part 4 asks for it)")
