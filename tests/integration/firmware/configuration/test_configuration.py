"""A station's settings: read, reported, set, shown; on a real Postgres."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from redis.asyncio import Redis

from services.common.desired.reconciler import DEFAULT_TIMING
from services.firmware.configuration.domain.reports import PATIENCE
from services.firmware.settings import Settings
from tests.clients.events import enum_word
from tests.integration.common.running import running
from tests.integration.firmware.configuration.stations import (
    KEYS,
    QUICK_BUILD,
    VARIABLES,
    Field,
    Station,
    new,
    old,
    playing,
    put,
    read,
    values,
)

PASSWORD = "SecurityCtrlr.BasicAuthPassword"


async def test_a_16_station_is_read_when_it_boots_first(field: Field) -> None:
    """1.6 §5.8; B07.FR.14 in spirit."""
    station = old()
    view = await read(field, station)
    assert station.asked == [("GetConfiguration", {})]
    assert values(view) == KEYS | {"AuthorizationKey": None}
    kinds = {item["name"]: (item["mutability"], item["shared_name"]) for item in view["items"]}
    assert kinds["NumberOfConnectors"] == ("ReadOnly", None)
    assert kinds["HeartbeatInterval"] == ("ReadWrite", "heartbeat_interval")
    assert kinds["AuthorizationKey"] == ("WriteOnly", None)
    assert view["read_at"] is not None
    one = await field.view(station, name="heartbeat")
    assert values(one) == {"HeartbeatInterval": "300"}
    assert values(await field.view(station, mutability="ReadOnly")) == {"NumberOfConnectors": "2"}


async def test_everything_is_read_again_after_a_new_firmware_only(field: Field) -> None:
    """B07.FR.14."""
    station = old()
    await read(field, station)
    await read(field, station)
    assert len(station.asked) == 1
    station.values["HeartbeatInterval"] = "30"
    await read(field, station, firmware="2")
    assert values(await field.view(station, lambda view: values(view)["HeartbeatInterval"] == "30"))
    assert len(station.asked) == 2
    [event] = [e for e in field.world.announced("ConfigurationChanged") if e.settings]
    assert [(setting.name, enum_word(setting)) for setting in event.settings] == [("HeartbeatInterval", "observed")]


async def test_pages_have_every_setting_once(field: Field) -> None:
    station = old()
    await read(field, station)
    names, cursor = [], None
    while True:
        query: dict[str, Any] = {"cursor": cursor} if cursor else {}
        page = await field.view(station, limit=3, **query)
        names += [item["name"] for item in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert sorted(names) == sorted(KEYS)


async def test_a_201_station_reports_in_parts(field: Field) -> None:
    """B07.FR.08, FR.10, FR.14 (TC_B_13): in any order, and twice."""
    station = new()
    await field.boot(station)
    await field.world.until(lambda: bool(station.sent("GetBaseReport")))
    [asked] = station.sent("GetBaseReport")
    assert asked["reportBase"] == "FullInventory"
    await field.report(station, asked["requestId"], 2, 0, 2)
    view = await field.view(station, lambda view: view["report"] and view["report"]["parts"] == 2)
    assert (view["report"]["status"], view["report"]["missing"], view["step"]) == ("receiving", [1], "reading")
    await field.report(station, asked["requestId"], 1)
    view = await field.view(station, lambda view: view["step"] == "idle")
    assert view["report"]["status"] == "complete"
    assert values(view) == VARIABLES
    await field.world.settled()
    [event] = field.world.announced("ConfigurationReported")
    assert (enum_word(event), event.base, list(event.missing_seq_nos)) == ("complete", "FullInventory", [])
    assert len(field.world.announced("MessageRecorded")) == 4


async def test_a_report_may_be_whole_before_it_is_promised(field: Field) -> None:
    """Answers and reports come by different topics."""
    station = new(silent=frozenset({"GetBaseReport"}))
    await field.boot(station)
    await field.world.until(lambda: bool(station.unanswered))
    [command] = station.unanswered
    await field.report(station, station.sent("GetBaseReport")[0]["requestId"])
    assert (await field.view(station))["read_at"] is None
    await field.answer(station, command)
    view = await field.view(station, lambda view: view["step"] == "idle")
    assert (view["report"]["status"], view["report"]["base"]) == ("complete", "FullInventory")
    assert view["read_at"] is not None


async def test_what_a_full_report_does_not_name_is_gone(field: Field) -> None:
    station = new()
    await read(field, station)
    del station.values["OCPPCommCtrlr.OfflineThreshold"]
    field.world.time.passes(60)
    asked = await field.world.http.post("/v1/stations/CP1/configuration/refresh", json={}, params={"wait": 10})
    assert asked.status_code == 200
    await field.report(station, asked.json()["request_id"])
    assert values(await field.view(station)) == station.values


async def test_a_report_that_lacks_a_part_is_shown_as_such(field: Field) -> None:
    station = new()
    await field.boot(station)
    await field.world.until(lambda: bool(station.sent("GetBaseReport")))
    number = station.sent("GetBaseReport")[0]["requestId"]
    await field.report(station, number, 0, 2)
    field.world.time.passes(PATIENCE.total_seconds() + 1)
    view = await field.view(station, lambda view: view["report"]["status"] == "incomplete")
    assert (view["report"]["missing"], view["read_at"]) == ([1], None)
    await field.world.settled()
    [event] = field.world.announced("ConfigurationReported")
    assert (enum_word(event), list(event.missing_seq_nos)) == ("incomplete", [1])
    # It comes after all.
    await field.report(station, number, 1)
    [shown] = (await field.world.get("/v1/stations/CP1/configuration/reports"))["items"]
    assert (shown["status"], shown["missing"]) == ("complete", [])


async def test_a_report_may_be_refused(field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    """B07.FR.02, FR.13: shown, and not asked for again before the next boot."""
    station = new(silent=frozenset())
    monkeypatch.setattr(station, "GetBaseReport", lambda _: {"status": "Rejected"})
    await field.boot(station)
    view = await field.view(station, lambda view: view["step"] == "idle")
    assert (view["report"]["status"], view["report"]["reason"], view["read_at"]) == ("refused", "Rejected", None)
    assert len(station.asked) == 1
    await field.boot(station)
    await field.world.until(lambda: len(station.asked) == 2)


async def test_settings_are_set_and_each_has_its_result(field: Field) -> None:
    """1.6 §5.3: one key a message, and the word of the station to each."""
    station = old(reboots=frozenset({"ConnectionTimeOut"}), rejects=frozenset({"Strange"}))
    station.values["Strange"] = "1"
    await read(field, station)
    settings = {
        "heartbeat_interval": "60",
        "NumberOfConnectors": "3",
        "ConnectionTimeOut": "90",
        "Nonsense": "1",
        "Strange": "2",
    }
    answer = await put(field, station, settings)
    assert answer.status_code == 200
    assert {one["asked_as"]: one["result"] for one in answer.json()["settings"]} == {
        "heartbeat_interval": "applied",
        "NumberOfConnectors": "read_only",
        "ConnectionTimeOut": "reboot_required",
        "Nonsense": "unknown",
        "Strange": "rejected",
    }
    assert len(station.sent("ChangeConfiguration")) == 5
    view = await field.view(station)
    assert values(view)["HeartbeatInterval"] == "60"
    last = {item["name"]: item["last_set"] for item in view["items"]}
    assert (last["Nonsense"]["result"], last["Nonsense"]["reason"]) == ("unknown", "NotSupported")
    await field.world.settled()
    told = {s.name: enum_word(s) for event in field.world.announced("ConfigurationChanged") for s in event.settings}
    assert told == {
        "HeartbeatInterval": "applied",
        "NumberOfConnectors": "read_only",
        "ConnectionTimeOut": "reboot_required",
        "Nonsense": "unknown",
        "Strange": "rejected",
    }


async def test_a_reboot_is_awaited_and_what_it_brought_is_read(field: Field) -> None:
    station = old(reboots=frozenset({"ConnectionTimeOut"}))
    await read(field, station)
    await put(field, station, {"connection_timeout": "90"})
    [waiting] = [i for i in (await field.view(station))["items"] if i["pending_reboot"]]
    assert (waiting["name"], waiting["value"], waiting["last_set"]["wanted"]) == ("ConnectionTimeOut", "60", "90")
    station.values["ConnectionTimeOut"] = "90"
    field.world.time.passes(60)
    await field.boot(station)
    view = await field.view(station, lambda view: values(view)["ConnectionTimeOut"] == "90")
    assert not [item for item in view["items"] if item["pending_reboot"]]
    assert station.asked[-1] == ("GetConfiguration", {"key": ["ConnectionTimeOut"]})


async def test_a_201_station_is_never_sent_more_than_it_takes(field: Field) -> None:
    """B05.FR.11 (TC_B_09, TC_B_10), B06.FR.05 (TC_B_06, TC_B_07, TC_B_08)."""
    station = new()
    await read(field, station)
    wanted = {
        "OCPPCommCtrlr.OfflineThreshold": "123",
        "authorize_remote_start": "false",
        "heartbeat_interval": "60",
        "NoCtrlr.Nothing": "1",
    }
    answer = await put(field, station, wanted)
    assert {one["asked_as"]: one["result"] for one in answer.json()["settings"]} == dict.fromkeys(wanted, "applied") | {
        "NoCtrlr.Nothing": "unknown"
    }
    assert [len(payload["setVariableData"]) for payload in station.sent("SetVariables")] == [2, 2]
    names = list(VARIABLES)
    asked = await field.world.http.post(
        "/v1/stations/CP1/configuration/refresh", json={"names": names}, params={"wait": 10}
    )
    assert [command["status"] for command in asked.json()["commands"]] == ["answered", "answered"]
    assert [len(payload["getVariableData"]) for payload in station.sent("GetVariables")] == [4, 1]


@pytest.mark.parametrize("base", ["ConfigurationInventory", "SummaryInventory"])
async def test_other_reports_can_be_asked_for(field: Field, base: str) -> None:
    """TC_B_12, TC_B_14: what they do not name stays."""
    station = new()
    await read(field, station)
    field.world.time.passes(60)
    body = {"report": base}
    asked = await field.world.http.post("/v1/stations/CP1/configuration/refresh", json=body, params={"wait": 10})
    part = station.parts(asked.json()["request_id"])[0] | {"tbc": False}
    await field.world.put(field.world.call("NotifyReport", part, "CP1", "2.0.1"))
    view = await field.view(station)
    assert (view["report"]["base"], view["report"]["status"], values(view)) == (base, "complete", VARIABLES)


async def test_commands_as_they_are_in_ocpp_count_too(field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator's own ChangeConfiguration says as much; so does GetReport (B08, TC_B_18)."""
    station = old()
    await read(field, station)
    body = {"key": "HeartbeatInterval", "value": "45"}
    await field.world.http.post("/v1/stations/CP1/commands/ChangeConfiguration", json=body, params={"wait": 10})
    [item] = (await field.view(station, name="heartbeat"))["items"]
    assert (item["value"], item["source"], item["last_set"]["result"]) == ("45", "set", "applied")
    other = new("CP2")
    monkeypatch.setattr(other, "GetReport", lambda _: {"status": "EmptyResultSet"}, raising=False)
    await read(field, other)
    criteria = {"requestId": 7, "componentCriteria": ["Problem"]}
    await field.world.http.post("/v1/stations/CP2/commands/GetReport", json=criteria, params={"wait": 10})
    shown = (await field.world.get("/v1/stations/CP2/configuration/reports"))["items"]
    assert [(r["request_id"], r["status"], r["reason"]) for r in shown if r["base"] is None] == [
        (7, "complete", "EmptyResultSet")
    ]


async def test_a_station_that_is_away_is_set_when_it_is_back_or_not_at_all(field: Field) -> None:
    station = old()
    await read(field, station)
    await field.leave(station)
    answer = await put(field, station, {"heartbeat_interval": "60"}, wait=0, expires_in=30)
    assert (answer.status_code, answer.json()["settings"][0]["result"]) == (202, "pending")
    field.world.time.passes(31)

    def last(view: Any) -> Any:
        return {item["name"]: item["last_set"] for item in view["items"]}["HeartbeatInterval"]

    view = await field.view(station, lambda view: last(view)["result"] != "pending")
    assert (last(view)["result"], last(view)["reason"], values(view)["HeartbeatInterval"]) == (
        "expired",
        "Expired",
        "300",
    )


async def test_the_same_request_again_changes_nothing(field: Field) -> None:
    station = old()
    await read(field, station)
    wanted = {"heartbeat_interval": "60", "ConnectionTimeOut": "90"}
    told = [(await put(field, station, wanted, key="once")).json() for _ in range(2)]
    assert told[0] == told[1]
    assert len(station.sent("ChangeConfiguration")) == 2
    for other in (
        {"heartbeat_interval": "61", "ConnectionTimeOut": "90"},
        {"heartbeat_interval": "60"},
        wanted | {"K": "1"},
    ):
        assert (await put(field, station, other, key="once")).status_code == 409
    assert len(station.sent("ChangeConfiguration")) == 2


async def test_the_same_request_is_the_same_however_it_is_cut(field: Field) -> None:
    """What the station takes in a message may have become known in between."""
    station = new()
    limit = station.values.pop("DeviceDataCtrlr.ItemsPerMessage(SetVariables)")
    await read(field, station)
    wanted = {"heartbeat_interval": "60", "authorize_remote_start": "false", "OCPPCommCtrlr.OfflineThreshold": "1"}
    first = (await put(field, station, wanted, key="once")).json()
    station.values["DeviceDataCtrlr.ItemsPerMessage(SetVariables)"] = limit
    await read(field, station, firmware="2")
    assert (await put(field, station, wanted, key="once")).json() == first
    assert [len(payload["setVariableData"]) for payload in station.sent("SetVariables")] == [3]


async def test_the_same_report_is_asked_for_once(field: Field) -> None:
    station = new()
    await read(field, station)
    path, headers = "/v1/stations/CP1/configuration/refresh", {"Idempotency-Key": "once"}
    told = [await field.world.http.post(path, json={}, params={"wait": 10}, headers=headers) for _ in range(2)]
    assert told[0].json() == told[1].json()
    assert len(station.sent("GetBaseReport")) == 2
    other = await field.world.http.post(path, json={"report": "SummaryInventory"}, headers=headers)
    assert other.status_code == 409


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        ({"AuthorizationKey": "0011"}, "body.settings.AuthorizationKey"),
        ({"WifiPassword": "hunter2"}, "body.settings.WifiPassword"),
        ({"x" * 51: "1"}, f"body.settings.{'x' * 51}"),
        ({"HeartbeatInterval": "x" * 501}, "body.settings.HeartbeatInterval"),
        ({"heartbeat_interval": "1", "HEARTBEATinterval": "2"}, "body.settings.HEARTBEATinterval"),
    ],
)
async def test_what_cannot_be_set_is_refused(field: Field, wanted: dict[str, str], named: str) -> None:
    """B05.FR.13; passwords are auth's (A01)."""
    station = old()
    await read(field, station)
    answer = await put(field, station, wanted)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, named)
    assert len(station.asked) == 1


async def test_what_a_station_calls_write_only_is_neither_set_nor_kept(
    field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = new()
    station.values |= {PASSWORD: "a-secret-indeed", "VendorCtrlr.Pin": "4711"}
    item = station._item

    def written(name: str) -> Any:
        made = item(name)
        if name == "VendorCtrlr.Pin":
            made["variableAttribute"][0]["mutability"] = "WriteOnly"
        return made

    monkeypatch.setattr(station, "_item", written)
    view = await read(field, station)
    assert (values(view)[PASSWORD], values(view)["VendorCtrlr.Pin"]) == (None, None)
    for name in (PASSWORD, "VendorCtrlr.Pin"):
        assert (await put(field, station, {name: "1"})).status_code == 422
    async with field.world.database.connection() as db:
        assert not await db.fetchval("select exists (select from setting where value in ('a-secret-indeed', '4711'))")
        assert not await db.fetchval(
            "select exists (select from recorded_message where payload::text ~ 'a-secret-indeed|4711')"
        )
    events = [str(event) for event in field.world.announced()]
    assert any(PASSWORD.rpartition(".")[2] in event for event in events)
    assert not any("a-secret-indeed" in event or "4711" in event for event in events)


async def test_a_password_that_a_station_tells_is_in_no_event(field: Field) -> None:
    await read(field, old())
    told = [event.response for event in field.world.announced("CommandChanged") if event.response]
    assert any("AuthorizationKey" in one for one in told)
    assert not any(KEYS["AuthorizationKey"] in one for one in told)


async def test_nobody_knows_stations_that_were_never_here(field: Field) -> None:
    await field.world.get("/v1/stations/NOBODY/configuration", status=404)
    await field.world.get("/v1/stations/NOBODY/configuration/reports", status=404)
    assert (await put(field, old("NOBODY"), {"heartbeat_interval": "1"})).status_code == 404
    await field.world.http.put("/v1/stations/LATER/boot", json={"status": "Accepted"})
    assert (await put(field, old("LATER"), {"heartbeat_interval": "1"})).status_code == 409


async def test_what_is_read_again_after_a_crash_changes_nothing(field: Field) -> None:
    station = new()
    before = await read(field, station)
    await field.world.settled()
    events = len(field.world.announced("ConfigurationReported"))
    await field.world.restart(commit=False)
    await field.world.settled()
    after = await field.view(station)
    assert (values(after), after["report"]) == (values(before), before["report"])
    assert len(field.world.announced("ConfigurationReported")) == events
    assert len(station.asked) == 1


def are_asked(stations: Sequence[Station], count: int) -> bool:
    return sum(bool(station.asked) for station in stations) == count


async def test_only_so_many_stations_are_read_at_a_time(settings: Settings) -> None:
    """However many boot at once."""
    few = settings.model_copy(update={"configuration_reading": 3})
    async with (
        Redis.from_url(settings.redis_url) as redis,
        running("firmware", QUICK_BUILD, few) as world,
        playing(world, redis) as field,
    ):
        read_out: set[str] = set()
        stations = [new(f"CS{n}") for n in range(5)]
        for station in stations:
            await field.boot(station)
        await world.until(partial(are_asked, stations, 3))
        for done in range(1, 3):
            first = next(one for one in stations if one.asked and one.id not in read_out)
            await field.report(first, first.sent("GetBaseReport")[0]["requestId"])
            read_out.add(first.id)
            await world.until(partial(are_asked, stations, 3 + done))
        await redis.flushdb()


async def test_a_station_that_leaves_while_it_is_read_is_read_when_it_is_back(field: Field) -> None:
    station = old()
    await read(field, station)
    await field.leave(station)
    call = field.world.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}, "CP1")
    await field.world.ask(call)
    field.world.time.passes(1)
    await field.view(station, lambda view: view["step"] == "reading")
    field.world.time.passes(DEFAULT_TIMING.expires_in + 1)
    await field.view(station, lambda view: view["step"] == "due")
    await field.boot(station, firmware="2")
    await field.view(station, lambda view: view["step"] == "idle")
    assert station.sent("GetConfiguration") == [{}, {}]


async def test_a_silent_station_is_not_asked_again_and_again(field: Field) -> None:
    """It got the question: that it may not answer is known at its next boot."""
    station = old(silent=frozenset({"GetConfiguration"}))
    await field.boot(station)
    await field.world.until(lambda: bool(station.asked))
    field.world.time.passes(DEFAULT_TIMING.expires_in + 61)
    await field.view(station, lambda view: view["step"] == "idle")
    await field.boot(station)
    await field.world.until(lambda: len(station.asked) == 2)
