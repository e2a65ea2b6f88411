"""Whose time it was, from stacks that are made up."""

from pathlib import Path

import pytest

from services.gateway.ocppj import session
from voltbus.lab.bench.profiles import LOOP, OTHER, digested, group, profiled, source

SESSION = Path(session.__file__).read_text()

LOOP_FRAME = "main (services/common/process/service.py:64);Runner.run (asyncio/runners.py:118)"
POLL = f"{LOOP_FRAME};_turn (services/common/kafka/consumer.py:80);getmany (aiokafka/consumer/consumer.py:5)"


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        ("", LOOP),
        (";_turn (services/common/kafka/consumer.py:80);getmany (aiokafka/consumer/consumer.py:5)", "aiokafka"),
        (";send (aiokafka/conn.py:430);StreamWriter.write (asyncio/streams.py:343)", "aiokafka"),
        (";getmany (aiokafka/consumer/consumer.py:5);info (logging/__init__.py:1)", "metrics and logs"),
        (";handle (services/transactions/handlers.py:1);decide (services/transactions/domain/decide.py:1)", "domain"),
        (";handle (services/transactions/handlers.py:1);meter (services/transactions/dialects/v16.py:1)", "dialects"),
        (";save (services/transactions/store.py:1);execute (asyncpg/connection.py:9)", "asyncpg"),
        (";save (services/transactions/store.py:1)", "store"),
        (";handle (services/transactions/handlers.py:1)", "other code of Voltbus"),
    ],
)
def test_the_innermost_frame_that_is_known_decides(stack: str, expected: str) -> None:
    assert group((LOOP_FRAME + stack).split(";")) == expected


def test_a_thread_of_its_own_is_no_work_of_the_loop() -> None:
    assert group(["bootstrap (threading.py:1)", "work (services/common/kafka/broker.py:1)"]) == OTHER


def test_a_line_tells_what_is_called_outside_python() -> None:
    """The line that parses a frame."""
    number, line = next((n, line) for n, line in enumerate(SESSION.splitlines(), 1) if "orjson.loads" in line)
    frame = f"received (services/gateway/ocppj/session.py:{number})"
    assert source(frame).strip() == line.strip()
    assert group([*LOOP_FRAME.split(";"), frame]) == "orjson"


def test_shares_make_a_whole() -> None:
    found = digested("meter", "gateway", f"{POLL} 4\n{POLL.replace(':5', ':6')} 2\n{LOOP_FRAME} 3\nmain (a b.py:1) 1\n")
    assert (found.samples, found.complaint) == (10, "")
    assert found.shares == {"aiokafka": 0.6, LOOP: 0.3, OTHER: 0.1}
    assert found.top[0] == ("getmany (aiokafka/consumer/consumer.py)", 0.6)


def test_nothing_seen_is_a_complaint() -> None:
    assert digested("meter", "gateway", "").complaint


async def test_a_process_that_is_gone_is_a_complaint() -> None:
    (found,) = await profiled("meter", {"gateway": 2**22 - 1}, 1)
    assert found.complaint
    assert (found.samples, found.shares, found.top) == (0, {}, [])
