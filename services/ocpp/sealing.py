"""Secrets on their way to a station: sealed where a command is made, opened where its frame is written.

What lies between, tables and topics, has a text that is worth nothing without the key (A01.FR.08, A01.FR.09).
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_SIZE = 12
_PREFIX = "voltbus-sealed."
_MARK = f'"{_PREFIX}'.encode()
_SEALED = re.compile(rb'"%b([A-Za-z0-9_-]+={0,2})"' % re.escape(_PREFIX.encode()))


class CannotOpen(Exception):
    """A text that was sealed with another key, or for another station."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A payload as it goes to the station, and the secrets in it. Never to be kept."""

    payload: bytes
    secrets: tuple[bytes, ...] = ()

    def hidden_in(self, frame: bytes) -> bytes:
        """A frame of the station, in which it may repeat what it was sent."""
        for secret in self.secrets:
            frame = re.sub(re.escape(secret), "…".encode(), frame, flags=re.IGNORECASE)
        return frame


class Sealing:
    """key: shared by who seals and who opens. before: further keys, that only open.

    A context says for whom a secret is: opened with another, it is none.
    """

    def __init__(self, key: bytes, *before: bytes) -> None:
        self._cipher, *_ = self._ciphers = [_cipher(one) for one in (key, *before)]

    def seal(self, secret: str, service: str, station_id: str) -> str:
        """A text for a field of a payload of that service's commands to that station."""
        nonce = secrets.token_bytes(NONCE_SIZE)
        sealed = nonce + self._cipher.encrypt(nonce, secret.encode(), _context(service, station_id))
        return _PREFIX + base64.urlsafe_b64encode(sealed).decode()

    def open(self, payload: bytes, service: str, station_id: str) -> Opened:
        """A payload (JSON) whose sealed texts are opened; the same where there are none. Raises CannotOpen."""
        if _MARK not in payload:
            return Opened(payload)
        found: list[bytes] = []

        def opened(sealed: re.Match[bytes]) -> bytes:
            found.append(self._opened(sealed[1], _context(service, station_id)))
            return b'"%b"' % found[-1]

        return Opened(_SEALED.sub(opened, payload), tuple(found))

    def _opened(self, written: bytes, context: bytes) -> bytes:
        for cipher in self._ciphers:
            with suppress(InvalidTag, ValueError, binascii.Error):
                sealed = base64.urlsafe_b64decode(written)
                return cipher.decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], context)
        raise CannotOpen


def is_sealed(text: object) -> bool:
    """Whether a value of a payload is a sealed text, by its looks."""
    return isinstance(text, str) and text.startswith(_PREFIX)


def _cipher(key: bytes) -> AESGCM:
    return AESGCM(hmac.digest(key, b"sealing of secrets on their way", hashlib.sha256))


def _context(service: str, station_id: str) -> bytes:
    return f"{service}\0{station_id}".encode()
