"""The certificates in a simulated station, and the key for its own."""

import hashlib
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from voltbus.simulator.station.types import Payload


@dataclass(frozen=True, slots=True)
class Installed:
    """A certificate: what it is for, in the words of the version, and its CertificateHashData (2.0.1 §2.6)."""

    use: str
    hashes: Payload


@dataclass(slots=True)
class Certificates:
    """What is installed, and the key of the last signing request."""

    installed: list[Installed] = field(default_factory=list)
    key: ec.EllipticCurvePrivateKey | None = None
    own: x509.Certificate | None = None

    def request(self, organization: str, serial: str) -> str:
        """A signing request for a new key, PEM (A02.FR.02, A02.FR.03)."""
        self.key = ec.generate_private_key(ec.SECP256R1())
        names = [(NameOID.ORGANIZATION_NAME, organization), (NameOID.COMMON_NAME, serial)]
        subject = x509.Name([x509.NameAttribute(name, value) for name, value in names])
        request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(self.key, hashes.SHA256())
        return request.public_bytes(Encoding.PEM).decode()

    def signed(self, chain: str) -> bool:
        """Whether the chain begins with a certificate of the key that was asked for; it is used from now on."""
        certificates = read_chain(chain)
        if not certificates or self.key is None:
            return False
        if _key_bytes(certificates[0].public_key()) != _key_bytes(self.key.public_key()):
            return False
        self.own = certificates[0]
        return True

    def install(self, use: str, pem: str) -> bool:
        """Whether that is a certificate; it is kept once."""
        certificates = read_chain(pem)
        if certificates and (one := Installed(use, _hashes(certificates[0]))) not in self.installed:
            self.installed.append(one)
        return bool(certificates)

    def remove(self, wanted: Payload) -> bool:
        """Whether there was one with these hashes."""
        kept = [one for one in self.installed if _comparable(one.hashes) != _comparable(wanted)]
        found, self.installed = len(kept) < len(self.installed), kept
        return found


def read_chain(pem: str) -> list[x509.Certificate]:
    """The certificates of a PEM text; none where it is not one."""
    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        return []


def _key_bytes(key: CertificatePublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _hashes(certificate: x509.Certificate) -> Payload:
    """What is installed are roots: their issuer's key is their own."""
    return {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": hashlib.sha256(certificate.issuer.public_bytes()).hexdigest(),
        "issuerKeyHash": hashlib.sha256(_key_bits(certificate)).hexdigest(),
        "serialNumber": f"{certificate.serial_number:x}",
    }


def _key_bits(certificate: x509.Certificate) -> bytes:
    """The public key as the bits of its BIT STRING, without tag, length and count of unused bits (RFC 6960 §4.1.1)."""
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    return _key_bytes(key)


def _comparable(hashes: Payload) -> list[str]:
    return [str(hashes[name]).lower() for name in ("hashAlgorithm", "issuerNameHash", "issuerKeyHash", "serialNumber")]
