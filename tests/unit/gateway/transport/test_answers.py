"""What answers an upgrade request that is no good: by its status, counted as it was answered, and without its words."""

import asyncio
import gc
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from services.gateway.transport.answers import LONGEST_REQUEST, fault_of_head
from services.gateway.transport.intake import StationProtocol
from services.ocpp.passwords import keyed
from tests.patience import GIVE_UP
from tests.unit.gateway.running import QUICK, Running, running, until

SECRET = "hunter2-hunter2-hunter2"
GOOD = {
    "Host": "here",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": "ocpp1.6",
}


def request(path: str = "/ocpp/CP1", start: str | None = None, **changed: str | None) -> bytes:
    """An upgrade request; changed: headers by name, with _ for -, that are others, or left out."""
    headers = GOOD | {name.replace("_", "-"): value for name, value in changed.items()}
    lines = [start or f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items() if value)]
    return "\r\n".join([*lines, "", ""]).encode()


BASIC = f"Basic {SECRET}"
# What is sent, and the status of the answer.
CASES: Mapping[str, tuple[bytes, int]] = {
    "a station": (request(), 101),
    "nobody": (request("/ocpp/CP9"), 404),
    "no path of stations": (request("/"), 404),
    "no password": (request("/ocpp/SEC1"), 401),
    "what is no Basic": (request("/ocpp/SEC2", Authorization=BASIC), 401),
    "a wrong password": (request("/ocpp/SEC3", Authorization="Basic U0VDMzpodW50ZXIy"), 401),
    "no HTTP": (SECRET.encode() + b"\r\n\r\n", 400),
    "another method": (request(start=f"POST /ocpp/{SECRET} HTTP/1.1"), 400),
    "another version of HTTP": (request(start=f"GET /ocpp/{SECRET} HTTP/1.0"), 400),
    "a control character in a header": (request(Authorization=f"{BASIC}\x01"), 400),
    "a folded header": (request(Host=f"here\r\n Authorization: {BASIC}"), 400),
    "a header without a colon": (request(Host=f"here\r\n{SECRET}"), 400),
    "a name of a header with a blank": (request(Host=f"here\r\n{SECRET} : x"), 400),
    "a body": (request(Content_Length="12", Authorization=BASIC), 400),
    "two lengths": (request(Host=f"here\r\nContent-Length: 0\r\nContent-Length: 0\r\nX: {SECRET}"), 400),
    "in chunks": (request(Transfer_Encoding="chunked", Authorization=BASIC), 400),
    "too many headers": (request(Host="here" + f"\r\nX: {SECRET}" * 200), 400),
    "too long": (request(Authorization=f"{BASIC} {'x' * 17_000}"), 431),
    "no upgrade": (request(Upgrade=None, Authorization=BASIC), 400),
    "an upgrade to something else": (request(Upgrade=SECRET), 400),
    "no Connection": (request(Connection=SECRET), 400),
    "another version of WebSocket": (request(Sec_WebSocket_Version=SECRET), 426),
    "no key": (request(Sec_WebSocket_Key=None), 400),
    "two passwords": (request(Host=f"here\r\nAuthorization: {BASIC}", Authorization=BASIC), 400),
    "two hosts": (request(Host=f"here\r\nHost: {SECRET}"), 400),
    "two versions": (request(Host="here\r\nsec-websocket-version: 13"), 400),
    "another key": (request(Sec_WebSocket_Key=SECRET), 400),
}


def counted(status: object) -> float:
    return REGISTRY.get_sample_value("voltbus_gateway_handshakes_total", {"status": str(status)}) or 0


async def answered(one: Running, data: bytes, chunk: int = 0) -> bytes:
    """What comes back, until the gateway closes, or has opened a WebSocket."""
    reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
    chunk = chunk or len(data)
    for begin in range(0, len(data), chunk):
        writer.write(data[begin : begin + chunk])
        await writer.drain()
    try:
        async with asyncio.timeout(GIVE_UP):
            head = await reader.readuntil(b"\r\n\r\n")
            return head if b" 101 " in head else head + await reader.read()
    finally:
        writer.close()


@pytest.fixture(scope="module")
async def one() -> Any:
    async with running(timing=QUICK, unknown_stations="reject", password_key="k") as made:
        await made.register("CP1")
        for name in ("SEC1", "SEC2", "SEC3"):
            await made.register(name, password_hash=keyed(b"k", b"secret"))
        yield made


@pytest.mark.parametrize("chunk", [0, 1000])
@pytest.mark.parametrize("case", CASES)
async def test_an_answer_is_counted_as_it_was_and_repeats_nothing(
    one: Running, case: str, chunk: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    data, status = CASES[case]
    before = {each: counted(each) for each in (*dict(CASES.values()).values(), "none")}
    answer = await answered(one, data, chunk)
    assert answer.split()[1] == str(status).encode()
    for secret in (SECRET, "U0VDMzpodW50ZXIy", "hunter2"):
        assert secret.encode() not in answer
        assert secret not in caplog.text
    assert {each: counted(each) - many for each, many in before.items()} == {
        each: float(each == status) for each in before
    }


async def test_who_goes_before_the_answer_is_counted_as_such(one: Running) -> None:
    before = counted("none")
    for sent in (b"", request()[:20]):
        _, writer = await asyncio.open_connection("127.0.0.1", one.port)
        writer.write(sent)
        await writer.drain()
        writer.close()
    await until(lambda: counted("none") == before + 2)


async def test_a_mistake_of_ours_is_told_to_nobody(one: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: str) -> str:
        raise ValueError(SECRET)

    monkeypatch.setattr(one.gateway, "_station_id", fails)
    answer = await answered(one, request())
    assert answer.split()[1] == b"500"
    assert SECRET.encode() not in answer
    monkeypatch.undo()
    assert (await answered(one, request())).split()[1] == b"101"


async def test_who_is_refused_leaves_nothing_for_the_garbage_collector(one: Running) -> None:
    """Thousands may be, a second."""

    def protocols() -> int:
        return sum(isinstance(each, StationProtocol) for each in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        for refused in (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000, b"hello\r\n\r\n", request(path="/other")):
            with suppress(ConnectionError):
                await answered(one, refused)
            await until(lambda: protocols() == 0)
    finally:
        gc.enable()


@given(st.binary(max_size=400) | st.binary(max_size=60).map(lambda data: request()[:-4] + b"\r\n" + data))
def test_any_head_is_good_or_refused(head: bytes) -> None:
    fault = fault_of_head(head)
    assert fault is None or fault.status in (400, 431)
    assert fault_of_head(head + b"x" * LONGEST_REQUEST) is not None
