"""POST /v1/commands/{Action}: the same action for many stations, named or chosen, with a command for each."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema
from starlette.convertors import StringConvertor, register_url_convertor

from services.common.calls.stations import StationFilter
from services.common.commands import batches
from services.common.commands.api.actions import action_of, payload
from services.common.commands.api.commands import (
    REUSED,
    CommandStatus,
    ExpiresIn,
    IdempotencyKey,
    Wait,
    page_of,
    reused,
    unknown,
    unsayable,
)
from services.common.commands.batches import Batch
from services.common.commands.command import OPEN, Status, Unrenderable
from services.common.commands.service import CommandRequest, CommandService, KeyReused, UnknownStations
from services.common.commands.store import CommandFilter as Commands
from services.common.postgres.database import Connection, Database
from services.common.process.clock import Clock
from services.common.web.access import Access
from services.common.web.fields import NO_NUL, without_default
from services.common.web.openapi import LOCATION, each, problem_responses
from services.common.web.overview import Services
from services.common.web.pages import Page
from services.common.web.problems import Problem, field_problem
from services.ocpp.commands import Form, owners

MOST = 10_000
SHOWN = 1000

# How stations are chosen, of which a request has one.
WAYS = ("stations", "filter", "all")

MISSING = "there is no such batch"
NOBODY = "matches no station"

BatchId = Annotated[UUID, Path(description="as the answer to the request had it")]
StationName = Annotated[str, Field(min_length=1, max_length=255, pattern=NO_NUL)]
Text = Annotated[StationName | SkipJsonSchema[None], Field(json_schema_extra=without_default)]


class _ActionConvertor(StringConvertor):
    """An action that OCPP has: what else stands there would be the id of a command."""

    regex = "|".join(sorted(owners()))


register_url_convertor("action", _ActionConvertor())


def _not_null(value: object) -> object:
    if value is None:
        raise ValueError("must not be null")
    return value


class Chosen(BaseModel):
    """Stations that are registered or have ever connected. All that is named must match; something must be named."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"minProperties": 1})

    group: Text = Field(None, description="as registered in auth")
    version: Text = Field(None, description="of OCPP, on its last connection", examples=["2.0.1"])
    vendor: Text = None
    model: Text = None
    firmware_version: Text = None

    _named = field_validator("*")(_not_null)

    @model_validator(mode="after")
    def _something(self) -> "Chosen":
        if self.selection() == StationFilter():
            raise ValueError('names nothing: for every station give "all": true in its place')
        return self

    def selection(self) -> StationFilter:
        return StationFilter(**self.model_dump())


class Selection(BaseModel):
    """Stations that a filter fits, or all that there are."""

    model_config = ConfigDict(extra="forbid")

    filter: Chosen | SkipJsonSchema[None] = Field(None, json_schema_extra=without_default)
    all: Literal[True] | SkipJsonSchema[None] = Field(
        None, description="every station that is registered or has ever connected", json_schema_extra=without_default
    )

    _named = field_validator("stations", "filter", "all", check_fields=False)(_not_null)

    @model_validator(mode="after")
    def _in_one_way(self) -> Self:
        ways = [name for name in WAYS if name in type(self).model_fields]
        if len(self.model_fields_set.intersection(ways)) != 1:
            raise ValueError(f"give one of {', '.join(ways)}")
        return self

    def selection(self) -> StationFilter:
        """Where none are named."""
        return self.filter.selection() if self.filter else StationFilter()


class BatchRequest(Selection):
    """An action for many stations: named, chosen by a filter, or all that there are."""

    stations: Annotated[list[StationName], Field(min_length=1, max_length=MOST)] | SkipJsonSchema[None] = Field(
        None, json_schema_extra=without_default
    )
    payload: dict[str, Any] = Field(
        description="of OCPP; for a station whose version does not have it the command is rejected"
    )


class BatchStatus(BaseModel):
    """What became of an action for many stations, by the status of each one's command."""

    batch_id: str
    action: str
    stations: int = Field(description="how many stations it is for")
    by_status: dict[Status, int]
    open: int = Field(description="how many have not ended")
    created_at: datetime
    expires_at: datetime
    commands: Page[CommandStatus] = Field(description=f"the newest {SHOWN}; `next` is a cursor of GET /v1/commands")


GIVEN: dict[int | str, dict[str, Any]] = {
    200: {"model": BatchStatus, "description": "all commands have ended", "headers": LOCATION},
    202: {"description": "some commands have not ended yet", "headers": LOCATION},
    **problem_responses({404: f"a station is not known, or the filter {NOBODY}", 409: REUSED}),
}


def router(
    command_service: CommandService,
    database: Database,
    access: Access,
    service: str,
    clock: Clock,
    services: Services,
) -> APIRouter:
    """Every action of the service for many stations, and what became of them."""
    command_services = Batches(command_service, database, clock)
    read, write = [access.require(f"{service}:read")], [access.require(f"{service}:write")]
    routes = APIRouter(prefix="/v1", tags=["commands to many"])
    catalogue = command_service.catalogue

    @routes.post(
        "/commands/{action:action}",
        status_code=202,
        response_model=BatchStatus,
        responses=GIVEN,
        dependencies=write,
        openapi_extra=each({action: _operation(action, forms) for action, forms in catalogue.forms.items()}),
    )
    async def send(
        action: Annotated[str, Depends(action_of(catalogue, services))],
        many: BatchRequest,
        response: Response,
        wait: Wait = 0,
        expires_in: ExpiresIn = 60,
        idempotency_key: IdempotencyKey = None,
    ) -> BatchStatus:
        try:
            given = await command_services.give(action, many, expires_in, idempotency_key)
        except KeyReused as error:
            raise reused(error) from None
        except UnknownStations as error:
            raise unknown(error, {one: f"body.stations.{n}" for n, one in enumerate(many.stations or ())}) from None
        except Unrenderable as error:
            raise unsayable(error, "body.payload") from None
        found = await command_services.view(given, wait)
        response.status_code = 202 if found.open else 200
        response.headers["Location"] = f"/v1/batches/{given.id}"
        return found

    @routes.get("/batches/{batch_id:uuid}", dependencies=read, responses=problem_responses({404: MISSING}))
    async def batch(batch_id: BatchId, wait: Wait = 0) -> BatchStatus:
        """What became of an action for many stations: as it is now, or when all has ended within `wait` seconds."""
        if (found := await command_services.find(str(batch_id))) is None:
            raise Problem(404, MISSING)
        return await command_services.view(found, wait)

    return routes


class Batches:
    """Actions for many stations."""

    def __init__(self, command_service: CommandService, database: Database, clock: Clock) -> None:
        self._command_service, self._database, self._clock = command_service, database, clock

    async def find(self, batch_id: str) -> Batch | None:
        async with self._database.connection() as db:
            return await batches.one(db, batch_id)

    async def give(self, action: str, many: BatchRequest, expires_in: float, idempotency_key: str | None) -> Batch:
        """Keeps the batch and a command for each station; the same batch for the same key.

        Raises KeyReused, UnknownStations, and Unrenderable where no version can say the payload.
        """
        self._command_service.catalogue.check(action, many.payload)
        wanted = self._new(action, many, expires_in, idempotency_key)
        async with self._database.connection() as db:
            if before := await batches.by_key(db, idempotency_key):
                return _same(before, wanted)
        stations = await self._stations(many)
        async with self._database.transaction() as db:
            if not await batches.add(db, wanted):
                before = await batches.by_key(db, idempotency_key)
                assert before is not None, "its key is taken"
                return _same(before, wanted)
            await self._add(db, wanted, stations, expires_in)
        self._command_service.notify_changed()
        await self._command_service.send()
        return wanted

    async def view(self, batch: Batch, wait: float) -> BatchStatus:
        """As it stands, or when all commands have ended within the time."""

        async def tally() -> Mapping[Status, int]:
            async with self._database.connection() as db:
                return await batches.tally(db, batch.id)

        by_status = await self._command_service.wait_until(tally, lambda counts: not _open(counts), wait)
        commands = await self._command_service.page(Commands(batch_id=batch.id), SHOWN + 1)
        return BatchStatus(
            batch_id=batch.id,
            action=batch.action,
            stations=sum(by_status.values()),
            by_status=dict(by_status),
            open=_open(by_status),
            created_at=batch.created_at,
            expires_at=batch.expires_at,
            commands=page_of(commands, SHOWN),
        )

    def _new(self, action: str, many: BatchRequest, expires_in: float, idempotency_key: str | None) -> Batch:
        now = self._clock()
        chosen = next({way: said} for way, said in many.model_dump(include={*WAYS}).items() if said is not None)
        until = now + timedelta(seconds=expires_in)
        return Batch(str(uuid4()), action, many.payload, chosen, now, until, idempotency_key)

    async def _stations(self, many: BatchRequest) -> list[str]:
        if many.stations:
            await self._command_service.require_known(many.stations)
            return sorted(set(many.stations))
        if not self._command_service.stations.ready():
            raise Problem(
                503, "the service is still reading which stations there are: try again", headers={"Retry-After": "1"}
            )
        found = self._command_service.stations.matching(many.selection())
        if not found:
            raise field_problem("body.filter" if many.filter else "body.all", NOBODY, 404)
        return found

    async def _add(self, db: Connection, batch: Batch, stations: list[str], expires_in: float) -> None:
        asked = [CommandRequest(one, batch.action, batch.payload, expires_in, batch_id=batch.id) for one in stations]
        await self._command_service.add(db, asked)


def _same(kept: Batch, wanted: Batch) -> Batch:
    if (kept.action, kept.payload, kept.chosen) != (wanted.action, wanted.payload, wanted.chosen):
        raise KeyReused("the Idempotency-Key was used for another request")
    return kept


def _open(counts: Mapping[Status, int]) -> int:
    return sum(count for status, count in counts.items() if status in OPEN)


def _operation(action: str, forms: Mapping[str, Form]) -> dict[str, Any]:
    """What an action has of its own in OpenAPI."""
    return {
        "operationId": _name(action),
        "summary": f"{action} to many",
        "description": f"Sends {action} to many stations; each gets a command of its own.",
        "requestBody": _body(action, forms),
    }


def _body(action: str, forms: Mapping[str, Form]) -> dict[str, Any]:
    """The request body for OpenAPI, the payload with its real schema."""
    examples = {
        f"OCPP {version}": {"value": {"filter": {"group": "vienna", "version": version}, "payload": form.example}}
        for version, form in forms.items()
    }
    reference = {"$ref": f"#/components/schemas/{_name(action)}"}
    return {"required": True, "content": {"application/json": {"schema": reference, "examples": examples}}}


def components(forms: Mapping[str, Mapping[str, Form]]) -> dict[str, Any]:
    """The schemas that the bodies refer to, for the OpenAPI document."""
    document = BatchRequest.model_json_schema(ref_template="#/components/schemas/{model}")
    return {_name(action): _schema(document, payload(action, forms[action])) for action in forms}


def _schema(document: Mapping[str, Any], payload: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title": "BatchRequest",
        "type": "object",
        "description": document["description"],
        "additionalProperties": False,
        "properties": {**document["properties"], "payload": payload},
        "required": ["payload"],
        "oneOf": [{"required": [way]} for way in WAYS],
    }


def _name(action: str) -> str:
    return f"{action}ToMany"
