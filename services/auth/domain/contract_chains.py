"""Chains of contract certificates: verified up to a root that the operator trusts (C07.FR.04, FR.17). Pure.

A vehicle sends its own certificate and those above it. Whether one of them was revoked is another matter: see ocsp.py.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtensionOID, NameOID

from services.auth.domain.chains import is_authority, is_signed

# Characters: as many as 2.1 has room for (2.0.1: 5,500). Certificates: root, two authorities, its own, and some.
MOST_READ, MOST_CERTIFICATES = 10_000, 8
# Signatures that are tried; whoever makes chains that fork asks for more.
MOST_TRIED = 64
# Nothing else that is critical is understood here (RFC 5280 §4.2).
UNDERSTOOD = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
    }
)
WEAK = (hashes.MD5, hashes.SHA1)


@dataclass(frozen=True, slots=True)
class ContractChain:
    """A chain that is in order. path: the contract's own certificate first, the root last. emaid: whose it is."""

    path: Sequence[x509.Certificate]
    emaid: str


class UnverifiedChain(Exception):
    """Why a chain counts for nothing, in words (CertChainError)."""


class ExpiredChain(Exception):
    """It would count, had one of its certificates not expired (CertificateExpired)."""


def verified(pem: str, trusted: Sequence[x509.Certificate], now: datetime) -> ContractChain:
    """pem: one certificate or more, in any order. trusted: roots, and authorities that complete a chain.

    What the operator trusts as an authority still needs its root among the trusted. Raises UnverifiedChain,
    ExpiredChain.
    """
    certificates = read(pem)
    leaves = [one for one in certificates if not is_authority(one)]
    if len(leaves) != 1:
        raise UnverifiedChain(f"it has {len(leaves)} certificates that are not of a CA, and must have one")
    emaid = _emaid(leaves[0])
    path = path_of(leaves[0], certificates, trusted)
    for one in path:
        if problem := _problem(one, now):
            raise UnverifiedChain(problem)
    if any(one.not_valid_after_utc <= now for one in path):
        raise ExpiredChain("a certificate of the chain has expired")
    return ContractChain(path, emaid)


def path_of(
    certificate: x509.Certificate, sent: Sequence[x509.Certificate], trusted: Sequence[x509.Certificate]
) -> Sequence[x509.Certificate]:
    """From a certificate to a root that is trusted, both included. Raises UnverifiedChain."""
    tries = iter(range(MOST_TRIED))
    path = next(_paths([certificate], dict.fromkeys([*trusted, *sent]), frozenset(trusted), tries), None)
    if path is None:
        raise UnverifiedChain("it does not lead to a root that is trusted here")
    return path


def _paths(
    path: list[x509.Certificate],
    others: dict[x509.Certificate, None],
    trusted: frozenset[x509.Certificate],
    tries: Iterator[int],
) -> Iterator[list[x509.Certificate]]:
    """None of them has a certificate twice, so a chain that loops leads nowhere."""
    last = path[-1]
    if last.issuer == last.subject:
        if last in trusted:
            yield path
        return
    if len(path) > MOST_CERTIFICATES:
        return
    for other in others:
        if other.subject != last.issuer or other in path or not _may_sign(other, len(path) - 1):
            continue
        if next(tries, None) is None:
            return
        if is_signed(last, other):
            yield from _paths([*path, other], others, trusted, tries)


def read(pem: str) -> list[x509.Certificate]:
    """Raises UnverifiedChain."""
    if len(pem) > MOST_READ:
        raise UnverifiedChain(f"it has more than {MOST_READ} characters")
    try:
        found = list(dict.fromkeys(x509.load_pem_x509_certificates(pem.encode())))
    except ValueError:
        raise UnverifiedChain("it cannot be read: it is no certificate in PEM") from None
    if len(found) > MOST_CERTIFICATES:
        raise UnverifiedChain(f"it has more than {MOST_CERTIFICATES} certificates")
    for one in found:
        try:
            one.public_key(), one.subject, one.issuer, one.extensions
        except (ValueError, UnsupportedAlgorithm):
            raise UnverifiedChain("a certificate of it cannot be read") from None
    return found


def _emaid(leaf: x509.Certificate) -> str:
    """ISO 15118-2 [V2G2-009]: the common name of a contract certificate is its eMAID."""
    try:
        names = [part.value for part in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    except ValueError:
        names = []
    if len(names) != 1 or not isinstance(names[0], str):
        raise UnverifiedChain("its certificate has not one common name")
    if not names[0].isprintable() or not names[0].isascii():
        raise UnverifiedChain("its common name has characters that no eMAID has")
    return names[0]


def _may_sign(certificate: x509.Certificate, below: int) -> bool:
    """Whether it is a CA that may sign. below: how many CAs are under it."""
    try:
        found = certificate.extensions
        constraints = found.get_extension_for_class(x509.BasicConstraints).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    if not constraints.ca or (constraints.path_length is not None and below > constraints.path_length):
        return False
    try:
        return found.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return True


def _problem(certificate: x509.Certificate, now: datetime) -> str | None:
    name = certificate.subject.rfc4514_string()
    if now < certificate.not_valid_before_utc:
        return f"{name} is not valid yet"
    if not _is_strong(certificate):
        return f"{name} has a key or a signature that is too weak"
    if [one for one in certificate.extensions if one.critical and one.oid not in UNDERSTOOD]:
        return f"{name} has a critical extension that is not understood here"
    return None


def _is_strong(certificate: x509.Certificate) -> bool:
    try:
        key, algorithm = certificate.public_key(), certificate.signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        return False
    if isinstance(algorithm, WEAK):
        return False
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= 2048
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.curve.key_size >= 256
    return isinstance(key, (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey))
