"""Remote start and stop, and what is asked of a transaction, independent of version: dialects render these."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RemoteStart:
    """Start a transaction for an idToken.

    number: the remoteStartId by which the transaction is recognised. evse_id, connector_id: where, if that matters.
    limit: what the transaction may have at most, see limits: it is said once that has begun.
    """

    number: int
    id_token: str
    id_token_type: str
    evse_id: int | None = None
    connector_id: int | None = None
    group_id: str | None = None
    limit: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class RemoteStop:
    """Stop a transaction. id: ours. transaction_id: as the station knows it."""

    id: int
    transaction_id: str


@dataclass(frozen=True, slots=True)
class TransactionStatus:
    """Whether a transaction goes on. transaction_id: as the station knows it."""

    transaction_id: str
