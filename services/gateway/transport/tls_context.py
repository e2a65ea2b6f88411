"""What the gateway shows stations and whom it trusts: SSL contexts, made anew when the files of them change.

2.0.1 part 2, A00: TLS 1.2 or later, the four cipher suites that must be there, no compression, both kinds of keys.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pydantic import SecretStr

from services.common.process.errors import Misconfigured
from services.common.process.settings import PREFIX, from_file
from services.common.process.tls_files import as_file
from services.gateway import metrics
from services.gateway.settings import Settings
from services.gateway.transport.chains import SHORTEST_EC, SHORTEST_RSA, is_issued_by

# Of TLS 1.2: what A00.FR.318 asks for; with RSA keys, stations that can have forward secrecy get it (BSI TR-02102-2).
SUITES = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
)
# The other two of A00.FR.318: whoever gets the server's key can read what was recorded before.
SUITES_WITHOUT_FORWARD_SECRECY = ("AES128-GCM-SHA256", "AES256-GCM-SHA384")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Loaded:
    """context: of ports; None: there is no certificate for them. calls: to stations; None: as any client's.

    expires: when the certificates do, by the kind of their keys; CALLS: that of calls. trusted: CAs of stations.
    """

    context: ssl.SSLContext | None
    expires: Mapping[str, datetime]
    calls: ssl.SSLContext | None = None
    trusted: Sequence[x509.Certificate] = ()


class Certificates:
    """What the settings say, or the files that they name; interval: seconds between two looks at those.

    wall: the clock, in seconds since 1970.
    """

    def __init__(self, settings: Settings, interval: float, wall: Callable[[], float]) -> None:
        self._settings, self._interval, self._wall = settings, interval, wall
        # Of what there is; and what is wrong with what is new.
        self._given: Mapping[str, str] = {}
        self._problem = ""
        self._loaded: Loaded | None = None

    @property
    def context(self) -> ssl.SSLContext:
        """For handshakes that begin now."""
        context = self._loaded.context if self._loaded else None
        assert context is not None, "the port is not open"
        return context

    @property
    def calls(self) -> ssl.SSLContext | None:
        """For calls to stations that begin now; None: as for any other."""
        return self._loaded.calls if self._loaded else None

    @property
    def trusted(self) -> Sequence[x509.Certificate]:
        """The CAs that certificates of stations lead to."""
        return self._loaded.trusted if self._loaded else ()

    @property
    def serving(self) -> bool:
        """Whether ports can be opened with it."""
        return self._loaded is not None and self._loaded.context is not None

    def has(self, name: str) -> bool:
        """Whether that setting is there."""
        return name in self._given

    def open(self) -> None:
        """Raises Misconfigured."""
        self._given = given(self._settings)
        self._take(self._load(self._given))

    async def run(self) -> None:
        """Takes what changes, until cancelled."""
        while True:
            await asyncio.sleep(self._interval)
            if self._loaded is not None:
                self.look()

    def look(self) -> None:
        """Takes what is new; if that cannot be used, it is told, and what there was stays until it can.

        Of a pair, one file may be written and the other not yet; or its time has not come.
        """
        try:
            now = given(self._settings)
            if now != self._given:
                self._take(self._load(now))
                self._given = now
                expires = {kind: str(at) for kind, at in self._loaded_expires.items()}
                log.info("certificates have changed", expires=expires)
        except Misconfigured as error:
            metrics.CERTIFICATE_REFUSED.set(1)
            if str(error) != self._problem:
                log.error("new certificates cannot be used: those from before stay", problem=str(error))
            self._problem = str(error)
        else:
            metrics.CERTIFICATE_REFUSED.set(0)
            self._problem = ""

    def _load(self, pem: Mapping[str, str]) -> Loaded:
        now = datetime.fromtimestamp(self._wall(), UTC)
        return load(pem, rsa_suites=self._settings.gateway_tls_rsa_suites, now=now)

    @property
    def _loaded_expires(self) -> Mapping[str, datetime]:
        return self._loaded.expires if self._loaded else {}

    def _take(self, loaded: Loaded) -> None:
        for kind in self._loaded_expires.keys() - loaded.expires.keys():
            metrics.CERTIFICATE_EXPIRES.remove(kind)
        for kind, at in loaded.expires.items():
            metrics.CERTIFICATE_EXPIRES.labels(kind).set(at.timestamp())
        self._loaded = loaded


PAIRS = (
    ("gateway_tls_certificate", "gateway_tls_key"),
    ("gateway_tls_second_certificate", "gateway_tls_second_key"),
)
CLIENT_CA = "gateway_tls_client_ca"
OF_PORTS = (*(name for pair in PAIRS for name in pair), CLIENT_CA)
# Of calls to stations that speak SOAP: what they are shown, and whom they have to show a certificate of.
CALL_PAIR, CALL_CA = ("soap_call_certificate", "soap_call_key"), "soap_call_ca"
FIELDS = (*OF_PORTS, *CALL_PAIR, CALL_CA)
CALLS = "calls"
# X509_V_FLAG_NO_CHECK_TIME of OpenSSL: a station whose certificate has expired may be let in (A00.FR.429), so times are
# looked at where that is decided. A CA that is no root is trusted as it is given.
FLAGS = 0x200000 | ssl.VERIFY_X509_PARTIAL_CHAIN


def given(settings: Settings) -> Mapping[str, str]:
    """What is set of FIELDS, in PEM: of a file what it has now. Raises Misconfigured where it cannot be read."""
    found = {}
    for name in FIELDS:
        value = getattr(settings, name)
        plain = value.get_secret_value() if isinstance(value, SecretStr) else value
        if content := from_file(name) or plain:
            found[name] = content
    return found


def load(pem: Mapping[str, str], *, rsa_suites: bool, now: datetime) -> Loaded:
    """The contexts of what is given. Raises Misconfigured."""
    expires: dict[str, datetime] = {}
    context = _of_ports(pem, expires, now, rsa_suites=rsa_suites)
    trusted = x509.load_pem_x509_certificates(pem[CLIENT_CA].encode()) if CLIENT_CA in pem else ()
    return Loaded(context if expires else None, expires, _of_calls(pem, expires, now), trusted)


def _of_ports(
    pem: Mapping[str, str], expires: dict[str, datetime], now: datetime, *, rsa_suites: bool
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(":".join(SUITES + (SUITES_WITHOUT_FORWARD_SECRECY if rsa_suites else ())))
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    for names in PAIRS:
        if (kind_and_end := _pair(context, names, pem, now)) is None:
            continue
        kind, until = kind_and_end
        if kind in expires:
            raise Misconfigured(
                f"{_variable(names[0])}: its key is {kind} like the other's: give one of the other kind"
            )
        expires[kind] = until
    if authorities := pem.get(CLIENT_CA):
        _trust(context, CLIENT_CA, authorities)
        # A station need not show a certificate; one that it shows must be good.
        context.verify_mode = ssl.CERT_OPTIONAL
        context.verify_flags |= FLAGS
        # A ticket hands back the station's certificate alone: of those above it, revoked or expired, nothing is known.
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
    return context


def _of_calls(pem: Mapping[str, str], expires: dict[str, datetime], now: datetime) -> ssl.SSLContext | None:
    """A station's own certificate does not have the name of its host: whose it is, is looked at by who calls."""
    if not any(name in pem for name in (*CALL_PAIR, CALL_CA)):
        return None
    authorities = pem.get(CALL_CA)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if authorities else ssl.create_default_context()
    if authorities:
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        _trust(context, CALL_CA, authorities)
    if shown := _pair(context, CALL_PAIR, pem, now):
        expires[CALLS] = shown[1]
    return context


def _pair(
    context: ssl.SSLContext, names: tuple[str, str], pem: Mapping[str, str], now: datetime
) -> tuple[str, datetime] | None:
    """Takes a certificate and its key: of which kind that is, and when they expire. None: there are none."""
    certificate, key = (pem.get(name, "") for name in names)
    if not certificate and not key:
        return None
    if not certificate or not key:
        raise Misconfigured(f"{_variable(names[0])} and {_variable(names[1])}: set both or none")
    kind_and_end = _chain(_variable(names[0]), certificate, now)
    _add(context, names, certificate, key)
    return kind_and_end


def _trust(context: ssl.SSLContext, name: str, authorities: str) -> None:
    try:
        context.load_verify_locations(cadata=authorities)
    except (ssl.SSLError, ValueError):
        raise Misconfigured(f"{_variable(name)}: no certificates in PEM") from None


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _chain(variable: str, certificate: str, now: datetime) -> tuple[str, datetime]:
    """The kind of the key of a chain, whose own certificate is the first, and when it expires."""
    try:
        chain = x509.load_pem_x509_certificates(certificate.encode())
    except ValueError:
        raise Misconfigured(f"{variable}: no certificates in PEM") from None
    until = min(one.not_valid_after_utc for one in chain)
    if until <= now:
        raise Misconfigured(f"{variable}: it has expired ({until:%Y-%m-%d})")
    if now < (begins := max(one.not_valid_before_utc for one in chain)):
        raise Misconfigured(f"{variable}: it is not valid before {begins:%Y-%m-%d %H:%M} UTC")
    for signed, (number, issuer) in zip(chain, enumerate(chain[1:], 2), strict=False):
        if not is_issued_by(signed, issuer):
            raise Misconfigured(f"{variable}: its certificate {number} has not signed the one before it")
    if len(chain) == 1 and chain[0].issuer != chain[0].subject:
        log.info("a certificate without a chain: stations must know what signed it", variable=variable)
    key = chain[0].public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= SHORTEST_RSA:
        return "rsa", until
    if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size >= SHORTEST_EC:
        return "ec", until
    needed = f"RSA from {SHORTEST_RSA} bits on or ECDSA from {SHORTEST_EC} bits on (A00.FR.502, A00.FR.503)"
    raise Misconfigured(f"{variable}: its key must be {needed}")


def _add(context: ssl.SSLContext, names: tuple[str, str], certificate: str, key: str) -> None:
    with as_file(certificate) as chain, as_file(key) as private:
        try:
            # Never asked for a password at a terminal.
            context.load_cert_chain(chain, private, "")
        except (ssl.SSLError, ValueError) as error:
            mismatch = isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH"
            problem = f"is no key of {_variable(names[0])}" if mismatch else "no key in PEM without a password"
            raise Misconfigured(f"{_variable(names[1])}: {problem}") from None
