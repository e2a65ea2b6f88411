"""Which stations are known, and who was meant where a name is not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf

import pytest

from services.common.calls import stations as stations_module
from services.common.calls.stations import COMPARED, NOTHING_REPORTED, Capabilities, Stations
from services.common.kafka.bus import Record
from services.common.kafka.table import CompactedTable
from services.common.testing.memory import MemoryBus
from voltbus.v1 import state_pb2
from voltbus.v1.state_pb2 import Inventory, Registration

MANY = [f"CP{n:06}" for n in range(COMPARED)]


@asynccontextmanager
async def stations(*registered: str, here: str = "WALLBOX-7") -> AsyncIterator[tuple[Stations, MemoryBus]]:
    bus = MemoryBus()
    await bus.publish([registration(name) for name in registered])
    seen = Inventory(station_id=here, version="1.6")
    await bus.publish([Record("inventory", here.encode(), seen.SerializeToString())])
    known = Stations(bus, "registrations", "inventory")
    running = asyncio.create_task(known.run())
    await known.wait()
    yield known, bus
    running.cancel()


def registration(name: str) -> Record:
    return Record("registrations", name.encode(), Registration(station_id=name).SerializeToString())


async def test_known_is_who_is_registered_or_was_here() -> None:
    async with stations("CP1") as (known, _):
        assert await known.unknown(["CP1", "CP2", "WALLBOX-7"]) == ["CP2"]


async def test_who_was_registered_just_now_is_known() -> None:
    async with stations("CP1") as (known, bus):
        for n in range(2, 20):
            await bus.publish([registration(f"CP{n}")])
            assert await known.unknown([f"CP{n}"]) == []


async def test_who_was_registered_just_now_is_so_in_its_first_session() -> None:
    """Whatever others have asked for in the meantime."""
    async with stations() as (known, bus):
        for n in range(20):
            await known.catch_up(["UNREGISTERED"])
            await bus.publish([registration(f"CP{n}")])
            await known.catch_up(["UNREGISTERED", f"CP{n}"])
            assert f"CP{n}" in known


async def test_who_was_not_registered_is_asked_for_again_only_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """A station may be let in without a registration: its sessions must not ask Kafka in every batch."""
    asked = 0
    async with stations("CP1") as (known, _):
        catch_up = CompactedTable.catch_up

        async def counted(table: CompactedTable[object]) -> None:
            nonlocal asked
            asked += 1
            await catch_up(table)

        monkeypatch.setattr(CompactedTable, "catch_up", counted)
        monkeypatch.setattr(stations_module, "ASK_EVERY", inf)
        for _ in range(3):
            await known.catch_up(["CP1", "A", "B"])
        assert asked == 1
        await known.catch_up(["A", "C"])
        assert asked == 2
        monkeypatch.setattr(stations_module, "ASK_EVERY", 0)
        await known.catch_up(["A"])
        await known.catch_up(["CP1"])
        assert asked == 3


@pytest.mark.parametrize("others", [(), MANY], ids=["few", "many"])
@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("wallbox-7", "WALLBOX-7"),
        ("WALLBOX7", "WALLBOX-7"),
        ("WALLBOX-77", "WALLBOX-7"),
        ("WALBLOX-7", "WALLBOX-7"),
        ("WALLB0X-7", "WALLBOX-7"),
        ("ZÜRICH", None),
    ],
)
async def test_who_was_meant(others: list[str], said: str, meant: str | None) -> None:
    async with stations(*others) as (known, _):
        assert known.nearest(said) == meant


async def test_what_a_station_can_take_is_what_it_has_reported() -> None:
    """False, which it has said, is not nothing."""
    async with stations("CP1") as (known, bus):
        assert known.capabilities("CP1") == known.capabilities("WALLBOX-7") == NOTHING_REPORTED
        said = state_pb2.Capabilities(certificate_chain_size=5600, additional_root_certificate_check=False)
        value = Inventory(station_id="CP1", version="1.6", capabilities=said).SerializeToString()
        await bus.publish([Record("inventory", b"CP1", value)])
        await known.unknown(["CP2"])
        expected = Capabilities(certificate_chain_size=5600, additional_root_certificate_check=False)
        assert known.capabilities("CP1") == expected
