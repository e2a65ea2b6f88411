"""Contract certificates as cars have them, and who can be asked (OCSP) whether they have been revoked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from tests.certification.certificates import hashes_of
from tests.certification.tls import Key, key

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\nContent-Length: {}\r\nConnection: close\r\n\r\n"


class Contract:
    """A contract certificate with the chain that it is of: a root, an authority under it, and its own.

    emaid: its common name, by which the driver is known. responder_url: where its authority answers.
    """

    def __init__(self, emaid: str, responder_url: str) -> None:
        self.emaid, self.responder_url = emaid, responder_url
        root_key, self.authority_key, own_key = key(), key(), key()
        self.root = self._issued("A root", root_key, "A root", root_key)
        self.authority = self._issued("An authority", self.authority_key, "A root", root_key)
        self.own = self._issued(emaid, own_key, "An authority", self.authority_key)

    @property
    def pem(self) -> str:
        """The chain, its own certificate first, without the root."""
        return "".join(part.public_bytes(Encoding.PEM).decode() for part in (self.own, self.authority))

    @property
    def hash_data(self) -> list[dict[str, str]]:
        """OCSPRequestData of its own certificate."""
        return [hashes_of(self.own, self.authority) | {"responderURL": self.responder_url}]

    def _issued(self, name: str, own: Key, issuer: str, issuer_key: Key) -> x509.Certificate:
        subject, by = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, part)]) for part in (name, issuer))
        builder = x509.CertificateBuilder(by, subject, own.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(BEGIN).not_valid_after(BEGIN + timedelta(days=3650))
        is_authority = name != self.emaid
        builder = builder.add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        if not is_authority:
            where = x509.UniformResourceIdentifier(self.responder_url)
            access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, where)
            builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
        return builder.sign(issuer_key, hashes.SHA256())


class Responder:
    """The OCSP service of a contract's authority. asked: the serial numbers that it was asked about."""

    def __init__(self, emaid: str, port: int, revoked: bool) -> None:
        self.contract, self.revoked = Contract(emaid, f"http://127.0.0.1:{port}/ocsp"), revoked
        self.asked: list[int] = []

    def answer(self, question: bytes) -> bytes:
        """Both as DER."""
        serial_number, contract, now = (
            ocsp.load_der_ocsp_request(question).serial_number,
            self.contract,
            datetime.now(UTC),
        )
        self.asked.append(serial_number)
        builder = ocsp.OCSPResponseBuilder().responder_id(ocsp.OCSPResponderEncoding.NAME, contract.authority)
        builder = builder.add_response(
            cert=contract.own,
            issuer=contract.authority,
            algorithm=hashes.SHA256(),
            cert_status=ocsp.OCSPCertStatus.REVOKED if self.revoked else ocsp.OCSPCertStatus.GOOD,
            this_update=now,
            next_update=now + timedelta(days=1),
            revocation_time=BEGIN if self.revoked else None,
            revocation_reason=None,
        )
        return builder.sign(contract.authority_key, hashes.SHA256()).public_bytes(Encoding.DER)


@asynccontextmanager
async def contract(emaid: str, *, revoked: bool = False) -> AsyncIterator[Responder]:
    """A contract certificate, and its authority, which answers until the block ends."""
    served: list[Responder] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].split("\r\n")[0])
        answer = served[0].answer(await reader.readexactly(length))
        writer.write(HEAD.format(len(answer)).encode() + answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        served.append(Responder(emaid, server.sockets[0].getsockname()[1], revoked))
        yield served[0]
