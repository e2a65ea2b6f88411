"""Signatures as Standard Webhooks has them (https://www.standardwebhooks.com), v1: HMAC-SHA256."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime

PREFIX = "whsec_"
# Bytes of a secret.
SHORTEST, LONGEST, MADE = 24, 64, 32


def new_secret() -> str:
    """As it is shown to whoever receives."""
    return PREFIX + base64.b64encode(secrets.token_bytes(MADE)).decode()


def read_secret(written: str) -> bytes:
    """Raises ValueError where it is none; the text does not repeat it."""
    try:
        key = base64.b64decode(written.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not written.startswith(PREFIX) or not SHORTEST <= len(key) <= LONGEST:
        raise ValueError(f"must be {PREFIX} and {SHORTEST} to {LONGEST} bytes in base64")
    return key


def signed(event_id: str, at: datetime, body: bytes, keys: Iterable[bytes]) -> Mapping[str, str]:
    """The headers of a delivery. keys: each signs; a receiver takes what any of those that it knows has signed."""
    timestamp = str(int(at.timestamp()))
    content = f"{event_id}.{timestamp}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode() for key in keys)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{one}" for one in signatures),
    }
