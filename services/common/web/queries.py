"""Query parameters that a call does not have: one that is misspelt would select everything."""

from collections import Counter

from fastapi import Request, params
from fastapi._compat import field_annotation_is_sequence
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute

from services.common.web.prefix import route_path
from services.common.web.problems import did_you_mean, field_problems


async def only_known(request: Request) -> None:
    """A dependency of all calls below /v1. Raises Problem, which names what is meant or what there is."""
    if not request.query_params or not route_path(request.scope).startswith("/v1"):
        return
    known = _parameters(request.scope["route"])
    if unknown := [name for name in request.query_params if name not in known]:
        raise field_problems({f"query.{name}": f"unknown; {did_you_mean(name, known)}" for name in unknown})
    given = Counter(name for name, _ in request.query_params.multi_items())
    if repeated := [name for name, times in given.items() if times > 1 and not known[name]]:
        raise field_problems({f"query.{name}": "is there more than once" for name in repeated})


def _parameters(route: APIRoute) -> dict[str, bool]:
    """By name, whether the query parameters that a call has, its dependencies' among them, are lists."""
    fields = get_flat_params(route.dependant)
    queries = [(one.alias, one.field_info) for one in fields if isinstance(one.field_info, params.Query)]
    return {name: field_annotation_is_sequence(info.annotation) for name, info in queries}
