"""The port of stations that speak SOAP: FastAPI on uvicorn's HTTP, within bounds of time and size."""

import asyncio
import re

from fastapi import FastAPI, Request, Response
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from uvicorn import Config
from uvicorn.server import ServerState

from services.common.process.errors import Misconfigured
from services.common.web.framing import BOTH, AbsoluteForm
from services.gateway import metrics
from services.gateway.pressure.pace import Rates
from services.gateway.settings import Settings
from services.gateway.timing import Clocks, Timing
from services.gateway.transport.client_certificate import ClientCertificate
from services.gateway.transport.ports import Ports
from services.gateway.transport.proxies import Origin
from services.gateway.transport.proxy_protocol import Proxied
from services.gateway.transport.soap.bodies import ENCODINGS, BadBody, charset_of, decoded, encoded, left, too_long
from services.gateway.transport.soap.callback import Callback
from services.gateway.transport.soap.central_system import Admitter, Answered, Asked, CentralSystem, bad_body, faulted
from services.gateway.transport.soap.http import Buffered, PatientHttp
from services.gateway.transport.soap.paths import NO_ADDRESS, NO_METHOD, version_of_path
from services.gateway.transport.soap.station import Options
from services.ocpp.soap.envelope import CONTENT_TYPE

BACKLOG = 1024
# Open at a time, idle ones with them; who comes beyond is answered 503.
MOST_CONNECTIONS = 5000
# Seconds that a connection without a request stays open.
KEEP_ALIVE = 30


WHOLE = re.compile(rb"</(?:[\w.-]{1,40}:)?Envelope\s*>\s*\Z")


class SoapListener:
    """Open from `open` to `close`, where there is a port."""

    def __init__(self, settings: Settings, admitter: Admitter, ports: Ports, *, clocks: Clocks, timing: Timing) -> None:
        self._settings, self._timing, self._ports = settings, timing, ports
        self._callback = Callback(settings, ports.certificates)
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
            AbsoluteForm(self.app()),
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
        self._servers: list[asyncio.Server] = []

    @property
    def listening(self) -> bool:
        """Whether the ports are open, where there are to be any."""
        return bool(self._servers) or not (self._settings.soap_port or self._settings.soap_tls_port)

    async def open(self) -> None:
        """After the ports of WebSockets. Raises Misconfigured if one is taken, or there is no certificate for it."""
        settings = self._settings
        if settings.soap_tls_port and not self._ports.secured:
            raise Misconfigured("VOLTBUS_SOAP_TLS_PORT: there is no certificate: set VOLTBUS_GATEWAY_TLS_CERTIFICATE")
        if settings.soap_tls_port or settings.soap_port:
            self._config.load()
        if settings.soap_tls_port:
            await self._listen(settings.soap_tls_port, "VOLTBUS_SOAP_TLS_PORT", secured=True)
        if settings.soap_port:
            await self._listen(settings.soap_port, "VOLTBUS_SOAP_PORT")

    async def _listen(self, port: int, variable: str, *, secured: bool = False) -> None:
        server = await self._ports.listen(self._protocol, port, variable, secured=secured, backlog=BACKLOG)
        self._servers.append(server)

    async def close(self) -> None:
        """Takes no new connections; requests under way are answered."""
        servers, self._servers = self._servers, []
        for server in servers:
            server.close()
        for connection in list(self._state.connections):
            connection.shutdown()

    async def end(self) -> None:
        """After all connections have ended."""
        await self._callback.close()

    def app(self) -> FastAPI:
        """The web app, without anything that a station does not ask for."""
        app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
        app.add_api_route("/{path:path}", self._answer, methods=["POST"], response_model=None)
        app.add_exception_handler(HTTPException, _elsewhere)
        return app

    async def _answer(self, request: Request) -> Response:
        headers = request.headers
        version = version_of_path(request.url.path)
        if version is None:
            return await _elsewhere(request, HTTPException(404))
        try:
            _check_framing(headers)
            document = decoded(await self._body(request), headers.get("content-encoding", ""), self._limit)
            origin, certificate = self._origin(request)
            if len(headers.getlist("authorization")) > 1:
                raise BadBody(400, "a header is there twice that may be there once")
        except BadBody as error:
            answered = bad_body(error)
        else:
            scheme = "https" if origin.secured else "http"
            asked = Asked(
                document=document,
                charset=charset_of(headers.get("content-type", "")),
                authorization=headers.get("authorization"),
                remote_address=origin.address,
                url=str(request.url.replace(scheme=scheme))[:1000],
                version=version,
                secured=origin.secured,
                certificate=certificate,
                tls=origin.tls,
            )
            answered = await self._central_system.answer(asked)
        response = _response(answered, headers.get("accept-encoding", ""))
        if getattr(request.state, "cut", False):
            # What comes next would be taken for the rest.
            response.headers["Connection"] = "close"
        return response

    def _origin(self, request: Request) -> tuple[Origin, ClientCertificate | None]:
        """Where it is from, and the certificate that its station has shown. Raises BadBody."""
        said: Proxied = request.state.said
        try:
            return self._ports.origin(said, request.state.tls, request.headers.getlist)
        except ValueError:
            raise BadBody(400, "the certificate of the station cannot be read") from None

    async def _body(self, request: Request) -> bytes:
        """As it came. Raises BadBody. One that is shorter than its Content-Length is taken, if all of it is there."""
        body, missing = bytearray(), None
        try:
            async with asyncio.timeout(self._timing.handshake_timeout):
                async for part in request.stream():
                    body += part
                    if len(body) > self._limit:
                        raise too_long(self._limit)
        except TimeoutError:
            missing = BadBody(408, "the body did not come in time", closes=True)
        except ClientDisconnect:
            # Nobody reads it; so it is counted.
            missing = left()
        if getattr(request.state, "cut", False):
            missing = left()
        if missing is not None:
            if not WHOLE.search(body):
                raise missing
            request.state.cut = True
        return bytes(body)

    @property
    def _limit(self) -> int:
        return self._settings.message_size

    def _protocol(self, said: Proxied) -> Buffered:
        return Buffered(PatientHttp(self._config, self._state, self._timing.handshake_timeout, said))


def _check_framing(headers: Headers) -> None:
    """Raises BadBody where the end of the body is told twice, or not at all."""
    match len(BOTH & {name for name, _ in headers.raw}):
        case 2:
            # RFC 9112 §6.1: what is taken for a request next may be one that its sender does not know.
            raise BadBody(400, "a request has Content-Length or Transfer-Encoding, not both", closes=True)
        case 0:
            raise BadBody(411, "Content-Length is missing", closes=True)


async def _elsewhere(request: Request, error: Exception) -> Response:
    """Where a station finds nothing, in words that it understands."""
    assert isinstance(error, HTTPException)
    fault = NO_METHOD if error.status_code == 405 else NO_ADDRESS
    answered = faulted(fault, error.status_code, error.headers)
    return _response(answered, request.headers.get("accept-encoding", ""))


def _response(answered: Answered, accepted: str) -> Response:
    metrics.SOAP_REQUESTS.labels(answered.status).inc()
    document, compressed = encoded(answered.document, accepted)
    headers = {**answered.headers, **compressed, "Content-Type": CONTENT_TYPE}
    if answered.status == 415:
        headers["Accept-Encoding"] = ENCODINGS
    return Response(document, answered.status, headers)
