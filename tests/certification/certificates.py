"""Certificates as cases have them, and what OCPP says of one in their place."""

import hashlib
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from tests.certification.tls import key

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def root(name: str) -> str:
    """A CA that signs itself, as PEM."""
    own, subject = key(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(subject, subject, own.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(BEGIN).not_valid_after(BEGIN + timedelta(days=3650))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(own, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def hash_data(pem: str, algorithm: str = "SHA256") -> dict[str, str]:
    """The CertificateHashData of a certificate that signs itself."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    return hashes_of(certificate, certificate, algorithm)


def hashes_of(certificate: x509.Certificate, issuer: x509.Certificate, algorithm: str = "SHA256") -> dict[str, str]:
    """The CertificateHashData of any."""

    def digest(data: bytes) -> str:
        return hashlib.new(algorithm.lower(), data).hexdigest()

    return {
        "hashAlgorithm": algorithm,
        "issuerNameHash": digest(certificate.issuer.public_bytes()),
        "issuerKeyHash": digest(issuer.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)),
        "serialNumber": f"{certificate.serial_number:x}",
    }
