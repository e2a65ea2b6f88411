"""K, smart charging: profiles set, read and cleared, composite schedules, external limits, the needs of an EV."""

import asyncio
from datetime import timedelta
from typing import Any

from tests.certification.marks import missing
from tests.certification.operator import Command, Operator
from tests.certification.states import ACCEPTED, Session, booted
from tests.certification.station import Payload, Station, now

MAX, TX_DEFAULT, TX = "ChargingStationMaxProfile", "TxDefaultProfile", "TxProfile"
REQUEST = 7


async def test_tc_k_01(station: Station, operator: Operator) -> None:
    """A TxDefaultProfile for one EVSE (K01.FR.31, FR.40)."""
    await booted(station)
    await _installed(station, operator, profile())


async def test_tc_k_02(station: Station, operator: Operator) -> None:
    """A TxProfile, and no transaction: the station rejects it (K01.FR.09)."""
    await booted(station)
    body = profile(TX, "Relative", limit=7)
    command = await _install(operator, station, body, transaction_id="none-that-goes-on")
    asked = await station.expects("SetChargingProfile", {"status": "Rejected"})
    assert asked == {"evseId": 1, "chargingProfile": sent(body, transactionId="none-that-goes-on")}
    await command.answered("refused")
    [seen] = (await operator.profiles(station.id, lambda view: bool(view["items"])))["items"]
    assert (seen["status"], seen["response"], seen["installed"]) == ("answered", {"status": "Rejected"}, None)


async def test_tc_k_03(station: Station, operator: Operator) -> None:
    """A ChargingStationMaxProfile (K01.FR.31, FR.38)."""
    await booted(station)
    await _installed(station, operator, profile(MAX, limit=8), evse_id=0)


async def test_tc_k_04(station: Station, operator: Operator) -> None:
    """A profile is replaced by one with the same id (K01.FR.05)."""
    await booted(station)
    await _installed(station, operator, profile(limit=8))
    await _installed(station, operator, profile(limit=6))


async def test_tc_k_05(station: Station, operator: Operator) -> None:
    """A profile is cleared by its id, as the station has reported it (K10.FR.02, FR.03)."""
    await booted(station)
    asked = await _asked_for(station, operator, {"chargingLimitSource": ["CSO"]})
    [seen] = await _reported(station, operator, asked, (0, sent(profile(MAX, id=5))))
    command = await operator.clear_profiles(station.id, id=seen["profile"]["id"])
    assert await station.expects("ClearChargingProfile", ACCEPTED) == {"chargingProfileId": 5}
    await command.answered("accepted")


async def test_tc_k_06(station: Station, operator: Operator) -> None:
    """A profile is cleared by purpose, stack level and EVSE (K10.FR.02, FR.04)."""
    await booted(station)
    await _installed(station, operator, profile())
    command = await _cleared(station, operator, ACCEPTED)
    await command.answered("accepted")
    await operator.profiles(station.id, lambda view: view["items"] == [])


async def test_tc_k_08(station: Station, operator: Operator) -> None:
    """A profile is cleared that the station does not have (K10.FR.01, FR.02)."""
    await booted(station)
    command = await _cleared(station, operator, {"status": "Unknown"})
    assert (await command.answered())["response"] == {"status": "Unknown"}


async def test_tc_k_10(station: Station, operator: Operator) -> None:
    """A TxDefaultProfile for all EVSEs (K01.FR.14, FR.31)."""
    await booted(station)
    await _installed(station, operator, profile(), evse_id=0)


async def test_tc_k_15(station: Station, operator: Operator) -> None:
    """A station does not know charging profiles (K01.FR.29)."""
    await booted(station)
    body = profile()
    command = await _install(operator, station, body)
    asked = await station.next_call("SetChargingProfile")
    assert asked.payload == {"evseId": 1, "chargingProfile": sent(body)}
    await station.fails(asked, "NotSupported")
    ended = await command.ended()
    assert (ended["status"], ended["outcome"], ended["error_code"]) == ("rejected", "refused", "NotSupported")


async def test_tc_k_19(station: Station, operator: Operator) -> None:
    """A profile that recurs every day (K01.FR.40)."""
    await booted(station)
    await _installed(station, operator, profile(kind="Recurring", recurrency="Daily"))


async def test_tc_k_29(station: Station, session: Session, operator: Operator) -> None:
    """The profiles of the station itself are read (K09.FR.03, FR.05)."""
    await booted(station)
    await session.energy_transfer_started()
    asked = await _asked_for(station, operator, {"chargingProfilePurpose": MAX}, evseId=0)
    await _reported(station, operator, asked, (0, sent(profile(MAX, id=3))))


async def test_tc_k_30(station: Station, operator: Operator) -> None:
    """The profiles of an EVSE are read (K09.FR.03, FR.04)."""
    await booted(station)
    asked = await _report(station, operator, evse_id=1)
    assert asked["evseId"] == 1
    await _reported(station, operator, asked, (1, sent(profile())))


async def test_tc_k_31(station: Station, operator: Operator) -> None:
    """The profiles of all EVSEs are read, in as many parts (K09.FR.02, FR.03, FR.06)."""
    await booted(station)
    asked = await _report(station, operator)
    assert "evseId" not in asked
    await _reported(station, operator, asked, (1, sent(profile(id=1))), (2, sent(profile(id=2))))


async def test_tc_k_32(station: Station, operator: Operator) -> None:
    """A profile is read by its id (K09.FR.03)."""
    await booted(station)
    asked = await _asked_for(station, operator, {"chargingProfileId": [4]})
    await _reported(station, operator, asked, (1, sent(profile(id=4))))


async def test_tc_k_33(station: Station, operator: Operator) -> None:
    """The profiles of an EVSE with a stack level are read (K09.FR.03, FR.04)."""
    await booted(station)
    asked = await _asked_for(station, operator, {"stackLevel": 2}, evseId=1)
    await _reported(station, operator, asked, (1, sent(profile(stack_level=2))))


async def test_tc_k_34(station: Station, operator: Operator) -> None:
    """The profiles of an EVSE from one source are read (K09.FR.03, FR.04)."""
    await booted(station)
    asked = await _asked_for(station, operator, {"chargingLimitSource": ["CSO"]}, evseId=1)
    await _reported(station, operator, asked, (1, sent(profile())))


async def test_tc_k_35(station: Station, operator: Operator) -> None:
    """The profiles of an EVSE with a purpose are read (K09.FR.03, FR.04)."""
    await booted(station)
    asked = await _asked_for(station, operator, {"chargingProfilePurpose": TX_DEFAULT}, evseId=1)
    await _reported(station, operator, asked, (1, sent(profile())))


async def test_tc_k_36(station: Station, operator: Operator) -> None:
    """The profiles of an EVSE with a purpose and a stack level are read (K09.FR.03, FR.04)."""
    await booted(station)
    asked = await _asked_for(station, operator, {"chargingProfilePurpose": TX_DEFAULT, "stackLevel": 2}, evseId=1)
    await _reported(station, operator, asked, (1, sent(profile(stack_level=2))))


async def test_tc_k_60(station: Station, session: Session, operator: Operator) -> None:
    """A TxProfile for the transaction of an EVSE (K01.FR.03, FR.31)."""
    await booted(station)
    await session.energy_transfer_started()
    await _installed(station, operator, profile(TX, "Relative"), transaction_id=session.transaction_id)


async def test_tc_k_37(station: Station, session: Session, operator: Operator) -> None:
    """A remote start with a TxProfile (F01.FR.08, FR.09, FR.11, K05.FR.01, FR.02)."""
    await booted(station)
    limits = sent(profile(TX, "Relative"))
    about = {"remoteStartId": REQUEST, "idToken": session.token.payload, "evseId": session.evse_id}
    command = await operator.command(station.id, "RequestStartTransaction", about | {"chargingProfile": limits})
    asked = await station.expects("RequestStartTransaction", ACCEPTED)
    assert asked == about | {"chargingProfile": limits}
    assert "transactionId" not in limits
    await command.answered("accepted")
    named = {"remoteStartId": REQUEST}
    answer = await session.event("Started", "RemoteStart", info=named, evse=session.evse, idToken=session.token.payload)
    assert answer["idTokenInfo"]["status"] == "Accepted"
    seen = await operator.transaction(session.transaction_id, of=station.id)
    assert (seen["remote_start_id"], seen["command_id"], seen["evse_id"]) == (REQUEST, command.id, 1)


async def test_tc_k_43(station: Station, operator: Operator) -> None:
    """The composite schedule of an EVSE (K08.FR.01)."""
    await booted(station)
    await _composite_schedule(station, operator, evse_id=1)


async def test_tc_k_44(station: Station, operator: Operator) -> None:
    """The composite schedule of the station (K08.FR.01, FR.03)."""
    await booted(station)
    await _composite_schedule(station, operator, evse_id=0)


async def test_tc_k_48(station: Station, operator: Operator) -> None:
    """Somebody else limits the station, and it tells so (K12.FR.02)."""
    await booted(station)
    await _tells(station, operator, "NotifyChargingLimit", {"chargingLimit": {"chargingLimitSource": "EMS"}})


async def test_tc_k_50(station: Station, operator: Operator) -> None:
    """Somebody else's limit is gone while nobody charges (K13.FR.02)."""
    await booted(station)
    await _tells(station, operator, "ClearedChargingLimit", {"chargingLimitSource": "EMS"})


async def test_tc_k_51(station: Station, session: Session, operator: Operator) -> None:
    """Somebody else's limit is gone, and a transaction charges faster (K13.FR.02, FR.03)."""
    await booted(station)
    await session.energy_transfer_started()
    await _tells(station, operator, "ClearedChargingLimit", {"chargingLimitSource": "EMS"})
    await session.event("Updated", "ChargingRateChanged")
    await operator.event(station.id, "TransactionUpdated", lambda told: told.trigger_reason == "ChargingRateChanged")


async def test_tc_k_52(station: Station, operator: Operator) -> None:
    """Among the profiles of a station is somebody else's limit (K09.FR.03, K12.FR.05)."""
    await booted(station)
    asked = await _report(station, operator)
    limits = sent(profile("ChargingStationExternalConstraints", id=-1))
    [seen] = await _reported(station, operator, asked, (0, limits), source="EMS")
    assert seen["profile"]["purpose"] == "ChargingStationExternalConstraints"


@missing("charging schedules from what an EV needs (ISO 15118)")
async def test_tc_k_53(station: Station, session: Session) -> None:
    """An EV says what it needs, and gets a schedule (K15.FR.02, FR.03, FR.05, FR.07, FR.11)."""
    await booted(station)
    await session.authorize()
    await session.ev_connected_pre_session()
    await session.iso15118_smart_charging()


@missing("charging schedules from what an EV needs (ISO 15118)")
async def test_tc_k_55(station: Station, session: Session) -> None:
    """An EV wants more than its schedule has, and gets another one (K15.FR.12, FR.13, K16.FR.07, FR.08)."""
    await booted(station)
    await session.authorize()
    await session.ev_connected_pre_session()
    await session.needs("Accepted")
    schedule = await session.schedule()
    periods = [period | {"limit": period["limit"] + 1} for period in schedule["chargingSchedulePeriod"]]
    await session.chooses({**schedule, "chargingSchedulePeriod": periods}, "Rejected")
    await session.event("Updated", "ChargingStateChanged", "Charging")
    await session.chooses(await session.schedule())
    await session.event("Updated", "ChargingRateChanged")


@missing("charging schedules from what an EV needs (ISO 15118)")
async def test_tc_k_57(station: Station, session: Session) -> None:
    """An EV that charges says that it needs something else (K17.FR.02, FR.03, FR.05, FR.07, FR.11)."""
    await _iso15118(station, session)
    await session.needs()
    await session.event("Updated", "ChargingRateChanged")
    await session.chooses(await session.schedule())
    await session.event("Updated", "ChargingRateChanged")


@missing("charging schedules from what an EV needs (ISO 15118)")
async def test_tc_k_58(station: Station, session: Session, operator: Operator) -> None:
    """An EV that charges by a schedule is given another one (K16.FR.06)."""
    await _iso15118(station, session)
    await session.chooses(await _given(operator, session))
    await session.event("Updated", "ChargingRateChanged")


@missing("charging schedules from what an EV needs (ISO 15118)")
async def test_tc_k_59(station: Station, session: Session, operator: Operator) -> None:
    """The same, and the station tells again what the EV needs (K16.FR.06, FR.12)."""
    await _iso15118(station, session)
    await _given(operator, session)
    await session.needs()
    await session.chooses(await session.schedule())
    await session.event("Updated", "ChargingRateChanged")


async def test_tc_k_70(station: Station, operator: Operator) -> None:
    """Two profiles that differ in their stack level (K01.FR.06, FR.17)."""
    await booted(station)
    await _installed(station, operator, profile(id=1, stack_level=0))
    await _installed(station, operator, profile(id=2, stack_level=1))
    view = await operator.profiles(station.id, bool)
    assert sorted((one["profile_id"], one["installed"]["stack_level"]) for one in view["items"]) == [(1, 0), (2, 1)]


def profile(
    purpose: str = TX_DEFAULT,
    kind: str = "Absolute",
    *,
    limit: float = 6,
    id: int = 1,
    stack_level: int = 0,
    recurrency: str | None = None,
) -> dict[str, Any]:
    """A profile as an operator writes it: from now on for an hour, or from when a transaction starts."""
    begin, periods = now(), [{"start": 0, "limit": limit, "phases": 1}]
    schedule: dict[str, Any] = {"unit": "A", "duration": 300, "periods": periods}
    body = {"id": id, "purpose": purpose, "stack_level": stack_level, "kind": kind}
    if kind != "Relative":
        schedule["start"] = begin
        body |= {"valid_from": begin, "valid_to": now(timedelta(hours=1))}
    return body | ({"recurrency": recurrency} if recurrency else {}) | {"schedule": schedule}


SPELLED = {
    "id": "id",
    "purpose": "chargingProfilePurpose",
    "stack_level": "stackLevel",
    "kind": "chargingProfileKind",
    "recurrency": "recurrencyKind",
    "valid_from": "validFrom",
    "valid_to": "validTo",
}


def sent(body: Payload, **more: Any) -> dict[str, Any]:
    """The same profile as a station gets it, or reports it."""
    told = {spelled: body[name] for name, spelled in SPELLED.items() if name in body}
    [period], schedule = body["schedule"]["periods"], body["schedule"]
    periods = [{"startPeriod": period["start"], "limit": period["limit"], "numberPhases": period["phases"]}]
    start = {"startSchedule": schedule["start"]} if "start" in schedule else {}
    written = {"id": 1, "duration": schedule["duration"], "chargingRateUnit": schedule["unit"]}
    return told | {"chargingSchedule": [written | start | {"chargingSchedulePeriod": periods}]} | more


async def _install(operator: Operator, station: Station, body: Payload, evse_id: int = 1, **more: Any) -> Command:
    return await operator.act("smartcharging", station.id, "profiles", {"profile": body, "evse_id": evse_id} | more)


async def _installed(
    station: Station, operator: Operator, body: Payload, *, evse_id: int = 1, transaction_id: str | None = None
) -> None:
    """The operator has a profile installed, the station takes it, and the operator sees that it did."""
    command = await _install(operator, station, body, evse_id, transaction_id=transaction_id)
    asked = await station.expects("SetChargingProfile", ACCEPTED)
    named = {} if transaction_id is None else {"transactionId": transaction_id}
    assert asked == {"evseId": evse_id, "chargingProfile": sent(body, **named)}
    await command.answered("accepted")
    view = await operator.profiles(station.id, lambda view: any(_is(one, body) for one in view["items"]))
    [seen] = [one for one in view["items"] if _is(one, body)]
    assert (seen["installed"], seen["status"]) == (seen["asked"], "answered")
    assert (seen["installed"]["evse_id"], seen["installed"]["transaction_id"]) == (evse_id, transaction_id)
    [period] = seen["installed"]["schedule"]["periods"]
    assert period["limit"] == body["schedule"]["periods"][0]["limit"]


def _is(one: Any, body: Payload) -> bool:
    """It is shown that this profile was installed last under its id."""
    installed = one["installed"]
    names = ("id", "purpose", "stack_level", "kind")
    return bool(installed) and all(installed[name] == body[name] for name in names)


async def _cleared(station: Station, operator: Operator, answer: Payload) -> Command:
    """The operator has a profile cleared by all there is besides its id."""
    command = await operator.clear_profiles(station.id, purpose=TX_DEFAULT, evse_id=1, stack_level=0)
    criteria = {"chargingProfilePurpose": TX_DEFAULT, "evseId": 1, "stackLevel": 0}
    assert await station.expects("ClearChargingProfile", answer) == {"chargingProfileCriteria": criteria}
    return command


async def _asked_for(station: Station, operator: Operator, criteria: Payload, **where: int) -> Any:
    """The operator asks for profiles by criteria, in OCPP's own words; what the station was asked."""
    payload = {"requestId": REQUEST, "chargingProfile": dict(criteria)} | where
    command = await operator.command(station.id, "GetChargingProfiles", payload)
    asked = await station.expects("GetChargingProfiles", ACCEPTED)
    assert asked == payload
    await command.answered("accepted")
    return asked


async def _report(station: Station, operator: Operator, **where: int) -> Any:
    """The operator asks for all profiles, or those of an EVSE; what the station was asked."""
    command = await operator.act("smartcharging", station.id, "profiles/report", None, **where)
    asked = await station.expects("GetChargingProfiles", ACCEPTED)
    assert asked["chargingProfile"], "at least one criterion is due (K09.FR.03)"
    await command.answered("accepted")
    return asked


async def _reported(
    station: Station, operator: Operator, asked: Payload, *found: tuple[int, Payload], source: str = "CSO"
) -> Any:
    """The station reports profiles, each with its EVSE; they are what the operator then sees."""
    for number, (evse_id, one) in enumerate(found, 1):
        about = {"requestId": asked["requestId"], "chargingLimitSource": source, "evseId": evse_id}
        more = {"tbc": True} if number < len(found) else {}
        await station.call("ReportChargingProfiles", about | {"chargingProfile": [one]} | more)
    view = await operator.profiles(station.id, lambda view: (view["reported"] or {}).get("complete", False))
    report = view["reported"]
    assert report["request_id"] == asked["requestId"]
    seen = [(one["source"], one["profile"]["evse_id"], one["profile"]["id"]) for one in report["profiles"]]
    assert seen == [(source, evse_id, one["id"]) for evse_id, one in found]
    await operator.reported("smartcharging", station.id, "ReportChargingProfiles", len(found))
    return report["profiles"]


async def _composite_schedule(station: Station, operator: Operator, evse_id: int) -> None:
    """The operator asks what the station is going to allow, and is told what it answers."""
    path = f"/v1/stations/{station.id}/composite-schedule"
    asking = asyncio.create_task(operator.get("smartcharging", path, evse_id=evse_id, duration=300, unit="A"))
    start, periods = now(), [{"startPeriod": 0, "limit": 10}]
    about = {"evseId": evse_id, "duration": 300, "chargingRateUnit": "A"}
    schedule = about | {"scheduleStart": start, "chargingSchedulePeriod": periods}
    assert await station.expects("GetCompositeSchedule", ACCEPTED | {"schedule": schedule}) == about
    seen = await asking
    told = seen["schedule"]
    assert (seen["evse_id"], told["duration"], told["unit"], told["start"]) == (evse_id, 300, "A", start)
    assert [(period["start"], period["limit"]) for period in told["periods"]] == [(0, 10)]


async def _tells(station: Station, operator: Operator, action: str, payload: Payload) -> None:
    """The station tells something, which is kept, and other systems hear of it."""
    assert await station.call(action, payload) == {}
    assert await operator.reported("smartcharging", station.id, action) == [payload]


async def _iso15118(station: Station, session: Session) -> None:
    """Authorized, EVConnectedPreSession and ISO15118SmartCharging."""
    await booted(station)
    await session.authorize()
    await session.ev_connected_pre_session()
    await session.iso15118_smart_charging()


async def _given(operator: Operator, session: Session) -> Payload:
    """The operator gives the transaction another schedule, and the station takes it."""
    body = profile(TX, "Relative", limit=10, id=2)
    command = await _install(operator, session.station, body, transaction_id=session.transaction_id)
    schedule = await session.schedule()
    await command.answered("accepted")
    return schedule
