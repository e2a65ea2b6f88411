"""Sites from REST to the stations: what is sent, in which order, and what is shown."""

from typing import Any

import pytest

from services.common.kafka.bus import Record
from services.smartcharging import sharing
from services.smartcharging.domain.plan import SitePlan, plan
from services.smartcharging.domain.site_state import SiteState
from tests.integration.common.running import Running
from tests.integration.smartcharging.stations import ACCEPTED, Sent, Stations, fail, reject, say_nothing
from voltbus.v1 import events_pb2 as pb
from voltbus.v1.bus_pb2 import OUTCOME_ANSWERED

SITE = {"limit": {"value": 32, "unit": "A"}, "stations": ["CP1", "CP2"]}


async def two(stations: Stations, **more: Any) -> None:
    """A site of 32 A with a station of each version, which have their TxDefaultProfiles."""
    await stations.connect("CP1", version="1.6")
    await stations.connect("CP2", version="2.0.1")
    await stations.put_site(SITE | more)


async def test_every_member_gets_a_default_and_a_session_its_share(stations: Stations) -> None:
    """K01.FR.08, K01.FR.03, K01.FR.31; 1.6 §5.16. The words are those of the version."""
    await two(stations)
    assert stations.defaults == {"CP1": 0, "CP2": 0}
    [site] = (await stations.world.get("/v1/sites"))["items"]
    assert (site["author"], [one.author for one in stations.world.announced("SiteChanged")]) == ("test", ["test"])
    first = await stations.start("CP1")
    assert await stations.shares() == {"CP1": 32}
    [found] = [sent for sent in stations.history if sent.station_id == "CP1" and sent.purpose == "TxProfile"]
    assert found.payload == {
        "connectorId": 1,
        "csChargingProfiles": {
            "chargingProfileId": 900000003,
            "transactionId": first,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Relative",
            "chargingSchedule": {
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 32.0, "numberPhases": 3}],
            },
        },
    }
    second = await stations.start("CP2")
    assert await stations.shares() == {"CP1": 16, "CP2": 16}
    [found] = [sent for sent in stations.history if sent.station_id == "CP2" and sent.purpose == "TxProfile"]
    assert found.payload == {
        "evseId": 1,
        "chargingProfile": {
            "id": 900000003,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Relative",
            "transactionId": f"tx-{second}",
            "chargingSchedule": [
                {
                    "id": 1,
                    "chargingRateUnit": "A",
                    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0, "numberPhases": 3}],
                }
            ],
        },
    }
    assert stations.most <= 32
    await stations.end("CP1", first)
    await stations.passes(31)
    assert await stations.shares() == {"CP2": 32}


async def test_less_is_confirmed_before_anybody_gets_more(stations: Stations) -> None:
    await two(stations)
    await stations.start("CP1")
    held: list[Sent] = []

    def later(sent: Sent) -> Any:
        held.append(sent)
        raise Held

    stations.answers["CP1"] = later
    with pytest.raises(Held):
        await stations.start("CP2")
    assert [sent.limit for sent in held] == [16]
    assert stations.sent() == []
    [waits] = [item for item in (await state(stations))["sessions"] if item["station_id"] == "CP2"]
    assert (waits["state"], waits["share_a"], waits["confirmed_a"]) == ("waiting", 16, None)
    del stations.answers["CP1"]
    stations.limits["CP1", 1] = 16
    await stations.conclude(held[0], OUTCOME_ANSWERED, ACCEPTED)
    await stations.settle()
    assert await stations.shares() == {"CP1": 16, "CP2": 16}
    assert stations.most <= 32


class Held(Exception):
    """A station takes its time."""


@pytest.mark.parametrize("how", [reject, fail, say_nothing])
async def test_a_station_that_does_not_obey_keeps_its_share_set_aside(stations: Stations, how: Any) -> None:
    """K01.FR.29, K01.FR.33: it is asked again after a while."""
    await two(stations)
    await stations.start("CP1")
    stations.answers["CP1"] = how
    await stations.start("CP2")
    assert await stations.shares() == {"CP1": 32, "CP2": 0}
    shown = {item["station_id"]: item for item in (await state(stations))["sessions"]}
    assert shown["CP1"]["state"] == "set_aside"
    assert shown["CP2"]["state"] == "paused"
    del stations.answers["CP1"]
    await stations.passes(31)
    assert await stations.shares() == {"CP1": 16, "CP2": 16}
    assert stations.most <= 32


async def test_a_station_that_is_away_keeps_its_share_and_is_asked_again_when_it_is_back(stations: Stations) -> None:
    await two(stations)
    await stations.start("CP1")
    await stations.leave("CP1")
    await stations.start("CP2")
    assert await stations.shares() == {"CP1": 32, "CP2": 0}
    stations.world.time.passes(60)
    await stations.connect("CP1")
    await stations.settle()
    assert await stations.shares() == {"CP1": 16, "CP2": 16}
    defaults = [sent for sent in stations.history if sent.station_id == "CP1" and sent.purpose == "TxDefaultProfile"]
    assert len(defaults) == 2
    assert stations.most <= 32


async def test_a_lower_limit_is_shared_at_once_and_one_that_cannot_be_held_is_published(stations: Stations) -> None:
    await two(stations)
    number = await stations.start("CP1")
    await stations.start("CP2")
    await stations.put_site(SITE | {"limit": {"value": 20}})
    assert await stations.shares() == {"CP1": 10, "CP2": 10}
    await stations.leave("CP1")
    shown = await stations.put_site(SITE | {"limit": {"value": 8}})
    assert await stations.shares() == {"CP1": 10, "CP2": 0}
    shown = await state(stations)
    assert shown["over_committed"]
    assert shown["loads"][0] == {"name": "L1", "limit_a": 8, "committed_a": 10, "set_aside_a": 10}
    assert [site["over_committed"] for site in (await stations.world.get("/v1/sites"))["items"]] == [True]
    [event] = stations.world.announced("SiteOverCommitted")
    assert (event.site_id, event.over_committed, event.loads[0].set_aside_a) == ("garage", True, 10)
    await stations.end("CP1", number)
    assert not (await state(stations))["over_committed"]
    assert [event.over_committed for event in stations.world.announced("SiteOverCommitted")] == [True, False]


async def test_what_is_not_drawn_goes_to_others_and_comes_back(stations: Stations) -> None:
    await two(stations)
    first, second = await stations.start("CP1"), await stations.start("CP2")
    for _ in range(3):
        await stations.draws("CP1", first, 7)
        await stations.draws("CP2", second, 16)
    assert await stations.shares() == {"CP1": 8, "CP2": 24}
    shown = {item["station_id"]: item for item in (await state(stations))["sessions"]}
    assert (shown["CP1"]["measured_a"], shown["CP1"]["needs_a"]) == (7, 8)
    await stations.draws("CP1", first, 8)
    assert await stations.shares() == {"CP1": 16, "CP2": 16}
    assert stations.most <= 32


async def test_a_station_outside_of_sites_costs_no_row_a_sample(stations: Stations) -> None:
    """Its sessions are known, for it may be put into one while they last."""
    await stations.connect("CP9")
    number = await stations.start("CP9")
    await stations.draws("CP9", number, 7)
    async with stations.world.database.connection() as db:
        assert await db.fetchval("select samples from session where id = $1", number) == 0
    await stations.put_site(SITE | {"stations": ["CP9"]})
    assert await stations.shares() == {"CP9": 32}
    await stations.draws("CP9", number, 7)
    [shown] = (await state(stations))["sessions"]
    assert shown["measured_a"] == 7


async def test_what_somebody_else_set_is_set_right_again(stations: Stations) -> None:
    await two(stations)
    await stations.start("CP1")
    before = len(stations.history)
    answer = await stations.world.http.post("/v1/stations/CP1/commands/ClearChargingProfile", json={})
    assert answer.status_code == 202
    await stations.settle()
    await stations.passes(1)
    found = [sent for sent in stations.history[before:] if sent.action == "SetChargingProfile"]
    assert sorted((sent.purpose, sent.limit) for sent in found) == [("TxDefaultProfile", 0), ("TxProfile", 32)]


async def test_everything_read_again_asks_nothing_again(stations: Stations) -> None:
    await two(stations)
    first = await stations.start("CP1")
    await stations.start("CP2")
    await stations.draws("CP1", first, 7)
    await stations.end("CP1", first)
    await stations.passes(31)
    before, found = len(stations.history), len(stations.world.announced("ShareChanged"))
    await stations.world.restart(commit=False)
    await stations.settle()
    assert len(stations.history) == before
    assert len(stations.world.announced("ShareChanged")) == found
    assert await stations.shares() == {"CP2": 32}


async def test_shares_are_announced(stations: Stations) -> None:
    await two(stations)
    number = await stations.start("CP1")
    [event] = stations.world.announced("ShareChanged")
    assert (event.site_id, event.station_id, event.evse_id, event.transaction.id) == ("garage", "CP1", 1, number)
    assert (event.transaction.transaction_id, event.granted_a, event.paused) == (str(number), 32, False)
    await stations.put_site(SITE | {"limit": {"value": 5}})
    assert [(event.granted_a, event.paused) for event in stations.world.announced("ShareChanged")][1:] == [(0, True)]
    sites = stations.world.announced("SiteChanged")
    assert [(site.limit, site.unit, list(site.station_ids)) for site in sites] == [
        (32, "A", ["CP1", "CP2"]),
        (5, "A", ["CP1", "CP2"]),
    ]


async def test_an_operator_sets_priority_and_bounds_of_a_session(stations: Stations) -> None:
    await two(stations)
    await stations.start("CP1")
    second = await stations.start("CP2")
    path = f"/v1/sites/garage/sessions/{second}"
    answer = await stations.world.http.put(path, json={"priority": 1, "maximum_a": 20})
    assert answer.status_code == 200
    await stations.passes(31)
    assert await stations.shares() == {"CP1": 12, "CP2": 20}
    assert (await stations.world.http.put(path, json={"maximum_a": 0})).status_code == 200
    await stations.passes(31)
    assert await stations.shares() == {"CP1": 32, "CP2": 0}
    assert (await stations.world.http.put("/v1/sites/garage/sessions/99999999", json={})).status_code == 404
    told = stations.world.announced("SessionPreferencesChanged")
    assert [(one.priority, one.maximum_a, one.HasField("minimum_a"), one.author) for one in told] == [
        (1, 20, False, "test"),
        (0, 0, False, "test"),
    ]
    assert (told[0].station_id, told[0].transaction.id, told[0].HasField("priority")) == ("CP2", second, True)
    assert not told[1].HasField("priority")
    shown = (await stations.world.get("/v1/sites/garage/sessions"))["items"]
    assert {one["session"]: one["preferences_author"] for one in shown}[second] == "test"


async def test_a_station_that_leaves_a_site_is_freed(stations: Stations) -> None:
    """K10.FR.02: by the ids that were installed."""
    await two(stations)
    await stations.start("CP1")
    before = len(stations.history)
    await stations.put_site(SITE | {"stations": ["CP2"]})
    found = [(sent.action, sent.payload) for sent in stations.history[before:] if sent.station_id == "CP1"]
    assert found == [("ClearChargingProfile", {"id": 900000000}), ("ClearChargingProfile", {"id": 900000003})]
    assert (await stations.world.http.delete("/v1/sites/garage")).status_code == 204
    await stations.settle()
    last = stations.history[-1]
    assert (last.station_id, last.payload) == ("CP2", {"chargingProfileId": 900000000})
    assert (await stations.world.http.delete("/v1/sites/garage")).status_code == 404
    assert [event.removed for event in stations.world.announced("SiteChanged")] == [False, False, True]
    commands = (await stations.world.get("/v1/commands", action="ClearProfiles"))["items"]
    assert [one["author"] for one in commands] == ["test"] * 3
    limits = (await stations.world.get("/v1/commands", action="SetProfile"))["items"]
    assert {one["author"] for one in limits} == {None}, "these the service decides"


async def test_a_default_of_evses_takes_the_place_of_the_station_s(stations: Stations) -> None:
    """K01.FR.53: both at once are refused, so the one is cleared before the others are set."""
    await two(stations)
    before = len(stations.history)
    await stations.put_site(SITE | {"stations": [{"station_id": "CP2", "evse_ids": [1, 2]}, "CP1"]})
    found = [(sent.action, sent.payload.get("evseId")) for sent in stations.history[before:]]
    assert found == [("ClearChargingProfile", None), ("SetChargingProfile", 1), ("SetChargingProfile", 2)]


async def test_a_station_is_in_one_site(stations: Stations) -> None:
    await two(stations)
    answer = await stations.put_site(SITE, site_id="other", status=409)
    assert "CP1 is in site garage" in answer["detail"]
    await stations.world.get("/v1/sites/other", 404)


async def test_a_limit_in_watts_and_a_station_that_is_sent_watts(stations: Stations) -> None:
    await stations.connect("CP1", version="2.0.1")
    body = {"limit": {"value": 11_000, "unit": "W"}, "stations": [{"station_id": "CP1", "unit": "W"}]}
    await stations.put_site(body)
    await stations.start("CP1")
    assert await stations.shares() == {"CP1": 15.9}
    [found] = stations.history[-1].payload["chargingProfile"]["chargingSchedule"]
    assert found["chargingRateUnit"] == "W"
    assert found["chargingSchedulePeriod"][0]["limit"] == 10971


async def test_evses_are_learnt_from_what_stations_say(stations: Stations) -> None:
    await two(stations, default_a=6)
    for evse_id in (0, 1, 2):
        event = pb.ConnectorStatusChanged(
            station_id="CP1", evse_id=evse_id, connector_id=1, reported_status="Available"
        )
        await stations.tell(event, "firmware")
    shown = await state(stations)
    assert [(evse["station_id"], evse["evse_id"]) for evse in shown["evses"]] == [("CP1", 1), ("CP1", 2), ("CP2", 1)]
    assert shown["loads"][0]["set_aside_a"] == 18


async def test_events_in_json_are_read_too(stations: Stations) -> None:
    await two(stations)
    started = pb.TransactionStarted(transaction=stations.transaction("CP1", 4711, 1))
    record = stations.event(started, form="json")
    await stations.world.put(record)
    await stations.settle()
    assert await stations.shares() == {"CP1": 32}


async def test_what_is_no_event_goes_to_the_dead_letters(stations: Stations) -> None:
    good = stations.event(pb.TransactionStarted(transaction=stations.transaction("CP1", 4712, 1)))
    bad = Record(good.topic, good.key, b"\xff nonsense", good.headers)
    await stations.world.put(bad, Record("events.transactions", b"CP1", b"", ()), good)
    [dead] = stations.world.dead()
    assert dict(dead.headers)["dead-reason"] == b"not a voltbus.v1.TransactionStarted"


async def test_a_vehicle_that_wants_more_than_its_share_negotiates_again(stations: Stations) -> None:
    """K15.FR.12, K15.FR.13: refused, and the limit is sent again (K16)."""
    await two(stations)
    await stations.start("CP2")
    before = len(stations.history)
    for limit, status in ((32, "Accepted"), (32.1, "Rejected")):
        periods = [{"startPeriod": 0, "limit": 6}, {"startPeriod": 60, "limit": limit}]
        schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": periods}
        chosen = {"timeBase": "2026-03-01T12:00:00Z", "evseId": 1, "chargingSchedule": schedule}
        call = stations.world.call("NotifyEVChargingSchedule", chosen, "CP2", "2.0.1")
        assert await stations.world.ask(call) == {"status": status}
    await stations.passes(1)
    assert [(sent.station_id, sent.limit) for sent in stations.history[before:]] == [("CP2", 32)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": {"value": -1}},
        {"limit": {"value": 1, "unit": "kW"}},
        {"phases": 4},
        {"voltage": 0},
        {"stations": ["CP1", "CP1"]},
        {"stations": [{"station_id": "CP1", "minimum_a": 40}]},
        {"stations": [{"station_id": "CP1", "phases": ["L4"]}]},
        {"stations": [{"station_id": "CP1", "phases": ["L1", "L1"]}]},
        {"stations": [{"station_id": "CP1", "evse_ids": []}]},
        {"stations": [{"station_id": "CP1", "evse_ids": [0]}]},
        {"phases": 1, "stations": [{"station_id": "CP1", "phases": ["L2"]}]},
        {"default_a": 3},
        {"colour": "green"},
    ],
)
async def test_what_cannot_be_a_site_is_refused(stations: Stations, wrong: dict[str, Any]) -> None:
    answer = await stations.put_site(SITE | wrong, status=422)
    assert answer["errors"]


async def state(stations: Stations) -> Any:
    return await stations.world.get("/v1/sites/garage")


async def test_sites_are_paged(smartcharging: Running) -> None:
    for number in range(3):
        body = {"limit": {"value": 32}, "stations": [f"S{number}"]}
        assert (await smartcharging.http.put(f"/v1/sites/site-{number}", json=body)).status_code == 201
    page = await smartcharging.get("/v1/sites", limit=2)
    assert [site["site_id"] for site in page["items"]] == ["site-0", "site-1"]
    rest = await smartcharging.get("/v1/sites", limit=2, cursor=page["next"])
    assert ([site["site_id"] for site in rest["items"]], rest["next"]) == (["site-2"], None)


async def test_a_site_that_cannot_be_looked_at_keeps_no_other_waiting(
    stations: Stations, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(state: SiteState, *more: Any) -> SitePlan:
        if state.site.site_id == "broken":
            raise ZeroDivisionError
        return plan(state, *more)

    monkeypatch.setattr(sharing, "plan", broken)
    await stations.connect("CP1")
    await stations.put_site({"limit": {"value": 96}, "stations": ["CP9"]}, site_id="broken")
    await stations.put_site({"limit": {"value": 96}, "stations": ["CP1"]})
    assert stations.history
    monkeypatch.undo()
    stations.history.clear()
    await stations.connect("CP9")
    await stations.settle()
    assert {sent.station_id for sent in stations.history} == {"CP9"}


async def test_what_is_drawn_outside_of_sites_costs_nothing_and_is_not_kept(stations: Stations) -> None:
    """A session is known from its start on, so that it is there when its station joins a site."""
    await stations.connect("CP1")
    number = await stations.start("CP1")
    await stations.draws("CP1", number, 16)
    await stations.put_site({"limit": {"value": 96}, "stations": ["CP1"]})
    [shown] = (await stations.world.get("/v1/sites/garage/sessions"))["items"]
    assert (shown["station_id"], shown["measured_a"]) == ("CP1", None)
    await stations.draws("CP1", number, 16)
    [shown] = (await stations.world.get("/v1/sites/garage/sessions"))["items"]
    assert shown["measured_a"] == 16


async def test_history_is_not_steered_and_forgets_no_limit(stations: Stations) -> None:
    """transactions says that its EVSE has another session now."""
    await two(stations)
    first = await stations.start("CP1")
    history = stations.transaction("CP1", first + 1000, 1, superseded_by=first)
    await stations.tell(pb.TransactionStarted(transaction=history, offline=True))
    assert [item["session"] for item in (await state(stations))["sessions"]] == [first]
    await stations.start("CP2")
    assert await stations.shares() == {"CP1": 16, "CP2": 16}
    await stations.tell(pb.TransactionEnded(transaction=ended(stations, history)))
    assert await stations.shares() == {"CP1": 16, "CP2": 16}
    assert stations.most <= 32
    # What had to wait may turn out to be what charges.
    await stations.tell(pb.TransactionUpdated(transaction=stations.transaction("CP1", first, 1, superseded_by=9)))
    assert [item["station_id"] for item in (await state(stations))["sessions"]] == ["CP2"]
    await stations.tell(pb.TransactionUpdated(transaction=stations.transaction("CP1", first, 1)))
    assert await stations.shares() == {"CP1": 16, "CP2": 16}


async def test_a_limit_counts_where_it_was_granted_until_the_session_has_ended(stations: Stations) -> None:
    """Its station says that it is on another EVSE, and does not confirm a limit there."""
    await two(stations)
    first = await stations.start("CP2")
    stations.answers["CP2"] = reject
    moved = stations.transaction("CP2", first, 2)
    await stations.tell(pb.TransactionUpdated(transaction=moved))
    await stations.start("CP1")
    shown = await state(stations)
    assert {evse["evse_id"]: evse["beside"] for evse in shown["evses"] if evse["station_id"] == "CP2"} == {
        1: [first],
        2: [],
    }
    assert (await stations.shares())["CP1"] == 0
    assert shown["loads"][0]["committed_a"] == 32
    await stations.tell(pb.TransactionEnded(transaction=ended(stations, moved)))
    await stations.passes(31)
    assert await stations.shares() == {"CP1": 32}


def ended(stations: Stations, transaction: pb.Transaction) -> pb.Transaction:
    after = pb.Transaction()
    after.CopyFrom(transaction)
    after.stopped_at.FromDatetime(stations.world.time())
    return after


async def test_who_draws_on_after_its_end_is_set_aside_for_until_it_confirms_a_limit(stations: Stations) -> None:
    """Its end was a guess: it draws 30 A while the other one has 32 A. Then that end is taken back."""
    await two(stations)
    number = await stations.start("CP1")
    await stations.end("CP1", number)
    await stations.start("CP2")
    assert await stations.shares() == {"CP2": 32}
    over: dict[str, Any] = {"stopped_at": stations.world.time(), "revision": 1}
    await stations.draws("CP1", number, 30, **over)
    assert await stations.shares() == {"CP2": 0}
    shown = {load["name"]: load for load in (await state(stations))["loads"]}
    assert (shown["L1"]["committed_a"], shown["L1"]["set_aside_a"]) == (30, 30)
    back = stations.transaction("CP1", number, 1, revision=2)
    await stations.tell(pb.TransactionRevised(transaction=back, revision=2, reason=pb.REVISION_REASON_GOES_ON))
    await stations.passes(31)
    assert await stations.shares() == {"CP1": 16, "CP2": 16}
    await stations.draws("CP1", number, 16, revision=2)
    await stations.end("CP1", number, revision=3)
    await stations.passes(31)
    assert await stations.shares() == {"CP2": 32}


async def test_who_has_ended_and_stops_drawing_is_no_longer_set_aside_for(stations: Stations) -> None:
    await two(stations)
    number = await stations.start("CP1")
    await stations.end("CP1", number)
    await stations.start("CP2")
    over: dict[str, Any] = {"stopped_at": stations.world.time(), "revision": 1}
    await stations.draws("CP1", number, 20, **over)
    assert await stations.shares() == {"CP2": 12}
    await stations.passes(31)
    await stations.draws("CP1", number, 0, **over)
    assert await stations.shares() == {"CP2": 32}


async def test_who_tells_its_energy_alone_is_seen_to_draw_on_until_it_stands_still(stations: Stations) -> None:
    """A stop of another named its session. 98.2 Wh in 96 s are 16 A of one phase, and three times that too much."""
    await two(stations)
    number = await stations.start("CP1")
    over: dict[str, Any] = {"stopped_at": stations.world.time(), "revision": 1, "meter_stop_wh": 9000}
    await stations.tell(pb.TransactionEnded(transaction=stations.transaction("CP1", number, 1, **over)))
    await stations.start("CP2")
    seen = []
    for wh in (3000, 3300, 3398.2, 3398.2, 3398.2, 3398.2, 3398.2):
        await stations.shows("CP1", number, wh, **over)
        await stations.passes(31)
        seen.append((await stations.shares())["CP2"])
    assert seen == [32, 0, 16, 16, 16, 16, 32]
