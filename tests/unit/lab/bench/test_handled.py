"""How far a service is, from its own metrics."""

import httpx
import pytest

from voltbus.errors import LocalError
from voltbus.lab.bench import handled

PAGE = """\
# HELP voltbus_calls_total CALLs handled by a service
# TYPE voltbus_calls_total counter
voltbus_calls_total{action="MeterValues",outcome="done",version="1.6"} 40.0
voltbus_calls_total{action="MeterValues",outcome="refused",version="2.0.1"} 2.0
voltbus_calls_total{action="StartTransaction",outcome="done",version="1.6"} 5.0
# TYPE voltbus_calls_created gauge
voltbus_calls_created{action="MeterValues",outcome="done",version="1.6"} 1.7e+09
"""


def test_counts_an_action_in_all_versions_and_outcomes() -> None:
    assert handled.count(PAGE, ("MeterValues",)) == 42
    assert handled.count(PAGE, ("Authorize",)) == 0


async def test_asks_the_service() -> None:
    transport = httpx.MockTransport(
        lambda request: httpx.Response(200 if request.url.path == "/metrics" else 404, text=PAGE)
    )
    async with httpx.AsyncClient(transport=transport) as http:
        assert await handled.handled(http, "http://service", "StartTransaction") == 5
        with pytest.raises(LocalError, match="no metrics from http://service/elsewhere"):
            await handled.handled(http, "http://service/elsewhere", "StartTransaction")


async def test_waits_until_it_is_done() -> None:
    numbers = iter([1, 2, 3, 4])

    async def question() -> int:
        return next(numbers)

    await handled.wait_until(question, lambda number: number >= 3, tick=0)
    assert next(numbers) == 4


async def test_does_not_wait_for_ever() -> None:

    async def question() -> int:
        return 7

    with pytest.raises(LocalError, match=r"the backlog has not been handled after 0 s \(at 7\)"):
        await handled.wait_until(question, lambda number: number > 7, tick=0, patience=0)
