"""The REST APIs of an installation, as the commands of an operator call them."""

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from itertools import islice
from typing import Any
from urllib.parse import quote, urlencode

from services.common.process.settings import CommonSettings
from services.ocpp.services import SERVICES
from voltbus.errors import LocalError, ServerUnreachable, reason
from voltbus.operator.tokens import access_token
from voltbus.running import with_running
from voltbus.settings import LocalSettings, read_settings

_PAGE = 1000
_TIMEOUT = 10.0


class NoAnswer(ServerUnreachable):
    """A process does not answer. why: in a few words. unreachable: no request came to it."""

    def __init__(self, process: str, address: str, why: str, *, unreachable: bool) -> None:
        super().__init__(
            f"{process} does not answer at {address} ({why}): start it with `make run`, or set VOLTBUS_URL"
        )
        self.why, self.unreachable = why, unreachable


class NotThere(LocalError):
    """A service knows of no such thing."""


class NotNow(LocalError):
    """A service says that something it needs does not answer."""


_KINDS: Mapping[int, type[LocalError]] = {HTTPStatus.NOT_FOUND: NotThere, HTTPStatus.SERVICE_UNAVAILABLE: NotNow}


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an error: the bearer token is for nobody else."""

    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass(frozen=True)
class Answer:
    """status: of HTTP. body: its JSON; None where it is none."""

    status: int
    body: Any


@dataclass(frozen=True)
class Rest:
    """settings: with the addresses of the stack that runs here. named: addresses by service, which come first."""

    settings: LocalSettings
    named: Mapping[str, str]

    def address(self, process: str) -> str:
        """Where a process, such as "transactions" or "gateway-1", answers HTTP."""
        ports, host = self.settings.ports, self.settings.reachable_at
        port = ports.get(f"{process}_http") or ports[process]
        return self.named.get(process) or f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def get(self, service: str, path: str, timeout: float = _TIMEOUT, **query: Any) -> Any:
        """The JSON of a resource. query: what is None is left out. Raises LocalError."""
        return self.call("GET", service, path, timeout=timeout, **query)

    def items(self, service: str, path: str, limit: int, **query: Any) -> list[Any]:
        """The first items of a list, page by page. Raises LocalError."""
        return list(islice(self._items(service, path, min(limit, _PAGE), query), limit))

    @contextmanager
    def events(self, service: str, path: str, timeout: float, **query: Any) -> Iterator[Iterator[Any]]:
        """The data of server-sent events as they come, until the service ends it. Raises LocalError.

        timeout: seconds without anything, not even a comment, after which the connection is lost.
        """
        address = self.address(service)
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "text/event-stream"}
        request = urllib.request.Request(f"{address}{path}{_written_query(query)}", headers=headers)
        try:
            with self._opener.open(request, timeout=timeout) as response:
                yield _data(response)
        except urllib.error.HTTPError as refused:
            with refused:
                raise LocalError(self._refusal(service, Answer(refused.code, _json(refused.read())))) from None
        except (OSError, ValueError) as error:
            raise self._no_answer(service, address, error) from None

    def call(
        self,
        method: str,
        service: str,
        path: str,
        body: Any = None,
        timeout: float = _TIMEOUT,
        headers: Mapping[str, str] | None = None,
        **query: Any,
    ) -> Any:
        """The JSON that a service answers with a bearer token. Raises LocalError for every other answer."""
        headers = {"Authorization": f"Bearer {self._token}", **(headers or {})}
        answer = self.ask(service, path, method, body, headers, timeout, **query)
        if answer.status < HTTPStatus.BAD_REQUEST and answer.body is not None:
            return answer.body
        raise _KINDS.get(answer.status, LocalError)(self._refusal(service, answer))

    def ask(
        self,
        process: str,
        path: str,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = _TIMEOUT,
        **query: Any,
    ) -> Answer:
        """What a process answers, whatever it is. Raises NoAnswer."""
        address = self.address(process)
        request = urllib.request.Request(
            f"{address}{path}{_written_query(query)}",
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json", **(headers or {})},
            method=method,
        )
        try:
            with self._opener.open(request, timeout=timeout) as response:
                return Answer(response.status, _json(response.read()))
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused.code, _json(refused.read()))
        except (OSError, ValueError) as error:
            raise self._no_answer(process, address, error) from None

    @cached_property
    def _token(self) -> str:
        return access_token(self.settings)

    @cached_property
    def _opener(self) -> urllib.request.OpenerDirector:
        proxies = [] if self.named else [urllib.request.ProxyHandler({})]
        return urllib.request.build_opener(_NoRedirects, *proxies)

    def _items(self, service: str, path: str, limit: int, query: Mapping[str, Any]) -> Iterator[Any]:
        cursor = None
        while True:
            page = self.get(service, path, limit=limit, cursor=cursor, **query)
            yield from page["items"]
            if (cursor := page["next"]) is None:
                return

    def _no_answer(self, process: str, address: str, error: OSError | ValueError) -> NoAnswer:
        cause = error.reason if isinstance(error, urllib.error.URLError) else error
        unreachable = isinstance(cause, (ConnectionRefusedError, socket.gaierror))
        return NoAnswer(process, address, cause if isinstance(cause, str) else reason(cause), unreachable=unreachable)

    def _refusal(self, service: str, answer: Answer) -> str:
        where = f"{service} at {self.address(service)}"
        if answer.status == HTTPStatus.UNAUTHORIZED:
            return f"{where} refused the bearer token: set VOLTBUS_TOKEN, or VOLTBUS_DATA to the folder of that stack"
        if isinstance(answer.body, Mapping) and (detail := answer.body.get("detail")):
            return f"{service}: {detail} ({answer.status})"
        return f"what answers at {self.address(service)} is not {service} of Voltbus ({answer.status})"


def installation() -> Rest:
    """That of VOLTBUS_ADDRESSES and VOLTBUS_URL, or the stack that runs here. Raises LocalError."""
    settings = CommonSettings.read()
    below = {name: f"{settings.url.rstrip('/')}/{name}" for name in SERVICES} if settings.url else {}
    named = {**below, **settings.addresses}
    if unknown := sorted(set(named) - {*SERVICES, "gateway"}):
        raise LocalError(f"VOLTBUS_ADDRESSES: there is no service {unknown[0]}, only {', '.join(SERVICES)} and gateway")
    return Rest(with_running(read_settings()), {name: address.rstrip("/") for name, address in named.items()})


def segment(value: str) -> str:
    """A part of a path."""
    return quote(value, safe="")


def _data(lines: Iterable[bytes]) -> Iterator[Any]:
    """The JSON of events without a name: one with a name is about the stream, not of it."""
    named = False
    for line in lines:
        named = line.startswith(b"event:") or (named and bool(line.strip()))
        if line.startswith(b"data:") and not named:
            yield json.loads(line.removeprefix(b"data:"))


def _written_query(query: Mapping[str, Any]) -> str:
    given = {name: _written(value) for name, value in query.items() if value is not None}
    return f"?{urlencode(given)}" if given else ""


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None
