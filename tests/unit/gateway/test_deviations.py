"""What is told of a connection's deviations, and when."""

import json

from services.gateway.deviations import MOST_KINDS, MOST_REFUSED, Deviations
from services.gateway.timing import Timing
from services.ocpp.deviations import Deviation, Told
from tests.unit.gateway.examples import VERSIONS, call
from tests.unit.gateway.running import QUICK, ask, read, running, until
from voltbus.v1.bus_pb2 import CONNECTION_STATE_ALIVE, CONNECTION_STATE_DISCONNECTED, ConnectionChange


def told(found: Deviations) -> list[tuple[str, str, str, int]]:
    return [(one.action, one.kind, one.path, one.times) for one in found.take()]


def test_they_are_counted_until_they_are_told() -> None:
    found = Deviations()
    assert found.add("Heartbeat", [Told(Deviation.NULL, "a", 1), Told(Deviation.NULL, "b", 2)])
    assert not found.add("Heartbeat", [Told(Deviation.NULL, "a", 3)])
    assert told(found) == [("Heartbeat", "null", "a", 4), ("Heartbeat", "null", "b", 2)]
    assert told(found) == []
    assert not found.add("Heartbeat", [Told(Deviation.NULL, "a", 1)])
    assert told(found) == [("Heartbeat", "null", "a", 1)]


def test_however_many_they_are_they_are_bounded_and_all_counted() -> None:
    found = Deviations()
    for number in range(1000):
        found.add("Heartbeat", [Told(Deviation.UNKNOWN_PROPERTY, str(number), 1)])
    counted = told(found)
    assert len(counted) == MOST_KINDS + 1
    assert sum(times for *_, times in counted) == 1000


def test_of_refused_messages_some_are_kept_between_two_reports() -> None:
    found = Deviations()
    assert sum(found.keeps_refused() for _ in range(1000)) == MOST_REFUSED
    found.take()
    assert found.keeps_refused()


async def test_what_is_new_is_told_at_once_and_the_rest_with_the_next_report() -> None:
    async with running(timing=QUICK, alive_interval=3600) as one:
        async with await one.connect() as socket:
            await ask(socket, call("1", "Heartbeat", {"mine": 1}))
            [change] = await _told(one, 1)
            assert change.state == CONNECTION_STATE_ALIVE
            assert [(d.action, d.kind, d.path, d.times) for d in change.deviations] == [
                ("Heartbeat", "unknown_property", "mine", 1)
            ]
            await ask(socket, call("2", "Heartbeat", {"mine": 1}))
        *_, last = await _told(one, 2)
        assert (last.state, last.deviations[0].times) == (CONNECTION_STATE_DISCONNECTED, 1)


async def test_a_refused_message_is_kept_as_it_came() -> None:
    frames = {
        "1.6": [call("1", "Authorize", {"idTag": []}), call("2", "Dance", {}), b"[2,", b'[2,"3",7,{}]'],
        "2.0.1": [call("1", "Authorize", {"idToken": 7}), call("2", "Dance", {}), b"[2,", b'[2,"3",7,{}]'],
    }
    frames["2.1"] = frames["2.0.1"]
    expected = [
        ("1", "Authorize", "TypeConstraintViolation"),
        ("2", "Dance", "NotImplemented"),
        ("", "", "RpcFrameworkError"),
        ("3", "", "RpcFrameworkError"),
    ]
    for version in VERSIONS:
        async with running(alive_interval=3600) as one, await one.connect(version=f"ocpp{version}") as socket:
            for frame in frames[version]:
                await socket.send(frame.decode())
            await until(lambda one=one: len(_refused(one.changes())) == 4)
            found = [change.refused for change in _refused(one.changes())]
            assert [(one.message_id, one.action, one.code) for one in found] == expected
            assert [one.frame.encode() for one in found] == frames[version]
            assert all(one.description for one in found)


async def test_a_refused_message_is_kept_in_bounds() -> None:
    long = json.dumps([2, "1", "Authorize", {"idTag": ["é" * 10_000]}]).encode()
    # No report comes between them.
    seldom = running(timing=Timing(tick=3600), alive_interval=3600, message_rate=0, byte_rate=0)
    async with seldom as one, await one.connect() as socket:
        for _ in range(30):
            await socket.send(long.decode())
        assert {read(await socket.recv())[0] for _ in range(30)} == {4}
        await until(lambda: len(_refused(one.changes())) == MOST_REFUSED)
        assert max(len(change.refused.frame) for change in _refused(one.changes())) == 8192


def _refused(changes: list[ConnectionChange]) -> list[ConnectionChange]:
    return [change for change in changes if change.HasField("refused")]


async def _told(one: object, count: int) -> list[ConnectionChange]:
    """The changes that tell of deviations, once there are so many."""
    found: list[ConnectionChange] = []

    def enough() -> bool:
        found[:] = [change for change in one.changes() if change.deviations]  # type: ignore[attr-defined]
        return len(found) >= count

    await until(enough)
    return found
