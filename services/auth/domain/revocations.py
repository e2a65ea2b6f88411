"""Certificates of stations that nobody is let in with any more."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from services.ocpp.certificates import by_serial_number


@dataclass(frozen=True, slots=True)
class Revocation:
    """A certificate by its fingerprint (SHA-256, hexadecimal), or by its serial number (hexadecimal) and issuer."""

    fingerprint: str | None
    serial_number: str | None
    issuer: str | None
    reason: str | None
    revoked_at: datetime
    author: str | None = None

    @property
    def key(self) -> str:
        """As gateways know it."""
        if self.fingerprint is not None:
            return self.fingerprint
        assert self.serial_number is not None
        assert self.issuer is not None
        return by_serial_number(int(self.serial_number, 16), self.issuer)

    @property
    def id(self) -> str:
        """64 hexadecimal digits: the fingerprint, where it is known."""
        return self.fingerprint or hashlib.sha256(self.key.encode()).hexdigest()
