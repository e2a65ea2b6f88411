"""What a version says of transactions: reports and the replies to them, and remote start and stop."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.common.calls import dialects
from services.transactions.domain.grace import Standing
from services.transactions.domain.messages import Message

Payload = dict[str, Any]
# Its action and payload.
OcppRequest = tuple[str, Payload]
ReadStanding = Callable[[Payload], Standing]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect(dialects.Dialect[Message]):
    """requests: by the class of a remote command, its request. standing: reads the answer to a TransactionStatus.

    has_limits: whether its transactions have limits.
    """

    requests: Mapping[type, Callable[[Any], OcppRequest]]
    standing: ReadStanding | None = None
    has_limits: bool = False
