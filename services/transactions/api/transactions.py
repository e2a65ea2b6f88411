"""REST: transactions, their meter values, orphans; remote start and stop."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, TypeVar

import asyncpg
from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from services.common.commands.api.commands import ISSUED, CommandStatus, IdempotencyKey, Wait, issue
from services.common.commands.service import CommandRequest, CommandService
from services.common.kafka.table import CompactedTable
from services.common.postgres.database import Database
from services.common.web.access import Access
from services.common.web.fields import NO_NUL, StationId, UtcDatetime
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
from services.common.web.problems import Problem, field_problem
from services.ocpp.id_tokens import TYPES, IdToken, Token, find
from services.transactions import reads
from services.transactions.api import views
from services.transactions.api.views import OrphanView, SampleView, StationSampleView, TransactionView
from services.transactions.remote import START, STOP

MISSING = "there is no such transaction"
READ, WRITE = "transactions:read", "transactions:write"
Number = Annotated[int, Path(alias="id", ge=1, lt=2**31, description="our id of the transaction")]
TAGS = {
    "transactions": "Charging sessions as stations reported them, with their meter values.",
    "remote control": "Starting and stopping a transaction, whatever the station's version.",
}

V = TypeVar("V", bound=BaseModel)


class Start(BaseModel):
    """Start a transaction for an idToken."""

    model_config = ConfigDict(extra="forbid")

    id_token: str = Field(min_length=1, max_length=36, pattern=NO_NUL, examples=["04A2B3C4D5E6F7"])
    type: Literal[TYPES] | None = Field(None, description="default: as registered, else Central")  # type: ignore[valid-type]
    evse_id: int | None = Field(None, ge=1, lt=2**31, description="of OCPP 1.6: the connector", examples=[1])
    connector_id: int | None = Field(None, ge=1, lt=2**31)
    expires_in: float = Field(60, gt=0, le=7 * 24 * 3600, description="seconds")


class Stop(BaseModel):
    """Stop a transaction."""

    model_config = ConfigDict(extra="forbid")

    transaction_id: Annotated[int, Field(ge=0, lt=2**31)] | Annotated[str, Field(max_length=36, pattern=NO_NUL)] = (
        Field(description="ours or the station's", examples=[17])
    )
    expires_in: float = Field(60, gt=0, le=7 * 24 * 3600, description="seconds")


def router(
    database: Database, command_service: CommandService, tokens: CompactedTable[Token], access: Access
) -> APIRouter:
    """Everything below /v1."""
    routes = APIRouter()
    routes.include_router(_reading(database, access))
    routes.include_router(_acting(database, command_service, tokens, access))
    return routes


def _reading(database: Database, access: Access) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["transactions"], dependencies=[access.require(READ)])

    @routes.get("/transactions")
    async def transactions(
        station_id: Annotated[str | None, Query(max_length=255, pattern=NO_NUL)] = None,
        status: Literal["active", "ended"] | None = None,
        id_token: Annotated[str | None, Query(max_length=255, pattern=NO_NUL)] = None,
        started_after: UtcDatetime | None = None,
        started_before: UtcDatetime | None = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[TransactionView]:
        """Transactions, newest first."""
        position = read_cursor(cursor, int)
        active = None if status is None else status == "active"
        before = int(position[0]) if position else None
        selection = reads.TransactionFilter(station_id, active, id_token, started_after, started_before, before)
        async with database.list_connection() as db:
            found = await reads.transactions(db, selection, limit + 1)
        last = write_cursor(found[limit - 1].id) if len(found) > limit else None
        return Page(items=[views.transaction(one) for one in found[:limit]], next=last)

    @routes.get("/transactions/{id}", responses=problem_responses({404: MISSING}))
    async def transaction(number: Number) -> TransactionView:
        """One transaction."""
        async with database.connection() as db:
            found = await reads.transaction(db, number)
        if found is None:
            raise Problem(404, MISSING)
        return views.transaction(found)

    @routes.get("/transactions/{id}/samples", responses=problem_responses({404: MISSING}))
    async def samples(number: Number, limit: Limit = 100, cursor: Cursor = None) -> Page[SampleView]:
        """Its meter values, in the order of the station's clock."""
        async with database.list_connection() as db:
            if await reads.transaction(db, number) is None:
                raise Problem(404, MISSING)
            rows = await reads.samples(db, number, read_time_cursor(cursor, int), limit + 1)
        return _page(rows, limit, views.sample)

    @routes.get("/stations/{station_id}/samples")
    async def station_samples(
        station_id: StationId, limit: Limit = 100, cursor: Cursor = None
    ) -> Page[StationSampleView]:
        """Meter values that belong to no transaction, newest first."""
        async with database.list_connection() as db:
            rows = await reads.station_samples(db, station_id, read_time_cursor(cursor, int), limit + 1)
        return _page(rows, limit, views.station_sample)

    @routes.get("/orphans")
    async def orphans(
        station_id: Annotated[str | None, Query(max_length=255, pattern=NO_NUL)] = None,
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


def _acting(
    database: Database, command_service: CommandService, tokens: CompactedTable[Token], access: Access
) -> APIRouter:
    routes = APIRouter(prefix="/v1/stations", tags=["remote control"], dependencies=[access.require(WRITE)])

    @routes.post("/{station_id}/start", status_code=202, responses=ISSUED)
    async def start(
        station_id: StationId,
        body: Start,
        response: Response,
        wait: Wait = 0,
        idempotency_key: IdempotencyKey = None,
    ) -> CommandStatus:
        """Asks the station to start a transaction, whatever its version."""
        token = find(IdToken(body.id_token), tokens.get)
        payload = body.model_dump(exclude={"type", "expires_in"}) | {
            "id_token_type": body.type or (token.type if token else "Central"),
            "group_id": token.group_id if token else None,
        }
        request = CommandRequest(station_id, START, payload, body.expires_in, idempotency_key)
        return await issue(command_service, request, wait, response)

    @routes.post("/{station_id}/stop", status_code=202, responses=ISSUED | problem_responses({404: MISSING}))
    async def stop(
        station_id: StationId,
        body: Stop,
        response: Response,
        wait: Wait = 0,
        idempotency_key: IdempotencyKey = None,
    ) -> CommandStatus:
        """Asks the station to stop a transaction."""
        async with database.connection() as db:
            found = await reads.transaction_by_name(db, station_id, str(body.transaction_id))
        if found is None:
            raise field_problem("body.transaction_id", "the station has no such transaction", 404)
        payload = {"id": found.id, "transaction_id": found.transaction_id}
        request = CommandRequest(station_id, STOP, payload, body.expires_in, idempotency_key)
        return await issue(command_service, request, wait, response)

    return routes


def _page(rows: Sequence[asyncpg.Record], limit: int, show: Callable[[Any], V]) -> Page[V]:
    last = rows[limit - 1] if len(rows) > limit else None
    following = write_time_cursor(last["taken_at"], last["digest"]) if last else None
    return Page(items=[show(row) for row in rows[:limit]], next=following)
