"""Chains of certificates that were signed for stations: put in order, and checked before a station gets one. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from services.auth.domain.signing_requests import PROVING, Purpose, Subject

# CertificateSigned has room for so many characters, in 1.6 and in 2.x.
LONGEST = 10_000
# What is read at all: a chain that is longer is none of stations.
MOST_READ, MOST_CERTIFICATES = 64 * 1024, 20


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate that was signed for a station. chain: in PEM, its own first, without the root.

    serial_number: hexadecimal digits. issuer: as RFC 4514 writes it. fingerprint: SHA-256. These are how it is revoked.
    """

    chain: str
    serial_number: str
    issuer: str
    fingerprint: str
    begins_at: datetime
    ends_at: datetime


class UnfitChain(Exception):
    """What is wrong with a chain, in words."""


def issued(
    pem: str,
    csr: bytes,
    subject: Subject,
    purpose: Purpose,
    now: datetime,
    known: Sequence[x509.Certificate] = (),
) -> Issued:
    """What was signed for a CSR. pem: certificates in any order. known: further ones, to complete it.

    The root is left out: the station has it (A02.FR.06). Raises UnfitChain.
    """
    certificates = _read(pem)
    own = _own(certificates, csr)
    if not _names(own, subject):
        raise UnfitChain("its subject is not that of the request: O or CN is another")
    if now >= own.not_valid_after_utc:
        raise UnfitChain("it has expired")
    if is_authority(own):
        raise UnfitChain("it is that of a CA, which no station is")
    if purpose in PROVING and not _may_prove(own):
        raise UnfitChain("its extended key usage is not that of a client (clientAuth), which a station is of a gateway")
    path, root = _path(own, [*certificates, *known])
    if left := [one for one in certificates if one not in (*path, root)]:
        raise UnfitChain(f"it does not link: {left[0].subject.rfc4514_string()} has signed none of the others")
    chain = "".join(one.public_bytes(Encoding.PEM).decode() for one in path)
    if len(chain) > LONGEST:
        raise UnfitChain(f"it has {len(chain)} characters, and CertificateSigned has room for {LONGEST}")
    return Issued(
        chain=chain,
        serial_number=f"{own.serial_number:x}",
        issuer=own.issuer.rfc4514_string(),
        fingerprint=own.fingerprint(hashes.SHA256()).hex(),
        begins_at=own.not_valid_before_utc,
        ends_at=own.not_valid_after_utc,
    )


def require_room(issued: Issued, most: int | None) -> None:
    """most: characters that the station takes, if it has said that. Raises UnfitChain."""
    if most is not None and len(issued.chain) > most:
        raise UnfitChain(
            f"its chain has {len(issued.chain)} characters, and the station takes {most} (MaxCertificateChainSize)"
        )


def _read(pem: str) -> list[x509.Certificate]:
    if len(pem) > MOST_READ:
        raise UnfitChain(f"it has more than {MOST_READ} characters")
    try:
        found = list(dict.fromkeys(x509.load_pem_x509_certificates(pem.encode())))
    except ValueError:
        raise UnfitChain("it cannot be read: give certificates in PEM") from None
    if len(found) > MOST_CERTIFICATES:
        raise UnfitChain(f"it has more than {MOST_CERTIFICATES} certificates")
    return found


def _own(certificates: Sequence[x509.Certificate], csr: bytes) -> x509.Certificate:
    """That of the station."""
    wanted = x509.load_der_x509_csr(csr).public_key()
    for one in certificates:
        try:
            if one.public_key() == wanted:
                return one
        except (ValueError, UnsupportedAlgorithm):
            continue
    raise UnfitChain("no certificate in it has the key of the request")


def _names(own: x509.Certificate, subject: Subject) -> bool:
    """Whether it says nothing but what was checked, of CN and O."""
    names = [part.value for part in own.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    organizations = [part.value for part in own.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    wanted = [subject.common_name] if subject.common_name else []
    return names == wanted and organizations == [subject.organization]


def _path(
    own: x509.Certificate, others: Sequence[x509.Certificate]
) -> tuple[list[x509.Certificate], x509.Certificate | None]:
    """From the station's own upwards, each signed by the next, without going in circles; and the root if known."""
    path, last = [own], own
    while signer := next((one for one in others if one not in path and is_signed(last, one)), None):
        if signer.issuer == signer.subject:
            return path, signer
        path.append(signer)
        last = signer
    return path, None


def is_signed(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    """Whether its issuer is that one, by name and by signature."""
    try:
        certificate.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether it is that of a CA; one whose extensions cannot be read may be."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
    except ValueError:
        return True


def _may_prove(certificate: x509.Certificate) -> bool:
    """Whether a gateway takes it for that of a client: it says nothing of it (A00.FR.514), or that."""
    try:
        usages = list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return True
    except ValueError:
        return False
    return ExtendedKeyUsageOID.CLIENT_AUTH in usages or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in usages
