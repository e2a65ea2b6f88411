"""The certificate that a station has shown, as far as it is decided by."""

import ssl
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from services.gateway.transport import chains
from services.ocpp.certificates import by_serial_number

DER = ssl._ssl.ENCODING_DER  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """names, organizations: CN and O of its subject.

    revocable_by: under which keys it is revoked, or one above it: its fingerprint, or its serial number and issuer.
    chain_ends: when the first of those above it expires. subject, issuer, serial_number: as they are shown. hosts:
    names and addresses of its subject alternative names. trusted: whether its chain leads to a CA of the operator's;
    by our own TLS, no other comes so far.
    """

    names: tuple[str, ...]
    organizations: tuple[str, ...]
    revocable_by: tuple[str, ...]
    begins: datetime
    ends: datetime
    chain_begins: datetime
    chain_ends: datetime
    subject: str = ""
    issuer: str = ""
    serial_number: str = ""
    hosts: tuple[str, ...] = ()
    trusted: bool = True


def of(ssl_object: ssl.SSLObject) -> ClientCertificate | None:
    """The one of a connection; None: the station has shown none. Raises ValueError where nothing signed it."""
    der = ssl_object.getpeercert(binary_form=True)
    if der is None:
        return None
    # OpenSSL was told not to look at times, which are decided by with what is registered: so they are looked at here.
    own, verified = x509.load_der_x509_certificate(der), ssl_object._sslobj.get_verified_chain()  # type: ignore[attr-defined]
    return read(own, _loaded(verified[1:]) if verified else _above(own, ssl_object))


def _loaded(certificates: Sequence[ssl._ssl.Certificate]) -> list[x509.Certificate]:  # type: ignore[name-defined]
    return [x509.load_der_x509_certificate(one.public_bytes(DER)) for one in certificates]


def _above(own: x509.Certificate, ssl_object: ssl.SSLObject) -> list[x509.Certificate]:
    """Where a session is resumed, OpenSSL has verified the chain before and only remembers what the station showed."""
    shown = _loaded((ssl_object._sslobj.get_unverified_chain() or [])[1:])  # type: ignore[attr-defined]
    trusted = [x509.load_der_x509_certificate(one) for one in ssl_object.context.get_ca_certs(binary_form=True)]
    if not (above := chains.verified(own, shown, trusted)):
        raise ValueError
    return above


def read_chain(chain: Sequence[x509.Certificate], trusted: Sequence[x509.Certificate]) -> ClientCertificate | None:
    """The first of them, as a proxy hands it on; None: there is none. trusted: CAs, to one of which it must lead."""
    if not chain:
        return None
    above = chains.verified(chain[0], chain[1:], trusted)
    return read(chain[0], chain[1:] if above is None else above, trusted=above is not None)


def read(own: x509.Certificate, above: Sequence[x509.Certificate], *, trusted: bool = True) -> ClientCertificate:
    """above: what signed it, and what signed that. trusted: whether that leads to a CA of the operator's."""
    return ClientCertificate(
        names=_subject(own, NameOID.COMMON_NAME),
        organizations=_subject(own, NameOID.ORGANIZATION_NAME),
        revocable_by=tuple(key for one in (own, *above) for key in _keys(one)),
        begins=own.not_valid_before_utc,
        ends=own.not_valid_after_utc,
        chain_begins=max((one.not_valid_before_utc for one in above), default=own.not_valid_before_utc),
        chain_ends=min((one.not_valid_after_utc for one in above), default=own.not_valid_after_utc),
        subject=own.subject.rfc4514_string(),
        issuer=sys.intern(own.issuer.rfc4514_string()),
        serial_number=f"{own.serial_number:X}",
        hosts=_hosts(own),
        trusted=trusted,
    )


def _hosts(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    addresses = map(str, found.get_values_for_type(x509.IPAddress))
    return *(name.lower() for name in found.get_values_for_type(x509.DNSName)), *addresses


def _keys(certificate: x509.Certificate) -> tuple[str, str]:
    """Those of a CA are of many connections, and kept once."""
    by_number = by_serial_number(certificate.serial_number, certificate.issuer.rfc4514_string())
    return sys.intern(certificate.fingerprint(hashes.SHA256()).hex()), sys.intern(by_number)


def _subject(certificate: x509.Certificate, name: x509.ObjectIdentifier) -> tuple[str, ...]:
    return tuple(str(part.value) for part in certificate.subject.get_attributes_for_oid(name))
