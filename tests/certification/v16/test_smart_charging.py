"""Smart Charging profile: profiles set, cleared and composed."""

import asyncio
from datetime import timedelta
from typing import Any

from tests.certification import seen
from tests.certification.operator import Operator
from tests.certification.states import Token
from tests.certification.station import Payload, Station, now
from tests.certification.v16.states import ACCEPTED, Session, answered, booted, commanded

MAX, TX_DEFAULT, TX = "ChargingStationMaxProfile", "TxDefaultProfile", "TxProfile"
# As 1.6 says it.
SPELLED = {MAX: "ChargePointMaxProfile", TX_DEFAULT: TX_DEFAULT, TX: TX}


def profile(purpose: str = TX_DEFAULT, kind: str = "Absolute", **more: Any) -> dict[str, Any]:
    """A profile as an operator writes it, for an hour from now, or from the start of a transaction."""
    schedule: dict[str, Any] = {"unit": "A", "duration": 3600, "periods": [{"start": 0, "limit": 6.5, "phases": 3}]}
    body = {"id": 1, "purpose": purpose, "stack_level": 1, "kind": kind}
    if kind != "Relative":
        schedule["start"] = now()
        body |= {"valid_from": now(), "valid_to": now(timedelta(hours=1))}
    return body | {"schedule": schedule} | more


def spelled(body: Payload, **more: Any) -> dict[str, Any]:
    """The same profile as a station of 1.6 gets it."""
    names = {"valid_from": "validFrom", "valid_to": "validTo", "recurrency": "recurrencyKind"}
    schedule = body["schedule"]
    periods = [{"startPeriod": 0, "limit": 6.5, "numberPhases": 3}]
    written = {"chargingRateUnit": "A", "duration": schedule["duration"], "chargingSchedulePeriod": periods}
    return {
        "chargingProfileId": body["id"],
        "stackLevel": body["stack_level"],
        "chargingProfilePurpose": SPELLED[body["purpose"]],
        "chargingProfileKind": body["kind"],
        "chargingSchedule": written | ({"startSchedule": schedule["start"]} if "start" in schedule else {}),
        **{spelling: body[name] for name, spelling in names.items() if name in body},
        **more,
    }


async def installed(
    station: Station, operator: Operator, body: Payload, connector_id: int, status: str = "Accepted", **more: Any
) -> Any:
    """A profile is set, and the station says status to it; the profile as the operator sees it then."""
    wanted = {"profile": body, "evse_id": connector_id} | {name: str(value) for name, value in more.items()}
    command = await operator.act("smartcharging", station.id, "profiles", wanted)
    named = {"transactionId": more["transaction_id"]} if more else {}
    payload = {"connectorId": connector_id, "csChargingProfiles": spelled(body, **named)}
    effect = "accepted" if status == "Accepted" else "refused"
    await answered(station, command, "SetChargingProfile", payload, {"status": status}, effect)

    def told(view: Any) -> bool:
        return [one["response"] for one in view["items"]] == [{"status": status}]

    [shown] = (await operator.profiles(station.id, told))["items"]
    assert bool(shown["installed"]) == (status == "Accepted")
    return shown


async def test_16_profile_of_station(station: Station, operator: Operator) -> None:
    """A limit of the whole station (§5.16, §3.13.1)."""
    await booted(station)
    await installed(station, operator, profile(MAX), 0)


async def test_16_profile_default(station: Station, operator: Operator) -> None:
    """A default of one connector (§5.16.4)."""
    await booted(station)
    await installed(station, operator, profile(), 1)


async def test_16_profile_default_of_all(station: Station, operator: Operator) -> None:
    """A default of all connectors (§5.16.4, errata 3.53)."""
    await booted(station)
    await installed(station, operator, profile(kind="Relative"), 0)


async def test_16_profile_recurring(station: Station, operator: Operator) -> None:
    """A default that recurs every week (§5.16.4, errata 3.56)."""
    await booted(station)
    await installed(station, operator, profile(kind="Recurring", recurrency="Weekly"), 1)


async def test_16_profile_of_transaction(station: Station, session: Session, operator: Operator) -> None:
    """A limit of a transaction that goes on (§5.16.3)."""
    await booted(station)
    await session.charging()
    await seen.active(operator, session, None)
    await installed(station, operator, profile(TX, "Relative"), 1, transaction_id=session.number)


async def test_16_profile_rejected(station: Station, operator: Operator) -> None:
    """A station does not take a profile (§5.16, errata 3.39)."""
    await booted(station)
    await installed(station, operator, profile(), 1, "Rejected")


async def test_16_profile_not_supported(station: Station, operator: Operator) -> None:
    """A station does not know charging profiles (§5.16, §7.11)."""
    await booted(station)
    await installed(station, operator, profile(), 1, "NotSupported")


async def test_16_profile_forbidden(station: Station, operator: Operator) -> None:
    """A profile that must not be sent is refused: of no transaction, or beginning late (§5.16.4, errata 3.45)."""
    await booted(station)
    late = profile()
    late["schedule"]["periods"][0]["start"] = 60
    for body in (profile(TX, "Relative"), late):
        path, wanted = f"/v1/stations/{station.id}/profiles", {"profile": body, "evse_id": 1}
        assert (await operator.request("POST", "smartcharging", path, wanted)).status_code == 422


async def test_16_profile_replaced(station: Station, operator: Operator) -> None:
    """A profile is replaced by one of the same id (§5.16.4)."""
    await booted(station)
    await installed(station, operator, profile(), 1)
    shown = await installed(station, operator, profile(kind="Relative"), 1)
    assert shown["installed"]["kind"] == "Relative"


async def test_16_clear_profile_accepted(station: Station, operator: Operator) -> None:
    """A profile is cleared by its id, and shown no more (§5.5, errata 3.25)."""
    await booted(station)
    await installed(station, operator, profile(), 1)
    command = await operator.clear_profiles(station.id, id=1)
    await answered(station, command, "ClearChargingProfile", {"id": 1}, ACCEPTED, "accepted")
    await operator.profiles(station.id, lambda view: not any(one["installed"] for one in view["items"]))


async def test_16_clear_profile_by_criteria(station: Station, operator: Operator) -> None:
    """Profiles are cleared by connector, purpose and stack level (§5.5, errata 3.26)."""
    await booted(station)
    command = await operator.clear_profiles(station.id, evse_id=1, purpose=TX_DEFAULT, stack_level=1)
    payload = {"connectorId": 1, "chargingProfilePurpose": TX_DEFAULT, "stackLevel": 1}
    await answered(station, command, "ClearChargingProfile", payload, ACCEPTED, "accepted")


async def test_16_clear_profile_unknown(station: Station, operator: Operator) -> None:
    """A station has no such profile (§5.5, §7.21)."""
    await booted(station)
    command = await operator.clear_profiles(station.id, id=9)
    await answered(station, command, "ClearChargingProfile", {"id": 9}, {"status": "Unknown"}, "refused")


async def compose(station: Station, operator: Operator, answer: Payload) -> Any:
    """The operator asks what a connector is going to allow, and the station answers so; what REST says."""
    path = f"/v1/stations/{station.id}/composite-schedule"
    asking = asyncio.ensure_future(operator.request("GET", "smartcharging", path, evse_id=1, duration=3600, unit="A"))
    asked = await station.expects("GetCompositeSchedule", answer)
    assert asked == {"connectorId": 1, "duration": 3600, "chargingRateUnit": "A"}
    return await asking


async def test_16_composite_schedule_accepted(station: Station, operator: Operator) -> None:
    """What a connector is going to allow (§5.7, errata 3.51, 3.57)."""
    await booted(station)
    begin, periods = now(), [{"startPeriod": 0, "limit": 16.0}]
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": periods}
    told = ACCEPTED | {"connectorId": 1, "scheduleStart": begin, "chargingSchedule": schedule}
    response = await compose(station, operator, told)
    shown = response.json()["schedule"]
    assert (shown["start"], shown["periods"][0]["limit"]) == (begin, 16)


async def test_16_composite_schedule_rejected(station: Station, operator: Operator) -> None:
    """A station does not tell what a connector is going to allow (§5.7)."""
    await booted(station)
    assert (await compose(station, operator, {"status": "Rejected"})).status_code == 409


async def test_16_remote_start_with_profile(station: Station, token: Token, operator: Operator) -> None:
    """A session is started remotely with a profile, which names no transaction (§5.16.2, errata 3.41)."""
    await booted(station)
    limit = spelled(profile(TX, "Relative"))
    payload = {"connectorId": 1, "idTag": token.id, "chargingProfile": limit}
    await commanded(station, operator, "RemoteStartTransaction", payload, ACCEPTED, "accepted")


async def test_16_remote_start_with_wrong_profile(station: Station, token: Token, operator: Operator) -> None:
    """A remote start is not sent with a profile that is no TxProfile, or names a transaction (§5.16.2, errata 3.41)."""
    await booted(station)
    path = f"/v1/stations/{station.id}/commands/RemoteStartTransaction"
    for wrong in (spelled(profile(TX_DEFAULT, "Relative")), spelled(profile(TX, "Relative"), transactionId=1)):
        payload = {"connectorId": 1, "idTag": token.id, "chargingProfile": wrong}
        assert (await operator.request("POST", "transactions", path, payload)).status_code == 422
