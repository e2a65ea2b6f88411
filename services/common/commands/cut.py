"""How a command is cut into parts where its station takes less in a message, and how far those have come. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from services.common.splitting import MessageLimit

# What is said of a report that was asked for in parts, by what its parts say: the first of these that one says.
REPORT_STATUSES = ("Rejected", "NotSupported", "Accepted", "EmptyResultSet")


@dataclass(frozen=True, slots=True)
class Cut:
    """How a command may be cut.

    field: its list. results: the list in its answer, if there is one. limit: of a message. said_in: where the station
    says so, for people. others: what the next part says otherwise than the command, if it is not the first.
    """

    field: str
    results: str | None
    limit: MessageLimit
    said_in: str
    others: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PartsProgress:
    """How far the parts of a command have come; they are sent one after another.

    items: that it has. sent: of these, in parts that were sent. answered: in parts that were answered. count: of parts
    that were sent. sent_at: the last of them. due: it was answered, and the next one is to be sent. stopped: no other
    will be. field, results, limit: as of the last Cut.
    """

    items: int
    field: str
    results: str | None
    limit: MessageLimit
    sent: int = 0
    answered: int = 0
    count: int = 0
    sent_at: datetime | None = None
    due: bool = False
    stopped: bool = False

    @property
    def complete(self) -> bool:
        """Whether all has been sent."""
        return self.sent == self.items

    @classmethod
    def read(cls, written: str | None) -> "PartsProgress | None":
        """From JSON."""
        return msgspec.json.decode(written, type=cls) if written else None


def joined(answers: Sequence[Any], results: str | None) -> Any:
    """One answer of those to the parts, in their order. results: the list in them, if there is one.

    What else they say is as the first says it, but for a status.
    """
    said = [one for one in answers if isinstance(one, Mapping)]
    if not said:
        return answers[0] if answers else None
    if results is None:
        return min(said, key=lambda one: _rank(one.get("status")))
    lists = [one[results] for one in said if isinstance(one.get(results), list)]
    return {**said[0], results: [item for items in lists for item in items]}


def _rank(status: Any) -> int:
    return REPORT_STATUSES.index(status) if status in REPORT_STATUSES else -1
