"""Work that waits, in turns of the event loop: a bounded share each, so that one station's backlog delays nobody."""

import asyncio
from collections import deque
from typing import Protocol

import structlog

# Bytes of messages, after inflation: about 3 ms of all, and of one worker before it is another's turn.
TURN = 256 * 1024
SHARE = 64 * 1024
# Bytes that a second of work counts as: what takes several times as long as a usual message is more of a turn.
A_SECOND = 16 * 1024 * 1024

log = structlog.get_logger()


class Worker(Protocol):
    """Something that has work waiting."""

    def work(self, share: int) -> int:
        """Does about so much of it; what it was. Adds itself again for the rest."""

    def broken(self) -> None:
        """There was a mistake of ours in its work, which it does not go on with by itself."""


class Turns:
    """Workers take turns, each in the order in which they were added."""

    def __init__(self) -> None:
        self._workers: deque[Worker] = deque()
        self._idle = asyncio.Event()
        self._idle.set()

    def add(self, worker: Worker) -> None:
        """It works in one of the next turns; not to be added twice."""
        if not self._workers and self._idle.is_set():
            self._idle.clear()
            asyncio.get_running_loop().call_soon(self._turn)
        self._workers.append(worker)

    async def idle(self) -> None:
        """Returns when no work waits."""
        await self._idle.wait()

    def _turn(self) -> None:
        left = TURN
        while self._workers and left > 0:
            worker = self._workers.popleft()
            try:
                left -= worker.work(SHARE)
            except Exception:
                # A mistake of ours with one of them must not take the turns of all others.
                log.exception("a message that waited could not be handled")
                worker.broken()
        if self._workers:
            asyncio.get_running_loop().call_soon(self._turn)
        else:
            self._idle.set()
