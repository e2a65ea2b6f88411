"""CAs that the operator trusts where a contract certificate is verified: roots, and those under them. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from services.auth.domain.chains import is_authority, is_signed

# There are a few dozen mobility operators; each contract certificate is looked up among all.
MOST_AUTHORITIES = 500


class AuthorityKind(StrEnum):
    """Whose CA it is."""

    MOBILITY_OPERATOR = "mobility_operator"
    V2G = "v2g"


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA. id: SHA-256 of its certificate. root: it has signed itself, and is where a chain may end.

    serial_number: hexadecimal digits. subject, issuer: as RFC 4514 writes them.
    """

    id: str
    kind: AuthorityKind
    label: str | None
    pem: str
    subject: str
    issuer: str
    serial_number: str
    root: bool
    begins_at: datetime
    ends_at: datetime
    added_at: datetime
    author: str | None = None


class UnfitAuthority(Exception):
    """What is wrong with the certificate of a CA, in words."""


def authority(pem: str, kind: AuthorityKind, label: str | None, now: datetime, author: str | None) -> Authority:
    """pem: one certificate. Raises UnfitAuthority."""
    try:
        [certificate] = x509.load_pem_x509_certificates(pem.encode())
        certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise UnfitAuthority("must be one certificate in PEM") from None
    if not is_authority(certificate):
        raise UnfitAuthority("is not that of a CA (basicConstraints)")
    if certificate.not_valid_after_utc <= now:
        raise UnfitAuthority("has expired")
    root = certificate.issuer == certificate.subject
    if root and not is_signed(certificate, certificate):
        raise UnfitAuthority("has not signed itself, as a root does")
    return Authority(
        id=certificate.fingerprint(hashes.SHA256()).hex(),
        kind=kind,
        label=label,
        pem=certificate.public_bytes(Encoding.PEM).decode(),
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        serial_number=f"{certificate.serial_number:x}",
        root=root,
        begins_at=certificate.not_valid_before_utc,
        ends_at=certificate.not_valid_after_utc,
        added_at=now,
        author=author,
    )
