"""Root certificates that stations are to trust: looked at before a station is sent one (M05). Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from services.auth.domain.chains import is_authority

# InstallCertificate has room for so many characters, in 1.6 and in 2.x.
LONGEST = 5500


class RootType(StrEnum):
    """What a station checks by a root: us, its firmware, or what vehicles show it."""

    CSMS = "csms"
    MANUFACTURER = "manufacturer"
    V2G = "v2g"
    MOBILITY_OPERATOR = "mobility_operator"
    OEM = "oem"


@dataclass(frozen=True, slots=True)
class InstallRoot:
    """What a station is told. certificate: in PEM."""

    type: RootType
    certificate: str


class UnfitRoot(Exception):
    """What is wrong with a root certificate, in words."""


def root(pem: str, now: datetime) -> str:
    """The certificate alone, as PEM, without what else stood there. Raises UnfitRoot."""
    try:
        [certificate] = x509.load_pem_x509_certificates(pem.encode())
        certificate.public_key()
        names = [str(part.value) for name in (certificate.subject, certificate.issuer) for part in name]
    except (ValueError, UnsupportedAlgorithm):
        raise UnfitRoot("must be one certificate in PEM") from None
    if not is_authority(certificate):
        raise UnfitRoot("is not that of a CA (basicConstraints)")
    if certificate.not_valid_after_utc <= now:
        raise UnfitRoot("has expired")
    if any("\0" in name for name in names):
        raise UnfitRoot("has a NUL in a name")
    written = certificate.public_bytes(Encoding.PEM).decode()
    if len(written) > LONGEST:
        raise UnfitRoot(f"has {len(written)} characters, and InstallCertificate has room for {LONGEST}")
    return written
