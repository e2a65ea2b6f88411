"""What stations of every version can be asked, in words of no version: for one station, and for many."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Body, Response
from pydantic import BaseModel, ConfigDict, create_model

from services.common.commands.api.commands import ISSUED, CommandStatus, GivenTerms, Wait, issue
from services.common.commands.api.many import GIVEN, Batches, BatchStatus
from services.common.commands.api.selection import WAYS, ManyStations
from services.common.commands.service import CommandService
from services.common.web.access import Access
from services.common.web.fields import StationId
from services.common.web.roles import rights


@dataclass(frozen=True, slots=True)
class Verb:
    """path: the last part of its addresses. action: by which commands are listed. body: what else is said of it."""

    path: str
    action: str
    body: type[BaseModel]
    meaning: str


def example(**fields: Any) -> ConfigDict:
    """The configuration of a body, with an example of it; a field that it does not have is refused."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [fields]})


class Nothing(BaseModel):
    """Nothing else needs to be said."""

    model_config = example()


def router(
    verbs: Sequence[Verb], command_service: CommandService, batches: Batches, access: Access, service: str
) -> APIRouter:
    """POST /v1/stations/{station_id}/<verb> and POST /v1/<verb> of each."""
    routes = APIRouter(prefix="/v1", dependencies=[access.require(rights(service).operate)])
    for verb in verbs:
        _one(routes, verb, command_service)
        _many(routes, verb, batches)
    return routes


def _one(routes: APIRouter, verb: Verb, command_service: CommandService) -> None:
    body, default = verb.body, Body(Nothing() if verb.body is Nothing else ...)

    @routes.post(
        f"/stations/{{station_id}}/{verb.path}",
        status_code=202,
        responses=ISSUED,
        tags=["commands"],
        name=f"{verb.path} one",
        description=verb.meaning,
    )
    async def send(
        station_id: StationId,
        terms: GivenTerms,
        response: Response,
        said: body = default,  # type: ignore[valid-type]
        wait: Wait = 0,
    ) -> CommandStatus:
        return await issue(command_service, terms.request(station_id, verb.action, _payload(said)), wait, response)


def _many(routes: APIRouter, verb: Verb, batches: Batches) -> None:
    model: Any = create_model(
        f"{verb.action}ForMany",
        __base__=(ManyStations, verb.body),
        __doc__=f"{verb.meaning} Of each station that is named, that the filter fits, or of all.",
    )
    extra: Any = verb.body.model_config["json_schema_extra"]
    model.model_config["json_schema_extra"] = {
        "oneOf": [{"required": [way]} for way in WAYS],
        "examples": [{"filter": {"group": "vienna"}, **one} for one in extra["examples"]],
    }

    @routes.post(
        f"/{verb.path}",
        status_code=202,
        responses=GIVEN,
        tags=["commands to many"],
        name=f"{verb.path} many",
        description=f"{verb.meaning} Each of the stations gets a command of its own.",
    )
    async def send(many: model, terms: GivenTerms, response: Response, wait: Wait = 0) -> BatchStatus:
        given: Any = many
        payload = _payload(given, include={*verb.body.model_fields})
        return await batches.issue(verb.action, payload, given, terms, wait, response)


def _payload(said: BaseModel, **more: Any) -> dict[str, Any]:
    return said.model_dump(mode="json", exclude_none=True, **more)
