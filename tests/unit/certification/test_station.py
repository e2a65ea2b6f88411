"""The station of a certification case fails where the CSMS says what it may not."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import websockets
from websockets.asyncio.server import ServerConnection, serve

from tests.certification.station import Broken, Station, broken_rules

RESET = [2, "1", "Reset", {"type": "OnIdle"}]
TIME = "2026-03-01T12:00:00Z"


@asynccontextmanager
async def csms(*frames: Any, replies: dict[str, Any] | None = None) -> AsyncIterator[Station]:
    """A connected station, whose CSMS sends these frames at once, and then answers every CALL by its action."""

    async def play(connection: ServerConnection) -> None:
        for frame in frames:
            await connection.send(json.dumps(frame))
        async for text in connection:
            kind, message_id, *rest = json.loads(text)
            if kind == 2:
                answer = (replies or {})[rest[0]]
                await connection.send(json.dumps([answer[0], message_id, *answer[1:]]))

    async with serve(play, "127.0.0.1", 0, subprotocols=[websockets.Subprotocol("ocpp2.0.1")]) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        station = Station("CP", "a password", f"ws://127.0.0.1:{port}", patience=5)
        await station.connect()
        yield station
        # What it may complain of, the test has seen.
        with suppress(AssertionError):
            await station.close()


async def test_what_is_right() -> None:
    async with csms(RESET, replies={"Heartbeat": [3, {"currentTime": TIME}]}) as station:
        assert await station.expects("Reset") == {"type": "OnIdle"}
        assert await station.call("Heartbeat") == {"currentTime": TIME}
        await station.close()


async def test_another_call_than_the_case_expects() -> None:
    async with csms(RESET) as station:
        with pytest.raises(AssertionError, match="expected ClearCache, came Reset"):
            await station.expects("ClearCache")


async def test_a_call_that_the_case_does_not_have() -> None:
    async with csms(RESET, replies={"Heartbeat": [3, {"currentTime": TIME}]}) as station:
        await station.call("Heartbeat")
        with pytest.raises(AssertionError, match="the CSMS sent Reset, which the case does not have"):
            await station.close()


async def test_nothing_comes() -> None:
    async with csms() as station:
        station.patience = 0.01
        with pytest.raises(AssertionError, match="expected Reset, and nothing came"):
            await station.expects("Reset")
        await station.close()


async def test_the_connection_ends() -> None:
    async with csms() as station:
        waiting = asyncio.ensure_future(station.expects("Reset"))
        await asyncio.sleep(0)
        await station.close()
        with pytest.raises(AssertionError, match="expected Reset, and the connection ended"):
            await waiting


Step = Callable[[Station], Awaitable[Any]]
WRONG: dict[str, tuple[list[Any], Step]] = {
    "a payload that breaks its schema": ([[2, "1", "Reset", {"type": "Soft"}]], lambda one: one.expects("Reset")),
    "a message id that is too long": ([[2, "1" * 37, "Reset", {"type": "OnIdle"}]], lambda one: one.expects("Reset")),
    "an answer to nothing": ([[3, "1", {}]], lambda one: one.expects("Reset")),
    "two at a time": (
        [RESET, [2, "2", "ClearCache", {}]],
        lambda one: one.next_call("ClearCache"),
    ),
}


@pytest.mark.parametrize(("frames", "step"), WRONG.values(), ids=WRONG)
async def test_what_the_csms_may_not_say(frames: list[Any], step: Step) -> None:
    async with csms(*frames) as station:
        with pytest.raises(AssertionError):
            await step(station)
        with pytest.raises(Broken):
            await station.close()


async def test_answers_that_are_wrong() -> None:
    for wrong in ([3, {}], [3, {"currentTime": "noon"}]):
        async with csms(replies={"Heartbeat": wrong}) as station:
            with pytest.raises(Broken, match="the answer to Heartbeat"):
                await station.call("Heartbeat")
            await station.close()


async def test_an_answer_that_is_an_error() -> None:
    replies = {"Heartbeat": [4, "SecurityError", "", {}], "ReservationStatusUpdate": [3, {}]}
    async with csms(replies=replies) as station:
        assert await station.refused("Heartbeat") == "SecurityError"
        update = {"reservationId": 1, "reservationUpdateStatus": "Expired"}
        with pytest.raises(AssertionError, match="was to be refused"):
            await station.refused("ReservationStatusUpdate", update)
        await station.close()


async def test_the_case_itself_keeps_to_the_schemas() -> None:
    async with csms(RESET) as station:
        with pytest.raises(AssertionError, match="the case says a Heartbeat"):
            await station.call("Heartbeat", {"currentTime": TIME})
        with pytest.raises(AssertionError, match="the case answers Reset"):
            await station.expects("Reset", {"status": "Perhaps"})
        await station.close()


def test_the_general_conditions() -> None:
    periods = [{"startPeriod": start, "limit": 6} for start in (0, 60)]
    one_phase = {"startPeriod": 0, "numberPhases": 1, "phaseToUse": 2}
    for good in (periods, [one_phase]):
        assert not list(broken_rules({"a": [{"chargingSchedulePeriod": good}]}))
    for bad in (periods[::-1], [{**one_phase, "numberPhases": 3}]):
        assert len(list(broken_rules({"a": [{"chargingSchedulePeriod": bad}]}))) == 1
