"""A CA of one's own: its key is in a file or a secret."""

import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import Self, TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from services.auth.domain.signing_requests import Purpose, Subject
from services.auth.signers.signer import Asked, Said, Signed
from services.common.process.clock import Clock
from services.common.process.errors import Misconfigured, Unavailable

Key: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
# Clocks of stations are behind ours at times (A02.FR.06).
BEFORE = timedelta(hours=1)
# A station proves who it is to a CSMS, and to a vehicle. What is for vehicles alone opens no connection to a gateway.
USAGES = {
    Purpose.STATION: [ExtendedKeyUsageOID.CLIENT_AUTH],
    Purpose.V2G: [ExtendedKeyUsageOID.SERVER_AUTH],
    Purpose.V2G_20: [ExtendedKeyUsageOID.SERVER_AUTH],
    Purpose.COMBINED: [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH],
}
CERTIFICATE, KEY = "VOLTBUS_CERTIFICATE_CA", "VOLTBUS_CERTIFICATE_CA_KEY"


@dataclass(frozen=True, slots=True)
class OwnAuthority:
    """chain: its certificate, and those above it but for the root. lifetime: of what it signs."""

    chain: tuple[x509.Certificate, ...]
    key: Key
    lifetime: timedelta
    clock: Clock

    @classmethod
    def load(cls, chain: str | None, key: str | None, lifetime: timedelta, clock: Clock) -> Self:
        """Both in PEM. Raises Misconfigured."""
        for setting, given in ((CERTIFICATE, chain), (KEY, key)):
            if not given:
                raise Misconfigured(f"{setting}: set it, or {setting}_FILE, for the signer is ca")
        try:
            certificates = tuple(x509.load_pem_x509_certificates((chain or "").encode()))
        except ValueError:
            raise Misconfigured(f"{CERTIFICATE}: give certificates in PEM, that of the CA first") from None
        try:
            private = serialization.load_pem_private_key((key or "").encode(), None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise Misconfigured(f"{KEY}: give a key in PEM, without a password") from None
        if not isinstance(private, Key) or private.public_key() != certificates[0].public_key():
            raise Misconfigured(f"{KEY}: it is not the key of the first certificate of {CERTIFICATE}")
        if not _is_authority(certificates[0]):
            raise Misconfigured(f"{CERTIFICATE}: the first certificate is not that of a CA, which may sign others")
        for signed, signer in itertools.pairwise(certificates):
            try:
                signed.verify_directly_issued_by(signer)
            except (ValueError, TypeError, InvalidSignature):
                raise Misconfigured(f"{CERTIFICATE}: each certificate must have signed the one before it") from None
        return cls(certificates, private, lifetime, clock)

    async def sign(self, asked: Asked) -> Said:
        """For as long as it may, and not longer than the CA itself is valid."""
        issuer, now = self.chain[0], self.clock()
        if now >= issuer.not_valid_after_utc:
            raise Unavailable("the certificate of the CA has expired")
        key = x509.load_der_x509_csr(asked.der).public_key()
        builder = (
            x509.CertificateBuilder(issuer.subject, _name(asked.subject), key, x509.random_serial_number())
            .not_valid_before(max(now - BEFORE, issuer.not_valid_before_utc))
            .not_valid_after(min(now + self.lifetime, issuer.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(asked.purpose), critical=True)
            .add_extension(x509.ExtendedKeyUsage(USAGES[asked.purpose]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(_issuer_key(issuer), critical=False)
        )
        signed = builder.sign(self.key, hashes.SHA256())
        return Signed("".join(_pem(one) for one in (signed, *self.chain)))


def _name(subject: Subject) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, subject.organization)]
    if subject.common_name:
        parts.append(x509.NameAttribute(NameOID.COMMON_NAME, subject.common_name))
    return x509.Name(parts)


def _usage(purpose: Purpose) -> x509.KeyUsage:
    """A00.FR.512. Vehicles agree on a key with it (ISO 15118-2)."""
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=purpose is not Purpose.STATION,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _issuer_key(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """As the certificate of the issuer says it, where it does."""
    try:
        own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())  # type: ignore[arg-type]
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound as error:
        return error.oid == x509.KeyUsage.oid and constraints.ca
    except ValueError:
        return False
    return constraints.ca and usage.key_cert_sign


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
