"""Station passwords: generated, and derived again for a rotation that is requested twice."""

import hashlib
import hmac
import secrets

from services.auth.domain.stations import Password, Station
from services.ocpp.passwords import keyed, one_case

# 20 bytes: all that an AuthorizationKey of 1.6 holds, and 40 characters, the longest password of 2.0.1 (A00.FR.205).
SIZE = 20


class Passwords:
    """key: of the keyed hashes, shared with the gateway. before: the key before it, if that still counts."""

    def __init__(self, key: bytes, before: bytes | None = None) -> None:
        self._key = key
        self._before = Passwords(before) if before else None

    def hashed(self, text: str) -> Password:
        """A password as it is stored. Hexadecimal digits in both cases are as those in one."""
        return Password(keyed(self._key, one_case(text).encode()))

    def generate(self) -> tuple[str, Password]:
        """A new one: what the operator is shown once, and what is stored."""
        text = secrets.token_hex(SIZE)
        return text, self.hashed(text)

    def rotate(self, station: Station, idempotency_key: str | None) -> tuple[str, Password]:
        """A new one; or the current one, if that was derived for the same idempotency key.

        The password itself is not stored: it is derived from that key, which only the client has, and a nonce.
        """
        if idempotency_key is None:
            return self.generate()
        if (current := station.password) and (maker := self.maker(current, idempotency_key)):
            return maker.derive(current.rotation_nonce, station.station_id, idempotency_key)
        return self.derive(secrets.token_bytes(SIZE), station.station_id, idempotency_key)

    def maker(self, password: Password, idempotency_key: str) -> "Passwords | None":
        """Those, of this key or of the one before, that a request had this password from; None: it had another."""
        candidates = filter(None, (self, self._before))
        keys = {one: one.rotation_key(idempotency_key) for one in candidates}
        return next((one for one, key in keys.items() if hmac.compare_digest(password.rotation_key, key)), None)

    def rotation_key(self, idempotency_key: str) -> bytes:
        """By which a request is known again."""
        return keyed(self._key, b"idempotency " + idempotency_key.encode())

    def derive(self, nonce: bytes, station_id: str, idempotency_key: str) -> tuple[str, Password]:
        """The password that a request got, or gets."""
        text = self._derive(nonce, station_id, idempotency_key)
        return text, Password(self.hashed(text).hash, self.rotation_key(idempotency_key), nonce)

    def _derive(self, nonce: bytes, station_id: str, idempotency_key: str) -> str:
        parts = b"\0".join((b"rotation", nonce.hex().encode(), station_id.encode(), idempotency_key.encode()))
        return hmac.digest(self._key, parts, hashlib.sha256)[:SIZE].hex()
