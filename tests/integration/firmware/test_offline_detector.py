"""Stations whose gateway was killed go offline, and nobody else does."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.process.errors import Unavailable
from services.common.testing.assignments import unassigned
from services.firmware import store
from services.firmware.offline_detector import OfflineDetector
from services.firmware.settings import Settings
from tests.integration.common.running import START, Running
from tests.patience import GIVE_UP
from voltbus.v1.bus_pb2 import CONNECTION_STATE_ALIVE, CONNECTION_STATE_CONNECTED

SILENCE = timedelta(seconds=150)


def detector(
    firmware: Running, settings: Settings, silence: timedelta = SILENCE, caught_up: Any = None
) -> OfflineDetector:
    events = Events(settings, "firmware", unassigned)
    return OfflineDetector(
        database=firmware.database,
        events=events,
        silence=silence,
        caught_up=caught_up or firmware.bus.ready,
        wake=lambda: None,
        clock=firmware.time,
    )


async def online(firmware: Running) -> list[str]:
    return [item["station_id"] for item in (await firmware.get("/v1/stations", online=True))["items"]]


async def test_who_is_silent_goes_offline_once(firmware: Running, settings: Settings) -> None:
    await firmware.put(*(firmware.change(CONNECTION_STATE_CONNECTED, f"CP{n}") for n in range(3)))
    firmware.time.passes(100)
    await firmware.put(firmware.change(CONNECTION_STATE_ALIVE, "CP0"), firmware.call("Heartbeat", {}, "CP1"))
    firmware.time.passes(51)
    sweep = detector(firmware, settings)
    assert await sweep.once() == 1
    assert await sweep.once() == 0
    await firmware.settled()
    assert await online(firmware) == ["CP0", "CP1"]
    [event] = firmware.announced("StationDisconnected")
    assert event.station_id == "CP2"
    shown = await firmware.get("/v1/stations/CP2")
    assert shown["disconnected_at"] == "2026-03-01T12:02:31Z"


async def test_who_was_silent_comes_back(firmware: Running, settings: Settings) -> None:
    await firmware.put(firmware.change(CONNECTION_STATE_CONNECTED))
    firmware.time.passes(151)
    await detector(firmware, settings).once()
    firmware.time.passes(1)
    await firmware.put(firmware.change(CONNECTION_STATE_ALIVE))
    assert await online(firmware) == ["CP1"]
    kinds = [e.DESCRIPTOR.name for e in firmware.announced()]
    assert kinds == ["StationConnected", "StationDisconnected", "StationConnected"]
    ids = {dict(record.headers)["ce_id"] for record in firmware.bus.all("events.firmware")}
    assert len(ids) == 3


async def test_more_than_one_handful(firmware: Running, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "SILENT_AT_ONCE", 2)
    await firmware.put(*(firmware.change(CONNECTION_STATE_CONNECTED, f"CP{n}") for n in range(5)))
    firmware.time.passes(151)
    await detector(firmware, settings)._turn()
    await firmware.settled()
    assert len(firmware.announced("StationDisconnected")) == 5


async def test_a_deaf_service_takes_nobody_offline(firmware: Running, settings: Settings) -> None:
    """What was missed is no proof: silence counts from when gateways are heard again."""
    await firmware.put(firmware.change(CONNECTION_STATE_CONNECTED))
    ears = {"caught_up": False, "asked": 0}
    asked = asyncio.Event()

    async def caught_up() -> bool:
        ears["asked"] += 1
        asked.set()
        return bool(ears["caught_up"])

    async def looked(times: int) -> None:
        goal = ears["asked"] + times
        while ears["asked"] < goal:
            asked.clear()
            await asyncio.wait_for(asked.wait(), GIVE_UP)

    task = asyncio.create_task(detector(firmware, settings, timedelta(seconds=0.2), caught_up).run())
    try:
        firmware.time.passes(3600)
        await looked(3)
        assert await online(firmware) == ["CP1"]
        ears["caught_up"] = True
        await looked(3)
        assert await online(firmware) == ["CP1"]
        firmware.time.passes(1)
        await looked(3)
        assert await online(firmware) == []
    finally:
        task.cancel()


async def test_a_station_that_is_being_heard_of_is_left_alone(firmware: Running, settings: Settings) -> None:
    """A batch that holds the station's row."""
    await firmware.put(firmware.change(CONNECTION_STATE_CONNECTED))
    firmware.time.passes(151)
    async with firmware.database.transaction() as db:
        await store.load_stations(db, {"CP1"})
        assert await detector(firmware, settings).once() == 0


async def test_a_database_that_is_away_refuses_nobody(firmware: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Infrastructure is never a verdict: the batch is tried again, and the station gets its answer then."""
    failures = iter(range(2))
    real = store.save_boots

    async def broken(*given: Any) -> None:
        if next(failures, None) is not None:
            raise Unavailable("Postgres: gone")
        await real(*given)

    monkeypatch.setattr(store, "save_boots", broken)
    boot = firmware.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
    assert (await firmware.ask(boot))["status"] == "Accepted"
    assert len(firmware.replies()) == 1
    assert not firmware.dead()


async def test_two_processes_on_one_station(firmware: Running) -> None:
    """While a group moves partitions, two may hold a station for a moment: one waits for the other."""
    await firmware.put(firmware.change(CONNECTION_STATE_CONNECTED))
    held, asked = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with firmware.database.transaction() as db:
            known = await store.load_stations(db, {"CP1"})
            held.set()
            await asked.wait()
            await store.save_stations(db, {}, known.values())

    async def second() -> Record:
        await held.wait()
        change = firmware.change(CONNECTION_STATE_ALIVE, at=START + timedelta(seconds=60))
        await firmware.bus.publish([change])
        asked.set()
        await firmware.settled()
        return change

    await asyncio.gather(first(), second())
    assert await online(firmware) == ["CP1"]
