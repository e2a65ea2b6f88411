"""Several devices with one id: the newer one wins a few times, then the one that answers; nobody is locked out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus

from services.common.process.sparing import Sparing, SparingLogger
from services.gateway import strangers
from services.gateway.cluster import contests
from services.gateway.cluster.contests import FORGOTTEN_AFTER, FREE_FOR, MOST, Contests
from services.gateway.cluster.memory import MemoryDirectory
from services.gateway.pressure.hold import Hold
from services.gateway.pressure.reconnects import Reconnects
from services.gateway.timing import Timing
from services.ocpp.passwords import keyed
from tests.unit.gateway.examples import call
from tests.unit.gateway.running import HeldBus, Running, ask, closed, running, until
from tests.unit.gateway.wire import TEXT, raw
from voltbus.v1.bus_pb2 import RefusedHandshakes

HEARTBEAT = call("hb", "Heartbeat", {})
QUICK = Timing(tick=0.02, probe_timeout=0.1, close_timeout=0.1)
PATIENT = Timing(tick=0.02)


async def refused(one: Running, **options: Any) -> tuple[int, str]:
    """The status of the answer, and how long the device is to wait."""
    with pytest.raises(InvalidStatus) as caught:
        await one.connect(**options)
    return caught.value.response.status_code, caught.value.response.headers["Retry-After"]


async def taken_over(one: Running, standing: ClientConnection, times: int = 1) -> ClientConnection:
    """Each time a device that is alive is replaced by another one."""
    for _ in range(times):
        before, standing = standing, await one.connect(ping_interval=None)
        assert await closed(before) == 1000
        await before.wait_closed()
        await until(lambda: not one.gateway.registry._closing)
    return standing


@asynccontextmanager
async def contested(timing: Timing = PATIENT, **settings: Any) -> AsyncIterator[tuple[Running, ClientConnection]]:
    """A gateway on which two devices have replaced each other as often as they may; and the one that is there."""
    async with running(timing=timing, **settings) as one:
        yield one, await taken_over(one, await one.connect(ping_interval=None), 3)


async def test_after_three_takeovers_the_one_that_is_there_stays() -> None:
    async with contested() as (one, standing):
        assert await refused(one) == (503, "10")
        assert await refused(one) == (503, "20")
        assert (await ask(standing, HEARTBEAT))[0] == 3
        assert one.gateway.rivals._contests.count == 1
        await standing.close()


@pytest.mark.parametrize("end", ["close", "abort"])
async def test_one_whose_end_waits_behind_what_is_not_read_yet_is_no_rival(end: str) -> None:
    """It sends much without waiting, is cut off, and comes back at once."""
    async with running(timing=PATIENT) as one:
        for _ in range(4):
            socket = await one.connect(ping_interval=None)
            wire = one.websocket()
            wire.pause(Hold.RATE)
            socket.transport.write(raw(TEXT, HEARTBEAT))
            getattr(socket.transport, end)()
            await until(lambda: wire.hung_up)  # noqa: B023
        async with await one.connect() as last:
            assert (await ask(last, HEARTBEAT))[0] == 3
        assert one.gateway.rivals._contests.count == 0
        assert not one.gateway.rivals._contests._contests


async def test_an_operator_sees_both() -> None:
    async with contested() as (one, standing):
        await refused(one)
        await until(lambda: one.bus.all("ocpp.refusals"))
        [told] = RefusedHandshakes.FromString(one.bus.all("ocpp.refusals")[0].value or b"").handshakes
        assert (told.station_id, told.reason, told.remote_address) == ("CP1", "id_in_use", "127.0.0.1")
        replaced = [change.reason for change in one.changes() if change.reason]
        assert replaced == ["closed by the gateway (1000): replaced by a newer connection from 127.0.0.1"] * 3
        await standing.close()


async def test_the_log_says_from_where_the_other_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is not on this gateway, or has just gone."""
    monkeypatch.setattr(strangers, "log", SparingLogger(Sparing(10, 1)))
    async with contested() as (one, standing):
        with capture_logs() as lines:
            await refused(one)
            await standing.close()
            await until(lambda: not one.gateway.registry._closing and not len(one.gateway.registry))
            await refused(one)
    told = [line["other"] for line in lines if line["event"] == "refused: another device has this id"]
    assert told == ["127.0.0.1", "127.0.0.1"]


async def test_who_goes_lets_the_other_in() -> None:
    async with contested() as (one, standing):
        await refused(one)
        await standing.close()
        await until(lambda: not one.gateway.registry._closing and not len(one.gateway.registry))
        await refused(one)
        rivals = one.gateway.rivals
        await until(lambda: rivals._contests.is_free("CP1", rivals._monotonic()))
        async with await one.connect() as other:
            assert (await ask(other, HEARTBEAT))[0] == 3


async def test_a_station_that_comes_back_after_a_power_cut_is_not_locked_out() -> None:
    """Its old socket does not answer: neither to the close frame of a takeover, nor to a ping."""
    async with contested(QUICK) as (one, standing):
        standing.transport.pause_reading()
        assert (await refused(one))[0] == 503
        await until(lambda: len(one.gateway.registry) == 0)
        await until(lambda: one.changes()[-1].reason == "the station did not answer a ping")
        rivals = one.gateway.rivals
        await refused(one)
        await until(lambda: rivals._contests.is_free("CP1", rivals._monotonic()))
        async with await one.connect() as again:
            assert (await ask(again, HEARTBEAT))[0] == 3
        standing.transport.abort()


async def test_one_that_loses_its_network_again_and_again_is_no_contest() -> None:
    async with running(timing=QUICK) as one:
        dead = []
        for _ in range(8):
            socket = await one.connect(ping_interval=None)
            socket.transport.pause_reading()
            dead.append(socket)
        async with await one.connect() as alive:
            assert (await ask(alive, HEARTBEAT))[0] == 3
        assert one.gateway.rivals._contests.count == 0
        for socket in dead:
            socket.transport.abort()


async def test_the_newer_one_always_wins_where_that_is_set() -> None:
    async with running(timing=PATIENT, takeovers=0) as one:
        standing = await taken_over(one, await one.connect(), 6)
        assert (await ask(standing, HEARTBEAT))[0] == 3
        await standing.close()


async def test_on_two_gateways_it_comes_to_rest_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contests, "ASKED_EVERY", 0.05)
    bus, directory = HeldBus(), MemoryDirectory()
    async with running(bus, directory, QUICK) as here, running(bus, directory, QUICK) as there:
        standing, gateways, turns = await here.connect(ping_interval=None), [there, here], 0
        on = here
        for turns in range(20):
            try:
                newer = await gateways[turns % 2].connect(ping_interval=None)
            except InvalidStatus as error:
                assert error.response.status_code == 503  # noqa: PT017
                break
            assert await closed(standing) == 1000
            await standing.wait_closed()
            standing, on = newer, gateways[turns % 2]
            await until(lambda: not here.gateway.registry._closing and not there.gateway.registry._closing)
        assert 3 <= turns <= 6
        assert (await ask(standing, HEARTBEAT))[0] == 3
        other = gateways[turns % 2]
        assert other is not on
        # It is asked, on the other gateway, and does not answer any more.
        standing.transport.pause_reading()
        rivals = other.gateway.rivals
        while not rivals._contests.is_free("CP1", rivals._monotonic()):
            assert (await refused(other))[0] == 503
            await asyncio.sleep(0.05)
        async with await other.connect() as again:
            assert (await ask(again, HEARTBEAT))[0] == 3
        standing.transport.abort()


async def test_one_that_connects_in_a_loop_is_slowed_down() -> None:
    async with running(reconnects=3) as one:
        for _ in range(3):
            await (await one.connect()).close()
        assert await refused(one) == (429, "20")
        async with await one.connect("CP2") as other:
            assert (await ask(other, HEARTBEAT))[0] == 3


async def test_who_has_no_password_uses_up_nothing() -> None:
    async with running(reconnects=1) as one:
        await one.register(password_hash=keyed(b"k", b"right"))
        for _ in range(3):
            with pytest.raises(InvalidStatus):
                await one.connect()
        async with await one.connect(additional_headers={"Authorization": "Basic Q1AxOnJpZ2h0"}) as socket:
            assert (await ask(socket, HEARTBEAT))[0] == 3


def test_what_is_long_ago_is_forgotten() -> None:
    known = Contests(3)
    for at in (0.0, 1.0, 2.0):
        known.taken_over("CP1", at)
    assert known.contested("CP1", 3)
    assert not known.contested("CP2", 3)
    assert known.contested("CP1", 2 + FORGOTTEN_AFTER - 1)
    known.refused("CP1", 100, alive=True)
    assert known.contested("CP1", 2 + FORGOTTEN_AFTER)
    known.refused("CP1", 600, alive=False)
    assert not known.contested("CP1", 100 + FORGOTTEN_AFTER)
    known.forget(100 + FORGOTTEN_AFTER)
    assert known.count == 0
    assert known.taken_over("CP1", 2000) == 1


def test_where_the_other_one_is_from_is_known_until_it_is_told_anew() -> None:
    known = Contests(1)
    known.taken_over("CP1", 0)
    assert known.other("CP1") == ""
    known.taken_over("CP1", 1, "10.0.0.1")
    known.taken_over("CP1", 2)
    assert known.other("CP1") == "10.0.0.1"


def test_who_is_let_in_is_so_for_a_while() -> None:
    known = Contests(1)
    known.taken_over("CP1", 0)
    assert known.asks("CP1", 1)
    assert not known.asks("CP1", 2)
    known.free("CP1", 2)
    known.free("CP2", 2)
    assert known.is_free("CP1", 2 + FREE_FOR - 1)
    assert not known.is_free("CP1", 2 + FREE_FOR)
    assert known.asks("CP1", 100)


def test_devices_wait_longer_and_not_for_ever() -> None:
    known = Contests(1)
    known.taken_over("CP1", 0)
    assert [known.refused("CP1", 1, alive=True) for _ in range(7)] == [10, 20, 40, 80, 160, 300, 300]


def test_contests_are_bounded() -> None:
    known = Contests(1)
    for number in range(MOST + 5):
        known.taken_over(str(number), number)
    assert known.count == MOST


def test_connections_a_minute() -> None:
    reconnects = Reconnects(60)
    assert [reconnects.wait("CP1", 0) for _ in range(60)] == [0] * 60
    assert reconnects.wait("CP1", 0) == 1
    assert reconnects.wait("CP1", 1) == 0
    assert reconnects.wait("CP1", 1.5) == 0.5
    assert reconnects.wait("CP2", 1) == 0
    assert [reconnects.wait("CP1", 100) for _ in range(60)] == [0] * 60
    reconnects.forget(130)
    assert [*reconnects._left] == ["CP1"]
    reconnects.forget(160)
    assert not reconnects._left
    assert Reconnects(0).wait("CP1", 0) == 0
