"""REST of idTokens that nobody knows: where they were seen, and taken in by one call."""

import re
from datetime import datetime
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from services.auth import unknown_tokens_store
from services.auth.api.fields import ID_TOKEN, OPERATE, READ, not_found
from services.auth.api.tokens import CREATED, TokenChange, TokenView, Type, checked, view
from services.auth.domain import tokens as domain
from services.auth.store import Store
from services.common.process.clock import Clock
from services.common.web.access import Access, Author
from services.common.web.fields import NO_NUL, UtcDatetime
from services.common.web.openapi import problem_responses
from services.common.web.pages import Cursor, Limit, Page, read_time_cursor, write_time_cursor
from services.common.web.problems import field_problem
from services.ocpp.id_tokens import TYPES, Authorization, Token, token_key

# What a card of 1.6 is taken for, which has no types.
CARD: Type = "ISO14443"
LONGEST = 36
Number = Annotated[int, Path(ge=1, lt=2**63, description="as the list has it")]


class UnknownTokenView(BaseModel):
    """An idToken that stations asked for and nobody has registered."""

    id: int
    id_token: str = Field(examples=["04A2B3C4D5E6F7"])
    type: str | None = Field(description="as stations say it; OCPP 1.6 has none")
    times: int = Field(description="how often it was asked for")
    first_seen_at: datetime
    last_seen_at: datetime
    stations: list[str] = Field(description="where it was seen last, the newest first; twenty at the most")


class AcceptBody(TokenChange):
    """What it is registered with; nothing at all: Accepted, with the type that it was seen with."""


def router(store: Store, access: Access, clock: Clock) -> APIRouter:
    """/v1/tokens/unknown."""
    routes = APIRouter(prefix="/v1/tokens/unknown", tags=["tokens"])

    @routes.get("", dependencies=[access.require(READ)])
    async def unknown(
        station_id: Annotated[str | None, Query(max_length=255, pattern=NO_NUL)] = None,
        since: UtcDatetime | None = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[UnknownTokenView]:
        """IdTokens that stations asked for (Authorize) and that are not registered, the last seen first.

        Ten thousand are kept; those that were seen once go first.
        """
        before = read_time_cursor(cursor, int)
        async with store.database.list_connection() as db:
            rows = await unknown_tokens_store.page(db, station_id, since, before, limit + 1)
        items = [UnknownTokenView(**(dict(row) | {"type": row["type"] or None})) for row in rows[:limit]]
        last = items[-1] if len(rows) > limit else None
        return Page(items=items, next=write_time_cursor(last.last_seen_at, last.id) if last else None)

    @routes.post(
        "/{number}/accept",
        dependencies=[access.require(OPERATE)],
        responses=CREATED | problem_responses({404: "there is no such unknown idToken"}),
    )
    async def accept(number: Number, author: Author, response: Response, body: AcceptBody | None = None) -> TokenView:
        """Registers it. One that is registered by now stays as it is, so that asking again changes nothing."""
        async with store.change() as work:
            if (seen := await unknown_tokens_store.one(work.db, number)) is None:
                raise not_found("unknown idToken")
            token = checked(_token(seen["id_token"], seen["type"], body or AcceptBody()))
            current = await work.token(token_key(token.id_token))
            if current and current.token.outside_until is None:
                response.status_code = 200
                return view(current)
            decision = domain.put(current, token, clock(), author)
            await work.save_token(decision, uuid4().hex)
        response.status_code = 201
        return view(decision.registered)

    return routes


def _token(id_token: str, seen_type: str, body: AcceptBody) -> Token:
    """Raises Problem where no idToken can be registered by that text."""
    if not re.fullmatch(ID_TOKEN, id_token) or len(id_token) > LONGEST:
        raise field_problem("path.number", "what the station sent cannot be registered: it is no idToken of OCPP", 409)
    kind = body.type or (seen_type if seen_type in TYPES else CARD)
    said = body.model_dump(exclude={"type", "status"})
    return Token(id_token, kind, body.status or Authorization.ACCEPTED, **said)
