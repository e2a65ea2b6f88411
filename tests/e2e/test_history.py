"""Sites whose stations tell history late, or name a wrong connector: they keep their limits, and sessions end."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.clients import rpc
from tests.clients.events import enum_word
from tests.clients.system import System, eventually
from tests.e2e.conftest import NUMBERS
from tests.e2e.test_sharing import OBEYS


@dataclass(frozen=True)
class Charger:
    """A station that obeys."""

    id: str
    connection: rpc.Station

    async def call(self, action: str, payload: Any) -> Any:
        return await self.connection.call(action, payload)


Until = Callable[[dict[tuple[Charger, int], float]], Awaitable[None]]
Connect = Callable[[str], Awaitable[Charger]]


@pytest.fixture
async def connect(voltbus: System, node: rpc.Node) -> AsyncIterator[Connect]:
    """A new station: connect(protocol)."""
    async with AsyncExitStack() as stack:

        async def connected(protocol: str) -> Charger:
            name = f"CP-{next(NUMBERS):03}"
            password = await voltbus.register(name)
            station = await node.connect(voltbus.endpoint(), name, protocol, password, OBEYS)
            stack.push_async_callback(station.close)
            return Charger(name, station)

        yield connected


def ago(minutes: float) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


async def event(station: Charger, kind: str, name: str, seq_no: int, minutes: float = 0, **more: Any) -> None:
    """A TransactionEvent of so many minutes ago."""
    payload = {"eventType": kind, "timestamp": ago(minutes), "triggerReason": "CablePluggedIn", "seqNo": seq_no}
    await station.call("TransactionEvent", payload | {"transactionInfo": {"transactionId": name}} | more)


async def start(station: Charger, id_token: str, connector: int = 1, minutes: float = 0) -> int:
    payload = {"connectorId": connector, "idTag": id_token, "meterStart": 1000, "timestamp": ago(minutes)}
    number: int = (await station.call("StartTransaction", payload))["transactionId"]
    return number


async def share(voltbus: System, amperes: float, *stations: Charger) -> Callable[[dict[Any, float]], Awaitable[None]]:
    """Puts stations into a site; the function waits for shares, in A by station and EVSE, and sees that all is well."""
    site = f"site-{stations[0].id}"
    body = {"limit": {"value": amperes}, "default_a": 0, "stations": [station.id for station in stations]}
    (await voltbus.ask("PUT", "smartcharging", f"/v1/sites/{site}", json=body)).raise_for_status()

    async def shown() -> Any:
        return await voltbus.get("smartcharging", f"/v1/sites/{site}")

    await eventually(shown, lambda found: all(evse["default_a"] == 0 for evse in found["evses"]))

    async def until(wanted: dict[tuple[Charger, int], float]) -> None:
        def agrees(found: Any) -> bool:
            shares = {(one["station_id"], one["evse_id"]): one["confirmed_a"] for one in found["sessions"]}
            return bool(shares == {(station.id, evse): a for (station, evse), a in wanted.items()})

        found = await eventually(shown, agrees)
        assert not found["over_committed"]
        assert all(load["committed_a"] <= amperes for load in found["loads"]), found["loads"]

    return until


async def transactions(voltbus: System, station: Charger) -> dict[str, Any]:
    items = (await voltbus.get("transactions", "/v1/transactions", station_id=station.id))["items"]
    return {one["transaction_id"]: one for one in items}


@pytest.mark.parametrize("whole", [True, False], ids=["started and ended", "one late update"])
async def test_an_offline_queue_breaks_no_limit(voltbus: System, connect: Connect, whole: bool) -> None:
    """E04.FR.03: a site of 32 A."""
    first, second = await connect("ocpp2.0.1"), await connect("ocpp2.0.1")
    until = await share(voltbus, 32, first, second)
    evse: dict[str, Any] = {"evse": {"id": 1}}
    await event(first, "Started", "live", 0, **evse)
    await until({(first, 1): 32})
    if whole:
        await event(first, "Started", "old", 0, 40, offline=True, **evse)
        await event(first, "Ended", "old", 1, 30, offline=True)
    else:
        await event(first, "Updated", "old", 3, 40, **evse)
    await event(second, "Started", "other", 0, **evse)
    await until({(first, 1): 16, (second, 1): 16})
    known = await transactions(voltbus, first)
    assert (known["live"]["status"], known["live"]["superseded_by"]) == ("active", None)
    if whole:
        assert (known["old"]["status"], known["old"]["ended_by"]) == ("ended", "station")
    assert known["old"]["superseded_by"] == known["live"]["id"]


async def test_a_late_start_and_stop_breaks_no_limit(voltbus: System, connect: Connect, id_token: str) -> None:
    """1.6 §4.8, §4.10."""
    first, second = await connect("ocpp1.6"), await connect("ocpp1.6")
    until = await share(voltbus, 32, first, second)
    await start(first, id_token)
    await until({(first, 1): 32})
    late = await start(first, id_token, minutes=40)
    await first.call("StopTransaction", {"transactionId": late, "meterStop": 1500, "timestamp": ago(30)})
    await start(second, id_token)
    await until({(first, 1): 16, (second, 1): 16})


async def test_meter_values_of_another_connector_move_nothing(voltbus: System, connect: Connect, id_token: str) -> None:
    """1.6 §6.45: a site of 24 A."""
    first, second = await connect("ocpp1.6"), await connect("ocpp1.6")
    for connector in (1, 2):
        status = {"connectorId": connector, "errorCode": "NoError", "status": "Preparing"}
        await first.call("StatusNotification", status)
    until = await share(voltbus, 24, first, second)
    numbers = {connector: await start(first, id_token, connector) for connector in (1, 2)}
    await until({(first, 1): 12, (first, 2): 12})
    value = {"timestamp": ago(0), "sampledValue": [{"value": "1200"}]}
    await first.call("MeterValues", {"connectorId": 2, "transactionId": numbers[1], "meterValue": [value]})
    await start(second, id_token)
    await until({(first, 1): 8, (first, 2): 8, (second, 1): 8})
    known = await transactions(voltbus, first)
    assert {one["connector_id"]: one["id"] for one in known.values() if one["status"] == "active"} == numbers


async def test_a_newer_start_ends_what_was_there(voltbus: System, connect: Connect, id_token: str) -> None:
    """A power cut: the end of the first was never told, and the same connector starts again."""
    station = await connect("ocpp1.6")
    old = await start(station, id_token, minutes=50)
    new = await start(station, id_token, minutes=10)
    ended = await voltbus.feed.event(station.id, "TransactionEnded")
    assert (ended.body.transaction.id, enum_word(ended.body.transaction, "ended_by")) == (old, "superseded")
    known = await transactions(voltbus, station)
    assert (known[str(old)]["ended_by"], known[str(old)]["superseded_by"]) == ("superseded", new)
    assert known[str(old)]["stopped_at"] == known[str(new)]["started_at"]
    assert known[str(new)]["status"] == "active"
    stop = {"transactionId": old, "meterStop": 4000, "timestamp": ago(45), "reason": "PowerLoss"}
    await station.call("StopTransaction", stop)
    corrected = (await transactions(voltbus, station))[str(old)]
    assert (corrected["ended_by"], corrected["energy_wh"], corrected["revision"]) == ("station", 3000, 2)
