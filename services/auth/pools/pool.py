"""What any pool is asked, and what it may say."""

from collections.abc import Sequence
from typing import Protocol

from services.auth.domain.contract_requests import Wanted


class NoContract(Exception):
    """The pool has none for this vehicle, or does not understand it, in words."""


class Pool(Protocol):
    """Asked at least once, and perhaps again after a crash."""

    async def contracts(self, wanted: Wanted) -> Sequence[str]:
        """Answers to the vehicle, EXI in base64: one at least. Raises NoContract; PoolAway where it cannot be asked."""


class PoolAway(Exception):
    """It cannot be asked now, and why."""
