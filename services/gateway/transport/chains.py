"""Chains of certificates, from a station's own up to a CA that is trusted: verified as OpenSSL does it. Pure.

Times and revocation are looked at elsewhere, with what is registered.
"""

from collections import deque
from collections.abc import Sequence
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

# A00.FR.502, FR.503: bits.
SHORTEST_RSA, SHORTEST_EC = 2048, 224
WEAK = (hashes.MD5, hashes.SHA1)
FOR_CLIENTS = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
# What is understood, of extensions that one must understand; names that a CA is limited to are not.
UNDERSTOOD = {
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    ExtensionOID.CERTIFICATE_POLICIES,
}
T = TypeVar("T", bound=x509.ExtensionType)

UNREADABLE = (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


def verified(
    own: x509.Certificate, shown: Sequence[x509.Certificate], trusted: Sequence[x509.Certificate]
) -> list[x509.Certificate] | None:
    """What signed it, what signed that, and so on up to one that is trusted; None: there is no such chain.

    shown: what may be between, in any order. Each is looked at once, for a station may show what it likes.
    """
    if not _is_of_client(own):
        return None
    # Of a CA that was renewed with its key, the newer one.
    roots = sorted(trusted, key=lambda one: one.not_valid_after_utc, reverse=True)
    left, ways = list(shown), deque([[own]])
    while ways:
        way = ways.popleft()
        for root in roots:
            if _may_sign(root, way):
                return [*way[1:], root]
        found = [one for one in left if _may_sign(one, way)]
        left = [one for one in left if one not in found]
        ways += [[*way, one] for one in found]
    return None


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """By its name and its signature."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _may_sign(issuer: x509.Certificate, way: Sequence[x509.Certificate]) -> bool:
    """Whether it has signed the last of a way, and may have. way: from the station's own."""
    if way[-1].issuer != issuer.subject or not _is_ca(issuer, len(way) - 1):
        return False
    return is_issued_by(way[-1], issuer)


def _is_ca(certificate: x509.Certificate, below: int) -> bool:
    """below: how many CAs there are between it and the station."""
    try:
        extensions = certificate.extensions
        basic = _value(extensions, x509.BasicConstraints)
        usage = _value(extensions, x509.KeyUsage)
        limited = _value(extensions, x509.NameConstraints)
    except UNREADABLE:
        return False
    if basic is None or not basic.ca or (basic.path_length is not None and basic.path_length < below):
        return False
    return (usage is None or usage.key_cert_sign) and limited is None and _is_sound(certificate, extensions)


def _is_of_client(certificate: x509.Certificate) -> bool:
    try:
        extensions = certificate.extensions
        usage = _value(extensions, x509.KeyUsage)
        purposes = _value(extensions, x509.ExtendedKeyUsage)
    except UNREADABLE:
        return False
    signs = usage is None or usage.digital_signature or usage.key_agreement
    return signs and (purposes is None or not FOR_CLIENTS.isdisjoint(purposes)) and _is_sound(certificate, extensions)


def _is_sound(certificate: x509.Certificate, extensions: x509.Extensions) -> bool:
    """By its key and its signature, and that it says nothing that one must understand, and we do not."""
    key = certificate.public_key()
    strong = (isinstance(key, rsa.RSAPublicKey) and key.key_size >= SHORTEST_RSA) or (
        isinstance(key, ec.EllipticCurvePublicKey) and key.key_size >= SHORTEST_EC
    )
    weak = isinstance(certificate.signature_hash_algorithm, WEAK)
    return strong and not weak and all(one.oid in UNDERSTOOD for one in extensions if one.critical)


def _value(extensions: x509.Extensions, kind: type[T]) -> T | None:
    return next((one.value for one in extensions if isinstance(one.value, kind)), None)
