"""An EST server (RFC 7030) on loopback, with TLS: it signs, or says what a test wants."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from services.common.process.tls_files import as_file
from tests.clients.certificates import Authority
from tests.clients.signing import signed


class Request(NamedTuple):
    """One that came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Answer(NamedTuple):
    """What is said to it."""

    status: int = 200
    body: bytes = b""
    headers: tuple[str, ...] = ()


@dataclass
class Server:
    """url: as it is set. pem: of its CA. answers: what is said before anything else, in this order."""

    authority: Authority
    pem: str
    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        """What is said to it."""
        self.asked.append(request)
        if request.path.endswith("/cacerts"):
            above = [
                self.authority.certificate,
                *([self.authority._above.certificate] if self.authority._above else []),
            ]
            return Answer(body=packed(*above))
        if self.answers:
            return self.answers.pop(0)
        csr = x509.load_der_x509_csr(base64.b64decode(request.body))
        return Answer(body=packed(signed(self.authority, csr)))


def packed(*certificates: x509.Certificate) -> bytes:
    """PKCS #7, certificates alone, in base64."""
    return base64.encodebytes(pkcs7.serialize_certificates(list(certificates), Encoding.DER))


@asynccontextmanager
async def running(authority: Authority, clients: Authority | None = None) -> AsyncIterator[Server]:
    """authority: by which it signs. clients: whose certificates it lets in alone."""
    own = Authority("CA of the EST server")
    server = Server(authority, own.pem)
    context = _context(own, clients)

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _serve(reader, writer, server.answer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(meet, "127.0.0.1", ssl=context) as listening:
        port = listening.sockets[0].getsockname()[1]
        server.url = f"https://127.0.0.1:{port}/.well-known/est"
        yield server


def _context(own: Authority, clients: Authority | None) -> ssl.SSLContext:
    issued = own.issue("127.0.0.1", address="127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with as_file(issued.pem) as chain, as_file(issued.key_pem) as key:
        context.load_cert_chain(chain, key)
    if clients:
        context.load_verify_locations(cadata=clients.pem)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


async def _serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Callable[[Request], Answer]
) -> None:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    method, path, _ = first.split()
    said = answer(Request(method, path, headers, await reader.readexactly(int(headers.get("content-length", "0")))))
    head = [f"HTTP/1.1 {said.status} Said", f"content-length: {len(said.body)}", "connection: close", *said.headers]
    writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + said.body)
    await writer.drain()
