"""Contract certificates and CAs as mobility operators have them, with keys of every kind."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

Key: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed448.Ed448PrivateKey
HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
}
BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
EMAID = "DE8AACA2B3C4D5"


def new_key(kind: str = "P-256") -> Key:
    if kind == "RSA":
        return rsa.generate_private_key(65537, 2048)
    if kind == "Ed448":
        return ed448.Ed448PrivateKey.generate()
    curves = {"P-192": ec.SECP192R1(), "P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
    return ec.generate_private_key(curves[kind])


class Holder:
    """A certificate with its key. above: who has signed it; None: itself.

    names: its common names. urls: of OCSP responders that it names. ca: whether it is a CA.
    """

    def __init__(
        self,
        *names: str,
        above: "Holder | None" = None,
        kind: str = "P-256",
        begins: datetime = BEGIN,
        ends: datetime = END,
        urls: Sequence[str] = (),
        ca: bool = True,
        path_length: int | None = None,
        extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
        key: Key | None = None,
    ) -> None:
        self.key, self.above = key or new_key(kind), above
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names])
        issuer = above.certificate.subject if above else subject
        number = x509.random_serial_number()
        builder = x509.CertificateBuilder(issuer, subject, self.key.public_key(), number)
        builder = builder.not_valid_before(begins).not_valid_after(ends)
        builder = builder.add_extension(x509.BasicConstraints(ca, path_length), critical=True)
        if urls:
            named = [
                x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(url))
                for url in urls
            ]
            builder = builder.add_extension(x509.AuthorityInformationAccess(named), critical=False)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        signer = above.key if above else self.key
        self.certificate: x509.Certificate = builder.sign(
            signer, None if isinstance(signer, ed448.Ed448PrivateKey) else hashes.SHA256()
        )

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def chain(self) -> str:
        """It and those above it, without the root."""
        return self.pem + (self.above.chain if self.above and self.above.above else "")

    def hash_data(self, url: str = "http://127.0.0.1/ocsp", algorithm: str = "SHA256") -> dict[str, str]:
        """OCSPRequestData of OCPP."""
        assert self.above
        builder = ocsp.OCSPRequestBuilder()
        asked = builder.add_certificate(self.certificate, self.above.certificate, HASHES[algorithm]).build()
        return {
            "hashAlgorithm": algorithm,
            "issuerNameHash": asked.issuer_name_hash.hex(),
            "issuerKeyHash": asked.issuer_key_hash.hex(),
            "serialNumber": f"{self.certificate.serial_number:x}",
            "responderURL": url,
        }


def contract(above: Holder, emaid: str = EMAID, **more: object) -> Holder:
    """A contract certificate."""
    return Holder(emaid, above=above, ca=False, **more)  # type: ignore[arg-type]
