"""Sessions whose EVSE was reported free end, each way with what it says of how; and nobody else's."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from google.protobuf.message import Message
from redis.asyncio import Redis

from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.testing.assignments import unassigned
from services.ocpp import topics
from services.transactions.app import build
from services.transactions.graces import Timing
from services.transactions.settings import Settings
from tests.integration.common.running import GATEWAY, Running, connected, running
from voltbus.v1 import events_pb2 as pb
from voltbus.v1.bus_pb2 import OUTCOME_ANSWERED, OUTCOME_REFUSED, Outbound, Outcome, Result
from voltbus.v1.state_pb2 import Inventory

QUICK = partial(build, timing=Timing(poll=0.02, audit=timedelta(seconds=1)))
TIME = "2026-03-01T12:00:00Z"
START_AT = datetime.fromisoformat(TIME)
START = {"connectorId": 1, "idTag": "CAFE01", "timestamp": TIME, "meterStart": 1000}


class Garage:
    """A station beside transactions, of which firmware tells."""

    def __init__(self, world: Running, settings: Settings) -> None:
        self.world, self.events = world, Events(settings, "firmware", unassigned)

    async def tell(self, *events: Message) -> None:
        """What firmware says, now."""
        at = self.world.time()
        records = [self.events.record(event, "CP1", f"{event}/{at}", at) for event in events]
        await self.world.put(*records)

    async def here(self) -> None:
        await self.tell(pb.StationConnected(station_id="CP1", version="1.6", at=self.world.time()))

    async def gone(self) -> None:
        await self.tell(pb.StationDisconnected(station_id="CP1", at=self.world.time()))

    async def boots(self, serial: str = "S1") -> None:
        await self.tell(pb.StationBooted(station_id="CP1", serial_number=serial, at=self.world.time()))

    async def connector_is(self, status: "pb.ConnectorStatus", number: int = 1, **more: Any) -> None:
        place: dict[str, Any] = {"evse_id": number, "connector_id": number, "at": self.world.time()}
        await self.tell(pb.ConnectorStatusChanged(station_id="CP1", status=status, **place, **more))

    async def begins(self) -> int:
        """A session of 1.6 with a meter value."""
        number: int = (await self.world.ask(self.world.call("StartTransaction", START)))["transactionId"]
        self.world.time.passes(60)
        await self.meters(number, 4000)
        return number

    async def meters(self, number: int, wh: int, amperes: float | None = None) -> None:
        at = self.world.time().isoformat()
        drawn = [] if amperes is None else [{"value": str(amperes), "measurand": "Current.Import", "unit": "A"}]
        values = [{"timestamp": at, "sampledValue": [{"value": str(wh)}, *drawn]}]
        payload = {"connectorId": 1, "transactionId": number, "meterValue": values}
        await self.world.put(self.world.call("MeterValues", payload))

    async def minutes(self, minutes: float) -> None:
        """Time passes, and what is due then is done."""
        self.world.time.passes(minutes * 60)
        async with self.world.database.connection() as db:
            while await db.fetchval("select exists (select from grace where due_at <= $1)", self.world.time()):
                await self.world.bus.wait()
                self.world.fail()

    async def has_grace(self) -> None:
        """Until all silent sessions were looked at, and a grace time has begun."""
        async with self.world.database.connection() as db:
            while not await db.fetchval("select exists (select from grace)"):
                await self.world.bus.wait()

    async def ended(self) -> Any:
        """The end that was told, as soon as there is one."""
        await self.world.until(lambda: bool(self.world.announced("TransactionEnded")))
        [event] = self.world.announced("TransactionEnded")
        return event.transaction

    async def is_open(self, number: int) -> bool:
        found = await self.world.get(f"/v1/transactions/{number}")
        return bool(found["status"] == "active")


@pytest.fixture
async def garage(settings: Settings) -> AsyncIterator[Garage]:
    async with running("transactions", QUICK, settings) as world:
        yield Garage(world, settings)


async def test_a_free_connector_ends_a_session_whose_stop_was_lost(garage: Garage) -> None:
    """With the energy of the last register; the station's own word corrects it."""
    await garage.here()
    number = await garage.begins()
    garage.world.time.passes(60)
    await garage.connector_is(pb.CONNECTOR_STATUS_AVAILABLE)
    await garage.minutes(14.9)
    assert await garage.is_open(number)
    await garage.minutes(0.2)
    ended = await garage.ended()
    assert (ended.ended_by, ended.energy_wh, ended.id) == (pb.ENDED_BY_AVAILABLE, 3000, number)
    found = await garage.world.get(f"/v1/transactions/{number}")
    assert (found["ended_by"], found["stopped_at"]) == ("available", "2026-03-01T12:02:00Z")
    stop = {"transactionId": number, "timestamp": "2026-03-01T12:01:30Z", "meterStop": 4100}
    await garage.world.ask(garage.world.call("StopTransaction", stop))
    found = await garage.world.get(f"/v1/transactions/{number}")
    assert (found["ended_by"], found["energy_wh"], found["revision"]) == ("station", 3100, 2)


async def test_a_session_that_ended_by_a_guess_and_charges_goes_on(garage: Garage) -> None:
    """It was reported Available after a boot, and charged on (EVerest). Its next end is a revision as well."""
    await garage.here()
    number = await garage.begins()
    garage.world.time.passes(60)
    await garage.connector_is(pb.CONNECTOR_STATUS_AVAILABLE)
    await garage.minutes(15)
    await garage.ended()
    garage.world.time.passes(10)
    await garage.meters(number, 6000, amperes=30)
    await garage.world.until(lambda: bool(garage.world.announced("TransactionRevised")))
    [event] = garage.world.announced("TransactionRevised")
    assert (event.reason, event.revision, event.transaction.revision) == (pb.REVISION_REASON_GOES_ON, 2, 2)
    assert event.transaction.status == pb.TRANSACTION_STATUS_ACTIVE
    assert not event.transaction.HasField("stopped_at")
    found = await garage.world.get(f"/v1/transactions/{number}")
    assert (found["status"], found["stopped_at"], found["ended_by"], found["energy_wh"]) == ("active", None, None, 5000)
    garage.world.time.passes(16 * 60)
    await garage.has_grace()
    await garage.minutes(15)
    await garage.world.until(lambda: len(garage.world.announced("TransactionRevised")) == 2)
    assert len(garage.world.announced("TransactionEnded")) == 1
    found = await garage.world.get(f"/v1/transactions/{number}")
    assert (found["ended_by"], found["energy_wh"], found["revision"]) == ("available", 5000, 3)
    revisions = (await garage.world.get(f"/v1/transactions/{number}/revisions"))["items"]
    assert [one["reason"] for one in revisions] == ["ended", "goes_on", "late_end"]


async def test_a_power_cut_ends_it_when_it_was_last_heard_of(garage: Garage) -> None:
    await garage.here()
    number = await garage.begins()
    await garage.connector_is(pb.CONNECTOR_STATUS_OCCUPIED)
    garage.world.time.passes(600)
    await garage.gone()
    garage.world.time.passes(3600)
    await garage.here()
    await garage.boots()
    await garage.minutes(60)
    assert await garage.is_open(number)
    await garage.connector_is(pb.CONNECTOR_STATUS_AVAILABLE)
    await garage.minutes(15)
    assert (await garage.ended()).ended_by == pb.ENDED_BY_AVAILABLE
    found = await garage.world.get(f"/v1/transactions/{number}")
    assert found["stopped_at"] == "2026-03-01T12:01:00Z"


async def test_another_station_in_its_place_ends_it(garage: Garage) -> None:
    await garage.here()
    await garage.boots("S1")
    await garage.begins()
    await garage.boots("S2")
    await garage.minutes(15)
    assert (await garage.ended()).ended_by == pb.ENDED_BY_AVAILABLE


async def test_each_message_of_the_session_begins_the_grace_time_anew(garage: Garage) -> None:
    await garage.here()
    number = await garage.begins()
    await garage.connector_is(pb.CONNECTOR_STATUS_AVAILABLE)
    for n in range(4):
        await garage.minutes(10)
        await garage.meters(number, 5000 + n)
    assert await garage.is_open(number)
    await garage.minutes(15)
    assert (await garage.ended()).energy_wh == 4003


async def test_what_shows_that_nothing_flows_does_not_begin_it_anew(garage: Garage) -> None:
    """Its stop was lost, and the station repeats its number for ever (evcc#14673)."""
    await garage.here()
    number = await garage.begins()
    await garage.connector_is(pb.CONNECTOR_STATUS_AVAILABLE)
    for _ in range(3):
        await garage.minutes(4)
        await garage.meters(number, 4000, amperes=0)
    assert await garage.is_open(number)
    await garage.minutes(3.1)
    assert (await garage.ended()).energy_wh == 3000
    found = await garage.world.get(f"/v1/transactions/{number}")
    assert found["stopped_at"] == "2026-03-01T12:01:00Z"


async def test_a_connector_that_was_free_before_the_start_ends_nothing(garage: Garage) -> None:
    """It is told late, with the station's own time."""
    await garage.here()
    number = await garage.begins()
    await garage.connector_is(pb.CONNECTOR_STATUS_AVAILABLE, reported_at=START_AT - timedelta(minutes=5))
    await garage.minutes(600)
    assert await garage.is_open(number)
    await garage.connector_is(pb.CONNECTOR_STATUS_OCCUPIED)
    garage.world.time.passes(60)
    await garage.connector_is(pb.CONNECTOR_STATUS_AVAILABLE, reported_at=garage.world.time())
    await garage.minutes(15)
    await garage.ended()


async def test_another_serial_number_of_a_connector_that_is_taken_ends_nothing(garage: Garage) -> None:
    await garage.here()
    await garage.boots("S1")
    number = await garage.begins()
    await garage.boots("S2")
    await garage.connector_is(pb.CONNECTOR_STATUS_OCCUPIED)
    await garage.minutes(600)
    assert await garage.is_open(number)


async def test_it_runs_only_while_the_station_is_connected(garage: Garage) -> None:
    await garage.here()
    number = await garage.begins()
    await garage.connector_is(pb.CONNECTOR_STATUS_AVAILABLE)
    await garage.minutes(10)
    await garage.gone()
    await garage.minutes(600)
    assert await garage.is_open(number)
    await garage.here()
    await garage.minutes(4)
    assert await garage.is_open(number)
    await garage.minutes(1.1)
    await garage.ended()


async def test_a_connector_that_is_taken_ends_nothing(garage: Garage) -> None:
    await garage.here()
    number = await garage.begins()
    await garage.connector_is(pb.CONNECTOR_STATUS_AVAILABLE)
    await garage.minutes(10)
    await garage.connector_is(pb.CONNECTOR_STATUS_OCCUPIED)
    await garage.connector_is(pb.CONNECTOR_STATUS_AVAILABLE, 2)
    await garage.boots()
    await garage.minutes(600)
    assert await garage.is_open(number)


async def test_a_session_that_was_told_late_ends_by_what_was_free_before(garage: Garage) -> None:
    """Its start comes out of a queue, its stop never."""
    await garage.here()
    garage.world.time.passes(600)
    await garage.connector_is(pb.CONNECTOR_STATUS_AVAILABLE)
    garage.world.time.passes(600)
    await garage.world.ask(garage.world.call("StartTransaction", START))
    garage.world.time.passes(16 * 60)
    await garage.has_grace()
    await garage.minutes(15)
    await garage.ended()


async def begin_of_2(garage: Garage, redis: Redis) -> int:
    """A session of 2.0.1 on a connector that has become free; its number."""
    await connected(redis, "CP1", "2.0.1")
    inventory = Inventory(station_id="CP1", version="2.0.1").SerializeToString()
    await garage.world.put(Record(topics.INVENTORY.name, b"CP1", inventory))
    await garage.here()
    event = {
        "eventType": "Started",
        "timestamp": TIME,
        "triggerReason": "CablePluggedIn",
        "seqNo": 0,
        "transactionInfo": {"transactionId": "tx"},
        "evse": {"id": 1, "connectorId": 1},
    }
    await garage.world.ask(garage.world.call("TransactionEvent", event, version="2.0.1"))
    garage.world.time.passes(60)
    await garage.connector_is(pb.CONNECTOR_STATUS_AVAILABLE)
    [item] = (await garage.world.get("/v1/transactions"))["items"]
    number: int = item["id"]
    return number


def asked(garage: Garage) -> list[Any]:
    """The questions that went to the station."""
    found = [Outbound.FromString(record.value or b"") for record in garage.world.bus.all("ocpp.outbound")]
    return [out.command for out in found if out.connection_id == f"{GATEWAY}-CP1" and out.HasField("command")]


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    async with Redis.from_url(settings.redis_url) as redis:
        yield redis
        await redis.flushdb()


async def answer(garage: Garage, count: int, outcome: Outcome, payload: bytes = b"", raw: bytes = b"") -> None:
    """To the last of so many questions. raw: as it came, where it is read in other words."""
    await garage.world.until(lambda: len(asked(garage)) == count)
    command = asked(garage)[-1]
    assert (command.action, command.payload) == ("GetTransactionStatus", b'{"transactionId":"tx"}')
    result = Result(command_id=command.id, station_id="CP1", outcome=outcome, payload=payload, at=garage.world.time())
    result.tolerated.raw = raw
    topic = topics.results("transactions").name
    await garage.world.put(Record(topic, b"CP1", result.SerializeToString()))
    async with garage.world.database.connection() as db:
        while await db.fetchval("select exists (select from grace where due_at <= $1)", garage.world.time()):
            await garage.world.bus.wait()


NOTHING_GOES_ON = b'{"ongoingIndicator":false,"messagesInQueue":false}'


@pytest.mark.parametrize(
    ("outcome", "payload", "raw", "by"),
    [
        (OUTCOME_ANSWERED, NOTHING_GOES_ON, b"", pb.ENDED_BY_ASKED),
        (OUTCOME_ANSWERED, NOTHING_GOES_ON, NOTHING_GOES_ON.replace(b"false", b'"false"'), pb.ENDED_BY_ASKED),
        (OUTCOME_REFUSED, b"", b"", pb.ENDED_BY_AVAILABLE),
    ],
)
async def test_who_can_be_asked_is_asked_before_it_ends(
    garage: Garage, redis: Redis, outcome: Outcome, payload: bytes, raw: bytes, by: "pb.EndedBy"
) -> None:
    """E14.FR.01, E14.FR.03."""
    number = await begin_of_2(garage, redis)
    garage.world.time.passes(15 * 60)
    await answer(garage, 1, outcome, payload, raw)
    ended = await garage.ended()
    assert (ended.id, ended.ended_by) == (number, by)


@pytest.mark.parametrize(
    "payload",
    [b'{"ongoingIndicator":true,"messagesInQueue":false}', b'{"ongoingIndicator":false,"messagesInQueue":true}'],
)
async def test_what_goes_on_or_is_on_its_way_is_waited_for(garage: Garage, redis: Redis, payload: bytes) -> None:
    """E14.FR.02, E14.FR.04."""
    number = await begin_of_2(garage, redis)
    garage.world.time.passes(15 * 60)
    await answer(garage, 1, OUTCOME_ANSWERED, payload)
    assert await garage.is_open(number)
    garage.world.time.passes(15 * 60)
    await answer(garage, 2, OUTCOME_ANSWERED, NOTHING_GOES_ON)
    assert (await garage.ended()).ended_by == pb.ENDED_BY_ASKED


async def test_a_nameless_stop_ends_nothing_while_a_connector_without_a_session_is_taken(garage: Garage) -> None:
    """1.6: the start of the second connector was lost, and its stop is −1; the first one charges on."""
    world = garage.world
    await garage.here()
    await garage.connector_is(pb.CONNECTOR_STATUS_OCCUPIED, 1)
    number = await garage.begins()
    await garage.connector_is(pb.CONNECTOR_STATUS_OCCUPIED, 2)
    await world.settled()
    world.time.passes(30)
    nameless = {"transactionId": -1, "meterStop": 5000, "timestamp": world.time().isoformat()}
    await world.ask(world.call("StopTransaction", nameless))
    assert await garage.is_open(number)
    await garage.connector_is(pb.CONNECTOR_STATUS_AVAILABLE, 2)
    [kept] = (await world.get("/v1/orphans?station_id=CP1"))["items"]
    assert (kept["joined_id"], len(world.announced("OrphanStopRecorded"))) == (None, 1)
    await world.ask(world.call("StopTransaction", nameless | {"transactionId": number, "meterStop": 4500}))
    found = await world.get(f"/v1/transactions/{number}")
    assert (found["ended_by"], found["energy_wh"], found["review"]) == ("station", 3500, "none")


async def test_a_stop_is_no_longer_joined_once_its_session_goes_on_or_has_its_own_stop(garage: Garage) -> None:
    world = garage.world
    await garage.here()
    number = await garage.begins()

    async def joined() -> Any:
        [kept] = (await world.get("/v1/orphans?station_id=CP1"))["items"]
        return kept["joined_id"]

    stop = {"transactionId": -1, "meterStop": 5000, "timestamp": world.time().isoformat()}
    await world.ask(world.call("StopTransaction", stop))
    assert await joined() == number
    world.time.passes(60)
    await garage.meters(number, 5500)
    await world.until(lambda: bool(world.announced("TransactionRevised")))
    assert (await garage.is_open(number), await joined()) == (True, None)
    own = {"transactionId": number, "meterStop": 6000, "timestamp": world.time().isoformat()}
    await world.ask(world.call("StopTransaction", own))
    assert await joined() is None
