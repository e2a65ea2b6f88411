"""K, smart charging: profiles set, read and cleared, composite schedules, external limits, the needs of an EV."""

from datetime import timedelta

from tests.certification.operator import Operator
from tests.certification.states import ACCEPTED, booted
from tests.certification.station import Station, now


async def test_tc_k_01(station: Station, operator: Operator) -> None:
    """A TxDefaultProfile for one EVSE (K01.FR.31)."""
    await booted(station)
    begin, end = now(), now(timedelta(hours=1))
    schedule = {"unit": "A", "start": begin, "duration": 300, "periods": [{"start": 0, "limit": 6, "phases": 1}]}
    about = {"id": 1, "purpose": "TxDefaultProfile", "stack_level": 0, "kind": "Absolute"}
    profile = about | {"valid_from": begin, "valid_to": end, "schedule": schedule}
    command = await operator.act("smartcharging", station.id, "profiles", {"profile": profile, "evse_id": 1})
    asked = await station.expects("SetChargingProfile", ACCEPTED)
    await command.answered("accepted")
    [sent] = asked["chargingProfile"].pop("chargingSchedule")
    assert asked["evseId"] == 1
    assert asked["chargingProfile"] == {
        "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "validFrom": begin,
        "validTo": end,
    }
    assert (sent["startSchedule"], sent["duration"], sent["chargingRateUnit"]) == (begin, 300, "A")
    assert sent["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 6.0, "numberPhases": 1}]
