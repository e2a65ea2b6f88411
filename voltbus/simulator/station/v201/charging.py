"""Charging profiles as OCPP 2.0.1 writes them (K01, K08–K10)."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from services.ocpp.timestamps import read_time
from voltbus.simulator.station import requests
from voltbus.simulator.station.charger import Charger
from voltbus.simulator.station.profiles import Profile, Purpose, composite, read_periods, write_periods
from voltbus.simulator.station.types import Answer, Call, send, stamp

Request = Mapping[str, Any]
PURPOSES = {
    "ChargingStationExternalConstraints": Purpose.EXTERNAL,
    "ChargingStationMaxProfile": Purpose.STATION,
    "TxDefaultProfile": Purpose.DEFAULT,
    "TxProfile": Purpose.SESSION,
}


def profile(written: Request, outlet: int) -> Profile:
    """One as it came; of several schedules, which only ISO 15118 can offer to a car, the first is used."""
    schedule = written["chargingSchedule"][0]
    kind = written["chargingProfileKind"]
    return Profile(
        id=written["id"],
        outlet=outlet,
        purpose=PURPOSES[written["chargingProfilePurpose"]],
        stack=written["stackLevel"],
        periods=read_periods(schedule),
        start=None if kind == "Relative" else _time(schedule, "startSchedule"),
        duration=schedule.get("duration"),
        recurs=written.get("recurrencyKind") if kind == "Recurring" else None,
        valid_from=_time(written, "validFrom"),
        valid_to=_time(written, "validTo"),
        transaction=written.get("transactionId"),
        written=dict(written),
    )


def set_profile(charger: Charger, payload: Request) -> Answer:
    """K01.FR.22: external constraints are not for a CSMS to set."""
    wanted = profile(payload["chargingProfile"], payload["evseId"])
    if wanted.purpose is Purpose.EXTERNAL or (wanted.purpose is Purpose.SESSION and wanted.transaction is None):
        return Answer({"status": "Rejected"})
    return Answer({"status": requests.set_profile(charger, wanted)})


def clear_profile(charger: Charger, payload: Request) -> Answer:
    """K10; an id stands for itself, criteria must all fit; external constraints stay (K10.FR.04)."""
    criteria = payload.get("chargingProfileCriteria", {})
    number = payload.get("chargingProfileId")
    wanted = [
        known
        for known in charger.profiles
        if known.purpose is not Purpose.EXTERNAL
        and number in (None, known.id)
        and _fits(known, criteria.get("evseId"), criteria)
    ]
    return Answer({"status": requests.clear_profiles(charger, wanted)})


def get_profiles(charger: Charger, payload: Request) -> Answer:
    """K09."""
    criteria = payload["chargingProfile"]
    ids, sources = criteria.get("chargingProfileId"), criteria.get("chargingLimitSource", ["CSO"])
    found = [
        known
        for known in charger.profiles
        if "CSO" in sources and (ids is None or known.id in ids) and _fits(known, payload.get("evseId"), criteria)
    ]
    if not found:
        return Answer({"status": "NoProfiles"})
    return Answer({"status": "Accepted"}, send(*_reports(payload["requestId"], found)))


def composite_schedule(charger: Charger, payload: Request) -> Answer:
    """K08; EVSE 0 is the station as a whole."""
    places = charger.places(payload["evseId"])
    if not places:
        return Answer({"status": "Rejected"})
    now, unit = charger.clock(), payload.get("chargingRateUnit", "W")
    most = float(sum(outlet.most_w for outlet in places))
    session = places[0].session if payload["evseId"] else None
    found = composite(charger.profiles, payload["evseId"], session, now, payload["duration"], most)
    schedule = {
        "evseId": payload["evseId"],
        "duration": payload["duration"],
        "scheduleStart": stamp(now),
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": write_periods(found, unit),
    }
    return Answer({"status": "Accepted", "schedule": schedule})


def _reports(request: int, profiles: list[Profile]) -> Iterator[Call]:
    """One message an EVSE, all but the last to be continued (K09.FR.02)."""
    places = sorted({known.outlet for known in profiles})
    for place in places:
        yield (
            "ReportChargingProfiles",
            {
                "requestId": request,
                "chargingLimitSource": "CSO",
                "evseId": place,
                "chargingProfile": [known.written for known in profiles if known.outlet == place],
                "tbc": place != places[-1],
            },
        )


def _fits(known: Profile, outlet: int | None, criteria: Request) -> bool:
    return (
        outlet in (None, known.outlet)
        and criteria.get("stackLevel") in (None, known.stack)
        and PURPOSES.get(criteria.get("chargingProfilePurpose", "")) in (None, known.purpose)
    )


def _time(written: Request, name: str) -> datetime | None:
    return read_time(written[name]) if name in written else None
