"""HTTP as stations that speak SOAP write it, byte by byte: what is meant is answered, the rest is a fault."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence

import pytest

from services.gateway.timing import Timing
from services.ocpp.soap import envelope
from tests.patience import GIVE_UP
from tests.unit.gateway.running import QUICK, Running, running
from tests.unit.gateway.soap import asked

DOCUMENT = asked()
LINE, LENGTH = b"POST /soap/CentralSystem HTTP/1.1\r\nHost: a\r\n", b"Content-Length: %d\r\n" % len(DOCUMENT)


@pytest.fixture(scope="module")
async def one() -> AsyncIterator[Running]:
    async with running(timing=QUICK) as started:
        yield started


async def said(one: Running, *parts: bytes, ends: bool = False) -> bytes:
    """All that comes back until an answer is there, or the connection ends. ends: the client sends no more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", one.gateway.settings.soap_port)
    found = b""
    async with asyncio.timeout(GIVE_UP):
        for part in parts:
            if found == b"" and part is not parts[0]:
                # Of a client that waits to be told to go on.
                found = await reader.readuntil(b"\r\n\r\n")
            writer.write(part)
        if ends:
            writer.write_eof()
        while not re.search(rb"HTTP/1.1 [2-5].*</s:Envelope>", found, re.DOTALL):
            if not (more := await reader.read(65536)):
                break
            found += more
    writer.close()
    return found


def status(found: bytes) -> int:
    """Of the answer, which is an envelope."""
    [*_, last] = re.findall(rb"HTTP/1.1 ([2-5]..)", found)
    assert envelope.read(found.rpartition(b"\r\n\r\n")[2]).body is not None
    return int(last)


@pytest.mark.parametrize(
    "parts",
    [
        (LINE + LENGTH + b"\r\n" + DOCUMENT,),
        (LINE.replace(b"1.1", b"1.0") + LENGTH + b"\r\n" + DOCUMENT,),
        (LINE.replace(b"/soap", b"http://csms.example:9001/soap") + LENGTH + b"\r\n" + DOCUMENT,),
        (LINE.replace(b"/soap", b"//soap/") + LENGTH + b"\r\n" + DOCUMENT,),
        (LINE.replace(b"CentralSystem", b"centralsystem/") + LENGTH + b"\r\n" + DOCUMENT,),
        (LINE.replace(b"CentralSystem", b"CentralSystem?id=CP1") + LENGTH + b"\r\n" + DOCUMENT,),
        (LINE.replace(b"/Cent", b"/1.5/Cent") + LENGTH + b"\r\n" + DOCUMENT,),
        ((LINE + LENGTH + b"\r\n").replace(b"\r\n", b"\n") + DOCUMENT,),
        (LINE + LENGTH + b"Content-Type: text/xml; charset=\"utf-8\"\r\nSOAPAction: \"\"\r\n\r\n" + DOCUMENT,),
        (LINE + LENGTH + LENGTH + b"\r\n" + DOCUMENT,),
        (LINE + LENGTH + b"Expect: 100-continue\r\n\r\n", DOCUMENT),
        (LINE + LENGTH + b"Expect: 100-Continue\r\n\r\n", DOCUMENT),
        (
            LINE + b"Transfer-Encoding: chunked\r\n\r\n"
            b"9;a=b\r\n" + DOCUMENT[:9] + b"\r\n%x\r\n" % (len(DOCUMENT) - 9) + DOCUMENT[9:] + b"\r\n0\r\n\r\n",
        ),
    ],
    ids=[
        *("plain", "1.0", "absolute form", "slashes", "capitals", "query", "version", "line feeds", "text/xml"),
        *("length twice", "expect", "expect in capitals", "chunks"),
    ],
)  # fmt: skip
async def test_what_is_meant_is_answered(one: Running, parts: Sequence[bytes]) -> None:
    assert status(await said(one, *parts)) == 200


@pytest.mark.parametrize("too_long", [0, 2])
async def test_who_sends_no_more_is_answered(one: Running, too_long: int) -> None:
    """Then what has come is all of the body, whatever Content-Length says."""
    head = LINE + b"Content-Length: %d\r\n\r\n" % (len(DOCUMENT) + too_long)
    assert status(await said(one, head + DOCUMENT, ends=True)) == 200
    assert status(await said(one, head + DOCUMENT[:-9], ends=True)) == 499


async def test_a_length_that_is_too_long_by_a_little() -> None:
    """A station counts the end of its string: all of the envelope is there, and nothing more comes."""
    async with running(timing=Timing(handshake_timeout=0.5)) as one:
        head = LINE + b"Content-Length: %d\r\n\r\n" % (len(DOCUMENT) + 1)
        found = await said(one, head + DOCUMENT)
        assert status(found) == 200
        assert b"connection: close" in found.lower()
        assert status(await said(one, head + DOCUMENT[:-9])) == 408


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (b"hello\r\n\r\n", 400),
        (LINE.replace(b"Host: a\r\n", b"") + LENGTH + b"\r\n" + DOCUMENT, 400),
        (LINE + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (LINE + b"\r\n" + DOCUMENT, 411),
        (LINE.replace(b"1.1", b"1.0") + b"\r\n" + DOCUMENT, 411),
        (LINE.replace(b"soap", b"ocpp") + LENGTH + b"\r\n" + DOCUMENT, 404),
        (LINE + b"Content-Length: 0\r\n\r\n", 400),
        (LINE + b"Content-Length: %d\r\n\r\n" % (len(DOCUMENT) - 9) + DOCUMENT, 400),
    ],
    ids=["no HTTP", "no host", "two lengths", "no length", "no length, 1.0", "elsewhere", "empty", "too short"],
)
async def test_the_rest_is_a_fault(one: Running, request_: bytes, code: int) -> None:
    assert status(await said(one, request_)) == code
