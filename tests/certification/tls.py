"""TLS as the station of a case does it: versions, cipher suites, client certificates, signing requests."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

# Each must be there for one kind of key of the server, by OpenSSL's names (A00.FR.318, A00.FR.417).
CIPHER_SUITES = {
    "EC": ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"),
    "RSA": ("AES128-GCM-SHA256", "AES256-GCM-SHA384"),
}
Key = ec.EllipticCurvePrivateKey


def client(version: ssl.TLSVersion | None = None, ciphers: str | None = None) -> ssl.SSLContext:
    """What a station connects with: of one version, with one cipher suite, or as it comes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Whose certificate it is, the case looks at itself.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if ciphers is not None:
        context.set_ciphers(ciphers)
    return context


def faults(certificate: bytes | None, host: str) -> list[str]:
    """What is wrong with a server's certificate (A00.FR.502 to FR.510). certificate: as DER."""
    assert certificate is not None
    found = x509.load_der_x509_certificate(certificate)
    key, names = found.public_key(), found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    least = 2048 if isinstance(key, rsa.RSAPublicKey) else 224
    said = {
        "the key is too short": getattr(key, "key_size", 0) < least,
        "there is no serial number": not found.serial_number,
        f"the common name is not {host}": [name.value for name in names] != [host],
    }
    return [fault for fault, true in said.items() if true]


def key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def signing_request(of: Key, name: str) -> str:
    """A CSR, as PEM."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(of, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


class Authority:
    """Who issues certificates of stations. folder: for files, which OpenSSL wants."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._key = folder, key()
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority")])

    def client(self, name: str, expires: timedelta = timedelta(days=1)) -> ssl.SSLContext:
        """What a station connects with that shows a certificate of that common name."""
        own, now = key(), datetime.now(UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = x509.CertificateBuilder(self.name, subject, own.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(days=2)).not_valid_after(now + expires)
        certificate = builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        plain = serialization.NoEncryption()
        secret = own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        file = self._folder / f"{uuid4()}.pem"
        file.write_bytes(certificate + secret)
        context = client()
        context.load_cert_chain(file)
        return context


def is_of(chain: str, request_key: Key, name: str) -> bool:
    """Whether the first certificate of a chain (PEM) is of that key and name, and somebody else has issued it."""
    first = x509.load_pem_x509_certificates(chain.encode())[0]
    names = [str(part.value) for part in first.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return first.public_key() == request_key.public_key() and names == [name] and first.issuer != first.subject
