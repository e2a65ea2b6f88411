"""A certificate authority of this machine alone, and what it signs: for the gateway, and for simulated stations."""

import ipaddress
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from voltbus.errors import LocalError

Key: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
# What certificates of stations say of whose they are (O).
ORGANIZATION = "Voltbus on this machine"
_AUTHORITY, _SERVER = timedelta(days=3650), timedelta(days=365)
# What expires sooner is made anew.
_RENEWED = timedelta(days=30)
_PAIRS = {"ec": "gateway_tls", "rsa": "gateway_tls_second"}


@dataclass(frozen=True, slots=True)
class LocalCertificates:
    """folder: of the authority and of what it has signed. Each raises LocalError where it cannot be written."""

    folder: Path

    @property
    def authority(self) -> Path:
        """The certificate that stations are to trust."""
        return self.folder / "ca.crt"

    @property
    def _key(self) -> Path:
        return self.folder / "ca.key"

    def of_gateway(self, hosts: Sequence[str]) -> Mapping[str, str]:
        """Settings of a gateway with certificates for these hosts, of both kinds of keys. They are made if needed."""
        with _writing(self.folder):
            issuer, key = self._own()
            settings = {"VOLTBUS_GATEWAY_TLS_CLIENT_CA_FILE": str(self.authority), "VOLTBUS_CPO_NAMES": ORGANIZATION}
            for kind, name in _PAIRS.items():
                certificate, private = self.folder / f"gateway-{kind}.crt", self.folder / f"gateway-{kind}.key"
                if not _is_good(certificate, private, hosts, issuer):
                    own = _new_key(kind)
                    signed = _signed(hosts[0], own, issuer, key, _SERVER, hosts=hosts)
                    _write(private, _private(own))
                    _write(certificate, _public(signed))
                settings |= {
                    f"VOLTBUS_{name.upper()}_CERTIFICATE_FILE": str(certificate),
                    f"VOLTBUS_{name.upper()}_KEY_FILE": str(private),
                }
        return settings

    def signer(self) -> Mapping[str, str]:
        """Settings of auth, which signs for stations by the authority."""
        return {
            "VOLTBUS_CERTIFICATE_SIGNER": "ca",
            "VOLTBUS_CERTIFICATE_CA_FILE": str(self.authority),
            "VOLTBUS_CERTIFICATE_CA_KEY_FILE": str(self._key),
        }

    def of_station(self, station_id: str) -> tuple[str, str]:
        """A certificate of a station and its key, in PEM: new each time, and kept nowhere."""
        with _writing(self.folder):
            issuer, key = self._own()
        own = _new_key("ec")
        return _public(_signed(station_id, own, issuer, key, _SERVER)).decode(), _private(own).decode()

    def _own(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        if _is_good(self.authority, self._key, (), None):
            key = serialization.load_pem_private_key(self._key.read_bytes(), None)
            assert isinstance(key, ec.EllipticCurvePrivateKey)
            return x509.load_pem_x509_certificate(self.authority.read_bytes()), key
        new = ec.generate_private_key(ec.SECP256R1())
        certificate = _signed("Voltbus authority of this machine", new, None, new, _AUTHORITY)
        _write(self._key, _private(new))
        _write(self.authority, _public(certificate))
        return certificate, new


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """In the folder, which nobody else may read."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield
    except OSError as error:
        problem = f"cannot use {folder} ({error.strerror})"
        raise LocalError(f"{problem}: change its owner, or set VOLTBUS_DATA") from None


def _new_key(kind: str) -> Key:
    return ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else rsa.generate_private_key(65537, 2048)


def _signed(
    name: str,
    own: Key,
    issuer: x509.Certificate | None,
    key: ec.EllipticCurvePrivateKey,
    lifetime: timedelta,
    hosts: Sequence[str] = (),
) -> x509.Certificate:
    """issuer None: it is the authority itself. hosts: of a server."""
    now = datetime.now(UTC)
    subject = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
    builder = x509.CertificateBuilder(
        issuer.subject if issuer else subject, subject, own.public_key(), x509.random_serial_number()
    )
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + lifetime)
    builder = builder.add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(host) for host in hosts]), critical=False)
    return builder.sign(key, hashes.SHA256())


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _is_good(certificate: Path, key: Path, hosts: Sequence[str], issuer: x509.Certificate | None) -> bool:
    """Whether it need not be made anew."""
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), None)
        if issuer is not None:
            found.verify_directly_issued_by(issuer)
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value if hosts else ()
    except (OSError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    fits = found.public_key() == private.public_key() and set(map(_name, hosts)) <= set(names)
    return fits and found.not_valid_after_utc > datetime.now(UTC) + _RENEWED


def _private(key: Key) -> bytes:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)


def _public(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write(file: Path, content: bytes) -> None:
    """As a whole, and for its owner alone."""
    new = file.with_suffix(f"{file.suffix}.new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
        opened.write(content)
    new.replace(file)
