"""Firmware is killed while a command is sent in parts: it goes on, and no part is sent twice."""

import asyncio
from functools import partial
from typing import Any

from services.ocpp.versions import VERSIONS
from tests.certification.operator import Operator
from tests.certification.states import booted
from tests.certification.station import Station
from tests.clients.system import System
from tests.faults.test_kills import LIMIT

CLEARED_AT_ONCE = "MonitoringCtrlr.ItemsPerMessage(ClearVariableMonitoring)"
IDS = [1, 2, 3, 4, 5]


async def limit_told(station: Station, operator: Operator, items: int) -> None:
    """The station says how many monitors it clears at once."""
    await operator.refresh(station.id, names=[CLEARED_AT_ONCE])
    variable = {
        "component": {"name": "MonitoringCtrlr"},
        "variable": {"name": "ItemsPerMessage", "instance": "ClearVariableMonitoring"},
    }
    result = variable | {"attributeStatus": "Accepted", "attributeValue": str(items)}
    await station.expects("GetVariables", {"getVariableResult": [result]})
    await operator.settings(station.id, {CLEARED_AT_ONCE: str(items)})


async def test_firmware_is_killed_between_parts(voltbus: System) -> None:
    """N06.FR.04; ADR 7: at most once."""
    name, firmware, operator = "F-PARTS", voltbus.processes["firmware"], Operator(voltbus, LIMIT)
    password = await voltbus.register(name)
    station = Station(
        name, password, voltbus.endpoint(), LIMIT, VERSIONS["2.0.1"], routed=partial(voltbus.routed, name)
    )
    async with asyncio.timeout(LIMIT):
        await station.connect()
        await booted(station)
        await station.expects("GetBaseReport", {"status": "NotSupported"})
        await limit_told(station, operator, 2)
        command = await operator.command(station.id, "ClearVariableMonitoring", {"id": IDS})
        got = list[Any]()
        for _ in range(3):
            call = await station.next_call("ClearVariableMonitoring")
            got.append(call.payload["id"])
            firmware.kill()
            results = [{"status": "Accepted", "id": one} for one in call.payload["id"]]
            await station.answers(call, {"clearMonitoringResult": results})
            await firmware.ready(LIMIT)
        ended = await command.ended()
        await station.close()
    assert got == [[1, 2], [3, 4], [5]]
    assert (ended["status"], [one["id"] for one in ended["response"]["clearMonitoringResult"]]) == ("answered", IDS)
