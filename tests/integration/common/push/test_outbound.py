"""Calling an address that somebody else has chosen."""

import asyncio
import socket
from ipaddress import ip_network

import pytest

from services.common.web.outbound.client import Answer, NoAnswer, Outbound
from tests.clients.receiver import HANG, receiving
from tests.patience import GIVE_UP

LOOPBACK = [ip_network("127.0.0.0/8")]


def said(answer: Answer) -> tuple[int, float | None]:
    return answer.status, answer.retry_after


async def test_an_answer_is_its_status_and_how_long_to_wait() -> None:
    async with receiving() as receiver:
        receiver.answer = lambda _: (429, "Retry-After: 17\r\n")
        outbound = Outbound(LOOPBACK, timeout=GIVE_UP)
        assert said(await outbound.post(receiver.url, {"x-one": "1"}, b"body")) == (429, 17)
        assert (receiver.asked[0].headers["x-one"], receiver.asked[0].body) == ("1", b"body")
        await outbound.close()


async def test_our_own_network_is_not_called_whatever_a_name_leads_to() -> None:
    async with receiving() as receiver:
        outbound = Outbound([], timeout=GIVE_UP)
        for url in (receiver.url, receiver.url.replace("127.0.0.1", "localhost"), "https://localhost:1/"):
            with pytest.raises(NoAnswer, match="its address is not allowed"):
                await outbound.post(url, {}, b"")
        assert receiver.asked == []
        await outbound.close()


async def test_the_address_that_was_looked_at_is_the_one_that_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads elsewhere when it is asked a second time (DNS rebinding)."""
    loop, asked = asyncio.get_running_loop(), list[str]()

    async def once(host: str, port: int, **_: object) -> list[object]:
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "10.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    async with receiving() as receiver:
        with monkeypatch.context() as patched:
            patched.setattr(loop, "getaddrinfo", once, raising=False)
            outbound = Outbound(LOOPBACK, timeout=GIVE_UP)
            url = receiver.url.replace("127.0.0.1", "rebinding.example")
            assert (await outbound.post(url, {}, b"")).status == 204
        assert asked == ["rebinding.example"]
        assert receiver.asked[0].headers["host"].startswith("rebinding.example")
        await outbound.close()


async def test_of_several_addresses_the_one_that_answers_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    async def two(_: str, port: int, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("127.0.0.9", "127.0.0.1")]

    async with receiving() as receiver:
        with monkeypatch.context() as patched:
            patched.setattr(asyncio.get_running_loop(), "getaddrinfo", two, raising=False)
            outbound = Outbound(LOOPBACK, timeout=GIVE_UP)
            assert (await outbound.post(receiver.url.replace("127.0.0.1", "both.example"), {}, b"")).status == 204
        await outbound.close()


async def test_a_time_to_wait_may_be_a_date() -> None:
    async with receiving() as receiver:
        receiver.answer = lambda _: (503, "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n")
        outbound = Outbound(LOOPBACK, timeout=GIVE_UP)
        assert said(await outbound.post(receiver.url, {}, b"")) == (503, 0)
        receiver.answer = lambda _: (503, "Retry-After: Fri, 31 Dec 2999 23:59:59 GMT\r\n")
        assert ((await outbound.post(receiver.url, {}, b"")).retry_after or 0) > 1e9
        receiver.answer = lambda _: (503, "Retry-After: soon\r\n")
        assert said(await outbound.post(receiver.url, {}, b"")) == (503, None)
        await outbound.close()


async def test_who_says_nothing_is_left_in_time() -> None:
    async with receiving() as receiver:
        receiver.answer = lambda _: (HANG, "")
        outbound = Outbound(LOOPBACK, timeout=0.05)
        with pytest.raises(NoAnswer, match=r"no answer within 0\.05 s"):
            await outbound.post(receiver.url, {}, b"")
        await outbound.close()


async def test_nobody_there_and_no_such_name() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    outbound = Outbound(LOOPBACK, timeout=GIVE_UP)
    with pytest.raises(NoAnswer, match="cannot connect"):
        await outbound.post(f"http://127.0.0.1:{port}/", {}, b"")
    # Of the second, a part is longer than names have.
    for name in ("nowhere.invalid", "x" * 64 + ".example"):
        with pytest.raises(NoAnswer, match="its name is not known"):
            await outbound.post(f"http://{name}/", {}, b"")
    await outbound.close()


async def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        try:
            while True:
                writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
                await writer.drain()
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(endless, "127.0.0.1", 0)
    outbound = Outbound(LOOPBACK, timeout=60)
    port = server.sockets[0].getsockname()[1]
    assert said(await outbound.post(f"http://127.0.0.1:{port}/", {}, b"")) == (200, None)
    await outbound.close()
    server.close()
