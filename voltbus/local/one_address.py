"""python -m voltbus.local.one_address: all REST APIs of the stack at one address, each service below its name."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from services.common.process.service import Service, main
from services.common.process.settings import CommonSettings
from services.common.web import one_address, problems
from services.common.web.framing import AbsoluteForm, OneLength
from services.common.web.head import HeadAsGet
from services.common.web.overview import Services
from services.common.web.problem_types import ProblemType
from services.common.web.problems import Problem, response
from services.ocpp.services import MEANINGS
from voltbus.local.reverse_proxy import ReverseProxy, connections
from voltbus.settings import REST, LocalSettings, port_variable, read_settings


class OneAddress(FastAPI):
    """Pages of its own, and what is below the name of a service. services: by name."""

    def __init__(self, services: Mapping[str, ASGIApp], **settings: Any) -> None:
        super().__init__(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False, **settings)
        self._services, self._pages = services, HeadAsGet(super().__call__)
        self._outermost = AbsoluteForm(OneLength(self._routed))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await super().__call__(scope, receive, send)
        return await self._outermost(scope, receive, send)

    async def _routed(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["path"].split("/")[1] if scope["path"].startswith("/") else ""
        if service := self._services.get(name):
            return await service(scope, receive, send)
        if name == "v1":
            below = ", ".join(f"/{service}{scope['path']}" for service in self._services)
            problem = Problem(404, f"it is below the name of a service: {below}", kind=ProblemType.NO_SUCH_ADDRESS)
            return await response(problem)(scope, receive, send)
        return await self._pages(scope, receive, send)


def build(settings: CommonSettings, local: LocalSettings) -> Service:
    """The process, not yet started. local: where the services are."""
    pool, ports = connections(), {name: local.ports[name] for name in local.services}
    of = {
        service: [(local.reachable_at, port) for name, port in ports.items() if name.partition("-")[0] == service]
        for service in MEANINGS
    }
    app = OneAddress({service: ReverseProxy(service, addresses, pool) for service, addresses in of.items()})
    problems.install(app)
    one_address.install(app, Services(settings, MEANINGS), at="")
    return Service(
        name=REST,
        settings=settings,
        port=local.ports[REST],
        port_setting=port_variable(REST),
        app=app,
        tasks={},
        checks={},
        closes=(pool.aclose,),
    )


if __name__ == "__main__":
    main(lambda: build(CommonSettings.read(), read_settings()))
