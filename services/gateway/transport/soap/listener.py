"""The port of stations that speak SOAP: FastAPI on uvicorn's HTTP, within bounds of time and size."""

import asyncio
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.datastructures import Headers
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from services.common.process.errors import Misconfigured
from services.gateway import metrics
from services.gateway.pressure.pace import Rates
from services.gateway.settings import Settings
from services.gateway.timing import Clocks, Timing
from services.gateway.transport.proxies import Origin, Proxies
from services.gateway.transport.soap.bodies import ENCODINGS, BadBody, charset_of, decoded, encoded, too_long
from services.gateway.transport.soap.callback import Callback
from services.gateway.transport.soap.central_system import Admitter, Answered, Asked, CentralSystem, bad_body
from services.gateway.transport.soap.station import Options
from services.ocpp.soap.envelope import CONTENT_TYPE

BACKLOG = 1024
# Open at a time, idle ones with them; who comes beyond is answered 503.
MOST_CONNECTIONS = 5000
# Seconds that a connection without a request stays open.
KEEP_ALIVE = 30
# Seconds that an answer may come late and still be told.
LATE = 30.0


class SoapListener:
    """Open from `open` to `close`, where there is a port."""

    def __init__(self, settings: Settings, admitter: Admitter, *, clocks: Clocks, timing: Timing) -> None:
        self._settings, self._timing = settings, timing
        self._callback = Callback(
            settings.soap_allow, settings.soap_call_ports, settings.command_timeout + LATE, settings.message_size
        )
        options = Options(
            monotonic=clocks.monotonic,
            silence=settings.soap_silence,
            call_timeout=settings.call_timeout,
            max_size=settings.message_size,
            rates=Rates.of(settings),
            callback=self._callback,
        )
        self._central_system = CentralSystem(admitter, options)
        self._config = Config(
            self.app(),
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE,
            limit_concurrency=MOST_CONNECTIONS,
        )
        self._state = ServerState()
        self._proxies = Proxies.of(settings)
        self._server: asyncio.Server | None = None

    @property
    def listening(self) -> bool:
        """Whether the port is open, where there is to be one."""
        return self._server is not None or not self._settings.soap_port

    async def open(self) -> None:
        """Raises Misconfigured if the port is taken."""
        host, port = self._settings.host, self._settings.soap_port
        if not port:
            return
        self._config.load()
        try:
            self._server = await asyncio.get_running_loop().create_server(self._protocol, host, port, backlog=BACKLOG)
        except OSError as error:
            problem = f"cannot listen on {host}:{port} ({error.strerror})"
            raise Misconfigured(f"{problem}: stop what uses it, or set VOLTBUS_SOAP_PORT") from None

    async def close(self) -> None:
        """Takes no new connections; requests under way are answered."""
        if self._server:
            self._server.close()
            self._server = None
            for connection in list(self._state.connections):
                connection.shutdown()

    async def end(self) -> None:
        """After all connections have ended."""
        await self._callback.close()

    def app(self) -> FastAPI:
        """The web app, without anything that a station does not ask for."""
        app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
        for path in ("/soap/CentralSystem", "/soap/{version}/CentralSystem"):
            for end in ("", "/"):
                app.add_api_route(path + end, self._answer, methods=["POST"], response_model=None)
        return app

    async def _answer(self, request: Request) -> Response:
        headers = request.headers
        try:
            document = decoded(await self._body(request), headers.get("content-encoding", ""), self._limit)
            address = request.client.host if request.client else ""
            origin = self._origin(address, headers)
            if len(headers.getlist("authorization")) > 1:
                raise BadBody(400, "a header is there twice that may be there once")
        except BadBody as error:
            answered = bad_body(error)
        else:
            asked = Asked(
                document=document,
                charset=charset_of(headers.get("content-type", "")),
                authorization=headers.get("authorization"),
                remote_address=origin.address if origin else address,
                secured=origin is not None and origin.secured,
                url=str(request.url)[:1000],
                version=str(request.path_params.get("version", "")),
            )
            answered = await self._central_system.answer(asked)
        return _response(answered, headers.get("accept-encoding", ""))

    def _origin(self, address: str, headers: Headers) -> Origin | None:
        """What a trusted proxy says of a request from there. Raises BadBody."""
        try:
            return self._proxies.origin(address, headers.getlist)
        except ValueError:
            raise BadBody(400, "the certificate in a header cannot be read") from None

    async def _body(self, request: Request) -> bytes:
        """As it came. Raises BadBody."""
        body = bytearray()
        try:
            async with asyncio.timeout(self._timing.handshake_timeout):
                async for part in request.stream():
                    body += part
                    if len(body) > self._limit:
                        raise too_long(self._limit)
        except TimeoutError:
            raise BadBody(408, "the body did not come in time") from None
        return bytes(body)

    @property
    def _limit(self) -> int:
        return self._settings.message_size

    def _protocol(self) -> "PatientHttp":
        return PatientHttp(self._config, self._state, self._timing.handshake_timeout)


class PatientHttp(H11Protocol):
    """uvicorn's, but with an end to its patience: timeout: seconds that the head of a request may take."""

    def __init__(self, config: Config, state: ServerState, timeout: float) -> None:
        super().__init__(config, state, {})
        self._timeout = timeout
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def _wait(self) -> None:
        """Bytes that come one by one do not begin it anew."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop()
        elif self._timer is None:
            self._timer = self.loop.call_later(self._timeout, self.transport.abort)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _response(answered: Answered, accepted: str) -> Response:
    metrics.SOAP_REQUESTS.labels(answered.status).inc()
    document, compressed = encoded(answered.document, accepted)
    headers = {**answered.headers, **compressed, "Content-Type": CONTENT_TYPE}
    if answered.status == 415:
        headers["Accept-Encoding"] = ENCODINGS
    if answered.status in (408, 413):
        # What is left of the body would be taken for a request.
        headers["Connection"] = "close"
    return Response(document, answered.status, headers)
