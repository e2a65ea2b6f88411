"""OCSP (RFC 6960): what is asked about a certificate, and what an answer is worth. Pure.

An answer counts if it is about the certificate, still in time, and signed by the issuer, or by a responder that the
issuer has certified for it (§4.2.2.2).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from services.auth.domain.chains import is_signed

HASHES: Mapping[str, hashes.SHA256 | hashes.SHA384 | hashes.SHA512] = {
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
}
# Clocks of responders are not ours; of an answer that does not say until when it counts, no older one is taken.
SKEW, FRESH = timedelta(minutes=5), timedelta(hours=1)
# RFC 8954 §2.1.
NONCE_BYTES = 16
WEAK = (hashes.MD5, hashes.SHA1)


class Status(StrEnum):
    """CertStatus."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


OF_RESPONSE: Mapping[ocsp.OCSPCertStatus, Status] = {
    ocsp.OCSPCertStatus.GOOD: Status.GOOD,
    ocsp.OCSPCertStatus.REVOKED: Status.REVOKED,
    ocsp.OCSPCertStatus.UNKNOWN: Status.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class CertificateId:
    """A certificate by its issuer's hashes and its serial number, as OCPP and OCSP name it (CertID).

    algorithm: SHA256, SHA384 or SHA512.
    """

    algorithm: str
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial_number: int


@dataclass(frozen=True, slots=True)
class Told:
    """What a responder says. der: its answer as it came. until: when it says more; None: it does not say.

    proven: by whom it was signed is known, and may answer. Without the issuer's certificate nobody can tell.
    """

    status: Status
    der: bytes
    at: datetime
    until: datetime | None
    proven: bool


class NoStatus(Exception):
    """Why an answer says nothing, in words."""


def id_of(certificate: x509.Certificate, issuer: x509.Certificate, algorithm: str = "SHA256") -> CertificateId:
    asked = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, HASHES[algorithm]).build()
    return CertificateId(algorithm, asked.issuer_name_hash, asked.issuer_key_hash, asked.serial_number)


def id_of_hashes(said: Mapping[str, str]) -> CertificateId | None:
    """CertificateHashDataType, OCSPRequestDataType; None: it is none."""
    algorithm = said.get("hashAlgorithm", "")
    try:
        found = CertificateId(
            algorithm,
            bytes.fromhex(said["issuerNameHash"]),
            bytes.fromhex(said["issuerKeyHash"]),
            int(said["serialNumber"], 16),
        )
    except (KeyError, ValueError):
        return None
    if algorithm not in HASHES or found.serial_number <= 0:
        return None
    size = HASHES[algorithm].digest_size
    return found if len(found.issuer_name_hash) == len(found.issuer_key_hash) == size else None


def is_issuer(certificate: x509.Certificate, of: CertificateId) -> bool:
    """Whether the hashes are those of this CA."""
    if hashlib.new(of.algorithm, certificate.subject.public_bytes()).digest() != of.issuer_name_hash:
        return False
    return id_of(certificate, certificate, of.algorithm).issuer_key_hash == of.issuer_key_hash


def question(about: CertificateId, nonce: bytes) -> bytes:
    """DER."""
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        about.issuer_name_hash, about.issuer_key_hash, about.serial_number, HASHES[about.algorithm]
    )
    return builder.add_extension(x509.OCSPNonce(nonce), critical=False).build().public_bytes(Encoding.DER)


def answer(
    der: bytes, about: CertificateId, issuers: Sequence[x509.Certificate], now: datetime, nonce: bytes | None = None
) -> Told:
    """What an answer says about a certificate. issuers: CAs that are known, also if none of them has issued it.

    Raises NoStatus.
    """
    try:
        return _answer(der, about, issuers, now, nonce)
    except (ValueError, UnsupportedAlgorithm):
        raise NoStatus("its answer cannot be read") from None


def _answer(
    der: bytes, about: CertificateId, issuers: Sequence[x509.Certificate], now: datetime, nonce: bytes | None
) -> Told:
    response = ocsp.load_der_ocsp_response(der)
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise NoStatus(f"it answers {response.response_status.name.lower()}")
    single = next((one for one in response.responses if _is_about(one, about)), None)
    if single is None:
        raise NoStatus("its answer is about another certificate")
    at, until = single.this_update_utc, single.next_update_utc
    if at > now + SKEW:
        raise NoStatus("its answer is from the future")
    if (until or at + FRESH) < now - SKEW:
        raise NoStatus("its answer is too old")
    if nonce is not None and (said := _nonce(response)) is not None and said != nonce:
        raise NoStatus("its answer is to another question")
    known = [one for one in issuers if is_issuer(one, about)]
    if known and not any(_is_signed(response, issuer, now) for issuer in known):
        raise NoStatus("its answer is not signed by the issuer, or by whom that has certified for it")
    return Told(OF_RESPONSE[single.certificate_status], der, at, until, proven=bool(known))


def _is_about(single: ocsp.OCSPSingleResponse, about: CertificateId) -> bool:
    return (
        single.serial_number == about.serial_number
        and single.hash_algorithm.name == HASHES[about.algorithm].name
        and single.issuer_name_hash == about.issuer_name_hash
        and single.issuer_key_hash == about.issuer_key_hash
    )


def _nonce(response: ocsp.OCSPResponse) -> bytes | None:
    """Many responders answer from a cache, and have none (RFC 5019 §4)."""
    try:
        return response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    except x509.ExtensionNotFound:
        return None


def _is_signed(response: ocsp.OCSPResponse, issuer: x509.Certificate, now: datetime) -> bool:
    delegates = [one for one in response.certificates if _is_delegate(one, issuer, now)]
    return any(_has_signed(one, response) for one in (issuer, *delegates))


def _is_delegate(certificate: x509.Certificate, issuer: x509.Certificate, now: datetime) -> bool:
    """RFC 6960 §4.2.2.2: issued by the CA itself, for OCSP."""
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    if ExtendedKeyUsageOID.OCSP_SIGNING not in usages or not is_signed(certificate, issuer):
        return False
    return certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc


def _has_signed(certificate: x509.Certificate, response: ocsp.OCSPResponse) -> bool:
    key, algorithm = certificate.public_key(), response.signature_hash_algorithm
    signature, signed = response.signature, response.tbs_response_bytes
    if isinstance(algorithm, WEAK):
        return False
    try:
        match key:
            case rsa.RSAPublicKey() if algorithm:
                key.verify(signature, signed, padding.PKCS1v15(), algorithm)
            case ec.EllipticCurvePublicKey() if algorithm:
                key.verify(signature, signed, ec.ECDSA(algorithm))
            case ed25519.Ed25519PublicKey() | ed448.Ed448PublicKey():
                key.verify(signature, signed)
            case _:
                return False
    except InvalidSignature:
        return False
    return True
