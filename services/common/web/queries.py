"""Query parameters that a call does not have: one that is misspelt would select everything."""

from fastapi import Request, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute

from services.common.web.problems import did_you_mean, field_problems


async def only_known(request: Request) -> None:
    """A dependency of all calls below /v1. Raises Problem, which names what is meant or what there is."""
    if not request.query_params or not request.url.path.startswith("/v1"):
        return
    known = _parameters(request.scope["route"])
    if unknown := [name for name in request.query_params if name not in known]:
        raise field_problems({f"query.{name}": f"unknown; {did_you_mean(name, known)}" for name in unknown})


def _parameters(route: APIRoute) -> list[str]:
    """The names of the query parameters that a call has, its dependencies' among them."""
    fields = get_flat_params(route.dependant)
    return [field.alias for field in fields if isinstance(field.field_info, params.Query)]
