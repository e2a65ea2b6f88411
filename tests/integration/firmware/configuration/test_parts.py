"""Commands of more than their stations take in a message: one command, one result, whatever happens between parts."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import orjson
import pytest

from services.common.commands import store
from services.common.commands.command import PATIENCE, TURN
from services.common.kafka.bus import Record
from services.firmware.configuration.capacity import CAPACITIES
from tests.clients.events import enum_word
from tests.integration.firmware.configuration.stations import Field, New, Station, called, place, put, read, values
from voltbus.v1.bus_pb2 import OUTCOME_ANSWERED, OUTCOME_LATE, OUTCOME_REFUSED, OUTCOME_TIMED_OUT, Outcome, Result
from voltbus.v1.bus_pb2 import Command as CommandRecord

ACTIONS = sorted(CAPACITIES)
STATION = "/v1/stations/CP1/commands"
POWER = {"component": {"name": "ChargingStation"}, "variable": {"name": "Power"}}


class Limited(New):
    """A station that takes two items of everything in a message, and monitors nothing."""

    def ClearVariableMonitoring(self, payload: Any) -> Any:
        return {"clearMonitoringResult": [{"status": "NotFound", "id": one} for one in payload["id"]]}

    def SetVariableMonitoring(self, payload: Any) -> Any:
        named = [{name: one[name] for name in (*POWER, "type", "severity")} for one in payload["setMonitoringData"]]
        return {"setMonitoringResult": [one | {"status": "Rejected"} for one in named]}

    def GetReport(self, payload: Any) -> Any:
        known = [one for one in payload["componentVariable"] if called(one) in self.values]
        return {"status": "Accepted" if known else "EmptyResultSet"}

    def GetMonitoringReport(self, _: Any) -> Any:
        return {"status": "EmptyResultSet"}

    def ChangeAvailability(self, _: Any) -> Any:
        return {"status": "Accepted"}


def limited(most: str = "2", **more: Any) -> Limited:
    names = {name for capacity in CAPACITIES.values() for name in (capacity.items,)}
    numbers = {f"C{number}.V": str(number) for number in range(5)}
    return Limited("CP1", dict.fromkeys(names, most) | numbers, **more)


def variables(count: int = 5) -> list[dict[str, Any]]:
    return [place(f"C{number}.V") for number in range(count)]


def monitors(count: int) -> list[dict[str, Any]]:
    return [POWER | {"value": number, "type": "UpperThreshold", "severity": 5} for number in range(count)]


def payload_of(action: str) -> dict[str, Any]:
    """Five items."""
    payloads: dict[str, dict[str, Any]] = {
        "GetVariables": {"getVariableData": variables()},
        "SetVariables": {"setVariableData": [one | {"attributeValue": "7"} for one in variables()]},
        "GetReport": {"requestId": 7, "componentVariable": variables()},
        "GetMonitoringReport": {"requestId": 7, "componentVariable": variables()},
        "SetVariableMonitoring": {"setMonitoringData": monitors(5)},
        "ClearVariableMonitoring": {"id": [1, 2, 3, 4, 5]},
    }
    return payloads[action]


async def ask(field: Field, action: str, payload: Any = None, wait: float = 0, key: str | None = None) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    body = payload or payload_of(action)
    answer = await field.world.http.post(f"{STATION}/{action}", json=body, params={"wait": wait}, headers=headers)
    assert answer.is_success, answer.text
    return answer.json()


async def shown(
    field: Field, command: Any, holds: Callable[[Any], bool] = lambda one: one["ended_at"] is not None
) -> Any:
    return await field.shown(f"/v1/commands/{command['command_id']}", holds)


async def parts(field: Field, command: Any) -> Any:
    return (await field.world.get(f"/v1/commands/{command['command_id']}/parts"))["items"]


async def told(field: Field, command: CommandRecord, outcome: Outcome, **more: Any) -> None:
    """The gateway says what became of a CALL."""
    result = Result(command_id=command.id, outcome=outcome, at=field.world.time(), **more)
    await field.world.put(Record("ocpp.results.firmware", b"CP1", result.SerializeToString()))


async def first_part(
    field: Field, station: Station, action: str = "ClearVariableMonitoring"
) -> tuple[Any, CommandRecord]:
    """A command whose first part the station has not answered yet."""
    station.silent = frozenset({action})
    command = await ask(field, action)
    await field.world.until(lambda: bool(station.unanswered))
    return command, station.unanswered.pop()


async def answer(field: Field, station: Station, part: CommandRecord, silent: Sequence[str] = ()) -> None:
    """The station answers a part. silent: actions that it goes on not to answer."""
    station.silent = frozenset(silent)
    await field.answer(station, part)


@pytest.mark.parametrize("action", ACTIONS)
async def test_a_long_command_is_sent_in_parts_and_has_one_result(field: Field, action: str) -> None:
    """B05.FR.11, B06.FR.05, B08.FR.06, B08.FR.17, N04.FR.09, N06.FR.04."""
    station, capacity, payload = limited(), CAPACITIES[action], payload_of(action)
    await read(field, station)
    ended = await ask(field, action, payload, wait=10)
    assert (ended["status"], ended["outcome"]) == ("answered", "answered")
    results = 5 if capacity.results else None
    assert ended["parts"] == {"count": 3, "items": 5, "sent": 5, "answered": 5, "results": results}
    assert ended["payload"] == payload
    got = station.sent(action)
    assert [len(one[capacity.field]) for one in got] == [2, 2, 1]
    assert [item for one in got for item in one[capacity.field]] == payload[capacity.field]
    said = [station.answer(action, one) for one in got]
    if capacity.results:
        assert ended["response"] == {capacity.results: [item for one in said for item in one[capacity.results]]}
    each = await parts(field, ended)
    assert [(one["number"], one["status"], one["payload"]) for one in each] == [
        (number, "answered", one) for number, one in enumerate(got, 1)
    ]
    assert len({one["message_id"] for one in each} - {ended["command_id"]}) == 3
    # By the id of a CALL, as the station log has it, the command is found too.
    assert (await field.world.get(f"/v1/commands/{each[1]['message_id']}"))["command_id"] == ended["command_id"]
    await field.world.settled()
    steps = [one for one in field.world.announced("CommandChanged") if one.command_id == ended["command_id"]]
    assert [enum_word(one) for one in steps] == ["accepted", "sent", "answered"]
    assert orjson.loads(steps[-1].response) == ended["response"]


async def test_what_fits_is_one_message(field: Field) -> None:
    station = limited("5")
    await read(field, station)
    ended = await ask(field, "ClearVariableMonitoring", wait=10)
    assert (ended["parts"], await parts(field, ended)) == (None, [])
    assert station.sent("ClearVariableMonitoring") == [payload_of("ClearVariableMonitoring")]


@pytest.mark.parametrize("said", ["0", "-1", "many", None])
async def test_where_no_limit_is_known_nothing_is_cut(field: Field, said: str | None) -> None:
    station = limited(said or "")
    await read(field, station)
    await ask(field, "GetVariables", wait=10)
    assert [len(one["getVariableData"]) for one in station.sent("GetVariables")] == [5]


async def test_an_item_that_fits_nowhere_is_refused(field: Field) -> None:
    station = limited()
    station.values["DeviceDataCtrlr.BytesPerMessage(GetVariables)"] = "300"
    await read(field, station)
    long_ = place(f"C0.{'V' * 50}") | {"customData": {"vendorId": "v", "x": "y" * 200}}
    body = {"getVariableData": [variables()[0], long_]}
    answer = await field.world.http.post(f"{STATION}/GetVariables", json=body)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == ["body.getVariableData.1"]
    assert station.sent("GetVariables") == []


async def test_what_is_read_and_set_in_parts_is_known(field: Field) -> None:
    station = limited()
    await read(field, station)
    await ask(field, "SetVariables", wait=10)
    view = await field.view(station, name="C")
    assert {one["name"]: one["last_set"]["result"] for one in view["items"] if one["last_set"]} == {
        f"C{number}.V": "applied" for number in range(5)
    }
    station.values |= {f"C{number}.V": "8" for number in range(5)}
    await ask(field, "GetVariables", wait=10)
    view = await field.view(station)
    assert {values(view)[f"C{number}.V"] for number in range(5)} == {"8"}


async def test_reports_that_are_asked_for_in_parts_are_shown_as_one(field: Field) -> None:
    """B08.FR.04, B08.FR.14: each has its own number and counts from 0."""
    station = limited()
    del station.values["C4.V"]
    await read(field, station)
    ended = await ask(field, "GetReport", wait=10)
    assert (ended["response"], ended["effect"]) == ({"status": "Accepted"}, "accepted")
    numbers = [one["requestId"] for one in station.sent("GetReport")]
    assert numbers[0] == 7
    assert len(set(numbers)) == 3
    path = "/v1/stations/CP1/configuration/reports"
    [report, _] = (await field.world.get(path))["items"]
    assert (report["request_id"], report["status"], report["command_id"]) == (7, "receiving", ended["command_id"])
    for number in reversed(numbers[:2]):
        await field.report(station, number, each=100)
    [report, _] = (await field.world.get(path))["items"]
    assert (report["request_id"], report["status"], report["parts"], report["missing"]) == (7, "complete", 2, [])


async def test_a_part_that_is_refused_is_the_last(field: Field) -> None:
    station = limited()
    await read(field, station)
    command, part = await first_part(field, station)
    await answer(field, station, part, silent=["ClearVariableMonitoring"])
    await field.world.until(lambda: bool(station.unanswered))
    await told(field, station.unanswered.pop(), OUTCOME_REFUSED, error_code="InternalError", error_description="full")
    ended = await shown(field, command)
    assert (ended["status"], ended["outcome"]) == ("rejected", "partial")
    assert (ended["error_code"], ended["error_description"]) == ("InternalError", "part 2: full")
    assert ended["response"] == {"clearMonitoringResult": [{"status": "NotFound", "id": one} for one in (1, 2)]}
    assert ended["parts"] == {"count": 2, "items": 5, "sent": 4, "answered": 2, "results": 2}
    assert [one["outcome"] for one in await parts(field, ended)] == ["answered", "refused"]
    assert len(station.sent("ClearVariableMonitoring")) == 2


async def test_what_was_not_set_is_told_of_each_variable(field: Field) -> None:
    station = limited()
    await read(field, station)
    command, part = await first_part(field, station, "SetVariables")
    await answer(field, station, part, silent=["SetVariables"])
    await field.world.until(lambda: bool(station.unanswered))
    lost = station.unanswered.pop()
    await told(field, lost, OUTCOME_TIMED_OUT)
    assert (await shown(field, command))["status"] == "expired"

    async def results() -> list[str]:
        view = await field.view(station, name="C")
        return [one["last_set"]["result"] for one in view["items"] if one["last_set"]]

    assert await results() == ["applied", "applied", "expired", "expired", "undeliverable"]
    await told(
        field, lost, OUTCOME_LATE, payload=orjson.dumps(station.answer("SetVariables", orjson.loads(lost.payload)))
    )
    late = await shown(field, command)
    assert (late["outcome"], late["parts"]["answered"]) == ("partial", 4)
    assert len(late["response"]["setVariableResult"]) == 4
    assert await results() == ["applied", "applied", "applied", "applied", "undeliverable"]
    await field.world.settled()
    steps = [one for one in field.world.announced("CommandChanged") if one.command_id == command["command_id"]]
    assert [enum_word(one, "outcome") for one in steps] == ["", "", "partial", "partial"]


async def test_a_station_that_goes_gets_no_more(field: Field) -> None:
    station = limited()
    await read(field, station)
    command, part = await first_part(field, station)
    await field.leave(station)
    await answer(field, station, part)
    ended = await shown(field, command)
    assert (ended["status"], ended["outcome"], ended["error_code"]) == ("expired", "partial", "Undelivered")
    assert len(station.sent("ClearVariableMonitoring")) == 1


async def test_a_station_that_has_come_back_gets_no_more_either(field: Field) -> None:
    station = limited()
    await read(field, station)
    command, part = await first_part(field, station)
    await field.reconnect(station)
    await answer(field, station, part)
    assert (await shown(field, command))["outcome"] == "partial"
    assert len(station.sent("ClearVariableMonitoring")) == 1


async def test_a_service_that_dies_between_parts_goes_on(field: Field) -> None:
    """An answer is read again; no part is sent twice."""
    station = limited()
    await read(field, station)
    command, part = await first_part(field, station)
    for commit in (True, False):
        await field.world.restart(commit=commit)
    await answer(field, station, part)
    await told(field, part, OUTCOME_ANSWERED, payload=b'{"clearMonitoringResult":[]}')
    ended = await shown(field, command)
    await field.world.restart(commit=False)
    await field.world.settled()
    assert (ended["status"], len(ended["response"]["clearMonitoringResult"])) == ("answered", 5)
    assert [one["id"] for one in station.sent("ClearVariableMonitoring")] == [[1, 2], [3, 4], [5]]


async def test_a_part_whose_fate_nobody_knows_is_not_sent_again(field: Field) -> None:
    """The service died after it had committed the part, and before Kafka had it; or its answer was lost."""
    station = limited()
    await read(field, station)
    command, part = await first_part(field, station)
    await answer(field, station, part, silent=["ClearVariableMonitoring"])
    await field.world.until(lambda: bool(station.unanswered))
    field.world.time.passes((TURN + PATIENCE + timedelta(seconds=1)).total_seconds())
    ended = await shown(field, command)
    assert (ended["status"], ended["outcome"], ended["error_code"]) == ("expired", "partial", "NoResult")
    assert [one["outcome"] for one in await parts(field, ended)] == ["answered", "timed_out"]
    assert len(station.sent("ClearVariableMonitoring")) == 2


async def test_the_limit_of_the_day_counts(field: Field) -> None:
    """A station says less before the command is sent, and less again between two parts."""
    station = limited("4")
    await read(field, station)
    await field.leave(station)
    command = await ask(field, "GetVariables", {"getVariableData": variables()})
    limit = "DeviceDataCtrlr.ItemsPerMessage(GetVariables)"
    station.values[limit], station.silent = "3", frozenset({"GetVariables"})
    await tell_limit(field, station, limit)
    await field.reconnect(station)
    await field.world.until(lambda: bool(station.unanswered))
    station.values[limit] = "1"
    await tell_limit(field, station, limit)
    await answer(field, station, station.unanswered.pop())
    assert (await shown(field, command))["status"] == "answered"
    assert [len(one["getVariableData"]) for one in station.sent("GetVariables")] == [3, 1, 1]


async def tell_limit(field: Field, station: New, name: str) -> None:
    """In a report that nobody asked for."""
    part = {"requestId": 99, "generatedAt": "2026-03-01T12:00:00Z", "seqNo": 0, "tbc": False}
    field.world.time.passes(1)
    await field.world.put(
        field.world.call("NotifyReport", part | {"reportData": [station._item(name)]}, station.id, "2.0.1")
    )


async def test_other_commands_pass_between_parts_and_those_of_the_same_things_wait(field: Field) -> None:
    """A value that is set later counts; and a driver does not wait for a thousand variables."""
    station = limited()
    await read(field, station)
    _, part = await first_part(field, station, "SetVariables")
    later = await ask(field, "SetVariables", {"setVariableData": [place("C4.V") | {"attributeValue": "9"}]})
    order = {"operationalStatus": "Operative"}
    assert (await ask(field, "ChangeAvailability", order, wait=10))["status"] == "answered"
    assert later["status"] == "accepted"
    await answer(field, station, part)
    assert (await shown(field, later))["status"] == "answered"
    assert station.values["C4.V"] == "9"
    assert [len(one["setVariableData"]) for one in station.sent("SetVariables")] == [2, 2, 1, 1]


async def test_of_two_processes_one_sends_a_station_what_could_be_cut(field: Field) -> None:
    """The other looks again when that is committed, so that nothing gets between parts."""
    station, database = limited(), field.world.database
    await read(field, station)
    async with database.transaction() as one:
        assert await store.hold(one, ["CP1"]) == set()
        async with database.connection() as other:
            assert await store.hold(other, ["CP2"]) == set()
            await other.execute("set lock_timeout = 1")
            with pytest.raises(asyncpg.LockNotAvailableError):
                await other.execute(store.HOLD, ["CP1"])
            await other.execute("reset lock_timeout")
    await first_part(field, station)
    async with database.transaction() as one:
        assert await store.hold(one, ["CP1", "CP2"]) == {"CP1"}


async def test_what_waits_too_long_says_for_what(field: Field) -> None:
    station = limited()
    await read(field, station)
    await first_part(field, station, "SetVariables")
    later = await ask(field, "GetVariables", {"getVariableData": variables(1)})
    field.world.time.passes(61)
    ended = await shown(field, later)
    assert (ended["status"], ended["outcome"]) == ("expired", "expired")
    assert "in parts" in ended["error_description"]


async def test_a_command_in_parts_can_be_cancelled(field: Field) -> None:
    station = limited()
    await read(field, station)
    command, part = await first_part(field, station)
    path = f"/v1/commands/{command['command_id']}/cancel"
    assert (await field.world.http.post(path)).json()["status"] == "sent"
    await answer(field, station, part)
    ended = await shown(field, command)
    assert (ended["status"], len(ended["response"]["clearMonitoringResult"])) == ("cancelled", 2)
    assert len(station.sent("ClearVariableMonitoring")) == 1
    assert (await field.world.http.post(path)).status_code == 200


async def test_the_same_request_again_is_the_same_command(field: Field) -> None:
    station = limited()
    await read(field, station)
    station.silent = frozenset({"GetVariables"})
    first = await ask(field, "GetVariables", key="once")
    await field.world.until(lambda: bool(station.unanswered))
    assert (await ask(field, "GetVariables", key="once"))["command_id"] == first["command_id"]
    await answer(field, station, station.unanswered.pop())
    assert (await shown(field, first))["status"] == "answered"
    again = await ask(field, "GetVariables", key="once")
    assert (again["command_id"], again["status"]) == (first["command_id"], "answered")
    assert len(station.sent("GetVariables")) == 3


async def test_a_command_to_many_is_cut_for_each(field: Field) -> None:
    station, plain = limited(), New("CP2", {"C0.V": "1"})
    await read(field, station)
    await read(field, plain)
    body = {"stations": ["CP1", "CP2"], "payload": payload_of("GetVariables")}
    batch = (await field.world.http.post("/v1/commands/GetVariables", json=body, params={"wait": 10})).json()
    assert batch["by_status"] == {"answered": 2}
    assert [len(one.sent("GetVariables")) for one in (station, plain)] == [3, 1]
    assert sorted(bool(one["parts"]) for one in batch["commands"]["items"]) == [False, True]


async def test_settings_that_are_put_wait_for_a_command_in_parts(field: Field) -> None:
    station = limited()
    await read(field, station)
    command, part = await first_part(field, station, "SetVariables")
    asked = await put(field, station, {"C4.V": "9"}, wait=0)
    assert asked.json()["settings"][0]["result"] == "pending"
    await answer(field, station, part)
    view = await field.view(station, lambda view: values(view)["C4.V"] == "9")
    assert (await shown(field, command))["status"] == "answered"
    assert {one["name"]: one["last_set"] for one in view["items"]}["C4.V"]["result"] == "applied"
