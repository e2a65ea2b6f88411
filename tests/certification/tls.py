"""TLS as the station of a case does it: cipher suites, certificates of servers, signing requests."""

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
# The organization whose stations they are.
CPO = "Example Charging"


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
    """A CSR, as PEM: with the organization that the station is set to (OrganizationName, CpoName)."""
    parts = ((NameOID.ORGANIZATION_NAME, CPO), (NameOID.COMMON_NAME, name))
    subject = x509.Name([x509.NameAttribute(oid, text) for oid, text in parts])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(of, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


def is_of(chain: str, request_key: Key, name: str) -> bool:
    """Whether the first certificate of a chain (PEM) is of that key and name, and somebody else has issued it."""
    first = x509.load_pem_x509_certificates(chain.encode())[0]
    names = [str(part.value) for part in first.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return first.public_key() == request_key.public_key() and names == [name] and first.issuer != first.subject
