"""What a station, or anybody, can cause without end is a bounded number of lines in the log of the process."""

import asyncio
import logging

import pytest
from structlog.testing import capture_logs
from websockets.exceptions import InvalidStatus

from services.common.process.sparing import Sparing, SparingLogger
from services.gateway import metrics, strangers
from services.gateway.connection import LINES_AT_ONCE
from services.gateway.timing import Timing
from tests.unit.gateway.running import QUICK, running, until


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other tests have logged does not count, and no time passes."""
    monkeypatch.setattr(strangers, "log", SparingLogger(Sparing(strangers.AT_ONCE, strangers.EVERY), lambda: 0.0))


async def test_what_a_station_sends_for_nothing_is_a_few_lines() -> None:
    dropped = metrics.DROPPED.labels("no_such_call")
    before = dropped._value.get()
    with capture_logs() as lines:
        async with running(timing=QUICK) as one:
            async with await one.connect() as station:
                for _ in range(30):
                    await station.send('[3,"unasked",{}]')
                await until(lambda: dropped._value.get() == before + 30)
            await until(lambda: not len(one.gateway.registry))
    told = [line for line in lines if line["event"] == "dropped"]
    assert len(told) == LINES_AT_ONCE
    [end] = [line for line in lines if line["event"] == "disconnected"]
    assert end["left_out"] == 30 - LINES_AT_ONCE


@pytest.mark.parametrize("sent", [b"", b"GET /"], ids=["nothing", "half a request"])
async def test_who_says_nothing_in_time_is_a_line_with_its_address(
    sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with capture_logs() as lines:
        async with running(timing=Timing(tick=0.02, handshake_timeout=0.1)) as one:
            reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
            writer.write(sent)
            await reader.read()
            writer.close()
            await until(lambda: any(line["event"] == "no handshake" for line in lines))
    [line] = [line for line in lines if line["event"] == "no handshake"]
    assert (line["log_level"], line["received"], line["remote"]) == ("info", len(sent), "127.0.0.1")
    assert not [record for record in caplog.records if record.name == "picows"]


async def test_who_asks_whether_the_port_is_open_is_no_line() -> None:
    with capture_logs() as lines:
        async with running(timing=QUICK) as one:
            _, writer = await asyncio.open_connection("127.0.0.1", one.port)
            writer.close()
            await until(lambda: any(line["event"] == "no handshake" for line in lines))
    assert [line["log_level"] for line in lines if line["event"] == "no handshake"] == ["debug"]


async def test_who_is_refused_is_told_with_the_address_and_not_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "log", SparingLogger(Sparing(3, 1), lambda: 0.0))
    with capture_logs() as lines:
        async with running(timing=QUICK, unknown_stations="reject") as one:
            for number in range(8):
                with pytest.raises(InvalidStatus):
                    await one.connect(f"X{number}")
    told = [line for line in lines if line["event"] == "refused"]
    assert [(line["station_id"], line["remote"]) for line in told] == [(f"X{n}", "127.0.0.1") for n in range(3)]
