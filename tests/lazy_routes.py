"""FastAPI makes of each route what serves it: here when it is first asked for.

Hundreds of services are built in one process, each with the same hundred routes, of which a test asks one or two.
"""

from typing import Any

from fastapi.routing import APIRoute
from starlette.routing import compile_path, get_name

_make = APIRoute.__init__
# What a request is compared with, and all that a route has.
COMPARED = {"path_regex", "path_format", "param_convertors"}
MADE = {*COMPARED, "app", "form_limits", *APIRoute.__annotations__}


def defer() -> None:
    """For all apps of this process from now on."""
    route: Any = APIRoute
    route.__init__, route.__getattr__ = _note, _attribute


def _note(self: APIRoute, path: str, endpoint: Any, **more: Any) -> None:
    self.path, self.endpoint = path, endpoint
    self.methods = {method.upper() for method in more.get("methods") or ["GET"]}
    self.name = more.get("name") or get_name(endpoint)
    vars(self)["noted"] = more


def _attribute(self: APIRoute, name: str) -> Any:
    """One that is not there yet."""
    if name not in MADE or "noted" not in vars(self):
        raise AttributeError(name)
    if name in COMPARED:
        self.path_regex, self.path_format, self.param_convertors = compile_path(self.path)
    else:
        _make(self, self.path, self.endpoint, **vars(self).pop("noted"))
    return getattr(self, name)
