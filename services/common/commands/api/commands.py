"""Commands by REST, the same for every service: handing one in, waiting for it, reading, listing, taking back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query, Response
from pydantic import AfterValidator, BaseModel, Field

from services.common.commands.catalogue import NOT_SUPPORTED
from services.common.commands.command import Command, End, Status, Unrenderable
from services.common.commands.idempotency import KeyReused
from services.common.commands.parts import Part, as_command
from services.common.commands.service import CommandRequest, CommandService, Resolve, UnknownStations
from services.common.commands.store import CommandFilter
from services.common.web.access import Access, Author, Groups, outside
from services.common.web.fields import NO_NUL, UtcDatetime
from services.common.web.openapi import LOCATION, problem_responses
from services.common.web.pages import Cursor, Limit, Page, read_cursor, write_cursor
from services.common.web.problem_types import ProblemType
from services.common.web.problems import Problem, field_problem, field_problems
from services.common.web.roles import rights
from services.ocpp.answers import Effect
from services.ocpp.masking import masked

LONGEST = 7 * 24 * 3600

Wait = Annotated[float, Query(ge=0, le=60, description="seconds to wait for the station's answer")]
ExpiresIn = Annotated[
    float, Query(gt=0, le=LONGEST, description="seconds that the command waits for a station that is not connected")
]
EXPIRES = (
    "seconds that the command waits for a station that is not connected; absent: 60, and for one that speaks SOAP as "
    "long as it may be silent"
)
SENT_THEN = "when the command is sent; its `expires_in` begins then"
LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def _not_too_late(moment: datetime | None) -> datetime | None:
    if moment and moment >= LATEST:
        raise ValueError(f"must be before {LATEST.date()}")
    return moment


NotBefore = Annotated[UtcDatetime | None, AfterValidator(_not_too_late)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        pattern=NO_NUL,
        description="a request that the same caller sends again with the same key does nothing new",
    ),
]


@dataclass(frozen=True, slots=True)
class Terms:
    """When a command goes out, and by which key it is known again; author: who asks. expires_in: seconds from
    then on; None: as CommandService.patience has it.
    """

    expires_in: float | None = None
    not_before: datetime | None = None
    idempotency_key: str | None = None
    author: str | None = None

    def request(self, station_id: str, action: str, payload: Mapping[str, Any]) -> CommandRequest:
        """A command on these terms."""
        return CommandRequest(
            station_id,
            action,
            payload,
            expires_in=self.expires_in,
            idempotency_key=self.idempotency_key,
            not_before=self.not_before,
            author=self.author,
        )


def _terms(
    author: Author,
    expires_in: Annotated[float | None, Query(gt=0, le=LONGEST, description=EXPIRES)] = None,
    not_before: Annotated[NotBefore, Query(description=f"{SENT_THEN}; absent: now")] = None,
    idempotency_key: IdempotencyKey = None,
) -> Terms:
    return Terms(expires_in, not_before, idempotency_key, author)


GivenTerms = Annotated[Terms, Depends(_terms)]
CommandId = Annotated[UUID, Path(description="as the answer to the request had it")]
Word = Annotated[str | None, Query(max_length=255, pattern=NO_NUL)]

MISSING = "there is no such command"
NAME_STATION = "the bearer token is limited to groups of stations: say in `station_id` whose commands"
OF_OTHERS = "the bearer token is limited to groups of stations: it cancels commands that it asked for itself"
AUTHOR = "`sub` of the bearer token that asked for it; null: a service of its own accord"
CANCELLED_BY = "`sub` of the bearer token that cancelled it; null: nobody, or a service of its own accord"
REUSED = "the Idempotency-Key was used for another request"
AWAY = "the station is not connected"
UNKNOWN = "no such station is registered or has ever connected"


class SentRequest(BaseModel):
    """What the station was sent, in the words of its version."""

    action: str
    payload: Any


class PartsStatus(BaseModel):
    """How far a command has come that its station gets in parts, one after another."""

    count: int = Field(description="parts that have been sent")
    items: int = Field(description="items of the payload's list")
    sent: int = Field(description="of these, in parts that have been sent")
    answered: int = Field(description="of these, in parts that the station has answered")
    results: int | None = Field(
        None, description="of these, in the response, where it has a result for each: a station may leave some out"
    )


class PartStatus(BaseModel):
    """A part of a command, which is a CALL of its own."""

    number: int
    message_id: str
    items: int
    status: Status
    outcome: End | None = Field(
        description="how it ended, as of a command; timed_out: the station may have acted on it, or not"
    )
    payload: Any = Field(description="what the station was sent, without passwords and keys")
    response: Any = Field(description="the station's payload")
    normalised: Any = Field(description="how the response was read, if it deviates from its schema")
    error_code: str | None
    error_description: str | None
    sent_at: datetime
    ended_at: datetime | None


class CommandStatus(BaseModel):
    """A command and what became of it."""

    command_id: str
    station_id: str
    action: str
    status: Status = Field(description="accepted and sent will change; the others are final")
    outcome: End | None = Field(
        None,
        description="how it ended. refused: by a CALLERROR; invalid: by an answer that breaks its schema; "
        "unrenderable: its version of OCPP does not have it; late: answered after timed_out; expired: never sent; "
        "partial: some parts of it were answered, and then one was not",
    )
    effect: Effect | None = Field(
        None,
        description="what comes of the answer. refused: the response says why; scheduled: once what goes on there has "
        "ended; done: that it was; superseded: by another order; unconfirmed: the station never told",
    )
    payload: Any = Field(description="what was asked for, without passwords and keys")
    request: SentRequest | None = Field(None, description="what the station was sent, if that differs from the payload")
    parts: PartsStatus | None = Field(None, description="if it is more than the station takes in a message")
    response: Any = Field(None, description="the station's payload; of parts, what all have said that were answered")
    normalised: Any = Field(None, description="how the response was read, if it deviates from its schema")
    error_code: str | None = Field(None, description="why it was rejected, expired or undeliverable")
    error_description: str | None = None
    version: str | None = Field(None, description="of OCPP, in which it was sent")
    batch_id: str | None = Field(None, description="of the request for many stations that it is part of")
    author: str | None = Field(None, description=AUTHOR)
    cancelled_by: str | None = Field(None, description=CANCELLED_BY)
    created_at: datetime
    not_before: datetime | None = Field(None, description="when it is sent, if that was to be later")
    expires_at: datetime
    sent_at: datetime | None = None
    ended_at: datetime | None = None
    effect_at: datetime | None = None


def view(command: Command) -> CommandStatus:
    """As REST shows it: without the secrets that it may hold."""
    shown = {name: getattr(command, name) for name in set(CommandStatus.model_fields) - {"command_id", "parts"}}
    said = {name: masked(shown[name], tokens=False) for name in ("payload", "request", "response", "normalised")}
    return CommandStatus(command_id=command.id, parts=_parts(command), **shown | said)


def _parts(command: Command) -> PartsStatus | None:
    if not (parts := command.parts):
        return None
    response = command.response if isinstance(command.response, Mapping) else {}
    results = len(response[parts.results]) if parts.results in response else None
    return PartsStatus(count=parts.count, items=parts.items, sent=parts.sent, answered=parts.answered, results=results)


def part_view(command: Command, part: Part) -> PartStatus:
    """A part as REST shows it: without the secrets that it may hold."""
    one = as_command(command, part)
    shown = {name: getattr(one, name) for name in PartStatus.model_fields.keys() & CommandStatus.model_fields.keys()}
    said = {name: masked(shown[name], tokens=False) for name in ("payload", "response", "normalised")}
    return PartStatus(number=part.number, message_id=part.id, items=part.items, **shown | said)


def page_of(found: list[Command], limit: int) -> Page[CommandStatus]:
    """found: one more than the limit, where there are more."""
    last = write_cursor(found[limit - 1].number) if len(found) > limit else None
    return Page(items=[view(command) for command in found[:limit]], next=last)


# What handing one in may say; for the `responses` of a route whose status code is 202.
ISSUED: dict[int | str, dict[str, Any]] = {
    200: {"model": CommandStatus, "description": "the command has ended", "headers": LOCATION},
    202: {"description": "the command has not ended yet", "headers": LOCATION},
    **problem_responses({404: UNKNOWN, 409: f"{REUSED}, or the station's version cannot say this"}),
}


async def require_connected(command_service: CommandService, station_id: str) -> None:
    """For what has no answer but that of the station: nobody waits for one that is not there. Raises Problem."""
    if await command_service.is_connected(station_id):
        return
    try:
        await command_service.require_known([station_id])
    except UnknownStations as error:
        raise unknown(error) from None
    raise Problem(409, AWAY, kind=ProblemType.STATION_AWAY)


def unknown(error: UnknownStations, fields: Mapping[str, str] | None = None) -> Problem:
    """404. fields: where each station stands in the request; in its path if nothing is said."""
    names = fields or dict.fromkeys(error.nearest, "path.station_id")
    said = {one: f"{UNKNOWN}; did you mean {near}?" if near else UNKNOWN for one, near in error.nearest.items()}
    return field_problems({names[one]: message for one, message in said.items()}, 404, ProblemType.UNKNOWN_STATION)


async def issue(
    command_service: CommandService,
    asked: CommandRequest,
    wait: float,
    response: Response,
    resolve: Resolve | None = None,
) -> CommandStatus:
    """Hands a command in; 200 where it has ended when we answer, 202 where it goes on. Raises Problem.

    resolve: see CommandService.accept; raises Problem.
    """
    try:
        command = await command_service.accept(asked, resolve)
    except KeyReused as error:
        raise reused(error) from None
    except UnknownStations as error:
        raise unknown(error) from None
    except Unrenderable as error:
        raise unsayable(error) from None
    latest = await command_service.wait(command.id, wait) or command
    response.status_code = 200 if latest.final else 202
    response.headers["Location"] = f"/v1/commands/{command.id}"
    return view(latest)


def reused(error: KeyReused) -> Problem:
    return field_problem("header.idempotency-key", str(error), 409, ProblemType.KEY_REUSED)


def unsayable(error: Unrenderable, within: str = "body") -> Problem:
    """409 where the station's version lacks the action, 422 where the payload is at fault. within: where it stands."""
    if error.code == NOT_SUPPORTED:
        return Problem(409, error.description, kind=ProblemType.NOT_IN_VERSION)
    return field_problems({f"{within}.{field}".rstrip("."): message for field, message in error.fields.items()})


def router(command_service: CommandService, access: Access, service: str) -> APIRouter:
    """Everything below /v1/commands that is about commands as such. service: its name, which its scopes begin with."""
    routes = APIRouter(prefix="/v1/commands", tags=["commands"])
    needed = rights(service)
    read, write = ([access.require(right, filtered=True)] for right in (needed.read, needed.operate))

    async def reached(groups: Groups, command_id: str) -> Command:
        """A command. Raises Problem where there is none, or its station is not in one of these groups now."""
        found = await command_service.get(command_id)
        if found is None or not await access.reaches(groups, found.station_id):
            raise Problem(404, MISSING)
        return found

    @routes.get("", dependencies=read)
    async def commands(
        groups: Groups,
        station_id: Word = None,
        action: Word = None,
        status: Status | None = None,
        batch_id: Word = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[CommandStatus]:
        """Commands of this service, newest first. A token that is limited to groups must name the station."""
        if groups is not None and station_id is None:
            raise Problem(403, NAME_STATION)
        if station_id is not None and not await access.reaches(groups, station_id):
            raise outside("query.station_id")
        position = read_cursor(cursor, int)
        before = int(position[0]) if position else None
        return page_of(
            await command_service.page(CommandFilter(station_id, action, status, batch_id, before), limit + 1), limit
        )

    @routes.get("/{command_id:uuid}", dependencies=read, responses=problem_responses({404: MISSING}))
    async def command(groups: Groups, command_id: CommandId, wait: Wait = 0) -> CommandStatus:
        """A command: as it is now, or when it has ended within `wait` seconds."""
        found = await reached(groups, str(command_id))
        return view(await command_service.wait(found.id, wait) or found if wait else found)

    @routes.get("/{command_id:uuid}/parts", dependencies=read, responses=problem_responses({404: MISSING}))
    async def parts(
        groups: Groups, command_id: CommandId, limit: Limit = 50, cursor: Cursor = None
    ) -> Page[PartStatus]:
        """The parts that a command was sent in, in their order; none where one message holds all of it."""
        found = await reached(groups, str(command_id))
        position = read_cursor(cursor, int)
        some = await command_service.parts(found.id, int(position[0]) if position else 0, limit + 1)
        last = write_cursor(some[limit - 1].number) if len(some) > limit else None
        return Page(items=[part_view(found, part) for part in some[:limit]], next=last)

    @routes.post(
        "/{command_id:uuid}/cancel", dependencies=write, responses=problem_responses({404: MISSING, 409: "too late"})
    )
    async def cancel(groups: Groups, author: Author, command_id: CommandId) -> CommandStatus:
        """Cancels a command that waits for its station; 409 if it was sent or has ended.

        Of one that is sent in parts, no other part is sent, and it is cancelled when the last one is answered. A token
        that is limited to groups cancels what it asked for itself.
        """
        if groups is not None:
            asked = await reached(groups, str(command_id))
            if author is None or asked.author != author:
                raise Problem(403, OF_OTHERS)
        found, done = await command_service.cancel(str(command_id), author)
        if found is None:
            raise Problem(404, MISSING)
        if not done and found.status != Status.CANCELLED:
            raise Problem(409, f"too late: the command is {found.status}")
        return view(found)

    return routes
