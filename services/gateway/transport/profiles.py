"""Security profiles: with which one a station comes, and whether that is enough. Pure.

2.0.1 part 2, A00 and A05; the 1.6 security whitepaper has the same.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from services.gateway.transport import spoken_tls
from services.gateway.transport.client_certificate import ClientCertificate
from services.gateway.transport.spoken_tls import SpokenTls
from services.ocpp.refusals import RefusalReason
from services.ocpp.station_ids import station_key
from voltbus.v1.bus_pb2 import ConnectionSecurity, ShownCertificate
from voltbus.v1.credentials_pb2 import Credentials

PASSWORD, TLS, CERTIFICATE = 1, 2, 3
# Of a name in a certificate, so many characters are told.
LONGEST_NAME = 500


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose certificates are good. organizations: of the CPO, in lower case. revoked: asked by each of revocable_by."""

    organizations: frozenset[str] = frozenset()
    revoked: Callable[[str], bool] = lambda _: False


NOBODY = Trust()


@dataclass(frozen=True, slots=True)
class Security:
    """How a station was let in. certificate: that it has shown. expired: which is let in all the same."""

    profile: int = 0
    certificate: ClientCertificate | None = None
    expired: bool = False
    tls: SpokenTls = spoken_tls.NONE


UNSECURED = Security()


def of(*, secured: bool, proven: bool, certified: bool) -> int:
    """The profile with which a station comes. secured: by TLS. proven: by its password. certified: by its certificate.

    0: it proves nothing.
    """
    if certified:
        return CERTIFICATE
    return (TLS if secured else PASSWORD) if proven else 0


def fault(
    certificate: ClientCertificate, station_id: str, station: Credentials | None, trust: Trust, now: datetime
) -> RefusalReason | None:
    """Why a certificate does not prove that this is the station; None: it does."""
    # A00.FR.403
    if not certificate.trusted:
        return RefusalReason.UNTRUSTED_CERTIFICATE
    if any(map(trust.revoked, certificate.revocable_by)):
        return RefusalReason.REVOKED_CERTIFICATE
    # A00.FR.404
    if not trust.organizations.intersection(name.lower() for name in certificate.organizations):
        return RefusalReason.FOREIGN_CERTIFICATE
    # A00.FR.405
    if not is_of(certificate, station_id, station):
        return RefusalReason.CERTIFICATE_OF_ANOTHER
    if not certificate.chain_begins <= now < certificate.chain_ends or now < certificate.begins:
        return RefusalReason.EXPIRED_CERTIFICATE
    # A00.FR.407, FR.429
    if now >= certificate.ends and not (station and station.expired_certificate_allowed):
        return RefusalReason.EXPIRED_CERTIFICATE
    return None


def is_of(certificate: ClientCertificate, station_id: str, station: Credentials | None) -> bool:
    """Whether its common name is what the station is registered with: its serial number, or else its id."""
    if station and station.serial_number:
        return station.serial_number in certificate.names
    return station_key(station_id) in map(station_key, certificate.names)


def fault_of_host(
    certificate: ClientCertificate, host: str, station_id: str, station: Credentials | None, trust: Trust
) -> str | None:
    """Why what a host shows that is called does not say that it is the station; None: it does.

    host: in small letters. A station's own certificate has its name, wherever it is; another one that of the host.
    """
    if any(map(trust.revoked, certificate.revocable_by)):
        return "its certificate is revoked"
    above = f"*.{host.partition('.')[2]}"
    if host in certificate.names or not {host, above}.isdisjoint(certificate.hosts):
        return None
    return None if is_of(certificate, station_id, station) else "its certificate is of another station"


def is_enough(profile: int, station: Credentials) -> bool:
    """Whether a station may come with that profile, or one that is connected may stay (A05.FR.07, FR.08)."""
    return profile >= station.security_profile or (
        profile == TLS and station.security_profile == CERTIFICATE and station.downgrade_allowed
    )


def needs_certificate(station: Credentials) -> bool:
    """Whether a password is of no use to it."""
    return station.security_profile == CERTIFICATE and not station.downgrade_allowed


def may_stay(security: Security, station_id: str, station: Credentials) -> bool:
    """Whether a connection goes on where its station was changed."""
    certificate = security.certificate
    if security.profile == CERTIFICATE and certificate and not is_of(certificate, station_id, station):
        return False
    return is_enough(security.profile, station)


def contradicts(certificate: ClientCertificate, station_id: str, serial_numbers: Collection[str]) -> bool:
    """Whether those that a station says of itself are other ones than that of its certificate (B01.FR.12).

    A certificate whose common name is the station's id says nothing of serial numbers. Case, and blanks at an end, do
    not count: firmware writes them otherwise than a plate does.
    """
    said = {one for text in serial_numbers if (one := text.strip().casefold())}
    of_id = station_key(station_id) in map(station_key, certificate.names)
    return bool(said) and not of_id and said.isdisjoint(name.strip().casefold() for name in certificate.names)


def told(security: Security) -> ConnectionSecurity:
    """How a station was let in, for those who look at it."""
    said = ConnectionSecurity(
        profile=security.profile, tls_version=security.tls.version, tls_cipher=security.tls.cipher
    )
    if certificate := security.certificate:
        shown = ShownCertificate(
            subject=certificate.subject[:LONGEST_NAME],
            issuer=certificate.issuer[:LONGEST_NAME],
            serial_number=certificate.serial_number,
        )
        shown.not_after.FromDatetime(certificate.ends)
        said.certificate.CopyFrom(shown)
    return said
