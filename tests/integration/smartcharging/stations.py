"""Stations as smartcharging sees them: through gateways, transactions and firmware, which are played here."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, TypeAlias

import orjson
from redis.asyncio import Redis

from services.common.calls.connection_ids import connection_id
from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.process.settings import CommonSettings
from services.common.testing.assignments import unassigned
from services.ocpp.versions import VERSIONS
from services.smartcharging.handlers import SAMPLES_DUE_AFTER
from tests.integration.common.running import GATEWAY, SLOT, Running
from voltbus.v1 import events_pb2 as pb
from voltbus.v1.bus_pb2 import (
    CONNECTION_STATE_CONNECTED,
    CONNECTION_STATE_DISCONNECTED,
    OUTCOME_ANSWERED,
    OUTCOME_REFUSED,
    OUTCOME_TIMED_OUT,
    Command,
    Outbound,
    Outcome,
    Result,
)

EventsFormat: TypeAlias = Literal["protobuf", "json"]
NUMBERS = itertools.count(1)
ACCEPTED = {"status": "Accepted"}


@dataclass
class Sent:
    """A CALL to a station."""

    id: str
    station_id: str
    version: str
    action: str
    payload: dict[str, Any]

    @property
    def limit(self) -> float:
        """Of the first period of a SetChargingProfile."""
        if self.version == "1.6":
            schedule = self.payload["csChargingProfiles"]["chargingSchedule"]
        else:
            schedule, *_ = self.payload["chargingProfile"]["chargingSchedule"]
        return float(schedule["chargingSchedulePeriod"][0]["limit"])

    @property
    def purpose(self) -> str:
        profile = self.payload["csChargingProfiles" if self.version == "1.6" else "chargingProfile"]
        return str(profile["chargingProfilePurpose"])


Answers = Callable[[Sent], tuple[Outcome, Any]]


def accept(_: Sent) -> tuple[Outcome, Any]:
    return OUTCOME_ANSWERED, ACCEPTED


def reject(_: Sent) -> tuple[Outcome, Any]:
    return OUTCOME_ANSWERED, {"status": "Rejected"}


def fail(_: Sent) -> tuple[Outcome, Any]:
    return OUTCOME_REFUSED, None


def say_nothing(_: Sent) -> tuple[Outcome, Any]:
    return OUTCOME_TIMED_OUT, None


@dataclass
class Stations:
    """answers: by station, what it answers; accept where nothing is said. limits: what TxProfiles of EVSEs say."""

    world: Running
    redis: Redis
    versions: dict[str, str] = field(default_factory=dict)
    connections: dict[str, str] = field(default_factory=dict)
    answers: dict[str, Answers] = field(default_factory=dict)
    history: list[Sent] = field(default_factory=list)
    defaults: dict[str, float] = field(default_factory=dict)
    limits: dict[tuple[str, int], float] = field(default_factory=dict)
    most: float = 0
    _read: int = 0

    async def connect(self, *names: str, version: str = "1.6") -> None:
        for name in names:
            self.versions[name] = version
            connection = self.connections[name] = connection_id(GATEWAY, next(NUMBERS))
            value = {"slot": SLOT, "connection_id": connection, "version": version}
            await self.redis.mset({f"slot:{SLOT}": GATEWAY, f"route:{name}": orjson.dumps(value)})
            change = self.world.change(CONNECTION_STATE_CONNECTED, name, version, connection_id=connection)
            await self.world.put(change)

    async def leave(self, name: str) -> None:
        await self.redis.delete(f"route:{name}")
        connection = self.connections.pop(name)
        await self.world.put(self.world.change(CONNECTION_STATE_DISCONNECTED, name, connection_id=connection))

    async def start(self, name: str, evse_id: int = 1, **more: Any) -> int:
        """A transaction begins; its id."""
        number = next(NUMBERS)
        await self.tell(pb.TransactionStarted(transaction=self.transaction(name, number, evse_id), **more))
        return number

    async def end(self, name: str, number: int, evse_id: int = 1, revision: int = 1) -> None:
        """Told as such the first time, later as a revision."""
        self.limits.pop((name, evse_id), None)
        over = self.transaction(name, number, evse_id, stopped_at=self.world.time(), revision=revision)
        first = revision == 1
        await self.tell(pb.TransactionEnded(transaction=over) if first else pb.TransactionRevised(transaction=over))

    async def draws(self, name: str, number: int, amperes: float, evse_id: int = 1, **more: Any) -> None:
        """A sample, a minute after the last."""
        reading = pb.Reading(value=amperes, measurand="Current.Import", unit="A", phase="L1")
        await self.measures(name, number, reading, evse_id, **more)

    async def shows(self, name: str, number: int, wh: float, evse_id: int = 1, **more: Any) -> None:
        """What its register shows, a minute after the last."""
        reading = pb.Reading(value=wh, measurand="Energy.Active.Import.Register", unit="Wh")
        await self.measures(name, number, reading, evse_id, **more)

    async def measures(self, name: str, number: int, reading: pb.Reading, evse_id: int = 1, **more: Any) -> None:
        self.world.time.passes(60)
        value = pb.MeterValue(taken_at=self.world.time(), received_at=self.world.time(), readings=[reading])
        transaction = self.transaction(name, number, evse_id, **more)
        await self.tell(pb.TransactionUpdated(transaction=transaction, meter_values=[value]))
        await self.passes(SAMPLES_DUE_AFTER)

    def transaction(self, name: str, number: int, evse_id: int, **more: Any) -> pb.Transaction:
        named = str(number) if self.versions.get(name) == "1.6" else f"tx-{number}"
        return pb.Transaction(
            id=number,
            station_id=name,
            evse_id=evse_id,
            transaction_id=named,
            started_at=self.world.time(),
            **more,
        )

    def event(self, event: Any, service: str = "transactions", form: EventsFormat = "protobuf") -> Record:
        """As another service publishes it."""
        settings = CommonSettings(events_format=form)
        subject = event.station_id if service == "firmware" else event.transaction.station_id
        return Events(settings, service, unassigned).record(event, subject, str(next(NUMBERS)), self.world.time())

    async def tell(self, event: Any, service: str = "transactions") -> None:
        await self.world.put(self.event(event, service))
        await self.settle()

    def sent(self) -> list[Sent]:
        """What has come since the last look, valid against its schema."""
        commands = self._commands()
        new, self._read = commands[self._read :], len(commands)
        found = [
            Sent(command.id, name, self.versions[name], command.action, orjson.loads(command.payload))
            for name, command in new
        ]
        for one in found:
            VERSIONS[one.version].schemas.check_request(one.action, one.payload)
        self.history += found
        return found

    async def obey(self) -> int:
        """Does and answers what has come; how much that was."""
        found = self.sent()
        for one in found:
            outcome, payload = self.answers.get(one.station_id, accept)(one)
            if outcome == OUTCOME_ANSWERED and payload == ACCEPTED and one.action == "SetChargingProfile":
                self._take(one)
            await self.conclude(one, outcome, payload)
        return len(found)

    async def conclude(self, sent: Sent, outcome: Outcome, payload: Any) -> None:
        answer = b"" if payload is None else orjson.dumps(payload)
        result = Result(
            command_id=sent.id,
            station_id=sent.station_id,
            version=sent.version,
            action=sent.action,
            outcome=outcome,
            payload=answer,
            error_code="InternalError" if outcome == OUTCOME_REFUSED else "",
            at=self.world.time(),
        )
        name = sent.station_id.encode()
        await self.world.put(Record("ocpp.results.smartcharging", name, result.SerializeToString()))

    async def settle(self) -> None:
        """Until nothing more is asked of anybody."""
        await self.calm()
        while await self.obey():
            await self.calm()

    async def calm(self) -> None:
        """Until the service has looked at everything and sent what it can."""
        looks = (
            "select exists (select from site_change where due_at <= $1)"
            " or exists (select from site where look_at <= $1)"
        )
        waits = "select array_agg(distinct station_id) from command where status = 'accepted'"
        leaves = "select array_agg(id) from command where status = 'sent'"
        async with self.world.database.connection() as db:
            calm = False
            for _ in range(1000):
                await self.world.settled()
                # In this order: what a look asks is there when it has been done.
                looking = await db.fetchval(looks, self.world.time())
                waiting = set(await db.fetchval(waits) or []) & self.connections.keys()
                # "sent" is committed before the record is on the bus.
                leaving = set(await db.fetchval(leaves) or []) - {command.id for _, command in self._commands()}
                if not looking and not waiting and not leaving:
                    if calm:
                        return
                    # What the last look has announced may not be out yet.
                    calm = True
                    continue
                calm = False
                await self.world.bus.wait()
                self.world.fail()
        raise AssertionError(f"the service does not come to rest: {looking} {waiting} {leaving}")

    async def passes(self, time: timedelta | float) -> None:
        # Or what is being asked now would have expired.
        await self.settle()
        self.world.time.passes(time if isinstance(time, int | float) else time.total_seconds())
        await self.settle()

    async def put_site(self, body: Any, site_id: str = "garage", status: int | None = None) -> Any:
        answer = await self.world.http.put(f"/v1/sites/{site_id}", json=body)
        assert answer.status_code in ((200, 201) if status is None else (status,)), answer.text
        await self.settle()
        return answer.json()

    async def shares(self, site_id: str = "garage") -> dict[str, float]:
        """What stations have confirmed, by station."""
        items = (await self.world.get(f"/v1/sites/{site_id}/sessions"))["items"]
        return {item["station_id"]: item["confirmed_a"] for item in items}

    def _commands(self) -> list[tuple[str, Command]]:
        """All that were ever sent, with their stations."""
        bodies = [Outbound.FromString(record.value or b"") for record in self.world.bus.all("ocpp.outbound")]
        return [(body.station_id, body.command) for body in bodies if body.HasField("command")]

    def _take(self, sent: Sent) -> None:
        if sent.purpose == "TxDefaultProfile":
            self.defaults[sent.station_id] = sent.limit
        else:
            evse = sent.payload["connectorId" if sent.version == "1.6" else "evseId"]
            self.limits[sent.station_id, evse] = sent.limit
            self.most = max(self.most, sum(self.limits.values()))
