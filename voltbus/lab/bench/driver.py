"""One station of the load: it follows its script, one outstanding CALL at a time, and keeps its books."""

import ssl
import time
from collections.abc import Callable
from typing import Any

from voltbus.errors import LocalError
from voltbus.lab.bench.scripts import SCRIPTS, dialect_of
from voltbus.lab.bench.tally import Tally
from voltbus.simulator.station.link import CallRefused, CallTimedOut, ConnectionLost, Link, WireCounts, connect
from voltbus.simulator.station.types import Payload

# Told of every CALL and its answer: station, action, payload, response (None where there was none).
OnCall = Callable[[str, str, Payload, Payload | None], None]


class Driver:
    """number: its place among all stations of the scenario. over: it does not go on, for an answer was missing.

    opening: CALLs until it is in the state that is measured. tls: what it connects with, to an address of wss.
    """

    def __init__(
        self,
        station_id: str,
        number: int,
        version: str,
        script: str,
        told: OnCall | None = None,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        words = dialect_of(version, station_id)
        self.station_id, self.number = station_id, number
        self.opening = SCRIPTS[script].opening
        self.books = WireCounts()
        self.over = False
        self._words = words
        self._script = SCRIPTS[script].play(words, version)
        self._response: Any = None  # what the script is sent next; it begins with None
        self._link: Link | None = None
        self._told, self._tls = told, tls

    @property
    def connected(self) -> bool:
        return self._link is not None and not self._link.lost.done()

    async def connect(self, url: str, deflate: bool = False) -> None:
        """Raises LocalError where the gateway does not let it in, or does not compress where that is asked for."""
        self._link = await connect(
            url, self.station_id, None, self._words.subprotocol, self._asked, self.books, deflate=deflate, tls=self._tls
        )
        if deflate and not self._link.deflates:
            raise LocalError(f"{self.station_id}: the gateway does not compress: unset VOLTBUS_DEFLATE")

    async def leave(self) -> None:
        if self._link is not None:
            await self._link.close()

    async def boot(self) -> str:
        """The first CALL of every script; what is wrong with the answer, empty where it is accepted."""
        await self.turn(tally := Tally())
        if not tally.complaint and self._words.booted(self._response)[0] != "Accepted":
            return f"{self.station_id}: its boot is not accepted"
        return tally.complaint

    async def turn(self, tally: Tally, due: float | None = None) -> None:
        """The next CALL of the script and its answer. due: when it was to be sent, on the clock of perf_counter."""
        assert self._link is not None
        action, payload = self._script.send(self._response)
        began = time.perf_counter()
        # A timer may go off a little early: what was sent before it was due has not waited.
        since = began if due is None else min(due, began)
        self.opening = max(0, self.opening - 1)
        tally.sent += 1
        try:
            self._response = await self._link.call(action, payload)
        except (CallRefused, CallTimedOut, ConnectionLost) as error:
            self._failed(tally, error)
        else:
            tally.answered += 1
            tally.took.append(_microseconds(since))
            tally.late.append(round((began - since) * 1e6))
        if self._told is not None:
            self._told(self.station_id, action, payload, None if self.over else self._response)

    def _asked(self, action: str, payload: Payload) -> Payload | None:
        """What it says to a CALL of the CSMS, of which a benchmark sends none."""
        answer = self._words.answer(action, payload)
        return answer.payload if answer else None

    def _failed(self, tally: Tally, error: LocalError) -> None:
        self.over = True
        if isinstance(error, CallRefused):
            tally.refused += 1
        else:
            tally.unanswered += 1
        tally.complain(f"{self.station_id}: {error}")


def _microseconds(since: float) -> int:
    return round((time.perf_counter() - since) * 1e6)
