"""Whose time it was, from stacks that are made up; and py-spy on a process that does one thing."""

import pytest

from services.local.bench.profiles import OTHER, digested, group, profiled

POLL = "run (services/common/consumer.py);poll (services/common/kafka.py)"


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        (f"{POLL};getmany (aiokafka/consumer/consumer.py)", "aiokafka"),
        (f"{POLL};getmany (aiokafka/consumer/consumer.py);info (logging/__init__.py)", "metrics and logs"),
        ("handle (services/transactions/handlers.py);decide (services/transactions/domain/decide.py)", "domain"),
        ("handle (services/transactions/handlers.py);meter (services/transactions/dialects/v16.py)", "dialects"),
        ("save (services/transactions/store.py);execute (asyncpg/connection.py)", "asyncpg"),
        ("save (services/transactions/store.py)", "store"),
        ("handle (services/transactions/handlers.py)", "service"),
        ("run (uvloop/__init__.py)", "event loop"),
        ("<module> (runpy.py)", OTHER),
    ],
)
def test_the_innermost_frame_that_is_known_decides(stack: str, expected: str) -> None:
    assert group(stack.split(";")) == expected


def test_shares_make_a_whole() -> None:
    found = digested(
        "meter", "gateway", f"{POLL};getmany (aiokafka/consumer/consumer.py) 6\n{POLL} 3\nmain (a b.py) 1\n"
    )
    assert (found.samples, found.complaint) == (10, "")
    assert found.shares == {"aiokafka": 0.6, "service": 0.3, OTHER: 0.1}
    assert found.top[0] == ("getmany (aiokafka/consumer/consumer.py)", 0.6)


async def test_a_process_that_is_gone_is_a_complaint() -> None:
    (found,) = await profiled("meter", {"gateway": 2**22 - 1}, 1)
    assert found.complaint
    assert (found.samples, found.shares, found.top) == (0, {}, [])
