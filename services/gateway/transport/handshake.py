"""Who may connect and in which version: pure decisions about one HTTP upgrade request."""

import base64
import binascii
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import unquote_to_bytes

from services.gateway.settings import UnknownStations
from services.gateway.transport import profiles, spoken_tls
from services.gateway.transport.client_certificate import ClientCertificate
from services.gateway.transport.profiles import NOBODY, UNSECURED, Security, Trust
from services.gateway.transport.spoken_tls import SpokenTls
from services.ocpp.passwords import matches
from services.ocpp.refusals import RefusalReason
from services.ocpp.versions import BY_SUBPROTOCOL, Version
from voltbus.v1.credentials_pb2 import Credentials, PasswordChange

# 2.0.1 part 4 §3.1.1 with the identifierString of the station: 48 characters, no colon (it ends a user name);
# and no slash, for the id is one segment of every REST path.
MAX_STATION_ID_LENGTH = 48
# Of a path of REST, clients take them out.
DOTS = (".", "..")
ABSOLUTE_FORM = re.compile(r"^(?:ws|http)s?://[^/]*", re.IGNORECASE)
UNAUTHORIZED = 401
LONG_AGO = datetime.min.replace(tzinfo=UTC)
# What a station is told whose certificate is not taken, or that comes with too low a security profile.
FAULTS = {
    RefusalReason.LOW_PROFILE: "this station connects with a higher security profile",
    RefusalReason.NO_CERTIFICATE: "this station connects with its certificate",
    RefusalReason.FOREIGN_CERTIFICATE: "the certificate names another organization",
    RefusalReason.CERTIFICATE_OF_ANOTHER: "the certificate is of another station",
    RefusalReason.EXPIRED_CERTIFICATE: "the certificate is not valid now",
    RefusalReason.REVOKED_CERTIFICATE: "the certificate is revoked",
    RefusalReason.UNTRUSTED_CERTIFICATE: "the certificate is of no authority that is trusted",
}
# Also with the right password beside it.
WHATEVER_ELSE = (RefusalReason.UNTRUSTED_CERTIFICATE, RefusalReason.REVOKED_CERTIFICATE)
CHALLENGE = {"WWW-Authenticate": 'Basic realm="OCPP", charset="UTF-8"'}


@dataclass(frozen=True, slots=True)
class Request:
    """What the decision needs of the upgrade request; a station offers its subprotocols in order of preference.

    remote_address: of the socket. secured: it came by TLS, which is tls as far as that is known. certificate: that the
    station has shown. soap: it is no upgrade, but a request of a station that speaks SOAP.
    """

    path: str
    authorization: str | None
    subprotocols: Sequence[str]
    remote_address: str = ""
    secured: bool = False
    certificate: ClientCertificate | None = None
    tls: SpokenTls = spoken_tls.NONE
    soap: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """An HTTP answer instead of a connection. reason: where it is about the station."""

    status: int
    text: str
    headers: Mapping[str, str]
    reason: RefusalReason | None = None


@dataclass(frozen=True, slots=True)
class Admitted:
    """version None: the handshake is finished without a subprotocol and the connection then closed (1.6-J §3.2).

    subprotocol: what the answer names; empty: none, for none was offered. change: of the station's password, where it
    came with the one that it was asked to take; else None. key: under which its password's hash was made, if it is the
    registered one. security: with which the station comes.
    """

    station_id: str
    version: Version | None
    quarantined: bool
    subprotocol: str = ""
    change: PasswordChange | None = None
    key: bytes | None = field(default=None, repr=False, compare=False)
    security: Security = UNSECURED


def station_id_of(path: str) -> str | None:
    """The station's id: the last segment below /ocpp/, percent-decoded once; None if there is no usable one.

    path: as the request has it, also whole (RFC 9112 §3.2.2); slashes too many say nothing.
    """
    text = _said_id(path)
    return text if text is not None and _is_usable(text) else None


def unusable_id_of(path: str) -> str:
    """What a path says where an id belongs, and cannot be one, so that it can be shown; empty: it says nothing."""
    text = _said_id(path)
    if text is None or _is_usable(text):
        return ""
    seen = "".join(sign if sign.isprintable() else "\ufffd" for sign in text[: MAX_STATION_ID_LENGTH + 1])
    return seen if len(seen) <= MAX_STATION_ID_LENGTH else f"{seen[: MAX_STATION_ID_LENGTH - 1]}…"


def _said_id(path: str) -> str | None:
    path = ABSOLUTE_FORM.sub("", path.partition("?")[0])
    segments = [segment for segment in path.split("/") if segment]
    if len(segments) < 2 or segments[0] != "ocpp":
        return None
    try:
        return unquote_to_bytes(segments[-1]).decode()
    except UnicodeDecodeError:
        return None


def _is_usable(text: str) -> bool:
    fits = 0 < len(text) <= MAX_STATION_ID_LENGTH and text not in DOTS
    return fits and not set(":/") & set(text) and text.isprintable()


def choose_version(offered: Sequence[str]) -> Version | None:
    """By the first offered subprotocol that is spoken: the order is the station's preference."""
    return next((BY_SUBPROTOCOL[name] for name in offered if name in BY_SUBPROTOCOL), None)


def decide(
    request: Request,
    station_id: str,
    station: Credentials | None,
    *,
    policy: UnknownStations,
    keys: Sequence[bytes],
    unnamed: Version | None = None,
    trust: Trust = NOBODY,
    now: datetime = LONG_AGO,
) -> Refused | Admitted:
    """The verdict on a request of `station_id`, given what is registered under it.

    policy: what happens to a station that nobody registered. keys: of the HMAC over passwords, the one
    in use first. unnamed: what is spoken
    with a station that offers no subprotocol at all (none). trust: whose certificates are good. A station that is
    registered without a password is asked for none, nor is one whose certificate is good. While its password is being
    changed, the old one and the new are good.
    """
    if station is None and policy is UnknownStations.REJECT:
        return Refused(404, "unknown station", {}, RefusalReason.UNKNOWN_STATION)
    password = _password(request.authorization, station_id)
    change = _change(password, station, keys) if station is not None else None
    hash_ = station.password_hash if station is not None and change is None else b""
    key = _key(password, hash_, keys)
    proven = change is not None or key is not None
    certificate = request.certificate
    fault = certificate and profiles.fault(certificate, station_id, station, trust, now)
    if fault in WHATEVER_ELSE:
        return _forbidden(fault)
    if station is None and fault is RefusalReason.CERTIFICATE_OF_ANOTHER:
        return _forbidden(fault)
    profile = profiles.of(secured=request.secured, proven=proven, certified=certificate is not None and not fault)
    if profile < profiles.CERTIFICATE and hash_ and not proven:
        # Where no password would do, nothing depends on it.
        helpless = password is None or (station is not None and profiles.needs_certificate(station))
        if helpless and (reason := fault or _uncertified(request, station)):
            return _forbidden(reason)
        reason = RefusalReason.NO_PASSWORD if password is None else RefusalReason.WRONG_PASSWORD
        return Refused(UNAUTHORIZED, "wrong or missing credentials", CHALLENGE, reason)
    if station is not None and not profiles.is_enough(profile, station):
        return _forbidden(fault or _uncertified(request, station) or RefusalReason.LOW_PROFILE)
    expired = profile == profiles.CERTIFICATE and certificate is not None and certificate.ends <= now
    security = Security(profile, certificate, expired, request.tls)
    quarantined = station is None and policy is UnknownStations.QUARANTINE
    if not request.subprotocols:
        return Admitted(station_id, unnamed, quarantined, "", change, key, security)
    version = choose_version(request.subprotocols)
    subprotocol = version.subprotocol if version else ""
    return Admitted(station_id, version, quarantined, subprotocol, change, key, security)


def _uncertified(request: Request, station: Credentials | None) -> RefusalReason | None:
    """Where all that a station lacks is its certificate."""
    wanted = station is not None and station.security_profile == profiles.CERTIFICATE
    return RefusalReason.NO_CERTIFICATE if wanted and request.secured and request.certificate is None else None


def _forbidden(reason: RefusalReason) -> Refused:
    return Refused(403, FAULTS[reason], {}, reason)


def too_many(wait: float) -> Refused:
    """The answer to a wrong password after too many. wait: seconds, until the next one is answered as before."""
    headers = {"Retry-After": str(math.ceil(wait))}
    reason = RefusalReason.TOO_MANY_WRONG_PASSWORDS
    return Refused(429, "too many wrong or missing passwords: try again later", headers, reason)


def _change(password: bytes | None, station: Credentials, keys: Sequence[bytes]) -> PasswordChange | None:
    """The change by which the station has this password."""
    return next((one for one in station.changes if _key(password, one.password_hash, keys)), None)


def _key(password: bytes | None, hash_: bytes, keys: Sequence[bytes]) -> bytes | None:
    """The key under which that is the password's hash."""
    return next((key for key in keys if password is not None and matches(password, hash_, key)), None)


def _password(authorization: str | None, station_id: str) -> bytes | None:
    """The password of Basic credentials whose user is the station; RFC 7617: the first colon ends the user name."""
    scheme, _, credentials = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    credentials = credentials.strip()
    # Stations leave its padding out.
    credentials += "=" * (-len(credentials) % 4)
    try:
        user, colon, password = base64.b64decode(credentials, validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    # As bytes: letters beyond ASCII are compared as they are.
    return password if colon and user.lower() == station_id.encode().lower() else None
