"""A station's way to its CSMS, over one connection after the other: what cannot be sent waits, and goes in order."""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from voltbus.simulator.station.link import (
    CallRefused,
    CallTimedOut,
    ConnectionLost,
    CsmsLink,
    NotConnected,
)
from voltbus.simulator.station.types import Call, Payload

# Somebody watches, and has just started the gateway again.
_LONGEST_PAUSE = 5.0
# How often a CALL is sent that is not answered, or whose answer says that the CSMS failed (TransactionMessageAttempts).
_ATTEMPTS = 3
_FAILED = ("InternalError", "GenericError")


def retry_pause(failures: int, first: float, longest: float, dice: random.Random) -> float:
    """Seconds until the next try after so many: RetryBackOff of 2.0.1, doubled each time, with jitter."""
    return min(longest, first * 2.0 ** min(failures - 1, 10)) * dice.uniform(0.5, 1.5)


@dataclass(slots=True, eq=False)
class _Waiting:
    """make: called when it is first sent; None if there is nothing to send after all. answered: with the response."""

    make: Callable[[], Call | None]
    answered: Callable[[Payload], None]
    done: "asyncio.Future[Payload]"
    call: Call | None = None
    attempts: int = 0


class Uplink:
    """dial: connects. on_lost: called when the connection has ended, on_back: when there is a new one.

    first_pause: seconds before the first try to connect again.
    """

    def __init__(
        self,
        dial: Callable[[], Awaitable[CsmsLink]],
        on_lost: Callable[[ConnectionLost], None],
        on_back: Callable[[], None],
        first_pause: float,
    ) -> None:
        self._dial, self._on_lost, self._on_back, self._first_pause = dial, on_lost, on_back, first_pause
        self._waiting: deque[_Waiting] = deque()
        self._wakeup, self._offline = asyncio.Event(), asyncio.Event()
        self._dice = random.Random()
        self._offline.set()

    @property
    def online(self) -> bool:
        """Whether there is a connection."""
        return not self._offline.is_set()

    async def run(self) -> None:
        """Connects, sends and connects again, until cancelled.

        Raises NotConnected if there never was a connection, NotAdmitted where a CALL was the first to be turned away.
        """
        link = await self._dial()
        while True:
            await self._serve(link)
            self._on_lost(link.lost.result())
            link = await self._dial_again()
            self._on_back()

    def put(
        self, make: Callable[[], Call | None], answered: Callable[[Payload], None] = lambda _: None
    ) -> "asyncio.Future[Payload]":
        """Queues a CALL; done with its response. Its errors: CallRefused, CallTimedOut."""
        waiting = _Waiting(make, answered, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._wakeup.set()
        return waiting.done

    async def answered_or_offline(self, done: "asyncio.Future[Payload]") -> None:
        """Returns when a CALL is answered, or waits for the next connection. Raises its error."""
        if not done.done() and self.online:
            lost = asyncio.ensure_future(self._offline.wait())
            either: list[asyncio.Future[Any]] = [done, lost]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            lost.cancel()
        if done.done():
            done.result()

    async def _serve(self, link: CsmsLink) -> None:
        """From the start of a connection to its end."""
        link.lost.add_done_callback(lambda _: self._wakeup.set())
        self._offline.clear()
        try:
            while not link.lost.done():
                self._wakeup.clear()
                if self._waiting:
                    await self._send(link, self._waiting[0])
                else:
                    await self._wakeup.wait()
        finally:
            self._offline.set()
            await link.close()

    async def _send(self, link: CsmsLink, waiting: _Waiting) -> None:
        """Sends the first that waits; it stays the first if it is not answered."""
        waiting.call = waiting.call or waiting.make()
        response: Payload = {}
        try:
            if waiting.call is not None:
                response = await link.call(*waiting.call)
                waiting.answered(response)
        except ConnectionLost:
            return
        except (CallTimedOut, CallRefused) as error:
            waiting.attempts += 1
            if waiting.attempts >= _ATTEMPTS or (isinstance(error, CallRefused) and error.code not in _FAILED):
                self._end(waiting, error)
            else:
                await asyncio.sleep(retry_pause(waiting.attempts, self._first_pause, _LONGEST_PAUSE, self._dice))
        else:
            self._end(waiting, response)

    def _end(self, waiting: _Waiting, outcome: Payload | Exception) -> None:
        self._waiting.remove(waiting)
        if waiting.done.done():  # nobody waits for it any more
            return
        if isinstance(outcome, Exception):
            waiting.done.set_exception(outcome)
        else:
            waiting.done.set_result(outcome)

    async def _dial_again(self) -> CsmsLink:
        failures = 0
        while True:
            failures += 1
            await asyncio.sleep(retry_pause(failures, self._first_pause, _LONGEST_PAUSE, self._dice))
            try:
                return await self._dial()
            except NotConnected:
                continue
