"""The web app of a process: its requests are checked, its errors are problems, its OpenAPI document says so."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from fastapi import Depends, FastAPI

from services.common.web import docs, openapi, problems
from services.common.web.exports import Exports
from services.common.web.queries import only_known
from services.common.web.requests import StrictRequests


class WebApp(FastAPI):
    """components: JSON schemas for the OpenAPI document that routes refer to beside those of their models.

    tags: what those of this service mean.
    """

    def __init__(self, tags: Mapping[str, str], **settings: Any) -> None:
        super().__init__(**settings)
        self.components: dict[str, Any] = {}
        self.tags = dict(tags)

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = super().openapi()
            openapi.complete(document, self.tags)
            document["components"]["schemas"].update(self.components)
        return self.openapi_schema or {}


def web_app(title: str, description: str = "", tags: Mapping[str, str] | None = None) -> WebApp:
    """An app whose requests are checked and whose errors are problem details."""
    app = WebApp(
        tags or {},
        title=f"Voltbus {title}",
        version=version("voltbus"),
        description=description,
        dependencies=[Depends(only_known)],
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=openapi.operation_id,
    )
    app.state.exports = Exports()
    app.add_middleware(StrictRequests)
    problems.install(app)
    docs.install(app)
    return app
