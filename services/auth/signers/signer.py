"""What any signer is asked, and what it may say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from cryptography import x509

from services.auth.domain.signing_requests import Purpose, Subject


@dataclass(frozen=True, slots=True)
class Asked:
    """A signing request that was checked. der: the CSR. renews: a certificate of the same subject is there already."""

    id: str
    station_id: str
    purpose: Purpose
    subject: Subject
    der: bytes
    renews: bool = False


@dataclass(frozen=True, slots=True)
class Signed:
    """chain: in PEM, in any order. known: certificates of CAs, which complete it."""

    chain: str
    known: Sequence[x509.Certificate] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """It takes its time. seconds: until it is asked again; None: it comes by itself."""

    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Declined:
    """It will not be signed. reason: in the signer's words."""

    reason: str


Said: TypeAlias = Signed | Waiting | Declined


class Signer(Protocol):
    """Asked at least once, and perhaps again after a crash."""

    async def sign(self, asked: Asked) -> Said:
        """Raises Unavailable where it cannot be asked now."""
