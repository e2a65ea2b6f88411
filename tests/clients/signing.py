"""Signing requests as stations make them: right ones, and wrong ones of every kind; and what an authority signs."""

from collections.abc import Sequence
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.clients.certificates import DAY, Authority, Key, new_key

CPO = "Example Charging"


def request(
    key: Key | None = None,
    names: Sequence[str] = ("CP1",),
    organizations: Sequence[str] = (CPO,),
    algorithm: hashes.SHA224 | hashes.SHA256 | None = None,
) -> x509.CertificateSigningRequest:
    """names, organizations: CN and O of its subject."""
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names]
    parts += [x509.NameAttribute(NameOID.ORGANIZATION_NAME, name) for name in organizations]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(parts))
    return builder.sign(key or new_key(), algorithm or hashes.SHA256())


def pem(of: x509.CertificateSigningRequest | x509.Certificate) -> str:
    return of.public_bytes(Encoding.PEM).decode()


def der(of: x509.CertificateSigningRequest) -> bytes:
    return of.public_bytes(Encoding.DER)


def signed(
    by: Authority,
    csr: x509.CertificateSigningRequest,
    subject: x509.Name | None = None,
    expires: timedelta = DAY,
    *,
    ca: bool = False,
) -> x509.Certificate:
    """The certificate alone."""
    return by._sign(subject or csr.subject, csr, expires, by, ca=ca)  # type: ignore[arg-type]


def files(authority: Authority) -> tuple[str, str]:
    """Certificate and key of an authority, in PEM."""
    private = authority._key.private_bytes(
        Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return authority.pem, private.decode()
