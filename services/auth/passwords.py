"""Station passwords: made, and made again for a rotation that is asked for twice."""

import hashlib
import hmac
import secrets

from services.auth.domain.stations import Password, Station
from services.ocpp.passwords import keyed

# 20 bytes: all that an AuthorizationKey of 1.6 holds, and 40 characters, the longest password of 2.0.1 (A00.FR.205).
SIZE = 20


class Passwords:
    """key: of the keyed hashes, shared with the gateway."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def stored(self, text: str) -> Password:
        """A password as it is stored."""
        return Password(keyed(self._key, text.encode()))

    def fresh(self) -> tuple[str, Password]:
        """A new one: what the operator is shown once, and what is stored."""
        text = secrets.token_hex(SIZE)
        return text, self.stored(text)

    def rotated(self, station: Station, idempotency_key: str | None) -> tuple[str, Password]:
        """A new one; or the one that stands, when it was made for the same idempotency key.

        The password itself is not kept: it is made of that key, which only the client has, and of a nonce.
        """
        if idempotency_key is None:
            return self.fresh()
        asked = keyed(self._key, b"idempotency " + idempotency_key.encode())
        standing = station.password
        again = standing is not None and hmac.compare_digest(standing.asked, asked)
        nonce = standing.nonce if standing and again else secrets.token_bytes(SIZE)
        text = self._made(nonce, station.station_id, idempotency_key)
        return text, Password(self.stored(text).hash, asked, nonce)

    def _made(self, nonce: bytes, station_id: str, idempotency_key: str) -> str:
        parts = b"\0".join((b"rotation", nonce.hex().encode(), station_id.encode(), idempotency_key.encode()))
        return hmac.digest(self._key, parts, hashlib.sha256)[:SIZE].hex()
