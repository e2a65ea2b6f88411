"""An external CA by EST (RFC 7030): simpleenroll, and simplereenroll where a certificate is renewed."""

import asyncio
import base64
import binascii
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import httpcore
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from services.auth.signers.signer import Asked, Declined, Said, Signed, Waiting
from services.common.process.errors import Misconfigured, Unavailable
from services.common.process.tls_files import as_file

# Seconds for one request, bytes of its answer, seconds for which the certificates of the CA are known.
TIMEOUT, MOST_READ, KNOWN = 30.0, 64 * 1024, 3600.0
# Of what is said to wait: neither without a pause nor for ever. RFC 7030 §4.2.3.
SOONEST, LATEST, UNSAID = 10.0, 86_400.0, 300.0
BROKEN = (
    *(httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpcore.UnsupportedProtocol),
    *(ssl.SSLError, OSError),
)
# It has no simplereenroll.
WITHOUT = frozenset({404, 405, 501})
# The request itself is at fault; anything else may be put right.
DECLINED = frozenset({400, 409, 413, 415, 422})
URL = "VOLTBUS_CERTIFICATE_EST_URL"


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    content: bytes
    retry_after: str


@dataclass(slots=True)
class EstServer:
    """url: without the name of the operation. context: its CAs, and who we are. headers: with a login, if any."""

    url: str
    context: ssl.SSLContext
    headers: Mapping[str, str] = field(default_factory=dict)
    _authorities: tuple[float, Sequence[x509.Certificate]] | None = None

    async def sign(self, asked: Asked) -> Said:
        """The server decides by who we are, which for it is a registration authority (RFC 7030 §1)."""
        answer = await self._enroll("simplereenroll", asked.der) if asked.renews else None
        if answer is None or answer.status in WITHOUT:
            answer = await self._enroll("simpleenroll", asked.der)
        if answer.status == 202:
            return Waiting(_seconds(answer.retry_after))
        if answer.status in DECLINED:
            said = answer.content.decode(errors="replace").strip()
            return Declined(f"the EST server says {answer.status}: {_printable(said)[:200]}".rstrip(": "))
        if answer.status != 200:
            raise Unavailable(f"the EST server says {answer.status}")
        found = _certificates(answer.content)
        if not found:
            raise Unavailable("the EST server has sent no certificate that can be read")
        chain = "".join(one.public_bytes(Encoding.PEM).decode() for one in found)
        return Signed(chain, await self._known())

    async def _enroll(self, operation: str, csr: bytes) -> _Answer:
        headers = {"content-type": "application/pkcs10", "content-transfer-encoding": "base64"}
        return await self._request("POST", operation, headers, base64.encodebytes(csr))

    async def _known(self) -> Sequence[x509.Certificate]:
        """Those of the CA, which complete what it signs (RFC 7030 §4.1)."""
        if self._authorities is None or time.monotonic() - self._authorities[0] > KNOWN:
            answer = await self._request("GET", "cacerts", {}, b"")
            if answer.status not in (200, *WITHOUT):
                raise Unavailable(f"the EST server says {answer.status} to cacerts")
            self._authorities = time.monotonic(), _certificates(answer.content) if answer.status == 200 else ()
        return self._authorities[1]

    async def _request(self, method: str, operation: str, headers: Mapping[str, str], content: bytes) -> _Answer:
        """Raises Unavailable. No redirect is followed."""
        all_headers = [(name.encode(), value.encode()) for name, value in {**self.headers, **headers}.items()]
        try:
            async with asyncio.timeout(TIMEOUT), httpcore.AsyncConnectionPool(ssl_context=self.context) as pool:
                asked = pool.stream(method, f"{self.url}/{operation}", headers=all_headers, content=content)
                async with asked as response:
                    read = bytearray()
                    async for part in response.aiter_stream():
                        if len(read := read + part) > MOST_READ:
                            raise Unavailable(f"the EST server sends more than {MOST_READ} bytes")
                    named = {name.lower(): value for name, value in response.headers}
                    retry_after = named.get(b"retry-after", b"").decode(errors="replace")
                    return _Answer(response.status, bytes(read), retry_after)
        except TimeoutError:
            raise Unavailable(f"the EST server does not answer within {TIMEOUT:g} s") from None
        except BROKEN as error:
            raise Unavailable(f"the EST server cannot be reached: {type(error).__name__}: {error}") from None


def est_server(
    url: str | None,
    authorities: str | None,
    login: tuple[str, str] | None,
    certificate: str | None,
    key: str | None,
) -> EstServer:
    """authorities: PEM of the CAs of its certificate; None: those of the system. Raises Misconfigured."""
    if not url:
        raise Misconfigured(f"{URL}: set it, for the signer is est")
    try:
        context = ssl.create_default_context(cadata=authorities)
    except (ssl.SSLError, ValueError):
        raise Misconfigured("VOLTBUS_CERTIFICATE_EST_CA: give certificates in PEM") from None
    if (certificate is None) != (key is None):
        raise Misconfigured("VOLTBUS_CERTIFICATE_EST_CERTIFICATE: give it and VOLTBUS_CERTIFICATE_EST_KEY, or neither")
    if certificate and key:
        try:
            with as_file(certificate) as chain, as_file(key) as private:
                # Without the last word it would ask for the password of a key at the terminal.
                context.load_cert_chain(chain, private, "")
        except (ssl.SSLError, ValueError):
            raise Misconfigured("VOLTBUS_CERTIFICATE_EST_KEY: give the key of the certificate, in PEM") from None
    if not (login or certificate):
        raise Misconfigured(f"{URL}: set a login or a client certificate, by which the server knows us")
    basic = base64.b64encode(":".join(login).encode()).decode() if login else ""
    return EstServer(url.rstrip("/"), context, {"authorization": f"Basic {basic}"} if login else {})


def _certificates(written: bytes) -> list[x509.Certificate]:
    """Of PKCS #7, in base64 (RFC 7030 §4.2.3, RFC 8951); nothing where it cannot be read."""
    try:
        return pkcs7.load_der_pkcs7_certificates(base64.b64decode(b"".join(written.split()), validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return []


def _seconds(retry_after: str) -> float:
    """RFC 9110 §10.2.3; a date is not worth reading."""
    return min(max(float(retry_after), SOONEST), LATEST) if retry_after.isdecimal() else UNSAID


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
