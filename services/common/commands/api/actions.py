"""POST /v1/stations/{station_id}/commands/{Action}: one route for all OCPP actions, in OpenAPI each with its schema."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Set
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Request, Response

from services.common.commands.api.commands import ISSUED, CommandStatus, GivenTerms, Wait, issue
from services.common.commands.catalogue import Catalogue
from services.common.commands.service import CommandService
from services.common.splitting import LARGEST_MESSAGE
from services.common.web.access import Access
from services.common.web.fields import StationId
from services.common.web.openapi import each
from services.common.web.overview import Services
from services.common.web.prefix import route_path
from services.common.web.problem_types import ProblemType
from services.common.web.problems import Problem, did_you_mean, field_problem
from services.common.web.requests import read_body, read_json
from services.common.web.roles import rights
from services.ocpp.commands import Form

# Bytes of a payload that may be sent in parts.
LARGEST_IN_PARTS = 1024 * 1024
# What describes a schema itself and not the payload, or means nothing to OpenAPI.
DROPPED = frozenset({"$schema", "$id", "id", "comment", "javaType", "definitions", "additionalItems"})


def json_object(may_be_cut: Set[str]) -> Callable[..., Awaitable[dict[str, Any]]]:
    """A dependency: the body, a JSON object within bounds. It raises Problem. may_be_cut: actions."""

    async def read(request: Request) -> dict[str, Any]:
        most = LARGEST_IN_PARTS if request.path_params.get("action") in may_be_cut else LARGEST_MESSAGE
        value = read_json(await read_body(request, most))
        if not isinstance(value, dict):
            raise field_problem("body", "must be an object")
        return value

    return read


def action_of(catalogue: Catalogue, services: Services) -> Callable[..., Awaitable[str]]:
    """A dependency: the action of an address. It raises Problem where it is none of the service."""

    async def known(action: Annotated[str, Path()], request: Request) -> str:
        if action in catalogue.forms:
            return action
        if owner := catalogue.owners.get(action):
            there = services.address(owner, request) + quote(route_path(request.scope))
            raise Problem(404, f"{action} belongs to {owner}: {there}", kind=ProblemType.OTHER_SERVICE)
        meant = did_you_mean(action, catalogue.owners)
        raise field_problem("path.action", f"there is no such action; {meant}", 404)

    return known


def router(command_service: CommandService, access: Access, service: str, services: Services) -> APIRouter:
    """Every action of the service, and a word about those of others."""
    writes = [access.require(rights(service).operate)]
    routes = APIRouter(prefix="/v1/stations/{station_id}/commands", tags=["commands"], dependencies=writes)
    catalogue = command_service.catalogue

    @routes.post(
        "/{action}",
        status_code=202,
        response_model=CommandStatus,
        responses=ISSUED,
        openapi_extra=each({action: _operation(action, forms) for action, forms in catalogue.forms.items()}),
    )
    async def send(
        action: Annotated[str, Depends(action_of(catalogue, services))],
        station_id: StationId,
        payload: Annotated[dict[str, Any], Depends(json_object(command_service.may_be_cut))],
        terms: GivenTerms,
        response: Response,
        wait: Wait = 0,
    ) -> CommandStatus:
        return await issue(command_service, terms.request(station_id, action, payload), wait, response)

    return routes


def _operation(action: str, forms: Mapping[str, Form]) -> dict[str, Any]:
    """What an action has of its own in OpenAPI."""
    return {
        "operationId": action,
        "summary": action,
        "description": f"Sends {action} to the station. The payload is that of its version: {_list(forms)}.",
        "requestBody": body(action, forms),
    }


def body(action: str, forms: Mapping[str, Form]) -> dict[str, Any]:
    """The request body of an action for OpenAPI: the schema and an example of each version."""
    examples = {f"OCPP {version}": {"value": form.example} for version, form in forms.items()}
    return {"required": True, "content": {"application/json": {"schema": payload(action, forms), "examples": examples}}}


def payload(action: str, forms: Mapping[str, Form]) -> dict[str, Any]:
    """The schema of an action's payload in OpenAPI: that of any version that has it."""
    schemas = [_reference(version, action) for version in forms]
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def components(forms: Mapping[str, Mapping[str, Form]]) -> dict[str, Any]:
    """The schemas that the bodies refer to, for the OpenAPI document."""
    return {name: schema for action in forms for name, schema in _components(action, forms[action])}


def _components(action: str, forms: Mapping[str, Form]) -> Iterator[tuple[str, Any]]:
    for version, form in forms.items():
        prefix = _name(version, action)
        yield prefix, _plain(form.schema, prefix) | {"title": f"{action} of OCPP {version}"}
        for name, part in form.schema.get("definitions", {}).items():
            yield f"{prefix}_{name}", _plain(part, prefix)


def _plain(schema: Any, prefix: str) -> Any:
    """A schema as OpenAPI has it: references lead to components."""
    if isinstance(schema, list):
        return [_plain(part, prefix) for part in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _plain(part, prefix) for key, part in schema.items() if not _meta(key, part)}
    if reference := plain.get("$ref"):
        plain["$ref"] = reference.replace("#/definitions/", f"#/components/schemas/{prefix}_")
    return plain


def _meta(key: str, part: Any) -> bool:
    """A property may be called like what describes a schema; then it is a schema itself."""
    return key in DROPPED and (key == "definitions" or not isinstance(part, dict))


def _reference(version: str, action: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{_name(version, action)}"}


def _name(version: str, action: str) -> str:
    return f"OCPP{version.replace('.', '')}_{action}"


def _list(forms: Mapping[str, Form]) -> str:
    return " or ".join(f"OCPP {version}" for version in forms)
