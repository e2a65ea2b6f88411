"""One station of the load: it never gives up, as chargers do not, and all that it sends and receives is recorded."""

import asyncio
import contextlib
import random
import time
from collections.abc import Sequence
from typing import Any

from voltbus.lab.chaos.expected import Attempt, Expected, Message, ReceivedCommand
from voltbus.lab.chaos.script import Script, ScriptedMessage, StationScript
from voltbus.simulator.station import link
from voltbus.simulator.station.link import CallRefused, CallTimedOut, ConnectionLost, Link, NotConnected
from voltbus.simulator.station.types import Call, Payload, Perform

# Seconds that it waits for an answer before it repeats a message, how often before it looks for another gateway,
# and seconds between attempts to connect: doubled up to the longest, with jitter.
ANSWER_TIMEOUT = 10.0
_SILENCES = 2
_SHORTEST, _LONGEST = 0.5, 4.0
# Sessions after which a station restarts.
_BOOT_EVERY = 4
_AWAY = (5.0, 15.0)
_CALL, _RESULT = 2, 3


class Station:
    """gateways: where they are, its own first. interval: seconds between two messages. roams: it goes away at times.

    saying: what it wants to be answered at this moment. connections: how many it has had.
    """

    def __init__(
        self,
        life: StationScript,
        gateways: Sequence[str],
        interval: float,
        expected: Expected,
        dice: random.Random,
        roams: bool = False,
    ) -> None:
        self.id, self._life, self._gateways, self._interval = life.charger.id, life, gateways, interval
        self._expected, self._dice, self._roams = expected, dice, roams
        self._link: Link | None = None
        self._gateway = self._failures = 0
        self._here, self._up = asyncio.Event(), asyncio.Event()
        self._here.set()
        self._tries: dict[str, Attempt] = {}
        self._received: dict[str, ReceivedCommand] = {}
        self._asked: list[Call] = []
        self._due = 0.0
        self.connections = 0
        self.saying: Message | None = None

    @property
    def connected(self) -> bool:
        return self._up.is_set()

    @property
    def away(self) -> bool:
        """Whether it is not to be reached, by its own will."""
        return not self._here.is_set()

    @property
    def newest(self) -> str | None:
        """The message id of the last CALL that was answered on the connection that it is on now."""
        attempts = reversed(self._tries.values())
        return next((one.message_id for one in attempts if one.connection == self.connections and one.answered), None)

    async def live(self, begin: float, stop: asyncio.Event) -> None:
        """Session after session, from `begin` (seconds since 1970) until it is to stop, and then to the end of its
        session.
        """
        self._due = begin
        count = 0
        while not stop.is_set():
            if count % _BOOT_EVERY == 0:
                await self._play(self._life.boot())
            await self._play(self._life.session())
            count += 1
            if self._roams:
                await self._roam(stop)
        await self._notices()

    async def keep(self) -> None:
        """Connected whenever it is here, until cancelled."""
        try:
            while True:
                await self._here.wait()
                if not await self._connect():
                    continue
                assert self._link is not None
                await asyncio.wait({self._link.lost})
                self._up.clear()
                self._failures = 1
        finally:
            if self._link is not None:
                await self._link.close()

    async def _play(self, script: Script) -> None:
        response: Any = None
        while True:
            await self._notices()
            self._due = max(self._due + self._interval, time.time())
            await asyncio.sleep(max(0.0, self._due - time.time()))
            try:
                coming = script.send(response)
            except StopIteration:
                return
            response = await self._say(coming)

    async def _notices(self) -> None:
        while self._asked:
            await self._say(self._life.notice(self._asked.pop(0)))

    async def _say(self, coming: ScriptedMessage) -> Payload:
        """Until it is answered."""
        self.saying = coming.message
        silences = 0
        while True:
            await self._up.wait()
            assert self._link is not None
            try:
                answer = await self._link.call(*self._life.habits.written(coming.call))
            except ConnectionLost:
                self._up.clear()
            except CallRefused:
                await asyncio.sleep(self._interval)
            except CallTimedOut:
                silences += 1
                if silences % _SILENCES == 0:
                    self._gateway += 1
                    self._link.drop()
            else:
                coming.message.done, self.saying = time.time(), None
                return answer

    async def _roam(self, stop: asyncio.Event) -> None:
        """Without its network, for a while."""
        self._here.clear()
        if self._link is not None:
            self._link.drop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._dice.uniform(*_AWAY)):
                await stop.wait()
        self._here.set()

    async def _connect(self) -> bool:
        """To its gateway, or the next time to another where that does not let it in."""
        if self._failures:
            wait = min(_LONGEST, _SHORTEST * 2.0 ** min(self._failures - 1, 10))
            await asyncio.sleep(wait * self._dice.uniform(0.5, 1.5))
        number, subprotocol = self.connections + 1, self._life.words.subprotocol
        counts = link.WireCounts(on_frame=lambda frame, own: self._wire(number, frame, own))
        gateway = self._gateways[self._gateway % len(self._gateways)]
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                made = await link.connect(gateway, self.id, None, subprotocol, self._answer, counts, ANSWER_TIMEOUT)
        except (NotConnected, TimeoutError):
            self._failures += 1
            self._gateway += 1
            return False
        self._link, self.connections, self._failures = made, number, 0
        self._up.set()
        return True

    def _wire(self, connection: int, frame: list[Any], own: bool) -> None:
        """Every frame goes into the books."""
        now = time.time()
        if own and frame[0] == _CALL:
            assert self.saying is not None
            self._tries[frame[1]] = made = Attempt(frame[1], connection, now)
            self.saying.attempts.append(made)
        elif own:
            self._received[frame[1]].answered = now
        elif frame[0] == _CALL:
            self._received[frame[1]] = came = ReceivedCommand(self.id, connection, frame[1], frame[2], now)
            self._expected.received.append(came)
        elif frame[1] in self._tries:
            answered = self._tries[frame[1]]
            answered.answered = now
            if frame[0] == _RESULT:
                answered.answer = frame[2]
            else:
                answered.refused = f"{frame[2]} {frame[3]}"

    def _answer(self, action: str, payload: Payload) -> Payload | None:
        answer = self._life.words.answer(action, payload)
        if answer is None:
            return None
        if isinstance(answer.effect, Perform):
            self._asked += [step.call for step in answer.effect.steps]
        return answer.payload
