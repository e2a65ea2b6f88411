"""The web app of a process: its requests are checked, its errors are problems, its OpenAPI document says so."""

from collections.abc import Mapping
from copy import deepcopy
from importlib.metadata import version
from typing import Any

from fastapi import Depends, FastAPI
from starlette.types import Receive, Scope, Send

from services.common.web import docs, openapi, problems
from services.common.web.exports import Exports
from services.common.web.framing import AbsoluteForm, OneLength
from services.common.web.head import HeadAsGet
from services.common.web.prefix import Prefixed
from services.common.web.queries import only_known
from services.common.web.requests import StrictRequests


class WebApp(FastAPI):
    """prefix: below which it answers, too. tags: what those of this service mean.

    components: JSON schemas for the OpenAPI document that routes refer to beside those of their models.
    """

    def __init__(self, prefix: str, tags: Mapping[str, str], **settings: Any) -> None:
        super().__init__(**settings)
        self._outermost = AbsoluteForm(OneLength(Prefixed(HeadAsGet(super().__call__), prefix)))
        self.components: dict[str, Any] = {}
        self.tags = dict(tags)

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = super().openapi()
            document.setdefault("components", {}).setdefault("schemas", {}).update(deepcopy(self.components))
            openapi.complete(document, self.tags)
        return self.openapi_schema or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._outermost(scope, receive, send)


def web_app(title: str, description: str = "", tags: Mapping[str, str] | None = None) -> WebApp:
    """An app whose requests are checked and whose errors are problem details. title: the name of the process."""
    app = WebApp(
        f"/{title}",
        tags or {},
        title=f"Voltbus {title}",
        version=version("voltbus"),
        description=description,
        dependencies=[Depends(only_known)],
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # It would tell paths, in which there may be an idToken.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        generate_unique_id_function=openapi.operation_id,
    )
    app.state.exports = Exports()
    app.add_middleware(StrictRequests)
    problems.install(app)
    docs.install(app, app.title)
    return app
