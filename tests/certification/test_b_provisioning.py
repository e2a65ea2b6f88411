"""B, provisioning: booting, reading and setting variables, reports, resets, network profiles."""

from typing import Any

from tests.certification.operator import Operator
from tests.certification.states import booted
from tests.certification.station import Station

OFFLINE_THRESHOLD = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "OfflineThreshold"}}


async def test_tc_b_01(station: Station, operator: Operator) -> None:
    """A station boots and is accepted (B01.FR.02)."""
    await booted(station)
    seen = await operator.connector(station.id, "Available")
    assert (seen["boot_status"], seen["boot_reason"], seen["online"]) == ("Accepted", "PowerUp", True)
    assert (await operator.event(station.id, "StationBooted")).station_id == station.id


async def test_tc_b_09(station: Station, operator: Operator) -> None:
    """One variable is set (B05.FR.01, FR.02, FR.03, FR.10, FR.12)."""
    wanted = OFFLINE_THRESHOLD | {"attributeValue": "123"}
    command = await operator.command(station.id, "SetVariables", {"setVariableData": [wanted]})
    accepted = OFFLINE_THRESHOLD | {"attributeStatus": "Accepted"}
    asked = await station.expects("SetVariables", {"setVariableResult": [accepted]})
    assert asked == {"setVariableData": [wanted]}
    await command.answered()
    path = f"/v1/stations/{station.id}/configuration"

    def set_to_it(view: Any) -> bool:
        return [(one["name"], one["value"]) for one in view["items"]] == [("OCPPCommCtrlr.OfflineThreshold", "123")]

    await operator.until("firmware", path, set_to_it)
