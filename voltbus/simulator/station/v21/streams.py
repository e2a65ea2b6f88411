"""Streams of what monitors see (N11 to N15); one has the number of its monitor."""

from collections.abc import Mapping
from typing import Any

from voltbus.simulator.station.charger import Charger
from voltbus.simulator.station.types import Answer, Call, Payload

Request = Mapping[str, Any]


def settle(charger: Charger) -> list[Call]:
    """The streams of new monitors are opened, those of monitors that are gone closed (N11.FR.02, N13.FR.05)."""
    wanted = {number: item["periodicEventStream"] for number, item in charger.monitors.items() if _has_stream(item)}
    gone = [number for number in charger.streams if number not in wanted]
    new = {number: params for number, params in wanted.items() if number not in charger.streams}
    for number in gone:
        del charger.streams[number]
    charger.streams |= new
    closed: list[Call] = [("ClosePeriodicEventStream", {"id": number}) for number in gone]
    return closed + [("OpenPeriodicEventStream", {"constantStreamData": _data(number, new[number])}) for number in new]


def values(event: Payload) -> Call:
    """N15: what is told as soon as it is seen, so that nothing is pending."""
    data = [{"t": 0, "v": event["actualValue"]}]
    stream = {"id": event["variableMonitoringId"], "pending": 0, "basetime": event["timestamp"], "data": data}
    return "NotifyPeriodicEventStream", stream


def get_streams(charger: Charger, _: Request) -> Answer:
    """N12."""
    found = [_data(number, params) for number, params in charger.streams.items()]
    return Answer({"constantStreamData": found} if found else {})


def adjust(charger: Charger, payload: Request) -> Answer:
    """N14."""
    if payload["id"] not in charger.streams:
        return Answer({"status": "Rejected"})
    charger.streams[payload["id"]] = payload["params"]
    return Answer({"status": "Accepted"})


def _has_stream(item: Payload) -> bool:
    return "periodicEventStream" in item and item["type"].startswith("Periodic")


def _data(number: int, params: Payload) -> Payload:
    return {"id": number, "variableMonitoringId": number, "params": params}
