"""A simulated fleet lives through a day: the same for a seed, valid in every word, and true to its own meters."""

import json
from collections import defaultdict
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from services.ocpp.timestamps import read_time
from tests.unit.simulator.fleet.csms import Csms
from voltbus.simulator.fleet.activity import Kind
from voltbus.simulator.fleet.fleet import FleetPlan, default_newest
from voltbus.simulator.fleet.play import check

DAY = FleetPlan(stations=14, mix=0.4, speed=240, seed=7, newest=0.2, soap=0.2)
DAY_SECONDS = 360


@pytest.fixture(scope="module")
def day() -> Csms:
    """One whole day, 240 times as fast as life."""
    csms = Csms(DAY)
    csms.run(DAY_SECONDS)
    return csms


def script(csms: Csms) -> str:
    return json.dumps([(str(at), *rest) for at, *rest in csms.said])


def test_a_seed_makes_a_day(day: Csms) -> None:
    again, other = Csms(DAY), Csms(FleetPlan(stations=12, mix=0.5, speed=240, seed=8))
    again.run(DAY_SECONDS)
    other.run(DAY_SECONDS)
    assert script(again) == script(day)
    assert again.told == day.told
    assert script(other) != script(day)


def test_everything_happens_in_a_day(day: Csms) -> None:
    totals = day.fleet.totals
    assert totals.sessions > 40
    assert totals.energy_wh > 0
    assert day.started_by_app
    assert min(totals.remote, totals.outages, totals.faults, totals.reboots, totals.turned_away) > 0
    actions = {action for _, _, action, _ in day.said}
    assert actions == {
        "Authorize",
        "BootNotification",
        "Heartbeat",
        "MeterValues",
        "NotifyEvent",
        "SecurityEventNotification",
        "StartTransaction",
        "StatusNotification",
        "StopTransaction",
        "TransactionEvent",
    }


def test_no_id_token_is_told(day: Csms) -> None:
    tokens = [driver.id_token for driver in day.fleet.drivers]
    assert not any(token in activity.text for activity in day.told for token in tokens)
    assert {activity.kind for activity in day.told} == set(Kind) - {Kind.ERROR}


def test_no_time_lies_in_the_future(day: Csms) -> None:
    for heard, _, _, payload in day.said:
        for moment in moments(payload):
            assert moment <= heard


def moments(payload: Any) -> list[datetime]:
    if isinstance(payload, dict):
        own = [read_time(payload["timestamp"])] if "timestamp" in payload else []
        return own + [moment for value in payload.values() for moment in moments(value)]
    return [moment for value in payload for moment in moments(value)] if isinstance(payload, list) else []


def sessions(csms: Csms) -> dict[tuple[str, Any], list[dict[str, Any]]]:
    """The messages of each session, in the order in which they were heard."""
    found: dict[tuple[str, Any], list[dict[str, Any]]] = defaultdict(list)
    for _, station, action, payload in csms.said:
        if action == "TransactionEvent":
            found[station, payload["transactionInfo"]["transactionId"]].append(payload)
    return found


def energy(event: dict[str, Any]) -> tuple[datetime, float, float]:
    """When, the register in Wh, the power in W."""
    [value] = event["meterValue"]
    by_name = {one["measurand"]: one["value"] for one in value["sampledValue"]}
    return read_time(value["timestamp"]), by_name["Energy.Active.Import.Register"], by_name["Power.Active.Import"]


def test_events_of_a_session_are_in_order_and_none_is_missing(day: Csms) -> None:
    """E04.FR.02: also those that were made offline."""
    ended = 0
    for events in sessions(day).values():
        assert [event["seqNo"] for event in events] == list(range(len(events)))
        assert events[0]["eventType"] == "Started"
        assert all(event["eventType"] == "Updated" for event in events[1:-1])
        times = [read_time(event["timestamp"]) for event in events]
        assert times == sorted(times)
        ended += events[-1]["eventType"] == "Ended"
    assert ended > 15


def test_what_was_made_offline_says_so(day: Csms) -> None:
    offline = [event for events in sessions(day).values() for event in events if event.get("offline")]
    assert offline


def test_energy_is_what_power_gives_in_its_time(day: Csms) -> None:
    """The register never falls, and rises by no more than the station can give."""
    for events in sessions(day).values():
        for (at, before, _), (then, after, _) in pairwise(map(energy, events)):
            hours = (then - at).total_seconds() / 3600
            assert 0 <= after - before <= 150_000 * hours + 1


def test_what_is_metered_is_what_is_delivered() -> None:
    csms = Csms(DAY)
    csms.run(120)
    csms.close()
    metered = 0.0
    for events in sessions(csms).values():
        metered += energy(events[-1])[1] - energy(events[0])[1]
    for _, _, action, payload in csms.said:
        if action == "StartTransaction":
            metered -= payload["meterStart"]
        elif action == "StopTransaction":
            metered += payload["meterStop"]
    assert csms.fleet.totals.sessions > 15
    assert metered == pytest.approx(csms.fleet.totals.energy_wh, abs=csms.fleet.totals.sessions)


def test_a_16_session_is_started_sampled_stopped(day: Csms) -> None:
    started = {}
    stops = 0
    for _, station, action, payload in day.said:
        if action == "StartTransaction":
            started[station, payload["connectorId"]] = payload
        elif action == "StopTransaction":
            stops += 1
            assert payload["transactionId"] > 0
            assert payload["meterStop"] >= min(one["meterStart"] for (who, _), one in started.items() if who == station)
    assert stops > 5
    assert all(payload["transactionId"] > 0 for _, _, action, payload in day.said if action == "MeterValues")


def test_stations_beat_as_the_csms_said(day: Csms) -> None:
    """B01.FR.04; G02."""
    beats = defaultdict(list)
    for at, station, action, _ in day.said:
        if action in ("Heartbeat", "BootNotification"):
            beats[station].append(at)
    gaps = [(b - a).total_seconds() for times in beats.values() for a, b in pairwise(times)]
    assert gaps
    assert all(gap <= 90 for gap in gaps)


@pytest.mark.parametrize(
    ("mix", "soap", "newest"), [(0.5, 0, 0.2), (0.8, 0, 0.2), (0.9, 0, 0.1), (0.5, 0.4, 0.1), (1, 0, 0), (2, 0, 0)]
)
def test_2_1_has_a_share_where_nobody_says_otherwise(mix: float, soap: float, newest: float) -> None:
    """As much as the other shares leave, which is a fleet that may be."""
    assert default_newest(mix, soap) == newest
    if mix <= 1:
        check(FleetPlan(mix=mix, soap=soap, newest=newest))
