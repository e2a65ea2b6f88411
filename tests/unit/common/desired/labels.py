"""An invented kind of desired state: a list of labels a station shows. It is no setting, and the room need not know."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from services.common.calls.stations import Registration
from services.common.commands.command import Command, Status
from services.common.commands.service import EXPIRES_IN, CommandRequest
from services.common.desired.difference import difference
from services.common.desired.group_store import GroupDocument
from services.common.desired.progress import Progress, Step, done
from services.common.desired.resource import Candidate, Reads, Request

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Labels:
    """actual: what stations were last read to show. here: versions of those that are here."""

    here: dict[str, str] = field(default_factory=dict)
    actual: dict[str, set[str]] = field(default_factory=dict)
    pending: list[str] = field(default_factory=list)

    async def versions(self, _: Any, station_ids: Collection[str]) -> Mapping[str, str]:
        return {id_: self.here[id_] for id_ in station_ids if id_ in self.here}

    def values(self, document: GroupDocument, version: str) -> Mapping[str, None]:
        """A label has no value; it is there or not. Old versions know no umlauts."""
        texts = document.content if version != "1.6" else [text.replace("ü", "ue") for text in document.content]
        return dict.fromkeys(texts)

    async def reads(self, _: Any, stations: Sequence[Candidate[str, None]]) -> Mapping[str, Reads]:
        return {one.station_id: Reads([("GetLabels", {})]) for one in stations if one.version != "mute"}

    async def writes(self, _: Any, stations: Sequence[Candidate[str, None]]) -> Mapping[str, Sequence[Request]]:
        return {one.station_id: self._writes(one) for one in stations}

    async def sent(self, _: Any, commands: Sequence[Command]) -> None:
        self.pending += [command.id for command in commands]

    def _writes(self, station: Candidate[str, None]) -> list[Request]:
        shown = dict.fromkeys(sorted(self.actual.get(station.station_id, set())))
        wanted = {text: one.value for text, one in station.desired.items()}
        found = difference(wanted, shown, lambda _, __: True)
        removed: list[Request] = [("RemoveLabel", {"text": text}) for text in found.remove]
        return removed + [("AddLabel", {"text": text}) for text in found.put]


@dataclass
class Clock:
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class MemoryDatabase:
    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        yield None

    connection = transaction


@dataclass
class MemoryProgress:
    """How far stations have come. ProgressStore does it in SQL."""

    rows: dict[str, Progress] = field(default_factory=dict)
    saved: asyncio.Event = field(default_factory=asyncio.Event)

    def due(self, *station_ids: str) -> None:
        self.rows |= {id_: Progress(id_, Step.DUE, START) for id_ in station_ids}

    async def claim(self, _: Any, step: Step, now: datetime, limit: int) -> list[Progress]:
        found = [one for one in self.rows.values() if one.step is step and one.due_at <= now]
        return sorted(found, key=lambda one: one.due_at)[:limit]

    async def count_reading(self, _: Any) -> int:
        return sum(one.step is Step.READING for one in self.rows.values())

    async def save(self, _: Any, changed: Iterable[Progress]) -> None:
        self.rows |= {one.station_id: one for one in changed}
        self.saved.set()

    async def mark_due(self, _: Any, station_ids: Collection[str], now: datetime) -> None:
        self.rows |= {id_: Progress(id_, Step.DUE, now) for id_ in station_ids if id_ in self.rows}


@dataclass
class MemoryGroups:
    documents: dict[str, GroupDocument] = field(default_factory=dict)

    async def load(self, _: Any, groups: Collection[str]) -> dict[str, GroupDocument]:
        return {name: self.documents[name] for name in groups if name in self.documents}

    async def save(self, _: Any, document: GroupDocument) -> None:
        self.documents[document.group] = document

    async def remove(self, _: Any, group: str) -> bool:
        return self.documents.pop(group, None) is not None


@dataclass
class MemoryStations:
    """Registrations: the groups of stations, in order."""

    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)

    async def wait(self) -> None:
        pass

    def ready(self) -> bool:
        return True

    def registration(self, station_id: str) -> Registration:
        return Registration(self.groups.get(station_id, ()), "")

    def matching(self, wanted: Any) -> list[str]:
        return sorted(id_ for id_, groups in self.groups.items() if wanted.group in groups)


@dataclass
class MemoryCommands:
    """Commands that were handed in."""

    clock: Clock
    stations: MemoryStations = field(default_factory=MemoryStations)
    commands: list[Command] = field(default_factory=list)

    async def add(self, _: Any, requests: Sequence[CommandRequest]) -> list[Command]:
        now, first = self.clock(), len(self.commands)
        new = [
            Command(
                id=f"c{first + n}",
                number=first + n,
                station_id=one.station_id,
                action=one.action,
                payload=one.payload,
                status=Status.ACCEPTED,
                created_at=now,
                expires_at=now + timedelta(seconds=one.expires_in or EXPIRES_IN),
            )
            for n, one in enumerate(requests)
        ]
        self.commands += new
        return new

    def notify_changed(self) -> None:
        pass

    def nudge(self) -> None:
        pass

    def sent(self, station_id: str) -> list[str]:
        """What a station was sent, in words."""
        mine = [command for command in self.commands if command.station_id == station_id]
        return [" ".join([command.action, *map(str, command.payload.values())]) for command in mine]


@dataclass
class World:
    """Everything that the room stands on, in memory."""

    clock: Clock = field(default_factory=Clock)
    labels: Labels = field(default_factory=Labels)
    progress: MemoryProgress = field(default_factory=MemoryProgress)
    groups: MemoryGroups = field(default_factory=MemoryGroups)

    def __post_init__(self) -> None:
        self.commands = MemoryCommands(self.clock)
        self.database: Any = MemoryDatabase()

    def step(self, station_id: str) -> Step:
        return self.progress.rows[station_id].step

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not holds():
                await self.progress.saved.wait()
                self.progress.saved.clear()

    async def wants(self, group: str, *texts: str) -> None:
        await self.groups.save(None, GroupDocument(group, list(texts), self.clock()))

    def member(self, station_id: str, *groups: str, version: str = "2.0.1") -> None:
        """A station of groups that is here, and due."""
        self.commands.stations.groups[station_id] = groups
        self.labels.here[station_id] = version
        self.progress.due(station_id)

    def answer(self, station_id: str, *texts: str, undelivered: bool = False) -> None:
        """It says what it shows; or it was never asked."""
        [waiting] = self.progress.rows[station_id].waiting
        self.labels.actual[station_id] = set(texts)
        before, lost = self.progress.rows[station_id], [waiting] if undelivered else []
        self.progress.rows[station_id] = done(before, [waiting], lost, self.clock())
