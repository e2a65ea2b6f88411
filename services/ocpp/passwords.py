"""Station passwords: how they are stored, and how one that came over the wire is compared."""

import hashlib
import hmac
import re

HEXADECIMAL = re.compile(rb"[0-9A-Fa-f]+")
# Of 16 to 20 bytes (security whitepaper of 1.6, A00.FR.205); in lower case, for the hash is that of the text.
AUTHORIZATION_KEY = re.compile(r"([0-9a-f]{2}){16,20}")


def keyed(key: bytes, password: bytes) -> bytes:
    """What is stored of a password: HMAC-SHA256 over its text. Passwords are random and long, so no slow hash."""
    return hmac.digest(key, password, hashlib.sha256)


def is_authorization_key(password: str) -> bool:
    """Whether a station of 1.6 can have it, too, as its AuthorizationKey."""
    return AUTHORIZATION_KEY.fullmatch(password) is not None


def matches(password: bytes, stored: bytes, key: bytes) -> bool:
    """Whether a password as it came over the wire is the one whose keyed hash is stored.

    2.0.1 sends the text (A00.FR.205). A 1.6 station sends the bytes that its AuthorizationKey spells in hexadecimal
    (1.6-J §6.2), or that text. Hexadecimal digits are the same in capitals, whoever writes them.
    """
    text = password.hex().encode()
    spellings = {password, text, text.upper()}
    if HEXADECIMAL.fullmatch(password):
        spellings |= {password.lower(), password.upper()}
    matching = [spelling for spelling in spellings if hmac.compare_digest(keyed(key, spelling), stored)]
    return bool(matching)
