"""Whoever follows a log is served within bounds: so many at a time, and nobody who does not read."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, cast

import pytest
from starlette.types import Message

from services.common.postgres.database import Database
from services.common.web.problems import Problem
from services.firmware.frame_log import tail
from services.firmware.frame_log.reads import LogFilter
from services.firmware.frame_log.tail import TailResponse, Tails
from tests.patience import GIVE_UP


def tails() -> Tails:
    return Tails(cast(Database, None), asyncio.Event())


async def endless() -> AsyncGenerator[bytes, None]:
    while True:
        yield b"data: {}\n\n"


async def never() -> Any:
    await asyncio.Event().wait()


async def test_a_client_that_does_not_read_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "STALLED", 0.01)
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) == 3:
            await never()

    many = tails()
    async with asyncio.timeout(GIVE_UP):
        await TailResponse(many, endless())({}, never, send)
    assert [message["type"] for message in sent] == ["http.response.start", *["http.response.body"] * 2]
    assert many.count == 0


async def test_a_client_that_has_gone_is_served_no_more() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)
        await asyncio.sleep(0)

    async with asyncio.timeout(GIVE_UP):
        await TailResponse(tails(), endless())({}, receive, send)
    assert len(sent) < 5


async def test_so_many_are_served_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "MOST", 1)
    many = tails()
    with many.counted(), pytest.raises(Problem, match="followed already"):
        await many.begin("CP1", LogFilter(), 1)
