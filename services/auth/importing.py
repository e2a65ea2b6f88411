"""Files of stations, idTokens or locations, imported: all lines or none, and nothing of what is the same already."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import uuid4

from services.auth.domain import imports
from services.auth.domain.imports import LocationLine, StationLine, TokenLine, Unfit
from services.auth.domain.locations import Location, LocationDecision
from services.auth.domain.serial_numbers import SerialNumbersOfFile, is_of, set_anew
from services.auth.domain.stations import Password, PasswordPolicy, Station, StationDecision
from services.auth.domain.tokens import RegisteredToken, TokenDecision
from services.auth.staging import Staged, Staging
from services.auth.store import IMPORT, Store, UnitOfWork
from services.common.kafka.bus import Record
from services.common.process.clock import Clock
from services.common.web.files import MAX_FAULTS
from services.common.web.tables import Fault, Faulty
from services.ocpp.id_tokens import LISTS, Authorization, token_key
from services.ocpp.station_ids import station_key

L = TypeVar("L", StationLine, TokenLine, LocationLine)
S = TypeVar("S", Station, RegisteredToken, Location)
D = TypeVar("D", StationDecision, TokenDecision, LocationDecision)


@dataclass(frozen=True, slots=True)
class Page(Generic[S, D]):
    """Lines of a file that are decided together. current, decisions: by key; of a line that is unfit there is none."""

    lines: Sequence[Staged]
    current: Mapping[str, S]
    decisions: Mapping[str, D]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[L, S, D]):
    """What differs between stations, idTokens and locations.

    key: the field that identifies one. same: what all ways to write it have in common. pack, unpack: what a line says,
    and that as it waits. find: those that are there, by key. decide: raises Unfit. save: the records that tell of it.
    check: made for a file, says of each page of it what is wrong beside that.
    """

    key: str
    same: Callable[[str], str]
    pack: Callable[[L], Any]
    unpack: Callable[[Any], L]
    find: Callable[[UnitOfWork, Sequence[str]], Awaitable[Mapping[str, S]]]
    decide: Callable[[S | None, L, datetime, str | None], D]
    save: Callable[[UnitOfWork, Sequence[D], str], Awaitable[list[Record]]]
    check: Callable[[Staging], Callable[[Page[S, D]], Awaitable[list[Fault]]]] | None = None


def pack_station(line: StationLine) -> Any:
    password = line.password.name if isinstance(line.password, PasswordPolicy) else line.password.hash
    return line.station_id, password, line.named


def unpack_station(said: Any) -> StationLine:
    station_id, password, named = said
    if "groups" in named:
        named["groups"] = tuple(named["groups"])
    chosen = Password(password) if isinstance(password, bytes) else PasswordPolicy[password]
    return StationLine(station_id, chosen, named)


def serial_number_check(
    staging: Staging,
) -> Callable[[Page[Station, StationDecision]], Awaitable[list[Fault]]]:
    """Which lines give a station the serial number of another, in the file or beside it."""
    of_file = SerialNumbersOfFile()

    async def check(page: Page[Station, StationDecision]) -> list[Fault]:
        wanted = [(one, page.decisions[one.key].station) for one in page.lines if one.key in page.decisions]
        anew = {one.key: set_anew(page.current.get(one.key), station) for one, station in wanted}
        elsewhere = await staging.serial_numbers([said for said in anew.values() if said])
        faults = []
        for one, station in wanted:
            fault = of_file.fault(one.line, page.current.get(one.key), station)
            if other := elsewhere.get(anew[one.key] or ""):
                fault = is_of(other)
            if fault:
                faults.append(Fault(one.line, "serial_number", fault))
        return faults

    return check


def pack_token(line: TokenLine) -> Any:
    return line.id_token, line.named


def unpack_token(said: Any) -> TokenLine:
    id_token, named = said
    if status := named.get("status"):
        named["status"] = Authorization(status)
    named |= {name: tuple(named[name]) for name in LISTS if name in named}
    return TokenLine(id_token, named)


def pack_location(line: LocationLine) -> Any:
    return line.location_id, line.named


def unpack_location(said: Any) -> LocationLine:
    return LocationLine(*said)


STATIONS = Kind(
    key="station_id",
    same=station_key,
    pack=pack_station,
    unpack=unpack_station,
    find=UnitOfWork.meant_stations,
    decide=imports.station,
    save=UnitOfWork.write_stations,
    check=serial_number_check,
)
TOKENS = Kind(
    key="id_token",
    same=token_key,
    pack=pack_token,
    unpack=unpack_token,
    find=UnitOfWork.find_registered,
    decide=imports.token,
    save=UnitOfWork.write_tokens,
)
LOCATIONS = Kind(
    key="location_id",
    same=str,
    pack=pack_location,
    unpack=unpack_location,
    find=UnitOfWork.find_locations,
    decide=imports.location,
    save=UnitOfWork.write_locations,
)


@dataclass(frozen=True, slots=True)
class Importer:
    """Imports files, one transaction each."""

    store: Store
    clock: Clock

    async def run(
        self,
        kind: Kind[L, S, D],
        batches: AsyncIterator[Sequence[Staged | Fault]],
        dry_run: bool,
        author: str | None = None,
    ) -> Counter[str]:
        """How many are `created`, `changed`, `unchanged`; with dry_run, how many would be.

        batches: lines as they arrive, which may take minutes: they wait outside of a transaction. Raises Faulty, and
        nothing is changed.
        """
        async with self.store.import_() as work:
            staging = Staging(work.db)
            await staging.begin()
            try:
                await _stage(staging, batches, kind)
                async with work.db.transaction():
                    counts = await self._apply(kind, work, staging, author, dry_run=dry_run)
            finally:
                await staging.end()
        if not dry_run:
            await self.store.published()
        return counts

    async def _apply(
        self, kind: Kind[L, S, D], work: UnitOfWork, staging: Staging, author: str | None, *, dry_run: bool
    ) -> Counter[str]:
        counts: Counter[str] = Counter(created=0, changed=0, unchanged=0)
        faults: list[Fault] = []
        now, cause = self.clock(), uuid4().hex
        check = kind.check(staging) if kind.check else None
        if not dry_run:
            await work.db.execute(IMPORT)
        async for lines in staging.pages():
            current = await kind.find(work, [one.key for one in lines])
            decisions, unfit = _decide(kind, lines, current, now, author)
            faults += unfit
            if check:
                faults += await check(Page(lines, current, decisions))
            if len(faults) >= MAX_FAULTS:
                break
            for key, decision in decisions.items():
                counts["unchanged" if not decision.events else "changed" if key in current else "created"] += 1
            if not (dry_run or faults):
                await staging.hold(await kind.save(work, list(decisions.values()), cause))
        if faults:
            raise Faulty(faults)
        if not dry_run:
            await staging.release()
        return counts


def _decide(
    kind: Kind[L, S, D], lines: Sequence[Staged], current: Mapping[str, S], now: datetime, author: str | None
) -> tuple[dict[str, D], list[Fault]]:
    decisions, faults = {}, []
    for one in lines:
        try:
            decisions[one.key] = kind.decide(current.get(one.key), kind.unpack(one.said), now, author)
        except Unfit as error:
            faults.append(Fault(one.line, error.field, str(error)))
    return decisions, faults


async def _stage(staging: Staging, batches: AsyncIterator[Sequence[Staged | Fault]], kind: Kind[Any, Any, Any]) -> None:
    """Raises Faulty."""
    faults: list[Fault] = []
    async for batch in batches:
        await staging.add([one for one in batch if isinstance(one, Staged)], kind.same)
        faults += [one for one in batch if isinstance(one, Fault)]
        if len(faults) >= MAX_FAULTS:
            raise Faulty(faults)
    repeated = await staging.repeated(MAX_FAULTS)
    faults += [Fault(line, kind.key, f"line {first} has the same") for line, first in repeated]
    if faults:
        raise Faulty(faults)
