"""Station passwords: how they are stored, and how one that came over the wire is compared."""

import hashlib
import hmac
import re

HEXADECIMAL = re.compile(rb"[0-9A-Fa-f]+")
# Of 16 to 20 bytes (security whitepaper of 1.6, A00.FR.205).
AUTHORIZATION_KEY = re.compile(r"([0-9A-Fa-f]{2}){16,20}")
# passwordString (2.0.1 part 2 §2.1.4). A00.FR.205: 16 characters or more, and at most 40, or as many as the station has
# room for, which are 64 at the most (errata 2025-09).
PASSWORD_STRING = re.compile(r"[A-Za-z0-9*\-_=:+|@.]{16,64}")
# No password has more bytes.
LONGEST = 64


def keyed(key: bytes, password: bytes) -> bytes:
    """What is stored of a password: HMAC-SHA256 over its text. Passwords are random and long, so no slow hash."""
    return hmac.digest(key, password, hashlib.sha256)


def is_authorization_key(password: str) -> bool:
    """Whether a station of 1.6 can have it, too, as its AuthorizationKey."""
    return AUTHORIZATION_KEY.fullmatch(password) is not None


def is_password_string(password: str) -> bool:
    """Whether a station of 2.x can have it; one with more than 40 characters, if it has room for so many."""
    return PASSWORD_STRING.fullmatch(password) is not None


def one_case(password: str) -> str:
    """Hexadecimal digits have no case: those in both are written in one."""
    mixed = HEXADECIMAL.fullmatch(password.encode()) and password != password.upper()
    return password.lower() if mixed else password


def matches(password: bytes, stored: bytes, key: bytes) -> bool:
    """Whether a password as it came over the wire is the one whose keyed hash is stored.

    2.0.1 sends the text (A00.FR.205). A 1.6 station sends the bytes that its AuthorizationKey spells in hexadecimal
    (1.6-J §6.2), or that text. Hexadecimal digits are the same in capitals, whoever writes them. What is longer than
    any password is not hashed.
    """
    if len(password) > LONGEST:
        return False
    text = password.hex().encode()
    spellings = {password, text, text.upper()}
    if HEXADECIMAL.fullmatch(password):
        spellings |= {password.lower(), password.upper()}
    matching = [spelling for spelling in spellings if hmac.compare_digest(keyed(key, spelling), stored)]
    return bool(matching)
