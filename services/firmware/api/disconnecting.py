"""REST of firmware: the connection of a station is ended by hand."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.common.commands.api.commands import AWAY, REUSED, UNKNOWN, IdempotencyKey, require_connected, reused
from services.common.commands.idempotency import KeyReused
from services.common.commands.service import CommandService
from services.common.web.access import Access
from services.common.web.callers import Caller
from services.common.web.fields import NO_NUL, StationId
from services.common.web.openapi import problem_responses
from services.common.web.pages import Cursor, Limit, Page, read_time_cursor, write_time_cursor
from services.common.web.problem_types import ProblemType
from services.common.web.problems import Problem
from services.firmware.disconnecting import Disconnecting, Disconnection, DisconnectRequest, NotConnected
from services.firmware.rights import OPERATE, READ

# Of a close frame (RFC 6455 §5.5), without its code.
LONGEST_REASON = 123


def _fits(reason: str) -> str:
    if len(reason.encode()) > LONGEST_REASON:
        raise ValueError(f"must have at most {LONGEST_REASON} bytes")
    return reason


class DisconnectBody(BaseModel):
    """End the connection of a station; it may connect again at once."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[
        str,
        Field(
            min_length=1,
            max_length=LONGEST_REASON,
            pattern=NO_NUL,
            description="why; the station is told, and it is kept",
            examples=["asked for by support"],
        ),
        AfterValidator(_fits),
    ]
    code: Literal[1000, 1001, 1008, 1012, 1013] = Field(1000, description="of the close frame (RFC 6455 §7.4)")
    connection_id: str | None = Field(
        None, max_length=100, pattern=NO_NUL, description="only this connection; null: the one that it is on"
    )


class DisconnectionView(BaseModel):
    """A connection that was to end."""

    id: str
    station_id: str
    connection_id: str
    code: int
    reason: str
    author: str = Field(description="`sub` of the bearer token")
    at: datetime
    ended: bool = Field(description="whether the station is off that connection, as far as is known")


def router(disconnecting: Disconnecting, command_service: CommandService, access: Access) -> APIRouter:
    """Below /v1/stations."""
    routes = APIRouter(prefix="/v1/stations", tags=["stations"])

    @routes.post(
        "/{station_id}/disconnect",
        status_code=202,
        responses=problem_responses({404: UNKNOWN, 409: f"{AWAY}, or not on that connection, or {REUSED}"}),
    )
    async def disconnect(
        station_id: StationId,
        caller: Annotated[Caller, access.require(OPERATE)],
        body: DisconnectBody,
        idempotency_key: IdempotencyKey = None,
    ) -> DisconnectionView:
        """Ends the connection that the station is on; a later one is left alone. Who did it and why is kept."""
        asked = DisconnectRequest(
            station_id=station_id,
            connection_id=body.connection_id,
            code=body.code,
            reason=body.reason,
            author=caller.author,
            idempotency_key=idempotency_key,
        )
        try:
            return _view(await disconnecting.disconnect(asked), ended=False)
        except KeyReused as error:
            raise reused(error) from None
        except NotConnected:
            await require_connected(command_service, station_id)
            raise Problem(409, "the station is on another connection", kind=ProblemType.CONFLICT) from None

    @routes.get("/{station_id}/disconnects", dependencies=[access.require(READ)])
    async def disconnects(station_id: StationId, limit: Limit = 50, cursor: Cursor = None) -> Page[DisconnectionView]:
        """Connections of the station that were ended by hand, newest first."""
        found = await disconnecting.page(station_id, read_time_cursor(cursor, str), limit + 1)
        items = [_view(one, ended) for one, ended in found[:limit]]
        last = items[-1] if len(found) > limit else None
        return Page(items=items, next=write_time_cursor(last.at, last.id) if last else None)

    return routes


def _view(one: Disconnection, ended: bool) -> DisconnectionView:
    return DisconnectionView(
        id=one.id,
        station_id=one.station_id,
        connection_id=one.connection_id,
        code=one.code,
        reason=one.reason,
        author=one.author,
        at=one.at,
        ended=ended,
    )
