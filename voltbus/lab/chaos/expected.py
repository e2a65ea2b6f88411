"""What stations have said and heard: the books of their side, which everything else is compared with. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum

import orjson

from voltbus.simulator.station.types import Payload


class Kind(StrEnum):
    """What a message is about. Of NOTICE nothing is looked for but on Kafka."""

    START = "start"
    SAMPLE = "sample"
    END = "end"
    BOOT = "boot"
    AUTHORIZE = "authorize"
    SECURITY = "security"
    STATUS = "status"
    NOTICE = "notice"


@dataclass(slots=True)
class Try:
    """One CALL on the wire; times in seconds since 1970. connection: the so-many-th of its station.

    answer: a CALLRESULT's payload, which may have come when the station waited for it no more. refused: by a CALLERROR.
    """

    message_id: str
    connection: int
    sent: float
    answered: float | None = None
    answer: Payload | None = None
    refused: str = ""


@dataclass(slots=True, eq=False)
class Said:
    """One message, said again until it was answered.

    due: when it was to be said. at, wh, state: the moment, the meter reading and the connector's state that it tells
    of. done: when the station had its answer.
    """

    station: str
    kind: Kind
    action: str
    due: float
    at: datetime
    wh: int = 0
    state: str = ""
    done: float | None = None
    tries: list[Try] = field(default_factory=list)

    @property
    def acknowledged(self) -> bool:
        """Whether any CALL of it was answered by a CALLRESULT."""
        return any(one.answer is not None for one in self.tries)

    @property
    def waited(self) -> float:
        """Seconds from when it was due to its answer; only of one that has it."""
        assert self.done is not None
        return self.done - self.due


@dataclass(slots=True, eq=False)
class Charge:
    """One session as its station lives it. name: that the station has given it.

    metered: whether start and end carry a meter value of their own, and the name, as those of 2.0.1 do.
    """

    station: str
    name: str
    metered: bool
    said: list[Said] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """Whether the station has the answer to its end."""
        return bool(self.said) and self.said[-1].kind is Kind.END and self.said[-1].done is not None

    @property
    def numbers(self) -> set[int]:
        """What the CSMS has called it (1.6)."""
        return {one.answer["transactionId"] for one in self.said[0].tries if one.answer and not self.metered}

    @property
    def begun(self) -> datetime:
        return self.said[0].at


@dataclass(slots=True)
class Received:
    """A command that reached a station. answered: when it had its answer on the wire."""

    station: str
    connection: int
    id: str
    action: str
    at: float
    answered: float | None = None


@dataclass(slots=True)
class Given:
    """A command that was asked for by REST. tries: how often, with one key. id: once it is accepted."""

    station: str
    service: str
    action: str
    key: str
    at: float
    tries: int = 0
    id: str | None = None
    refused: str = ""


@dataclass(slots=True)
class Books:
    """All of a run. loose: messages that belong to no session."""

    charges: list[Charge] = field(default_factory=list)
    loose: list[Said] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    given: list[Given] = field(default_factory=list)

    def said(self) -> Iterator[Said]:
        """Every message."""
        for charge in self.charges:
            yield from charge.said
        yield from self.loose


def lines(books: Books) -> Iterator[str]:
    """All of it in JSON, a line each: messages, commands that stations received, commands that were asked for."""
    entries: dict[str, Iterable[Said | Received | Given]] = {
        "said": books.said(),
        "received": books.received,
        "given": books.given,
    }
    for kind, found in entries.items():
        for entry in found:
            yield orjson.dumps({"what": kind, **asdict(entry)}).decode() + "\n"
