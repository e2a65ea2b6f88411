"""Statuses that are told late, from messages to the inventory, the history and uptime."""

from typing import Any

import pytest

from tests.integration.common.running import Running
from tests.integration.firmware import test_connector_states as v201
from tests.integration.firmware import test_history as v16
from tests.integration.firmware.test_connector_states import notify
from tests.integration.firmware.test_history import DAY, go, history, measured
from voltbus.v1.bus_pb2 import CONNECTION_STATE_CONNECTED, CONNECTION_STATE_DISCONNECTED

AWAY, BACK = 3600, 7200


async def tell(world: Running, version: str, word: str, at: float, connection: str) -> None:
    """A StatusNotification of connector 1, received now. at: by the station's clock."""
    if version == "1.6":
        return await v16.say(world, word, at=at, connection_id=connection)
    payload = {"timestamp": v201.clock(at), "connectorStatus": word, "evseId": 1, "connectorId": 1}
    return await world.put(world.call("StatusNotification", payload, version=version, connection_id=connection))


async def comes_back(world: Running, version: str) -> None:
    """Available, then away for an hour."""
    await world.put(world.change(CONNECTION_STATE_CONNECTED, version=version))
    await tell(world, version, "Available", 0, "CP1-a")
    await go(world, AWAY)
    await world.put(world.change(CONNECTION_STATE_DISCONNECTED, version=version))
    await go(world, BACK)
    await world.put(world.change(CONNECTION_STATE_CONNECTED, version=version, connection_id="CP1-b"))


async def shown(world: Running) -> Any:
    return (await world.get("/v1/stations/CP1"))["evses"][0]["connectors"][0]["status"]


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_a_queued_status_does_not_hide_a_fault(firmware: Running, version: str) -> None:
    """1.6 §4.9; 2.0.1 G01."""
    await comes_back(firmware, version)
    await tell(firmware, version, "Faulted", BACK, "CP1-b")
    await tell(firmware, version, "Available", BACK - 600, "CP1-b")
    assert await shown(firmware) == "Faulted"
    assert await history(firmware) == [("Faulted", BACK), ("Available", BACK - 600), ("Available", 0)]
    await go(firmware, DAY)
    [one] = await measured(firmware)
    assert (one["offline_minutes"], one["faulted_minutes"]) == (60, 22 * 60)


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_a_queued_fault_that_is_over_does_not_go_on(firmware: Running, version: str) -> None:
    """Read again, nothing changes."""
    await comes_back(firmware, version)
    await tell(firmware, version, "Available", BACK, "CP1-b")
    await tell(firmware, version, "Faulted", BACK - 600, "CP1-b")
    for _ in range(2):
        assert await shown(firmware) == "Available"
        assert await history(firmware) == [("Available", BACK), ("Faulted", BACK - 600), ("Available", 0)]
        await firmware.restart(commit=False)
        await firmware.settled()
    await go(firmware, DAY)
    [one] = await measured(firmware)
    assert (one["offline_minutes"], one["faulted_minutes"]) == (60, 0)


async def test_a_late_event_of_a_fault_that_is_over_does_not_go_on(firmware: Running) -> None:
    """2.0.1 G01.FR.03: nothing was queued, the station is online."""
    await v201.status(firmware, "Available", 0)
    await go(firmware, 1200)
    await v201.status(firmware, "Available", 1200)
    await notify(firmware, "Faulted", 600)
    assert await shown(firmware) == "Available"
    assert await history(firmware) == [("Available", 1200), ("Faulted", 600), ("Available", 0)]
    await go(firmware, DAY)
    [one] = await measured(firmware)
    assert one["faulted_minutes"] == 10
