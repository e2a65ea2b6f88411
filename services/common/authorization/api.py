"""REST of decisions: why an idToken was accepted or refused."""

from datetime import datetime
from typing import Annotated, Literal

import asyncpg
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.common.authorization import decisions
from services.common.authorization.decisions import DecisionFilter
from services.common.authorization.judge import MEANING, Rule
from services.common.postgres.database import Database
from services.common.web.access import Access
from services.common.web.callers import Caller
from services.common.web.fields import NO_NUL, UtcDatetime
from services.common.web.pages import Cursor, Limit, Page, read_time_cursor, write_time_cursor
from services.common.web.roles import rights
from services.ocpp.id_tokens import mask, token_key

Word = Annotated[str | None, Query(max_length=255, pattern=NO_NUL)]
TAGS = {"decisions": "Why idTokens were accepted or refused."}


class DecisionView(BaseModel):
    """What was decided about an idToken that a station presented, and by which rule."""

    at: datetime = Field(description="when the message that asked was received")
    station_id: str
    action: str = Field(description="of the message in which it was presented", examples=["Authorize"])
    id_token: str = Field(description="its end alone, unless the bearer token may read idTokens; never of key codes")
    id_token_type: str | None = Field(description="as the station said it; OCPP 1.6 has none")
    verdict: Literal["accepted", "refused"]
    status: str = Field(description="what the station was told, in words of OCPP 2.0.1", examples=["Blocked"])
    rule: str = Field(description=", ".join(Rule), examples=[Rule.BLOCKED.value])
    reason: str = Field(description="the rule in plain words", examples=[MEANING[Rule.BLOCKED]])
    transaction_id: int | None = Field(description="of the transaction it was about, where it was about one")


def router(database: Database, access: Access, service: str) -> APIRouter:
    """GET /v1/decisions. service: its name, which its scopes begin with."""
    routes = APIRouter(prefix="/v1/decisions", tags=["decisions"])
    whole, masked = rights(service).read, f"{service}:decisions"

    @routes.get("")
    async def found(
        caller: Annotated[Caller, access.require(whole, masked)],
        station_id: Word = None,
        id_token: Annotated[Word, Query(description="whole, in any case")] = None,
        verdict: Literal["accepted", "refused"] | None = None,
        rule: Rule | None = None,
        since: UtcDatetime | None = None,
        until: UtcDatetime | None = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[DecisionView]:
        """Decisions about idTokens, newest first. They are kept for `VOLTBUS_DECISION_DAYS`."""
        wanted = DecisionFilter(
            station_id=station_id,
            token_key=None if id_token is None else token_key(id_token),
            accepted=None if verdict is None else verdict == "accepted",
            rule=rule,
            since=since,
            until=until,
            before=read_time_cursor(cursor, str),
        )
        async with database.list_connection() as db:
            rows = await decisions.page(db, wanted, limit + 1)
        items = [_view(row, caller.may(whole)) for row in rows[:limit]]
        last = rows[limit - 1] if len(rows) > limit else None
        return Page(items=items, next=write_time_cursor(last["decided_at"], last["call_id"]) if last else None)

    return routes


def _view(row: asyncpg.Record, whole: bool) -> DecisionView:
    rule = row["rule"]
    return DecisionView(
        at=row["decided_at"],
        station_id=row["station_id"],
        action=row["action"],
        id_token=row["id_token"] if whole else mask(row["id_token"]),
        id_token_type=row["id_token_type"],
        verdict="accepted" if decisions.is_accepted(row["status"]) else "refused",
        status=row["status"],
        rule=rule,
        reason=MEANING[Rule(rule)] if rule in Rule.__members__.values() else rule,
        transaction_id=row["transaction_id"],
    )
