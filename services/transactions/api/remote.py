"""REST of remote start and stop, whatever the version of the station."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.common.commands.api.commands import (
    EXPIRES,
    ISSUED,
    LONGEST,
    SENT_THEN,
    CommandStatus,
    IdempotencyKey,
    NotBefore,
    Terms,
    Wait,
    issue,
)
from services.common.commands.service import CommandService
from services.common.kafka.table import CompactedTable
from services.common.postgres.database import Connection, Database
from services.common.web.access import Access, Author
from services.common.web.fields import NO_NUL, StationId
from services.common.web.openapi import problem_responses
from services.common.web.problems import field_problem
from services.ocpp.id_tokens import LONGEST_ID_TOKEN, TYPES, IdToken, Token, find
from services.transactions import reads
from services.transactions.api.fields import MISSING, OPERATE
from services.transactions.api.limits import LimitBody, refused
from services.transactions.domain.transaction import Transaction
from services.transactions.limiting import NotLimitable, require_limits
from services.transactions.remote import START, STOP

# Of a body: when it is sent, which is no part of what is asked.
TERMS = {"expires_in", "not_before"}
UNSTOPPABLE = {404: MISSING, 409: "it has ended, or several have this name"}


class Start(BaseModel):
    """Start a transaction for an idToken."""

    model_config = ConfigDict(extra="forbid")

    id_token: str = Field(min_length=1, max_length=LONGEST_ID_TOKEN, pattern=NO_NUL, examples=["04A2B3C4D5E6F7"])
    type: Literal[TYPES] | None = Field(None, description="default: as registered, else Central")  # type: ignore[valid-type]
    evse_id: int | None = Field(None, ge=1, lt=2**31, description="of OCPP 1.6: the connector", examples=[1])
    connector_id: int | None = Field(None, ge=1, lt=2**31)
    limit: LimitBody | None = Field(None, description="what the transaction may have at most; of OCPP 2.1")
    expires_in: float | None = Field(None, gt=0, le=LONGEST, description=EXPIRES)
    not_before: NotBefore = Field(None, description=SENT_THEN)


class Stop(BaseModel):
    """Stop a transaction, named by our id or as its station names it: the two are never taken for each other."""

    model_config = ConfigDict(extra="forbid")

    id: int | None = Field(None, ge=1, lt=2**31, description="ours", examples=[17])
    transaction_id: (
        Annotated[int, Field(ge=0, lt=2**31)] | Annotated[str, Field(max_length=36, pattern=NO_NUL)] | None
    ) = Field(None, description="the station's; of OCPP 1.6 it is our id")
    expires_in: float | None = Field(None, gt=0, le=LONGEST, description=EXPIRES)
    not_before: NotBefore = Field(None, description=SENT_THEN)

    @model_validator(mode="after")
    def _one_of_both(self) -> "Stop":
        if (self.id is None) == (self.transaction_id is None):
            raise ValueError("give either id or transaction_id")
        return self


def router(
    database: Database, command_service: CommandService, tokens: CompactedTable[Token], access: Access
) -> APIRouter:
    """Start and stop."""
    routes = APIRouter(prefix="/v1/stations", tags=["remote control"], dependencies=[access.require(OPERATE)])

    @routes.post("/{station_id}/start", status_code=202, responses=ISSUED)
    async def start(
        station_id: StationId,
        body: Start,
        author: Author,
        response: Response,
        wait: Wait = 0,
        idempotency_key: IdempotencyKey = None,
    ) -> CommandStatus:
        """Asks the station to start a transaction, whatever its version.

        A limit is told the station once the transaction has begun.
        """
        asked = _asked(body)

        async def resolve() -> dict[str, Any]:
            presented = IdToken(body.id_token)
            if (token := find(presented, tokens.get)) is None:
                await tokens.catch_up()
                token = find(presented, tokens.get)
            if body.limit:
                _require_limits(command_service, station_id, body.limit)
            return {name: value for name, value in asked.items() if name != "type"} | {
                "id_token_type": body.type or (token.type if token else "Central"),
                "group_id": token.group_id if token else None,
            }

        request = Terms(body.expires_in, body.not_before, idempotency_key, author).request(station_id, START, asked)
        return await issue(command_service, request, wait, response, resolve)

    @routes.post("/{station_id}/stop", status_code=202, responses=ISSUED | problem_responses(UNSTOPPABLE))
    async def stop(
        station_id: StationId,
        body: Stop,
        author: Author,
        response: Response,
        wait: Wait = 0,
        idempotency_key: IdempotencyKey = None,
    ) -> CommandStatus:
        """Asks the station to stop a transaction that has not ended."""
        asked = body.model_dump(exclude=TERMS, exclude_none=True)

        async def resolve() -> dict[str, Any]:
            async with database.connection() as db:
                found = await _named(db, station_id, body)
            return {"id": found.id, "transaction_id": found.transaction_id}

        request = Terms(body.expires_in, body.not_before, idempotency_key, author).request(station_id, STOP, asked)
        return await issue(command_service, request, wait, response, resolve)

    return routes


def _asked(body: Start) -> dict[str, Any]:
    """As it has been said as long as there have been starts; a limit only where there is one."""
    asked = body.model_dump(exclude={"limit", *TERMS})
    return asked | {"limit": body.limit.wanted()} if body.limit else asked


def _require_limits(command_service: CommandService, station_id: str, limit: LimitBody) -> None:
    """Raises Problem where the station keeps to no such limit."""
    try:
        require_limits(command_service.stations, station_id, limit.wanted())
    except NotLimitable as error:
        raise refused(error, "body.limit") from None


async def _named(db: Connection, station_id: str, body: Stop) -> Transaction:
    """The transaction of a station that a request names. Raises Problem."""
    if body.id is not None:
        one = await reads.transaction(db, body.id)
        if one is None or one.station_id != station_id:
            raise field_problem("body.id", "the station has no such transaction", 404)
        if one.ended:
            raise field_problem("body.id", "the transaction has ended", 409)
        return one
    found = await reads.open_transactions(db, station_id, str(body.transaction_id))
    if not found:
        raise field_problem("body.transaction_id", "the station has no open transaction of this name", 404)
    if len(found) > 1:
        ids = ", ".join(str(one.id) for one in found)
        raise field_problem(
            "body.transaction_id",
            f"several transactions of the station have this name: give the id of one ({ids})",
            409,
        )
    return found[0]
