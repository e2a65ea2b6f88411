"""Whether a process can do its work, and whether the servers that it needs answer: found out when asked."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from services.common.process import metrics
from services.common.process.readiness import Answer, NotReady, ReadyForNow

Check = Callable[[], Answer | Awaitable[Answer]]
# Seconds that the answers to one scrape are good for another: /metrics is open to everybody who reaches the port.
FRESH = 1.0


@dataclass(slots=True)
class HealthMetrics:
    """checks: of readiness, by name. dependencies: servers, by name; one that is a check too is asked once."""

    checks: Mapping[str, Check]
    dependencies: Mapping[str, Check]
    _measured_at: float | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def measure(self) -> None:
        """Sets the metrics of what is asked now, or was a moment ago."""
        async with self._lock:
            time = asyncio.get_running_loop().time()
            if self._measured_at is not None and time - self._measured_at < FRESH:
                return
            answers = await _answers({**self.dependencies, **self.checks})
            for name in self.checks:
                metrics.CHECK.labels(name).set(bool(answers[name]))
            for name in self.dependencies:
                metrics.DEPENDENCY.labels(name).set(bool(answers[name]) and not isinstance(answers[name], ReadyForNow))
            metrics.READY.set(all(answers[name] for name in self.checks))
            self._measured_at = time


async def unready(checks: Mapping[str, Check]) -> list[str]:
    """The names of those that do not hold, with the reason of those that give one."""
    answers = await _answers(checks)
    return [f"{name}: {no.reason}" if isinstance(no, NotReady) else name for name, no in answers.items() if not no]


async def _answers(checks: Mapping[str, Check]) -> dict[str, Answer]:
    """All at a time: a server that does not answer costs a time-out."""
    return dict(zip(checks, await asyncio.gather(*map(_answer, checks.values())), strict=True))


async def _answer(check: Check) -> Answer:
    answer = check()
    return await answer if inspect.isawaitable(answer) else answer
