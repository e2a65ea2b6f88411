"""REST of transactions, their meter values, and orphans."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, TypeVar

import asyncpg
from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from services.common.postgres.database import Database
from services.common.web.access import Access, Groups
from services.common.web.fields import StationId
from services.common.web.openapi import problem_responses
from services.common.web.pages import (
    Cursor,
    Limit,
    Page,
    read_cursor,
    read_time_cursor,
    write_cursor,
    write_time_cursor,
)
from services.common.web.problems import Problem
from services.transactions import reads
from services.transactions.api import views
from services.transactions.api.fields import MISSING, READ, Number
from services.transactions.api.selection import Word, selected
from services.transactions.api.views import OrphanView, RevisionView, SampleView, StationSampleView, TransactionView
from services.transactions.reads import TransactionFilter

V = TypeVar("V", bound=BaseModel)


class TransactionPage(Page[TransactionView]):
    """Transactions, and from when on to ask for what changes."""

    updated_until: datetime | None = Field(
        description="all that was stored before is known: `updated_after` of the next poll. null: without "
        "updated_after, while something takes long to be stored"
    )


def router(database: Database, access: Access) -> APIRouter:
    """Transactions, samples and orphans, to read."""
    routes = APIRouter(prefix="/v1", tags=["transactions"])
    read, filtered = [access.require(READ)], [access.require(READ, filtered=True)]

    @routes.get("/transactions", dependencies=filtered)
    async def transactions(
        selection: Annotated[TransactionFilter, Depends(selected(database))],
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> TransactionPage:
        """Transactions, newest first.

        group, location_id: where its station was when its first report was received. authorization: the verdict on its
        idToken; a session without an idToken has none, see free_vend. billable: what is to be billed. started_…,
        stopped_…: by the station's clock, which may be wrong; received_…: when their start was received.
        updated_after: something was stored of them since: of those that go on with each report, of those that have
        ended with each revision. Who asks again and again gives the `updated_until` of the first page that was asked
        for before, with or without `updated_after`, and misses nothing.
        """
        position = read_cursor(cursor, int)
        selection = replace(selection, before=int(position[0]) if position else None)
        async with database.list_connection() as db:
            found = await reads.transactions(db, selection, limit + 1)
        last = write_cursor(found[limit - 1].id) if len(found) > limit else None
        items = [views.transaction(one) for one in found[:limit]]
        return TransactionPage(items=items, next=last, updated_until=selection.known_until)

    @routes.get("/transactions/{id}", dependencies=filtered, responses=problem_responses({404: MISSING}))
    async def transaction(groups: Groups, number: Number) -> TransactionView:
        """One transaction."""
        async with database.connection() as db:
            found = await reads.transaction(db, number, groups)
        if found is None:
            raise Problem(404, MISSING)
        return views.transaction(found)

    @routes.get("/transactions/{id}/samples", dependencies=filtered, responses=problem_responses({404: MISSING}))
    async def samples(groups: Groups, number: Number, limit: Limit = 100, cursor: Cursor = None) -> Page[SampleView]:
        """Its meter values, in the order of the station's clock."""
        async with database.list_connection() as db:
            if await reads.transaction(db, number, groups) is None:
                raise Problem(404, MISSING)
            rows = await reads.samples(db, number, read_time_cursor(cursor, int), limit + 1)
        return _page(rows, limit, views.sample)

    @routes.get("/transactions/{id}/revisions", dependencies=filtered, responses=problem_responses({404: MISSING}))
    async def revisions(
        groups: Groups, number: Number, limit: Limit = 100, cursor: Cursor = None
    ) -> Page[RevisionView]:
        """What was told of its end: 1 is TransactionEnded, each later one a TransactionRevised."""
        position = read_cursor(cursor, int)
        async with database.list_connection() as db:
            if await reads.transaction(db, number, groups) is None:
                raise Problem(404, MISSING)
            rows = await reads.revisions(db, number, int(position[0]) if position else 0, limit + 1)
        last = write_cursor(rows[limit - 1]["revision"]) if len(rows) > limit else None
        return Page(items=[views.revision(row) for row in rows[:limit]], next=last)

    @routes.get("/stations/{station_id}/samples", dependencies=read)
    async def station_samples(
        station_id: StationId, limit: Limit = 100, cursor: Cursor = None
    ) -> Page[StationSampleView]:
        """Meter values that belong to no transaction, newest first."""
        async with database.list_connection() as db:
            rows = await reads.station_samples(db, station_id, read_time_cursor(cursor, int), limit + 1)
        return _page(rows, limit, views.station_sample)

    @routes.get("/orphans", dependencies=read)
    async def orphans(
        station_id: Word = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[OrphanView]:
        """Stops of transactions that never began here, newest first."""
        position = read_cursor(cursor, int)
        async with database.list_connection() as db:
            rows = await reads.orphans(db, station_id, int(position[0]) if position else None, limit + 1)
        last = write_cursor(rows[limit - 1]["id"]) if len(rows) > limit else None
        return Page(items=[views.orphan(row) for row in rows[:limit]], next=last)

    return routes


def _page(rows: Sequence[asyncpg.Record], limit: int, show: Callable[[Any], V]) -> Page[V]:
    shown = rows[:limit]
    last = shown[-1] if shown and shown[0]["found"] > len(shown) else None
    following = write_time_cursor(last["taken_at"], last["digest"]) if last else None
    return Page(items=[show(row) for row in shown], next=following)
