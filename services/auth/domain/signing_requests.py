"""Signing requests of stations (CSR), checked before anybody is asked to sign them (A02, A03). Pure."""

import base64
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from services.ocpp.station_ids import station_key

# Three times what the schema has room for (5,500); a longer one is not even looked at.
LONGEST = 16 * 1024
# A00.FR.502. A key that is longer is of no station, and takes long to verify.
RSA_BITS = range(2048, 8193)
CURVES = frozenset({"secp256r1", "secp384r1", "secp521r1", "brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1"})
# A00.FR.504, FR.506
HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
# RFC 5280, ub-common-name and ub-organization-name.
LONGEST_NAME = 64
BROKEN = (ValueError, TypeError, UnsupportedAlgorithm)


class Purpose(StrEnum):
    """What a certificate is for: CertificateSigningUseEnumType of 2.1; of 2.x without one it is for both."""

    STATION = "ChargingStationCertificate"
    V2G = "V2GCertificate"
    V2G_20 = "V2G20Certificate"
    COMBINED = "CombinedCertificate"
    UNKNOWN = "unknown"


# With these a station proves to a CSMS who it is.
PROVING = frozenset({Purpose.STATION, Purpose.COMBINED})


class Fault(StrEnum):
    """Why a signing request is not handed on."""

    NO_SIGNER = "no_signer"
    QUARANTINED = "quarantined"
    UNKNOWN_TYPE = "unknown_type"
    TOO_LONG = "too_long"
    UNREADABLE = "unreadable"
    BAD_SIGNATURE = "bad_signature"
    WEAK_KEY = "weak_key"
    WEAK_HASH = "weak_hash"
    WRONG_ORGANIZATION = "wrong_organization"
    WRONG_COMMON_NAME = "wrong_common_name"
    TOO_MANY = "too_many"


MEANINGS: Mapping[Fault, str] = {
    Fault.NO_SIGNER: "no certificate authority is connected",
    Fault.QUARANTINED: "the station is quarantined",
    Fault.UNKNOWN_TYPE: "certificates of this type are not signed here",
    Fault.TOO_LONG: "the CSR is too long",
    Fault.UNREADABLE: "the CSR cannot be read",
    Fault.BAD_SIGNATURE: "the CSR is not signed by its own key",
    Fault.WEAK_KEY: "the key is too weak: RSA of 2048 bits or more, or ECDSA with a curve of 256 bits or more",
    Fault.WEAK_HASH: "the CSR is signed with a hash that is too weak: SHA-256 or more",
    Fault.WRONG_ORGANIZATION: "O of its subject is not the name of the CPO",
    Fault.WRONG_COMMON_NAME: "CN of its subject is not the serial number that is registered of the station, or its id",
    Fault.TOO_MANY: "too many certificates were signed for the station within a day",
}


@dataclass(frozen=True, slots=True)
class Applicant:
    """The station that asks. serial_number: as it is registered. others: common names that prove other stations."""

    station_id: str
    serial_number: str | None = None
    others: Collection[str] = ()
    quarantined: bool = False

    def is_called(self, common_name: str) -> bool:
        """Whether that is the common name of its certificate: as gateways have it (A00.FR.405)."""
        if self.serial_number:
            return self.serial_number == common_name
        return station_key(self.station_id) == station_key(common_name)


@dataclass(frozen=True, slots=True)
class Csr:
    """A CSR that is sound, whoever it is of. names, organizations: CN and O of its subject."""

    der: bytes
    names: tuple[str, ...]
    organizations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """Of the certificate: nothing but what was checked. common_name None: of a V2G certificate that names none."""

    organization: str
    common_name: str | None


@dataclass(frozen=True, slots=True)
class InstallSigned:
    """What a station is told of it. request_id: of 2.1, where it said one."""

    chain: str
    purpose: Purpose
    request_id: int | None = None


@dataclass(frozen=True, slots=True)
class RenewCertificate:
    """What a station is asked for, before its certificate ends."""

    purpose: Purpose


def key_of(csr: str) -> bytes:
    """By which a CSR is known again, however it is written."""
    read = _read(csr) if len(csr) <= LONGEST else None
    return hashlib.sha256(read.public_bytes(Encoding.DER) if read else csr.encode(errors="replace")).digest()


def read(csr: str) -> Csr | Fault:
    """csr: in PEM (A02.FR.03), or what stands between its lines."""
    if len(csr) > LONGEST:
        return Fault.TOO_LONG
    if (found := _read(csr)) is None:
        return Fault.UNREADABLE
    try:
        names, organizations = _subject(found, NameOID.COMMON_NAME), _subject(found, NameOID.ORGANIZATION_NAME)
        return _fault(found) or Csr(found.public_bytes(Encoding.DER), names, organizations)
    except BROKEN:
        return Fault.UNREADABLE


def subject(csr: Csr, purpose: Purpose, applicant: Applicant, organizations: Collection[str]) -> Subject | Fault:
    """What a certificate for it says of whose it is. organizations: of the CPO, of which case does not count.

    A V2G certificate names the SECC (2.1 A02), which is not registered here, or nothing. It must not name another
    station, for a gateway could take it for that.
    """
    if applicant.quarantined:
        return Fault.QUARANTINED
    if purpose is Purpose.UNKNOWN:
        return Fault.UNKNOWN_TYPE
    ours = {name.lower() for name in organizations}
    organization = next((name for name in csr.organizations if _is_name(name) and name.lower() in ours), None)
    if organization is None:
        return Fault.WRONG_ORGANIZATION
    if not csr.names and purpose not in PROVING:
        return Subject(organization, None)
    if len(csr.names) != 1 or not _is_name(name := csr.names[0]):
        return Fault.WRONG_COMMON_NAME
    if name in applicant.others or not (applicant.is_called(name) or purpose not in PROVING):
        return Fault.WRONG_COMMON_NAME
    return Subject(organization, name)


def _read(csr: str) -> x509.CertificateSigningRequest | None:
    written = csr.encode(errors="replace").strip()
    try:
        if written.startswith(b"-----BEGIN"):
            return x509.load_pem_x509_csr(written)
        return x509.load_der_x509_csr(base64.b64decode(b"".join(written.split()), validate=True))
    except BROKEN:
        return None


def _fault(csr: x509.CertificateSigningRequest) -> Fault | None:
    key = csr.public_key()
    strong = (isinstance(key, rsa.RSAPublicKey) and key.key_size in RSA_BITS) or (
        isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in CURVES
    )
    if not strong:
        return Fault.WEAK_KEY
    if not isinstance(csr.signature_hash_algorithm, HASHES):
        return Fault.WEAK_HASH
    return None if csr.is_signature_valid else Fault.BAD_SIGNATURE


def _subject(csr: x509.CertificateSigningRequest, name: x509.ObjectIdentifier) -> tuple[str, ...]:
    return tuple(str(part.value) for part in csr.subject.get_attributes_for_oid(name))


def _is_name(text: str) -> bool:
    """Whether it can stand in a certificate: without a NUL, at which others end a text, or what nobody sees."""
    return 0 < len(text) <= LONGEST_NAME and text.isprintable() and text == text.strip()
