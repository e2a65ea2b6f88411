"""POST /v1/commands/{Action}: the same action for many stations, named or chosen, with a command for each."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Response
from pydantic import Field
from starlette.convertors import StringConvertor, register_url_convertor

from services.common.commands.api.actions import action_of, payload
from services.common.commands.api.commands import GivenTerms, Wait
from services.common.commands.api.many import GIVEN, Batches, BatchStatus
from services.common.commands.api.selection import WAYS, ManyStations
from services.common.commands.catalogue import Catalogue
from services.common.web.access import Access, Author
from services.common.web.openapi import each, problem_responses
from services.common.web.overview import Services
from services.common.web.problems import Problem
from services.common.web.roles import rights
from services.ocpp.commands import Form, owners

MISSING = "there is no such batch"

BatchId = Annotated[UUID, Path(description="as the answer to the request had it")]


class _ActionConvertor(StringConvertor):
    """An action that OCPP has: what else stands there would be the id of a command."""

    regex = "|".join(sorted(owners()))


register_url_convertor("action", _ActionConvertor())


class BatchRequest(ManyStations):
    """An action for many stations: named, chosen by a filter, or all that there are."""

    payload: dict[str, Any] = Field(
        description="of OCPP; for a station whose version does not have it the command is rejected"
    )


def router(batches: Batches, catalogue: Catalogue, access: Access, service: str, services: Services) -> APIRouter:
    """Every action of the service for many stations, and what became of them."""
    needed = rights(service)
    read, write = [access.require(needed.read)], [access.require(needed.operate)]
    routes = APIRouter(prefix="/v1", tags=["commands to many"])

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
        terms: GivenTerms,
        response: Response,
        wait: Wait = 0,
    ) -> BatchStatus:
        return await batches.issue(action, many.payload, many, terms, wait, response, "body.payload")

    @routes.get("/batches/{batch_id:uuid}", dependencies=read, responses=problem_responses({404: MISSING}))
    async def batch(batch_id: BatchId, wait: Wait = 0) -> BatchStatus:
        """What became of an action for many stations: as it is now, or when all has ended within `wait` seconds."""
        if (found := await batches.find(str(batch_id))) is None:
            raise Problem(404, MISSING)
        return await batches.view(found, wait)

    @routes.post("/batches/{batch_id:uuid}/cancel", dependencies=write, responses=problem_responses({404: MISSING}))
    async def cancel(batch_id: BatchId, author: Author) -> BatchStatus:
        """Cancels all commands of it that wait; those that were sent go on. Each says who cancelled it."""
        if (found := await batches.find(str(batch_id))) is None:
            raise Problem(404, MISSING)
        await batches.cancel(found, author)
        return await batches.view(found, 0)

    return routes


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
    return {_name(action): _schema(_name(action), document, payload(action, forms[action])) for action in forms}


def _schema(title: str, document: Mapping[str, Any], payload: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title": title,
        "type": "object",
        "description": document["description"],
        "additionalProperties": False,
        "properties": {**document["properties"], "payload": payload},
        "required": ["payload"],
        "oneOf": [{"required": [way]} for way in WAYS],
    }


def _name(action: str) -> str:
    return f"{action}ToMany"
