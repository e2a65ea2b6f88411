"""What stations can is told with what they are: topic inventory."""

import pytest

from services.ocpp import topics
from tests.integration.firmware.configuration.stations import Field, New, Newest, read
from voltbus.v1.state_pb2 import Inventory

LIMITS, DOWNGRADE = "TxCtrlr.SupportedLimits", "SecurityCtrlr.AllowSecurityProfileDowngrade"


def told(field: Field) -> list[tuple[str, list[str]]]:
    """Firmware and limits of transactions, one after the other."""
    found = [Inventory.FromString(one.value or b"") for one in field.world.bus.all(topics.INVENTORY.name)]
    return [(one.firmware_version, [*one.transaction_limits]) for one in found]


async def test_which_limits_of_transactions_a_station_keeps_to(field: Field) -> None:
    """2.1 E16.FR.12: by TxCtrlr.SupportedLimits, whose list calls maxTime maxLength; whatever is told first."""
    station = Newest("CP1", {LIMITS: "maxEnergy, maxLength,maxMoon", "OCPPCommCtrlr.HeartbeatInterval": "300"})
    await read(field, station)
    kept = ["energy", "time"]
    await field.world.until(lambda: told(field)[-1] == ("1", kept))
    await field.boot(station, "2")
    await field.world.until(lambda: told(field)[-1] == ("2", kept))
    # What a whole report no longer names is gone.
    del station.values[LIMITS]
    await read(field, station, "3")
    await field.world.until(lambda: told(field)[-1] == ("3", []))


@pytest.mark.parametrize("kind", [New, Newest])
async def test_whether_a_station_may_downgrade(field: Field, kind: type[New]) -> None:
    """A05.FR.08: by SecurityCtrlr.AllowSecurityProfileDowngrade, as reports and answers say it, until it is gone."""

    def allowed() -> bool:
        last = field.world.bus.all(topics.INVENTORY.name)[-1]
        return Inventory.FromString(last.value or b"").downgrade_allowed

    station = kind("CP1", {DOWNGRADE: "True", "OCPPCommCtrlr.HeartbeatInterval": "300"})
    await read(field, station)
    await field.world.until(allowed)
    for value in ("false", "true"):
        station.values[DOWNGRADE] = value
        await read(field, station, value)
        await field.world.until(lambda: allowed() == (value == "true"))  # noqa: B023
    del station.values[DOWNGRADE]
    await read(field, station, "gone")
    await field.world.until(lambda: not allowed())
