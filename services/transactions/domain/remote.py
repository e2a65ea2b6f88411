"""Remote start and stop, and what is asked of a transaction, independent of version: dialects render these."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RemoteStart:
    """Start a transaction for an idToken.

    number: the remoteStartId by which the transaction is recognised. evse_id, connector_id: where, if that matters.
    """

    number: int
    id_token: str
    id_token_type: str
    evse_id: int | None = None
    connector_id: int | None = None
    group_id: str | None = None


@dataclass(frozen=True, slots=True)
class RemoteStop:
    """Stop a transaction. id: ours. transaction_id: as the station knows it."""

    id: int
    transaction_id: str


@dataclass(frozen=True, slots=True)
class TransactionStatus:
    """Whether a transaction goes on. transaction_id: as the station knows it."""

    transaction_id: str
