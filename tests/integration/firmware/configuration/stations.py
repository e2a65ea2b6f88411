"""Stations with settings, as the backend sees them: commands come off the bus, answers and reports go onto it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import orjson
from redis.asyncio import Redis

from services.common.desired.progress import BOOT_SETTLES
from services.common.desired.reconciler import DEFAULT_TIMING
from services.common.kafka.bus import Record
from services.firmware.app import build
from services.ocpp.versions import VERSIONS
from tests.integration.common.running import Running, connected
from tests.patience import GIVE_UP
from voltbus.v1.bus_pb2 import OUTCOME_ANSWERED, OUTCOME_REFUSED, Outbound, Result
from voltbus.v1.bus_pb2 import Command as CommandRecord

BOOTS: dict[str, Callable[[str], Any]] = {
    "1.6": lambda firmware: {"chargePointVendor": "V", "chargePointModel": "M", "firmwareVersion": firmware},
    "2.0.1": lambda firmware: {
        "reason": "PowerUp",
        "chargingStation": {"vendorName": "V", "model": "M", "firmwareVersion": firmware},
    },
}
BOOTS["2.1"] = BOOTS["2.0.1"]


# Turns follow each other at once.
QUICK_BUILD = partial(build, timing=replace(DEFAULT_TIMING, every=0.02))
KEYS = {"HeartbeatInterval": "300", "NumberOfConnectors": "2", "ConnectionTimeOut": "60", "AuthorizationKey": "00AA"}
VARIABLES = {
    "OCPPCommCtrlr.HeartbeatInterval": "300",
    "OCPPCommCtrlr.OfflineThreshold": "60",
    "AuthCtrlr.AuthorizeRemoteStart": "true",
    "DeviceDataCtrlr.ItemsPerMessage(GetVariables)": "4",
    "DeviceDataCtrlr.ItemsPerMessage(SetVariables)": "2",
}


@dataclass
class Station:
    """One station. values: by name; asked: what it was sent; silent: actions that it does not answer.

    maxima: of 2.x, the maxLimit of variables, by name.
    """

    id: str
    values: dict[str, str] = field(default_factory=dict)
    read_only: frozenset[str] = frozenset()
    reboots: frozenset[str] = frozenset()
    rejects: frozenset[str] = frozenset()
    asked: list[tuple[str, Any]] = field(default_factory=list)
    silent: frozenset[str] = frozenset()
    unanswered: list[CommandRecord] = field(default_factory=list)
    maxima: dict[str, float] = field(default_factory=dict)
    version = "1.6"

    def answer(self, action: str, payload: Any) -> Any:
        """The payload of its answer; None: NotImplemented."""
        return getattr(self, action, lambda _: None)(payload)

    def change(self, name: str, value: str) -> str:
        """Takes a value; the status word that both versions have for what came of it."""
        if name in self.read_only or name in self.rejects:
            return "Rejected"
        if name in self.reboots:
            return "RebootRequired"
        self.values[name] = value
        return "Accepted"

    def sent(self, action: str) -> list[Any]:
        return [payload for asked, payload in self.asked if asked == action]


class Old(Station):
    """OCPP 1.6."""

    def GetConfiguration(self, payload: Any) -> Any:
        names = payload.get("key") or list(self.values)
        known = [name for name in names if name in self.values]
        items = [{"key": n, "readonly": n in self.read_only, "value": self.values[n]} for n in known]
        return {"configurationKey": items, "unknownKey": [name for name in names if name not in self.values]}

    def ChangeConfiguration(self, payload: Any) -> Any:
        known = payload["key"] in self.values
        return {"status": self.change(payload["key"], payload["value"]) if known else "NotSupported"}


class New(Station):
    """OCPP 2.0.1; every name is Component.Variable or Component.Variable(instance)."""

    version = "2.0.1"

    def GetVariables(self, payload: Any) -> Any:
        return {"getVariableResult": [self._got(item) for item in payload["getVariableData"]]}

    def SetVariables(self, payload: Any) -> Any:
        results = [self._set(item) for item in payload["setVariableData"]]
        return {"setVariableResult": list(reversed(results))}

    def GetBaseReport(self, _: Any) -> Any:
        return {"status": "Accepted"}

    def parts(self, request_id: int, each: int = 2) -> list[dict[str, Any]]:
        """NotifyReport of everything."""
        items = [self._item(name) for name in self.values]
        cut = [items[start : start + each] for start in range(0, len(items), each)]
        return [
            {
                "requestId": request_id,
                "generatedAt": "2026-03-01T12:00:00Z",
                "seqNo": number,
                "tbc": number < len(cut) - 1,
                "reportData": part,
            }
            for number, part in enumerate(cut)
        ]

    def _got(self, item: Any) -> Any:
        name = called(item)
        if name not in self.values:
            return place(name) | {"attributeStatus": "UnknownVariable", "attributeType": "Actual"}
        return place(name) | {"attributeStatus": "Accepted", "attributeValue": self.values[name]}

    def _set(self, item: Any) -> Any:
        name = called(item)
        known = name in self.values
        status = self.change(name, item["attributeValue"]) if known else "UnknownVariable"
        return place(name) | {"attributeStatus": status, "attributeType": "Actual"}

    def _item(self, name: str) -> Any:
        mutability = "ReadOnly" if name in self.read_only else "ReadWrite"
        attribute = {"value": self.values[name], "mutability": mutability}
        what: dict[str, Any] = {"dataType": "string", "supportsMonitoring": False}
        if name in self.maxima:
            what["maxLimit"] = self.maxima[name]
        return place(name) | {"variableAttribute": [attribute], "variableCharacteristics": what}


class Newest(New):
    """OCPP 2.1."""

    version = "2.1"


def called(item: Any) -> str:
    variable = item["variable"]
    instance = f"({variable['instance']})" if variable.get("instance") else ""
    evse = item["component"].get("evse")
    where = f"@{evse['id']}.{evse['connectorId']}" if evse else ""
    return f"{item['component']['name']}{where}.{variable['name']}{instance}"


def place(name: str) -> dict[str, Any]:
    where, _, rest = name.rpartition(".")
    component, _, numbers = where.partition("@")
    evse = dict(zip(("id", "connectorId"), map(int, numbers.split(".")), strict=True)) if numbers else None
    variable, _, instance = rest.rstrip(")").partition("(")
    return {
        "component": {"name": component} | ({"evse": evse} if evse else {}),
        "variable": {"name": variable} | ({"instance": instance} if instance else {}),
    }


class Field:
    """Stations that are connected, and answer whatever they are sent while play() runs."""

    def __init__(self, world: Running, redis: Redis) -> None:
        self.world, self._redis = world, redis
        self.stations: dict[str, Station] = {}
        self._seen: set[str] = set()

    async def boot(self, station: Station, firmware: str = "1") -> None:
        """It connects and boots, and is accepted."""
        self.stations[station.id] = station
        await connected(self._redis, station.id, station.version)
        call = self.world.call("BootNotification", BOOTS[station.version](firmware), station.id, station.version)
        assert (await self.world.ask(call))["status"] == "Accepted"
        self.world.time.passes(BOOT_SETTLES.total_seconds())

    async def leave(self, station: Station) -> None:
        """Its connection is gone, though nobody has noticed yet."""
        await self._redis.delete(f"route:{station.id}")

    async def reconnect(self, station: Station) -> None:
        """It is on another connection."""
        await connected(self._redis, station.id, station.version, f"again-{station.id}")

    async def report(self, station: New, request_id: int, *numbers: int, each: int = 2) -> None:
        """Parts of a report of everything, in this order; all where none is named."""
        parts = station.parts(request_id, each)
        for number in numbers or range(len(parts)):
            await self.world.put(self.world.call("NotifyReport", parts[number], station.id, station.version))

    async def play(self) -> None:
        """Until cancelled."""
        while True:
            for station, command in self._new():
                station.asked.append((command.action, orjson.loads(command.payload)))
                if command.action in station.silent:
                    station.unanswered.append(command)
                else:
                    await self.answer(station, command)
            await self.world.bus.wait()

    def _new(self) -> list[tuple[Station, CommandRecord]]:
        outs = (Outbound.FromString(record.value or b"") for record in self.world.bus.all("ocpp.outbound"))
        new = [out for out in outs if out.HasField("command") and out.command.id not in self._seen]
        self._seen |= {out.command.id for out in new}
        return [(self.stations[out.station_id], out.command) for out in new if out.station_id in self.stations]

    async def answer(self, station: Station, command: CommandRecord) -> None:
        """What it says to a command."""
        payload = orjson.loads(command.payload)
        said = station.answer(command.action, payload)
        result = Result(command_id=command.id, at=self.world.time())
        if said is None:
            result.outcome, result.error_code = OUTCOME_REFUSED, "NotImplemented"
        else:
            VERSIONS[station.version].schemas.check_response(command.action, said)
            result.outcome, result.payload = OUTCOME_ANSWERED, orjson.dumps(said)
        record = Record("ocpp.results.firmware", station.id.encode(), result.SerializeToString())
        await self.world.bus.publish([record])

    async def view(self, station: Station, holds: Callable[[Any], bool] = lambda _: True, **query: Any) -> Any:
        """The settings that REST shows, as soon as they are as wanted."""
        path = f"/v1/stations/{station.id}/configuration"
        return await self.shown(path, holds, **query)

    async def shown(self, path: str, holds: Callable[[Any], bool], **query: Any) -> Any:
        """What REST shows, as soon as it is as wanted."""
        seen: Any = None
        try:
            async with asyncio.timeout(GIVE_UP):
                while not holds(seen := await self.world.get(path, **query)):
                    await self.world.bus.wait()
                    self.world.fail()
        except TimeoutError:
            raise AssertionError(seen) from None
        return seen


def old(name: str = "CP1", **more: Any) -> Old:
    return Old(name, dict(KEYS), frozenset({"NumberOfConnectors"}), **more)


def new(name: str = "CP1", **more: Any) -> New:
    return New(name, dict(VARIABLES), **more)


async def read(field: Field, station: Station, firmware: str = "1") -> Any:
    """It boots and all its settings are read, if it is new or its firmware is."""
    before = len(station.sent("GetBaseReport"))
    await field.boot(station, firmware)
    if isinstance(station, New):
        await field.world.until(lambda: len(station.sent("GetBaseReport")) > before)
        await field.report(station, station.sent("GetBaseReport")[-1]["requestId"])
    return await field.view(station, lambda view: view["step"] == "idle")


def has_sent(station: Station, action: str, count: int) -> bool:
    """Whether it has been sent that action so often."""
    return len(station.sent(action)) == count


async def put(field: Field, station: Station, settings: dict[str, str], wait: float = 10, **more: Any) -> Any:
    headers = {"Idempotency-Key": more.pop("key")} if "key" in more else {}
    path = f"/v1/stations/{station.id}/configuration"
    return await field.world.http.put(path, json={"settings": settings}, params={"wait": wait} | more, headers=headers)


def values(view: Any) -> dict[str, str | None]:
    return {item["name"]: item["value"] for item in view["items"]}


def states(view: Any) -> dict[str, str | None]:
    return {item["name"]: item["state"] for item in view["items"]}


@asynccontextmanager
async def playing(world: Running, redis: Redis) -> AsyncIterator[Field]:
    """A field of stations for a test."""
    found = Field(world, redis)
    task = asyncio.create_task(found.play())
    try:
        yield found
    finally:
        if not task.done():
            task.cancel()
        [ended] = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(ended, asyncio.CancelledError), ended
