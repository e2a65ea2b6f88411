"""Commands, on a real Postgres: Redis away, crashes, silence, several processes, results told twice."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from services.common.calls.stations import Stations
from services.common.commands.api.commands import require_connected
from services.common.commands.catalogue import Catalogue
from services.common.commands.command import PATIENCE, Command, End, Route, Status, Unrenderable
from services.common.commands.idempotency import KeyReused
from services.common.commands.routes import MemoryRoutes
from services.common.commands.service import CommandRequest, CommandService
from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.postgres.database import Connection, Database
from services.common.process.errors import Unavailable, Unprocessable
from services.common.testing.assignments import unassigned
from services.common.testing.memory import MemoryBus
from services.transactions.settings import Settings
from voltbus.v1.bus_pb2 import OUTCOME_ANSWERED, Result, Tolerated


class Registered(Stations):
    """Nobody here is unknown."""

    async def unknown(self, _: Iterable[str]) -> list[str]:
        return []


@dataclass
class Office:
    """A CommandService, and what it stands on."""

    database: Database
    settings: Settings
    bus: MemoryBus = field(default_factory=MemoryBus)
    routes: MemoryRoutes = field(default_factory=MemoryRoutes)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended: list[Command] = field(default_factory=list)

    def command_service(self) -> CommandService:
        """One process; there may be several."""

        def render(command: Command, version: str) -> tuple[str, Mapping[str, Any]]:
            if version == "2.0.1":
                raise Unrenderable("NotSupported", "not in this version")
            return command.action, command.payload

        async def ended(_: Connection, commands: Sequence[Command]) -> None:
            self.ended += commands

        def written(_: Command, __: str) -> tuple[str, Mapping[str, Any]]:
            return "Reset", {"type": "Soft"}

        events = Events(self.settings, "transactions", unassigned)
        catalogue = Catalogue({}, {"Reset": render, "Restart": written})
        return CommandService(
            service="transactions",
            database=self.database,
            bus=self.bus,
            routes=self.routes,
            stations=Registered(self.bus, "registrations", "inventory"),
            events=events,
            catalogue=catalogue,
            outbound="outbound",
            wake=lambda: None,
            clock=lambda: self.now,
            on_ended=ended,
        )

    def connect(self, station: str, version: str = "1.6", connection: int = 1, silence: float = 0.0) -> None:
        self.routes.routes[station] = Route(1, f"{station}/{connection}", version, silence)

    def sent(self) -> list[Record]:
        return self.bus.all("outbound")


@pytest.fixture
def office(database: Database, settings: Settings) -> Office:
    return Office(database, settings)


async def status(command_service: CommandService, command: Command) -> Status:
    found = await command_service.get(command.id)
    assert found is not None
    return found.status


async def passes(command_service: CommandService) -> None:
    """One turn of its run."""
    turned = asyncio.Event()

    async def once(_: float) -> None:
        turned.set()
        await asyncio.Event().wait()

    running = asyncio.create_task(command_service.run())
    with patch.object(command_service.nudge, "wait", once):
        await turned.wait()
    running.cancel()


async def test_without_redis_a_command_waits(office: Office, station: str) -> None:
    command_service = office.command_service()
    office.connect(station)
    office.routes.broken = True
    command = await command_service.accept(CommandRequest(station, "Reset", {}))
    assert (await status(command_service, command), office.sent()) == (Status.ACCEPTED, [])
    office.routes.broken = False
    await command_service.send()
    assert (await status(command_service, command), len(office.sent())) == (Status.SENT, 1)


async def test_what_a_version_has_not_over_soap_is_refused_at_once(office: Office, station: str) -> None:
    """OCPP-S has no security extension: it was taken, and undeliverable then."""
    command_service = office.command_service()
    command_service.catalogue = catalogue = Catalogue.of("firmware", {})
    command_service._dispatcher.catalogue = catalogue
    trigger = CommandRequest(station, "ExtendedTriggerMessage", {"requestedMessage": "Heartbeat"})
    office.connect(station, silence=900.0)
    with pytest.raises(Unrenderable, match="over SOAP has no ExtendedTriggerMessage"):
        await command_service.accept(trigger)
    del office.routes.routes[station]
    command = await command_service.accept(trigger)
    office.connect(station, silence=900.0)
    await command_service.send()
    found = await command_service.get(command.id)
    assert found is not None
    assert (found.outcome, found.error_description) == (
        End.UNRENDERABLE,
        "OCPP 1.6 over SOAP has no ExtendedTriggerMessage",
    )
    assert office.sent() == []


@pytest.mark.parametrize(
    ("silence", "asked", "waits"), [(0.0, None, 60), (900.0, None, 900), (900.0, 5, 5), (9.0, None, 60)]
)
async def test_a_command_waits_for_a_station_that_speaks_soap_until_it_counts_as_gone(
    office: Office, station: str, silence: float, asked: float | None, waits: float
) -> None:
    """After a restart of its gateway it expired, for the station is heard every 300 s alone."""
    if silence:
        office.routes.silent[station] = silence
    command = await office.command_service().accept(CommandRequest(station, "Reset", {}, asked))
    assert command.expires_at == office.now + timedelta(seconds=waits)


async def test_without_redis_no_station_is_said_to_be_away(office: Office, station: str) -> None:
    """That nobody can tell is no verdict on the station."""
    command_service = office.command_service()
    office.connect(station)
    await require_connected(command_service, station)
    office.routes.broken = True
    with pytest.raises(Unavailable):
        await require_connected(command_service, station)


async def test_without_redis_a_command_expires(office: Office, station: str) -> None:
    command_service = office.command_service()
    office.routes.broken = True
    command = await command_service.accept(CommandRequest(station, "Reset", {}, expires_in=5))
    office.now += timedelta(seconds=5)
    await command_service.send()
    assert await status(command_service, command) == Status.EXPIRED


async def test_a_crash_before_the_record_never_sends_it_twice_and_ends(office: Office, station: str) -> None:
    """ "sent" is committed first: what nobody got expires, after its own time and the patience with slow stations."""
    command_service = office.command_service()
    office.connect(station)
    office.bus.broken = True
    with pytest.raises(Unavailable):
        await command_service.accept(CommandRequest(station, "Reset", {}, 5, station))
    office.bus.broken = False
    command = await command_service.accept(CommandRequest(station, "Reset", {}, 5, station))
    await command_service.send()
    assert (command.status, office.sent()) == (Status.SENT, [])
    office.now += timedelta(seconds=5) + PATIENCE
    running = asyncio.create_task(command_service.run())
    ended = await command_service.wait(command.id, 5)
    running.cancel()
    assert ended is not None
    assert (ended.status, ended.error_code) == (Status.EXPIRED, "NoResult")


async def test_many_processes_send_a_command_once(office: Office, station: str) -> None:
    command_services = [office.command_service() for _ in range(4)]
    commands = [await command_services[0].accept(CommandRequest(station, "Reset", {"n": n})) for n in range(20)]
    office.connect(station)
    await asyncio.gather(*(command_service.send() for command_service in command_services for _ in range(3)))
    assert len(office.sent()) == len(commands)
    assert len({record.value for record in office.sent()}) == len(commands)


async def test_commands_of_a_station_leave_in_their_order(office: Office, station: str) -> None:
    command_service = office.command_service()
    commands = [await command_service.accept(CommandRequest(station, "Reset", {"n": n})) for n in range(5)]
    office.connect(station)
    await command_service.send()
    assert [
        command.id.encode() in (record.value or b"") for command, record in zip(commands, office.sent(), strict=True)
    ]


async def test_a_result_told_twice_is_announced_once(office: Office, station: str, database: Database) -> None:
    command_service = office.command_service()
    office.connect(station)
    command = await command_service.accept(CommandRequest(station, "Reset", {}))
    told = Result(command_id=command.id, station_id=station, outcome=OUTCOME_ANSWERED, payload=b"{}", at=office.now)
    record = Record("results", station.encode(), told.SerializeToString())
    unknown = Record(
        "results", station.encode(), Result(command_id="nobody's", outcome=OUTCOME_ANSWERED).SerializeToString()
    )
    async with database.transaction() as db:
        assert len(await command_service.conclude(db, [record, unknown, record])) == 1
    async with database.transaction() as db:
        assert await command_service.conclude(db, [record]) == []
    assert await status(command_service, command) == Status.ANSWERED


async def test_an_answer_that_deviates_is_kept_as_it_came_and_as_it_is_read(
    office: Office, station: str, database: Database
) -> None:
    command_service = office.command_service()
    office.connect(station)
    command = await command_service.accept(CommandRequest(station, "Reset", {}))
    raw = Tolerated(raw=b'{"status":"accepted"}')
    told = Result(command_id=command.id, outcome=OUTCOME_ANSWERED, payload=b'{"status":"Accepted"}', tolerated=raw)
    async with database.transaction() as db:
        await command_service.conclude(db, [Record("results", station.encode(), told.SerializeToString())])
    kept = await command_service.get(command.id)
    assert kept
    assert (kept.response, kept.answer) == ({"status": "accepted"}, {"status": "Accepted"})


async def test_what_is_no_result_is_put_aside(office: Office, database: Database) -> None:
    with pytest.raises(Unprocessable):
        async with database.transaction() as db:
            await office.command_service().conclude(db, [Record("results", None, b"\xff")])


async def test_a_key_stands_for_one_command(office: Office, station: str) -> None:
    command_service = office.command_service()
    first, second = await asyncio.gather(
        *(command_service.accept(CommandRequest(station, "Reset", {}, 60, station)) for _ in range(2))
    )
    assert first.id == second.id
    with pytest.raises(KeyReused):
        await command_service.accept(CommandRequest(station, "Reset", {"type": "Hard"}, 60, station))


async def test_who_waits_sees_the_end_from_another_process(office: Office, station: str, database: Database) -> None:
    here, there = office.command_service(), office.command_service()
    office.connect(station)
    command = await here.accept(CommandRequest(station, "Reset", {}))
    waiting = asyncio.create_task(here.wait(command.id, 5))
    told = Result(command_id=command.id, outcome=OUTCOME_ANSWERED, payload=b'{"status":"\\u0000"}', at=office.now)
    async with database.transaction() as db:
        await there.conclude(db, [Record("results", None, told.SerializeToString())])
    ended = await waiting
    assert ended is not None
    assert (ended.status, ended.response) == (Status.ANSWERED, {"status": "\0"})


async def test_waiting_ends(office: Office, station: str) -> None:
    command_service = office.command_service()
    command = await command_service.accept(CommandRequest(station, "Reset", {}))
    assert (await command_service.wait(command.id, 0.05)) == command
    assert await command_service.wait("nobody's", 0.05) is None


async def test_what_was_given_stays_given_whatever_the_station_speaks_by_now(office: Office, station: str) -> None:
    command_service = office.command_service()
    office.connect(station)
    first = await command_service.accept(CommandRequest(station, "Reset", {}, 60, station))
    office.connect(station, "2.0.1")
    assert (await command_service.accept(CommandRequest(station, "Reset", {}, 60, station))).id == first.id
    with pytest.raises(Unrenderable):
        await command_service.accept(CommandRequest(station, "Reset", {}, 60, f"{station}/other"))


async def test_what_was_sent_to_a_gateway_that_is_gone_ends_after_a_minute(office: Office, station: str) -> None:
    """Its time would be up in a week; as long as its connection stands, or Redis cannot tell, its result may come."""
    command_service = office.command_service()
    office.connect(station)
    command = await command_service.accept(CommandRequest(station, "Reset", {}, 7 * 86400))
    office.now += PATIENCE
    await passes(command_service)
    assert await status(command_service, command) == Status.SENT
    office.connect(station, connection=2)
    office.routes.broken = True
    await passes(command_service)
    assert await status(command_service, command) == Status.SENT
    office.routes.broken = False
    await passes(command_service)
    assert await status(command_service, command) == Status.EXPIRED
    await passes(command_service)
    ended = [(one.id, one.error_code) for one in office.ended if one.station_id == station]
    assert ended == [(command.id, "NoResult")]


async def test_a_retry_is_the_same_command_whatever_has_changed(office: Office, station: str) -> None:
    command_service, asked = office.command_service(), {"card": "A"}
    found = iter([{"type": "ISO14443"}])

    async def resolve() -> dict[str, str]:
        return next(found)

    async def accept(words: dict[str, str]) -> Command:
        return await command_service.accept(CommandRequest(station, "Reset", words, 60, station), resolve)

    first = await accept(asked)
    assert (first.payload, first.asked) == ({"type": "ISO14443"}, asked)
    assert (await accept(asked)).id == first.id
    with pytest.raises(KeyReused):
        await accept({"card": "B"})


async def test_two_at_once_that_found_different_things_are_the_same_command(office: Office, station: str) -> None:
    command_service, asked = office.command_service(), {"card": "A"}
    found, both = iter(["Local", "Central"]), asyncio.Barrier(2)

    async def resolve() -> dict[str, str]:
        await both.wait()
        return {"type": next(found)}

    requests = [CommandRequest(station, "Reset", asked, 60, station) for _ in range(2)]
    first, second = await asyncio.gather(*(command_service.accept(request, resolve) for request in requests))
    assert (first.id, first.payload) == (second.id, second.payload)


async def test_what_a_station_was_sent_is_kept_where_a_dialect_wrote_it(office: Office, station: str) -> None:
    command_service = office.command_service()
    office.connect(station)
    plain = await command_service.accept(CommandRequest(station, "Reset", {"type": "Soft"}))
    written = await command_service.accept(CommandRequest(station, "Restart", {"gently": True}))
    found = [await command_service.get(command.id) for command in (plain, written)]
    assert [one and one.request for one in found] == [None, {"action": "Reset", "payload": {"type": "Soft"}}]
