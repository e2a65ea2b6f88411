"""REST of idTokens."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import uuid4

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, field_validator
from pydantic.json_schema import SkipJsonSchema

from services.auth.api.fields import (
    AUTHOR,
    OPERATE,
    READ,
    Evse,
    Flag,
    Group,
    GroupId,
    IdTokenPath,
    Language,
    NewIdToken,
    SessionCount,
    Text,
    fields_of,
    not_found,
)
from services.auth.domain import tokens as domain
from services.auth.domain.tokens import RegisteredToken
from services.auth.store import Store
from services.common.process.clock import Clock
from services.common.web.access import Access, Author
from services.common.web.fields import NO_NUL, UtcDatetime, without_default
from services.common.web.openapi import problem_responses
from services.common.web.pages import Cursor, Limit, Page, read_cursor, write_cursor
from services.common.web.problems import Problem
from services.ocpp.id_tokens import Authorization, Token, token_key

# IdTokenEnumType of OCPP 2.0.1.
Type = Literal[
    "Central",
    "DirectPayment",
    "eMAID",
    "EVCCID",
    "ISO14443",
    "ISO15693",
    "KeyCode",
    "Local",
    "MacAddress",
    "NoAuthorization",
    "VIN",
]
OnBlock = Literal["end", "finish"]


def _or_none_of_them(said: object) -> object:
    """null clears a list."""
    return () if said is None else said


def _or_null(schema: dict[str, Any]) -> None:
    """Says that null is taken, too."""
    said = {name: schema.pop(name) for name in ("type", "items", "maxItems") if name in schema}
    schema["anyOf"] = [said, {"type": "null"}]


def _or_false(said: object) -> object:
    return False if said is None else said


def _each_once(said: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(said))


Listed = (
    Field(max_length=100, json_schema_extra=_or_null),
    AfterValidator(_each_once),
    BeforeValidator(_or_none_of_them),
)
Station = Annotated[str, StringConstraints(min_length=1, max_length=48, pattern=r"^[^\x00-\x1f\x7f:/]+$")]
Groups = Annotated[tuple[Group, ...], *Listed]
Stations = Annotated[tuple[Station, ...], *Listed]
Evses = Annotated[tuple[Evse, ...], *Listed]


class TokenChange(BaseModel):
    """Changes of an idToken; what is absent stays unchanged, null clears it."""

    model_config = ConfigDict(extra="forbid")

    type: Type | SkipJsonSchema[None] = Field(
        None,
        description="of OCPP 2.x; 1.6 has no types and presents any",
        examples=["ISO14443"],
        json_schema_extra=without_default,
    )
    status: Authorization | SkipJsonSchema[None] = Field(None, examples=["Accepted"], json_schema_extra=without_default)
    expires_at: UtcDatetime | None = Field(
        None, description="from then on it is Expired", examples=["2030-12-31T23:00:00Z"]
    )
    group_id: GroupId | None = None
    cache_expires_at: UtcDatetime | None = Field(
        None, description="until when stations may keep the answer; never later than expires_at"
    )
    language: Language | None = None
    on_block: OnBlock | None = Field(
        None,
        description="what becomes of its running session when it is blocked: end, by a remote stop, or finish; null: "
        "as VOLTBUS_ON_BLOCK of transactions says",
    )
    language2: Language | None = Field(None, description="a second choice; needs language", examples=["de"])
    valid_from: UtcDatetime | None = Field(
        None, description="before it is NotAtThisTime (1.6: Invalid)", examples=["2026-01-01T00:00:00Z"]
    )
    allowed_groups: Groups = Field(
        (), description="stations of these groups, and allowed_stations: nowhere else; none of either: anywhere"
    )
    allowed_stations: Stations = Field((), examples=[["CP001"]])
    denied_groups: Groups = Field((), description="nowhere at stations of these, whatever is allowed")
    denied_stations: Stations = Field((), description="nor at these")
    evses: Evses = Field(
        (),
        description="station/EVSE (1.6: connector): at a station that is named here, at these EVSEs alone",
        examples=[["CP001/1"]],
    )
    max_sessions: SessionCount | None = Field(None, description="sessions at once; null: any number", examples=[1])
    master_pass: Annotated[Flag, BeforeValidator(_or_false)] = Field(
        False,
        json_schema_extra=_or_null,
        description="of type Central: idTokens of the group stop sessions, and start none (C16)",
    )
    note: Text | None = Field(
        None, description="your own; no other service gets it", examples=["spare card, reception"]
    )

    @field_validator("type", "status")
    @classmethod
    def _needed(cls, value: object) -> object:
        if value is None:
            raise ValueError("must not be null")
        return value


class TokenBody(TokenChange):
    """An idToken as requested."""

    type: Type = Field(description="of OCPP 2.x; 1.6 has no types and presents any", examples=["ISO14443"])
    status: Authorization = Field(Authorization.ACCEPTED, examples=["Accepted"])


class TokenView(BaseModel):
    """A registered idToken."""

    id_token: str = Field(description="as it was last registered", examples=["04A2B3C4D5E6F7"])
    type: str
    status: Authorization
    expires_at: datetime | None
    group_id: str | None
    cache_expires_at: datetime | None
    language: str | None
    on_block: str | None
    language2: str | None
    valid_from: datetime | None
    allowed_groups: tuple[str, ...]
    allowed_stations: tuple[str, ...]
    denied_groups: tuple[str, ...]
    denied_stations: tuple[str, ...]
    evses: tuple[str, ...]
    max_sessions: int | None
    master_pass: bool
    note: str | None
    outside_until: datetime | None = Field(
        description="of one that is not registered: until when counts what the outside authorizer has said"
    )
    registered_at: datetime
    changed_at: datetime
    author: str | None = Field(description=AUTHOR)


CREATED: dict[int | str, dict[str, Any]] = {
    200: {"description": "it existed, and is now as requested"},
    201: {"model": TokenView, "description": "it is new"},
}
MISSING = problem_responses({404: "there is no such idToken"})


def router(store: Store, access: Access, clock: Clock) -> APIRouter:
    """/v1/tokens."""
    routes = APIRouter(prefix="/v1/tokens", tags=["tokens"])
    read, write = [access.require(READ)], [access.require(OPERATE)]

    @routes.put("/{id_token:path}", dependencies=write, responses=CREATED)
    async def put(id_token: NewIdToken, author: Author, body: TokenBody, response: Response) -> TokenView:
        """Registers an idToken, or replaces all its attributes."""
        token = checked(Token(id_token, **dict(body)))
        async with store.change() as work:
            current = await work.token(token_key(id_token))
            decision = domain.put(current, token, clock(), author)
            await work.save_token(decision, uuid4().hex)
        response.status_code = 200 if current else 201
        return view(decision.registered)

    @routes.get("", dependencies=read)
    async def tokens(
        type: Annotated[Type | None, Query()] = None,
        status: Annotated[Authorization | None, Query()] = None,
        group_id: Annotated[str | None, Query(max_length=36, pattern=NO_NUL)] = None,
        outside: Annotated[
            bool | None,
            Query(description="true: those that are not registered, of which an outside authorizer has told"),
        ] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[TokenView]:
        """IdTokens in alphabetical order. A status is as it was set: one that has expired may still say Accepted."""
        position = read_cursor(cursor, str)
        start = str(position[0]) if position else ""
        found = await store.tokens(start, type, status, group_id, limit + 1, outside=outside)
        after = write_cursor(found[limit - 1].key) if len(found) > limit else None
        return Page(items=[view(one) for one in found[:limit]], next=after)

    @routes.get("/{id_token:path}", dependencies=read, responses=MISSING)
    async def token(id_token: IdTokenPath) -> TokenView:
        """One idToken."""
        if (current := await store.token(token_key(id_token))) is None:
            raise not_found("idToken")
        return view(current)

    @routes.patch("/{id_token:path}", dependencies=write, responses=MISSING)
    async def change(id_token: IdTokenPath, author: Author, body: TokenChange) -> TokenView:
        """Changes the attributes that are given."""
        async with store.change() as work:
            if (current := await work.token(token_key(id_token))) is None:
                raise not_found("idToken")
            # What is changed by hand is registered.
            changes = {name: getattr(body, name) for name in body.model_fields_set} | {"outside_until": None}
            decision = domain.put(current, checked(replace(current.token, **changes)), clock(), author)
            await work.save_token(decision, uuid4().hex)
        return view(decision.registered)

    @routes.delete("/{id_token:path}", dependencies=write, status_code=204, responses=MISSING)
    async def remove(id_token: IdTokenPath, author: Author) -> None:
        """Removes an idToken; it is unknown from now on."""
        async with store.change() as work:
            if (current := await work.token(token_key(id_token))) is None:
                raise not_found("idToken")
            await work.remove_token(domain.remove(current, clock(), author), uuid4().hex)

    return routes


def checked(token: Token) -> Token:
    """Raises Problem for what cannot stand beside the rest of it."""
    if fault := domain.fault(token):
        field, why = fault
        raise Problem(
            422, "what is said of the idToken does not go together", [{"field": f"body.{field}", "message": why}]
        )
    return token


def view(registered: RegisteredToken) -> TokenView:
    """As REST shows it."""
    times = {"registered_at": registered.registered_at, "changed_at": registered.changed_at}
    return TokenView(**fields_of(registered.token), **times, author=registered.author)
