"""Certificates as tests need them: right ones, and wrong ones of every kind."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from services.common.process.tls_files import as_file

Extensions: TypeAlias = Sequence[tuple[x509.ExtensionType, bool]]
"""Each, and whether one must understand it."""
Key: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
DAY = timedelta(days=1)
IS_CA = x509.BasicConstraints(ca=True, path_length=None)
LONG_BEFORE = -400 * DAY
_RSA: list[rsa.RSAPrivateKey] = []


def new_key(kind: str = "ec") -> Key:
    """kind: ec, or rsa, of which there is one in all: it takes long to make."""
    if kind == "ec":
        return ec.generate_private_key(ec.SECP256R1())
    if not _RSA:
        _RSA.append(rsa.generate_private_key(65537, 2048))
    return _RSA[0]


@dataclass(frozen=True)
class Issued:
    """A certificate with its key. pem: with the chain up to the authority, which is left out."""

    certificate: x509.Certificate
    key: Key
    pem: str

    @property
    def key_pem(self) -> str:
        private = serialization.PrivateFormat.PKCS8
        plain = serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, private, plain).decode()

    def files(self, folder: Path, name: str = "server") -> dict[str, str]:
        """Settings of the gateway that name files of it."""
        (certificate := folder / f"{name}.crt").write_text(self.pem)
        (key := folder / f"{name}.key").write_text(self.key_pem)
        return {
            "VOLTBUS_GATEWAY_TLS_CERTIFICATE_FILE": str(certificate),
            "VOLTBUS_GATEWAY_TLS_KEY_FILE": str(key),
        }


class Authority:
    """A CA. above: which signed it, if it is not a root. basic: None: it does not even say that it is one."""

    def __init__(
        self,
        name: str = "An authority",
        above: "Authority | None" = None,
        expires: timedelta = DAY,
        *,
        basic: x509.BasicConstraints | None = IS_CA,
        extensions: Extensions = (),
    ) -> None:
        self._key, self._above = new_key(), above
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        says: Extensions = [(basic, True)] if basic else []
        self.certificate = self._sign(self.name, self._key, expires, above, extensions=[*says, *extensions])

    @classmethod
    def of(cls, certificate: bytes, key: bytes) -> "Authority":
        """One that is there already, in PEM."""
        made, private = cls.__new__(cls), serialization.load_pem_private_key(key, None)
        assert isinstance(private, Key)
        made.certificate = x509.load_pem_x509_certificate(certificate)
        made._key, made._above, made.name = private, None, made.certificate.subject
        return made

    @property
    def pem(self) -> str:
        return _pem(self.certificate)

    def issue(
        self,
        name: str,
        organization: str = "",
        kind: str = "ec",
        expires: timedelta = DAY,
        begins: timedelta = LONG_BEFORE,
        address: str = "",
        extensions: Extensions = (),
    ) -> Issued:
        """A certificate of that common name. expires: from now; before now, it has. begins: likewise.

        address: as an alternative name.
        """
        key, subject = new_key(kind), [x509.NameAttribute(NameOID.COMMON_NAME, name)]
        if organization:
            subject.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
        says: list[tuple[x509.ExtensionType, bool]] = [*extensions]
        if address:
            says.append((x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), False))
        certificate = self._sign(x509.Name(subject), key, expires, self, begins=begins, extensions=says)
        chain, signer = [certificate], self
        while signer._above is not None:
            chain.append(signer.certificate)
            signer = signer._above
        return Issued(certificate, key, "".join(map(_pem, chain)))

    def _sign(
        self,
        subject: x509.Name,
        key: Key,
        expires: timedelta,
        signer: "Authority | None",
        *,
        begins: timedelta = LONG_BEFORE,
        ca: bool = False,
        extensions: Extensions = (),
    ) -> x509.Certificate:
        now, by = datetime.now(UTC), signer or self
        builder = x509.CertificateBuilder(by.name, subject, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now + begins).not_valid_after(now + expires)
        says: Extensions = [(IS_CA, True)] if ca else []
        for extension, critical in (*says, *extensions):
            builder = builder.add_extension(extension, critical)
        return builder.sign(by._key, hashes.SHA256())


def client(
    issued: Issued | None = None, *, version: ssl.TLSVersion | None = None, ciphers: str | None = None
) -> ssl.SSLContext:
    """What a station connects with, that takes any server's certificate. issued: its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if ciphers is not None:
        context.set_ciphers(ciphers)
    if issued is not None:
        with as_file(issued.pem) as chain, as_file(issued.key_pem) as key:
            context.load_cert_chain(chain, key)
    return context


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
