"""The pages of the one address: what is below it, and all that can be called there in one OpenAPI document.

The document, openapi.json, is of all services and known to none: deploy/openapi.py writes it.
"""

from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI, Request
from starlette.responses import FileResponse, Response

from services.common.web import docs
from services.common.web.overview import Overview, Services

TITLE = "Voltbus"
MEANING = "A Kafka-native OCPP backend: stations connect to the gateway, four services decide, each below its name."
DOCUMENT = Path(__file__).with_name("openapi.json")
# Where processes have them: what has one address for all of them leads its first pages here.
WITHIN = "/all"
LINKS = {"docs": "docs", "openapi": "openapi.json"}


def install(app: FastAPI, services: Services, at: str = WITHIN) -> None:
    """Adds the pages below a path."""

    async def overview(request: Request) -> Overview:
        address = services.one_address(request)
        return Overview(
            name=TITLE,
            version=version("voltbus"),
            description=MEANING,
            links={name: f"{address}/{path}" for name, path in LINKS.items()},
            services=services.below(address),
        )

    async def document() -> Response:
        return FileResponse(DOCUMENT, media_type="application/json")

    app.add_api_route(f"{at}/", overview, include_in_schema=False)
    app.add_api_route(f"{at}/openapi.json", document, include_in_schema=False)
    docs.install(app, TITLE, at)
