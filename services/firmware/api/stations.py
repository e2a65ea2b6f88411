"""REST of firmware: the inventory, and who is let in."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from services.common.commands.service import CommandService
from services.common.postgres.announcer import Announcer
from services.common.postgres.database import Database
from services.common.process.clock import Clock
from services.common.web.access import Access, Author
from services.common.web.fields import StationId
from services.common.web.openapi import problem_responses
from services.common.web.pages import Cursor, Limit, Page, read_time_cursor, write_time_cursor
from services.common.web.problems import Problem
from services.firmware import deviations_store, reads
from services.firmware.announcements import boot_order_changed, connector_removed
from services.firmware.api import history, listing, refusals
from services.firmware.api.views import BootOrder, BootView, RefusedView, StationDetailView, StationView
from services.firmware.domain.station import Place
from services.firmware.listing import query
from services.firmware.rights import OPERATE, READ

MISSING = "the station is not registered and has never connected"
NO_CONNECTOR = "the station has no such connector"
Number = Annotated[int, Path(ge=0, le=2**31 - 1)]


def router(
    database: Database, access: Access, announcer: Announcer, command_service: CommandService, clock: Clock
) -> APIRouter:
    """Everything under /v1/stations."""
    all_ = APIRouter()
    read = access.require(READ)
    for routes, requirement in (
        (listing.routes(database), access.require(READ, filtered=True)),
        (refusals.routes(database), read),
        (history.routes(database), read),
        (_read_routes(database, command_service), read),
        (_write_routes(database, announcer, clock), access.require(OPERATE)),
    ):
        all_.include_router(routes, prefix="/v1/stations", tags=["stations"], dependencies=[requirement])
    return all_


def _read_routes(database: Database, command_service: CommandService) -> APIRouter:
    routes = APIRouter()

    @routes.get("/{station_id}", responses=problem_responses({404: MISSING}))
    async def station(station_id: StationId) -> StationDetailView:
        """One station."""
        found = await _station(database, station_id)
        async with database.connection() as db:
            known = await deviations_store.one(db, station_id)
        return StationDetailView.detailed(found, known, await command_service.callback(station_id))

    @routes.get("/{station_id}/refused")
    async def refused(station_id: StationId, limit: Limit = 50, cursor: Cursor = None) -> Page[RefusedView]:
        """Messages of the station that were refused, or could not be answered, newest first; a hundred are kept."""
        before = read_time_cursor(cursor, str)
        async with database.list_connection() as db:
            found = await deviations_store.refused(db, station_id, before, limit + 1)
        items = [RefusedView.model_validate(one) for one in found[:limit]]
        last = items[-1] if len(found) > limit else None
        return Page(items=items, next=write_time_cursor(last.received_at, last.id) if last else None)

    @routes.get("/{station_id}/boots")
    async def boots(station_id: StationId, limit: Limit = 50, cursor: Cursor = None) -> Page[BootView]:
        """How the station booted, newest first."""
        before = read_time_cursor(cursor, str)
        async with database.list_connection() as db:
            found = await reads.boots(db, station_id, before, limit + 1)
        items = [BootView.of(boot) for boot in found[:limit]]
        last = items[-1] if len(found) > limit else None
        return Page(items=items, next=write_time_cursor(last.received_at, last.id) if last else None)

    return routes


def _write_routes(database: Database, announcer: Announcer, clock: Clock) -> APIRouter:
    routes = APIRouter()

    @routes.put("/{station_id}/boot")
    async def order(station_id: StationId, author: Author, wanted: BootOrder) -> StationView:
        """Sets the answer to the next boot of the station, which may be one that has never connected."""
        now = clock()
        async with database.transaction() as db:
            await reads.set_boot_order(db, station_id, wanted.status, wanted.interval, author)
            event = boot_order_changed(station_id, wanted.status, wanted.interval, now, author)
            await announcer.add(db, event, station_id, now)
        announcer.wake()
        return await _station(database, station_id)

    @routes.delete("/{station_id}/boot", responses=problem_responses({404: MISSING}))
    async def withdraw(station_id: StationId, author: Author) -> StationView:
        """Withdraws the order: the station is answered as before it, or else by default."""
        now = clock()
        async with database.transaction() as db:
            if await reads.withdraw_boot_order(db, station_id, author):
                await announcer.add(db, boot_order_changed(station_id, None, None, now, author), station_id, now)
        announcer.wake()
        return await _station(database, station_id)

    @routes.delete(
        "/{station_id}/connectors/{evse_id}/{connector_id}",
        status_code=204,
        responses=problem_responses({404: NO_CONNECTOR}),
    )
    async def remove_connector(
        station_id: StationId,
        author: Author,
        evse_id: Number,
        connector_id: Number,
        existed: Annotated[bool, Query(description="false: there never was one, and nothing of it counts")] = True,
    ) -> None:
        """Takes a connector out of the inventory that the station no longer has; its uptime counts until now.

        Connector 0 is the EVSE itself, 0/0 the station: what it said of itself counts for its connectors until now, or
        with existed=false never did. One that the station tells of again is there again.
        """
        place, now = Place(evse_id, connector_id), clock()
        async with database.transaction() as db:
            if not await reads.remove_connector(db, station_id, place, now, existed=existed):
                raise Problem(404, NO_CONNECTOR)
            event = connector_removed(station_id, place, existed, now, author)
            await announcer.add(db, event, station_id, now)
        announcer.wake()

    return routes


async def _station(database: Database, station_id: str) -> StationView:
    async with database.list_connection() as db:
        found = await query.one(db, station_id)
        if found is None:
            raise Problem(404, MISSING)
        return (await listing.views(db, [found]))[0]
