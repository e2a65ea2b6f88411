"""The station log put together."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter

from services.common.calls.stations import Stations
from services.common.kafka.bus import Bus
from services.common.postgres.database import Database
from services.common.process.service import Step
from services.common.web.access import Access
from services.firmware.frame_log import api
from services.firmware.frame_log.compaction import Compaction
from services.firmware.frame_log.reading import readers
from services.firmware.frame_log.selection import Selection
from services.firmware.frame_log.tail import Tails
from services.firmware.frame_log.writer import FrameWriter
from services.firmware.settings import Settings
from services.ocpp import topics
from services.ocpp.services import SERVICES


@dataclass(frozen=True, slots=True)
class FrameLog:
    """router: its REST. tasks: of the process. stop: see FrameWriter; also ends whoever follows a log."""

    router: APIRouter
    tasks: Mapping[str, Step]
    stop: Step


def wire(settings: Settings, bus: Bus, database: Database, stations: Stations, access: Access) -> FrameLog:
    """Where the log is off, what was kept before is still shown, until it is old."""
    selection = Selection(
        everyone=settings.frame_log == "all",
        station_ids=frozenset(settings.frame_log_stations),
        groups=frozenset(settings.frame_log_groups),
        groups_of=lambda station_id: stations.registration(station_id).groups,
    )
    stopping = asyncio.Event()
    calls = frozenset(settings.topic(topics.calls(service).name) for service in SERVICES)
    reads = {
        topic: read for topic, read in readers(settings.topic).items() if selection.any_whole or topic not in calls
    }
    writer = FrameWriter(bus, database, reads, selection, by_station=frozenset() if selection.everyone else calls)
    on = settings.frame_log != "off"

    async def write() -> None:
        # Their groups say whose frames are kept.
        await stations.wait()
        await writer.run()

    async def stop() -> None:
        stopping.set()
        if on:
            await writer.stop()

    tasks: dict[str, Step] = {"frame_segments": Compaction(database).run}
    return FrameLog(
        router=api.router(database, Tails(database, stopping), access),
        tasks=tasks | ({"frame_log": write} if on else {}),
        stop=stop,
    )
