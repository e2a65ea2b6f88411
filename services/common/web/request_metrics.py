"""REST requests by route, counted and timed. What is asked of operations (health, metrics) is left out."""

import time
from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from prometheus_client import REGISTRY
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.common.process.fast_metrics import FastCounter, FastHistogram
from services.common.web.prefix import route_path

REQUESTS = FastCounter(
    "voltbus_http_requests",
    "REST requests by route (empty: of none, or refused before it was looked up) and status (2xx, 4xx, …; "
    "4xx, too: the client left before it had sent all of it)",
    ("method", "route", "status"),
)
# To the first byte of the answer: some answers go on for as long as somebody reads.
SECONDS = FastHistogram(
    "voltbus_http_request_seconds",
    "from a REST request to the beginning of its answer, by route; some wait for a station because they are asked to",
    ("method", "route"),
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
STATUSES = ("2xx", "4xx", "5xx")
OPERATIONS = frozenset({"/healthz", "/readyz", "/metrics"})

REGISTRY.register(REQUESTS)
REGISTRY.register(SECONDS)


class RequestMetrics:
    """The outermost layer of an app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or route_path(scope) in OPERATIONS:
            return await self._app(scope, receive, send)
        began, status = time.perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                SECONDS.observe(labels_of(scope), time.perf_counter() - began)
            await send(message)

        try:
            return await self._app(scope, receive, noting)
        finally:
            REQUESTS.count((*labels_of(scope), f"{status // 100}xx"))


def begin(routes: Iterable[BaseRoute]) -> None:
    """All counters of these, at 0; a histogram of each would be thousands of series."""
    REQUESTS.begin((*one, status) for one in _known(routes) for status in STATUSES)


def _known(routes: Iterable[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str]]:
    """FastAPI keeps a router that is included as one route, which knows its own routes without their prefix."""
    for route in routes:
        if isinstance(included := getattr(route, "original_router", None), APIRouter):
            context: Any = getattr(route, "include_context", None)
            yield from _known(included.routes, prefix + context.prefix)
        elif isinstance(route, APIRoute) and route.path not in OPERATIONS:
            yield from ((method, prefix + route.path) for method in route.methods or ())


def labels_of(scope: Scope) -> tuple[str, str]:
    """Method and route. Clients choose methods and paths: neither makes a series that there is not."""
    method = scope["method"] if scope["method"] in METHODS else "other"
    found = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    return method, getattr(found, "path", "")
