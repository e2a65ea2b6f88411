"""Work in turns: the next one after some seconds, or at once when there is news."""

import asyncio
import contextlib


class Wakeup:
    """Called where there is news. What comes while a turn is at work makes the next one begin at once."""

    def __init__(self) -> None:
        self._news = asyncio.Event()

    def __call__(self) -> None:
        self._news.set()

    async def wait(self, seconds: float) -> None:
        """Between two turns."""
        # Not wait_for, which loses a cancellation that comes together with what it waits for (until Python 3.12).
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        self._news.clear()
