"""The TLS that a station speaks, as far as it is known: shown to operators, and nothing is decided by it."""

import ssl
import sys
from typing import NamedTuple

LONGEST = 64


class SpokenTls(NamedTuple):
    """As OpenSSL names them, or a proxy; empty: none, or not known."""

    version: str = ""
    cipher: str = ""


NONE = SpokenTls()


def of(ssl_object: ssl.SSLObject) -> SpokenTls:
    cipher = ssl_object.cipher()
    return told(ssl_object.version() or "", cipher[0] if cipher else "")


def told(version: str = "", cipher: str = "") -> SpokenTls:
    """Kept once for all connections; what is no name of either counts as not known."""
    return SpokenTls(_name(version), _name(cipher))


def _name(text: str) -> str:
    text = text.strip()
    return sys.intern(text) if len(text) <= LONGEST and text.isascii() and text.isprintable() else ""
