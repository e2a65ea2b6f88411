"""How many CALLs a service has handled, as it tells itself, and the wait until it has handled all."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

import httpx
from prometheus_client.parser import text_string_to_metric_families

from voltbus.errors import LocalError

T = TypeVar("T")


def count(exposition: str, actions: Collection[str]) -> int:
    """CALLs of these actions in a /metrics page, whatever their outcome."""
    families = text_string_to_metric_families(exposition)
    samples = (sample for family in families if family.name == "voltbus_calls" for sample in family.samples)
    return int(sum(it.value for it in samples if it.name == "voltbus_calls_total" and it.labels["action"] in actions))


def level(exposition: str, name: str) -> float:
    """The sum of a gauge over all its labels; 0 where there is none."""
    families = text_string_to_metric_families(exposition)
    return sum(sample.value for family in families if family.name == name for sample in family.samples)


async def handled(http: httpx.AsyncClient, address: str, actions: Collection[str]) -> int:
    """Asks the service at `address`. Raises LocalError where it does not answer."""
    return count(await metrics(http, address, "voltbus_calls_total"), actions)


async def metrics(http: httpx.AsyncClient, address: str, *names: str) -> str:
    """What the process at `address` says of these metrics. Raises LocalError where it does not answer."""
    try:
        # Not over a connection of before, which the process may be closing at this moment.
        response = await http.get(f"{address}/metrics", params={"name[]": names}, headers={"Connection": "close"})
        response.raise_for_status()
    except httpx.HTTPError as error:
        raise LocalError(f"no metrics from {address} ({type(error).__name__}): see its log") from None
    return response.text


async def wait_until(
    question: Callable[[], Awaitable[T]], wanted: Callable[[T], bool], *, tick: float = 0.05, patience: float = 120
) -> float:
    """When, on the clock of perf_counter, the answer was first a wanted one.

    tick: seconds between two questions. patience: seconds; raises LocalError after them.
    """
    began = time.perf_counter()
    while not wanted(answer := await question()):
        if time.perf_counter() - began > patience:
            raise LocalError(f"the backlog has not been handled after {patience:.0f} s (at {answer}): reduce the load")
        await asyncio.sleep(tick)
    return time.perf_counter()
