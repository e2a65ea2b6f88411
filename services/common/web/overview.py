"""GET /: what this process is, and where everything is; the addresses of the services, which problems name too."""

from collections.abc import Callable, Mapping

from fastapi import FastAPI, Request
from pydantic import BaseModel, Field

from services.common.process.errors import Misconfigured
from services.common.process.settings import CommonSettings

# The pages of every process.
LINKS = {"docs": "docs", "openapi": "openapi.json", "health": "healthz", "readiness": "readyz", "metrics": "metrics"}


class Services:
    """The services with a REST API. meanings: a line for people on each, by name.

    Raises Misconfigured where an address is set for what is none of them.
    """

    def __init__(self, settings: CommonSettings, meanings: Mapping[str, str]) -> None:
        self._meanings, self._addresses, self._url = meanings, settings.addresses, (settings.url or "").rstrip("/")
        self._ports = {name: getattr(settings, f"{name}_port") for name in meanings}
        if unknown := sorted(set(self._addresses) - set(meanings)):
            raise Misconfigured(f"VOLTBUS_ADDRESSES: there is no service {unknown[0]!r}, only {', '.join(meanings)}")

    def address(self, name: str, request: Request) -> str:
        """Where whoever makes this request reaches a service.

        As it is set; else below the same address if that is the one of all, or at its port on the same host.
        """
        if known := self._addresses.get(name):
            return known.rstrip("/")
        if self._url or request.scope.get("root_path"):
            return f"{self.one_address(request)}/{name}"
        return str(request.base_url.replace(port=self._ports[name], path="")).rstrip("/")

    def one_address(self, request: Request) -> str:
        """Of all services, for whoever makes this request: as it is set, or what was called."""
        return self._url or str(request.base_url.replace(path="")).rstrip("/")

    def here(self, request: Request) -> str:
        """Where whoever makes this request reaches this process."""
        below: str = request.scope.get("root_path", "")
        return self.one_address(request) + below if below else str(request.base_url).rstrip("/")

    def views(self, request: Request) -> "list[ServiceView]":
        """All of them, where they are."""
        return self._views(lambda name: self.address(name, request))

    def below(self, address: str) -> "list[ServiceView]":
        """All of them, below the one address."""
        return self._views(lambda name: f"{address}/{name}")

    def _views(self, address: Callable[[str], str]) -> "list[ServiceView]":
        return [
            ServiceView(name=name, url=address(name), description=meaning) for name, meaning in self._meanings.items()
        ]


class ServiceView(BaseModel):
    """A service, and where it is."""

    name: str = Field(examples=["auth"])
    url: str = Field(examples=["http://localhost:9081"])
    description: str


class Overview(BaseModel):
    """What a process is, and where to go from here."""

    name: str = Field(examples=["Voltbus auth"])
    version: str
    description: str
    links: dict[str, str] = Field(description="its pages: docs, openapi, health, readiness and metrics")
    services: list[ServiceView] = Field(description="all services with a REST API")


def install(app: FastAPI, services: Services) -> None:
    """Adds the address."""

    async def overview(request: Request) -> Overview:
        """What this process is, and where everything is."""
        return Overview(
            name=app.title,
            version=app.version,
            description=app.description,
            links={name: f"{services.here(request)}/{path}" for name, path in LINKS.items()},
            services=services.views(request),
        )

    app.add_api_route("/", overview, tags=["operations"])
