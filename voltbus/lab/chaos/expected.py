"""What stations have sent and received, and Voltbus must therefore hold. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

import orjson

from voltbus.simulator.station.habits import Habit
from voltbus.simulator.station.types import Payload


class MessageKind(StrEnum):
    """What a message is about. A NOTICE is only checked on Kafka."""

    START = "start"
    SAMPLE = "sample"
    END = "end"
    BOOT = "boot"
    AUTHORIZE = "authorize"
    SECURITY = "security"
    STATUS = "status"
    NOTICE = "notice"


@dataclass(slots=True)
class Attempt:
    """One CALL on the wire; times in seconds since 1970. connection: its number at the station.

    answer: a CALLRESULT's payload, which may come after the station has stopped waiting. refused: by a CALLERROR.
    """

    message_id: str
    connection: int
    sent: float
    answered: float | None = None
    answer: Payload | None = None
    refused: str = ""


@dataclass(slots=True, eq=False)
class Message:
    """One message, repeated until it was answered.

    due: when it was to be sent. at, wh, state, error_code: the time, meter reading, connector state, error code in it.
    done: when the station had its answer.
    """

    station: str
    kind: MessageKind
    action: str
    due: float
    at: datetime
    wh: int = 0
    state: str = ""
    error_code: str = ""
    done: float | None = None
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def acknowledged(self) -> bool:
        """Whether any CALL of it was answered by a CALLRESULT."""
        return any(one.answer is not None for one in self.attempts)

    @property
    def waited(self) -> float:
        """Seconds from when it was due to its answer; only of one that has it."""
        assert self.done is not None
        return self.done - self.due


@dataclass(slots=True, eq=False)
class ChargingSession:
    """One session as its station lives it. name: transactionId of the station.

    metered: whether start and end carry a meter value of their own, and the name, as those of 2.0.1 do. habit: that its
    station shows in it. name_shared: another session has its name as well.
    """

    station: str
    name: str
    metered: bool
    messages: list[Message] = field(default_factory=list)
    habit: Habit | None = None
    name_shared: bool = False

    @property
    def over(self) -> bool:
        """Whether the station has the answer to its end."""
        return bool(self.messages) and self.messages[-1].kind is MessageKind.END and self.messages[-1].done is not None

    @property
    def unnamed(self) -> bool:
        """Whether its station cannot name it, so that its samples and its end are nobody's (errata 3.18)."""
        return self.habit is Habit.NUMBER_LOST and not self.metered

    @property
    def energy_wh(self) -> int:
        """What its messages tell: where the register begins anew, what was before and what is after."""
        return sum(max(0, after.wh - before.wh) for before, after in pairwise(self.messages))

    @property
    def numbers(self) -> set[int]:
        """The transactionIds that the CSMS has assigned (1.6)."""
        return {one.answer["transactionId"] for one in self.messages[0].attempts if one.answer and not self.metered}

    @property
    def started_at(self) -> datetime:
        return self.messages[0].at


@dataclass(slots=True)
class ReceivedCommand:
    """A command that reached a station. answered: when it had its answer on the wire."""

    station: str
    connection: int
    id: str
    action: str
    at: float
    answered: float | None = None


@dataclass(slots=True)
class RequestedCommand:
    """A command that was requested by REST. attempts: with one key. id: once it is accepted."""

    station: str
    service: str
    action: str
    key: str
    at: float
    attempts: int = 0
    id: str | None = None
    refused: str = ""


@dataclass(slots=True)
class Expected:
    """Everything of a run. loose: messages that belong to no session."""

    sessions: list[ChargingSession] = field(default_factory=list)
    loose: list[Message] = field(default_factory=list)
    received: list[ReceivedCommand] = field(default_factory=list)
    requested: list[RequestedCommand] = field(default_factory=list)

    def messages(self) -> Iterator[Message]:
        """Every message."""
        for session in self.sessions:
            yield from session.messages
        yield from self.loose


def json_lines(expected: Expected) -> Iterator[str]:
    """Everything in JSON, a line each: messages, commands that stations received, commands that were requested."""
    entries: dict[str, Iterable[Message | ReceivedCommand | RequestedCommand]] = {
        "message": expected.messages(),
        "received": expected.received,
        "requested": expected.requested,
    }
    for kind, entries_of_kind in entries.items():
        for entry in entries_of_kind:
            yield orjson.dumps({"what": kind, **asdict(entry)}).decode() + "\n"
