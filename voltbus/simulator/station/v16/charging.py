"""Charging profiles as OCPP 1.6 writes them (§3.13, §7.8)."""

from collections.abc import Callable, Mapping
from typing import Any

from services.ocpp.timestamps import read_time
from voltbus.simulator.station import requests
from voltbus.simulator.station.charger import Charger
from voltbus.simulator.station.profiles import Profile, Purpose, composite, read_periods, write_periods
from voltbus.simulator.station.types import Answer, stamp

_PURPOSES = {
    "ChargePointMaxProfile": Purpose.STATION,
    "TxDefaultProfile": Purpose.DEFAULT,
    "TxProfile": Purpose.SESSION,
}


_FITS: dict[str, Callable[[Profile, Any], bool]] = {
    "connectorId": lambda known, wanted: known.outlet == wanted,
    "chargingProfilePurpose": lambda known, wanted: known.purpose is _PURPOSES[wanted],
    "stackLevel": lambda known, wanted: known.stack == wanted,
}


def profile(written: Mapping[str, Any], outlet: int, transaction: int | None = None) -> Profile:
    """One as it came. A schedule without a start begins with the session."""
    schedule = written["chargingSchedule"]
    start = schedule.get("startSchedule")
    relative = written["chargingProfileKind"] == "Relative"
    return Profile(
        id=written["chargingProfileId"],
        outlet=outlet,
        purpose=_PURPOSES[written["chargingProfilePurpose"]],
        stack=written["stackLevel"],
        periods=read_periods(schedule),
        start=read_time(start) if start and not relative else None,
        duration=schedule.get("duration"),
        recurs=written.get("recurrencyKind") if written["chargingProfileKind"] == "Recurring" else None,
        valid_from=_time(written, "validFrom"),
        valid_to=_time(written, "validTo"),
        transaction=None if transaction is None else str(transaction),
        written=dict(written),
    )


def set_profile(charger: Charger, payload: Mapping[str, Any]) -> Answer:
    written = payload["csChargingProfiles"]
    wanted = profile(written, payload["connectorId"], written.get("transactionId"))
    return Answer({"status": requests.set_profile(charger, wanted)})


def clear_profile(charger: Charger, payload: Mapping[str, Any]) -> Answer:
    """1.6 §5.5: an id stands for itself; other fields must all fit, and none at all is everything."""
    if "id" in payload:
        wanted = [known for known in charger.profiles if known.id == payload["id"]]
    else:
        asked = [name for name in _FITS if name in payload]
        wanted = [one for one in charger.profiles if all(_FITS[name](one, payload[name]) for name in asked)]
    return Answer({"status": requests.clear_profiles(charger, wanted)})


def composite_schedule(charger: Charger, payload: Mapping[str, Any]) -> Answer:
    """1.6 §5.7; connector 0 is the station as a whole."""
    places = charger.places(payload["connectorId"])
    if not places:
        return Answer({"status": "Rejected"})
    now, unit = charger.clock(), payload.get("chargingRateUnit", "W")
    most = float(sum(outlet.most_w for outlet in places))
    session = places[0].session if payload["connectorId"] else None
    found = composite(charger.profiles, payload["connectorId"], session, now, payload["duration"], most)
    return Answer(
        {
            "status": "Accepted",
            "connectorId": payload["connectorId"],
            "scheduleStart": stamp(now),
            "chargingSchedule": {
                "duration": payload["duration"],
                "chargingRateUnit": unit,
                "chargingSchedulePeriod": write_periods(found, unit),
            },
        }
    )


def _time(written: Mapping[str, Any], name: str) -> Any:
    return read_time(written[name]) if name in written else None
