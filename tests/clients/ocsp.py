"""An OCSP responder on this machine (RFC 6960), and those that are not as they should be."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed448
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from tests.clients.contracts import HASHES, NOW, Holder

OK = "200 OK"
OF_NAME = {algorithm.name: algorithm for algorithm in HASHES.values()}


@dataclass
class Responder:
    """issued: the certificates that it knows. revoked: their serial numbers. signer: who answers, if not the issuer.

    next_update: until when an answer counts; None: it does not say. nonce: what it answers to one. raw: what it sends
    in place of an answer. asked: the serial numbers that it was asked about.
    """

    issued: list[Holder]
    url: str = ""
    revoked: set[int] = field(default_factory=set)
    signer: Holder | None = None
    this_update: datetime = NOW
    next_update: datetime | None = NOW + timedelta(days=1)
    nonce: Callable[[bytes], bytes | None] = lambda nonce: nonce
    status: str = OK
    raw: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)

    def answer(self, question: bytes) -> bytes:
        """Both as DER."""
        asked = ocsp.load_der_ocsp_request(question)
        self.asked.append(asked.serial_number)
        known = next((one for one in self.issued if one.certificate.serial_number == asked.serial_number), None)
        signer = self.signer or (known.above if known else self.issued[0].above)
        assert signer
        revoked = asked.serial_number in self.revoked
        status = ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            asked.issuer_name_hash,
            asked.issuer_key_hash,
            asked.serial_number,
            OF_NAME[asked.hash_algorithm.name],
            status if known else ocsp.OCSPCertStatus.UNKNOWN,
            self.this_update,
            self.next_update,
            NOW - timedelta(days=1) if known and revoked else None,
            None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
        if self.signer:
            builder = builder.certificates([self.signer.certificate])
        with suppress(x509.ExtensionNotFound):
            nonce = self.nonce(asked.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce)
            if nonce is not None:
                builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
        algorithm = None if isinstance(signer.key, ed448.Ed448PrivateKey) else hashes.SHA256()
        return builder.sign(signer.key, algorithm).public_bytes(Encoding.DER)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request; a connection is not used again."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        said = head.partition("content-length:")[2].split("\r\n")[0]
        content = await reader.readexactly(int(said or 0))
        body = self.raw if self.raw is not None else self.answer(content)
        fields = {"content-type": "application/ocsp-response", "content-length": str(len(body)), "connection": "close"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in {**fields, **self.headers}.items())
        writer.write(f"HTTP/1.1 {self.status}\r\n{lines}\r\n".encode() + body)
        await writer.drain()


@asynccontextmanager
async def responding(*issued: Holder, **how: object) -> AsyncIterator[Responder]:
    """A responder on a port of its own, until the block ends. how: see Responder."""
    responder = Responder(list(issued), **how)  # type: ignore[arg-type]
    ended = asyncio.Event()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await responder.serve(reader, writer)
            if "content-length" in responder.headers:
                # It has promised more than it has sent.
                await ended.wait()
        writer.close()

    async with await asyncio.start_server(meet, "127.0.0.1", 0) as server:
        responder.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/ocsp"
        try:
            yield responder
        finally:
            ended.set()
