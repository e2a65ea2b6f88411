"""The certificate that a station has shown, as far as it is decided by; its chain has been verified."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

DER = ssl._ssl.ENCODING_DER  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """names, organizations: CN and O of its subject. fingerprint: SHA-256, in hexadecimal digits.

    issuer: as RFC 4514 writes it. chain_ends: when the first of those above it expires.
    """

    names: tuple[str, ...]
    organizations: tuple[str, ...]
    issuer: str
    serial_number: int
    fingerprint: str
    begins: datetime
    ends: datetime
    chain_begins: datetime
    chain_ends: datetime


def of(ssl_object: ssl.SSLObject) -> ClientCertificate | None:
    """The one of a connection; None: the station has shown none."""
    der = ssl_object.getpeercert(binary_form=True)
    if der is None:
        return None
    # OpenSSL was told not to look at times, which are decided by with what is registered: so they are looked at here.
    verified = ssl_object._sslobj.get_verified_chain() or []  # type: ignore[attr-defined]
    above = [x509.load_der_x509_certificate(one.public_bytes(DER)) for one in verified[1:]]
    return read(x509.load_der_x509_certificate(der), above)


def read_chain(chain: Sequence[x509.Certificate]) -> ClientCertificate | None:
    """The first of them, as a proxy has verified it; None: there is none."""
    return read(chain[0], chain[1:]) if chain else None


def read(own: x509.Certificate, above: Sequence[x509.Certificate]) -> ClientCertificate:
    """above: what signed it, and what signed that."""
    return ClientCertificate(
        names=_subject(own, NameOID.COMMON_NAME),
        organizations=_subject(own, NameOID.ORGANIZATION_NAME),
        issuer=own.issuer.rfc4514_string(),
        serial_number=own.serial_number,
        fingerprint=own.fingerprint(hashes.SHA256()).hex(),
        begins=own.not_valid_before_utc,
        ends=own.not_valid_after_utc,
        chain_begins=max((one.not_valid_before_utc for one in above), default=own.not_valid_before_utc),
        chain_ends=min((one.not_valid_after_utc for one in above), default=own.not_valid_after_utc),
    )


def _subject(certificate: x509.Certificate, name: x509.ObjectIdentifier) -> tuple[str, ...]:
    return tuple(str(part.value) for part in certificate.subject.get_attributes_for_oid(name))
