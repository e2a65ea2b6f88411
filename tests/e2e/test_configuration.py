"""The settings of real stations: read when they boot, set by REST and by their group, shown."""

from typing import Any

from tests.clients.events import enum_word
from tests.clients.rpc import Station
from tests.clients.sessions import Session16, Session201
from tests.clients.system import System, eventually
from tests.e2e.conftest import Connect, Known

INTERVAL = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
ANSWERS_16 = {
    "GetConfiguration": {
        "configurationKey": [
            {"key": "HeartbeatInterval", "readonly": False, "value": "300"},
            {"key": "NumberOfConnectors", "readonly": True, "value": "1"},
        ]
    },
    "ChangeConfiguration": {"status": "Accepted"},
}
ANSWERS_201 = {
    "GetBaseReport": {"status": "Accepted"},
    "GetVariables": {"getVariableResult": [INTERVAL | {"attributeStatus": "Accepted", "attributeValue": "300"}]},
    "SetVariables": {"setVariableResult": [INTERVAL | {"attributeStatus": "RebootRequired"}]},
}


def path(known: Known) -> str:
    return f"/v1/stations/{known.id}/configuration"


async def called(station: Station, action: str) -> Any:
    """What the station was asked, as soon as it was."""
    return (await station.until("call", lambda it: it["action"] == action))["payload"]


async def values(voltbus: System, known: Known, count: int) -> dict[str, str]:
    view = await eventually(lambda: voltbus.get("firmware", path(known)), lambda view: len(view["items"]) == count)
    return {item["name"]: item["value"] for item in view["items"]}


async def test_a_16_station(voltbus: System, known: Known, connect: Connect) -> None:
    station = await connect("ocpp1.6", answers=ANSWERS_16)
    await station.call(*Session16("TAG").boot())
    assert await called(station, "GetConfiguration") == {}
    assert await values(voltbus, known, 2) == {"HeartbeatInterval": "300", "NumberOfConnectors": "1"}
    body = {"settings": {"heartbeat_interval": "60"}}
    answer = await voltbus.ask("PUT", "firmware", f"{path(known)}?wait=10", json=body)
    assert [one["result"] for one in answer.json()["settings"]] == ["applied"]
    assert await called(station, "ChangeConfiguration") == {"key": "HeartbeatInterval", "value": "60"}
    assert (await values(voltbus, known, 2))["HeartbeatInterval"] == "60"
    event = await voltbus.feed.event(known.id, "ConfigurationChanged")
    assert [(one.name, enum_word(one)) for one in event.body.settings] == [("HeartbeatInterval", "applied")]


async def test_a_201_station(voltbus: System, known: Known, connect: Connect) -> None:
    """B07.FR.03, FR.10, FR.14; B05."""
    station = await connect("ocpp2.0.1", answers=ANSWERS_201)
    await station.call(*Session201("TAG").boot())
    asked = await called(station, "GetBaseReport")
    assert asked["reportBase"] == "FullInventory"
    what = {"dataType": "integer", "unit": "s", "supportsMonitoring": False}
    for seq_no, name in enumerate(("HeartbeatInterval", "OfflineThreshold")):
        variable = INTERVAL | {"variable": {"name": name}}
        item = variable | {"variableAttribute": [{"value": "300"}], "variableCharacteristics": what}
        part = {"seqNo": seq_no, "tbc": seq_no == 0, "reportData": [item]}
        at = {"requestId": asked["requestId"], "generatedAt": "2026-03-01T12:00:00Z"}
        await station.call("NotifyReport", part | at)
    event = await voltbus.feed.event(known.id, "ConfigurationReported")
    assert (enum_word(event.body), event.body.request_id) == ("complete", asked["requestId"])
    assert len(await values(voltbus, known, 2)) == 2
    body = {"settings": {"heartbeat_interval": "60"}}
    answer = await voltbus.ask("PUT", "firmware", f"{path(known)}?wait=10", json=body)
    assert [one["result"] for one in answer.json()["settings"]] == ["reboot_required"]
    [waiting] = (await voltbus.get("firmware", path(known), name="heartbeat"))["items"]
    assert (waiting["pending_reboot"], waiting["value"], waiting["last_set"]["wanted"]) == (True, "300", "60")


async def test_what_is_desired_of_a_group(voltbus: System, known: Known, connect: Connect) -> None:
    """From registration to the station: it is set when it boots, and differences are shown until it is."""
    group = f"group-{known.id}"
    (await voltbus.ask("PUT", "auth", f"/v1/stations/{known.id}", json={"group": group})).raise_for_status()
    desired = f"/v1/groups/{group}/configuration"
    body = {"settings": {"heartbeat_interval": "60"}}
    await eventually(
        lambda: voltbus.ask("PUT", "firmware", desired, json=body), lambda answer: answer.json()["stations"] == 1
    )
    station = await connect("ocpp1.6", answers=ANSWERS_16)
    await station.call(*Session16("TAG").boot())
    assert await called(station, "ChangeConfiguration") == {"key": "HeartbeatInterval", "value": "60"}
    await eventually(
        lambda: voltbus.get("firmware", f"{desired}/differences"),
        lambda page: [one["in_sync"] for one in page["items"]] == [True],
    )
    await station.call("Heartbeat", {})
    assert len([it for it in station.happened if it["event"] == "call"]) == 2
