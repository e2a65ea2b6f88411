"""What the demo station does, step by step, printed in plain words."""

import asyncio
import ssl
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from rich.console import Console

from voltbus.errors import LocalError
from voltbus.simulator.station.charger import Charger, Outlet
from voltbus.simulator.station.link import ConnectionLost, CsmsLink, connect
from voltbus.simulator.station.soap import link as soap
from voltbus.simulator.station.types import (
    Call,
    Dialect,
    Effect,
    Payload,
    Perform,
    Reading,
    RemoteStart,
    RemoteStop,
    Reset,
    Session,
    curve,
)
from voltbus.simulator.station.uplink import Uplink

_READING_INTERVAL = timedelta(minutes=2)
# A session that the CSMS started runs at a realistic pace.
_REMOTE_PAUSES = 10
_MAX_READINGS = 100_000


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """What the station does. pause: seconds between two meter readings. stay: connected, after the session.

    retry: seconds before the first try to connect again. tls: what it connects with, to an address of wss.
    """

    url: str
    station_id: str
    id_token: str
    password: str | None = None
    pause: float = 1.0
    stay: bool = False
    retry: float = 0.5
    tls: ssl.SSLContext | None = None


@dataclass(slots=True)
class Demo:
    """One station, on one connection after the other."""

    plan: DemoPlan
    charger: Charger
    dialect: Dialect
    console: Console
    _effects: "asyncio.Queue[Effect]" = field(default_factory=asyncio.Queue)
    _reported: str = ""
    _booted: bool = False
    _kept: "list[asyncio.Future[Payload]]" = field(default_factory=list)
    _uplink: Uplink = field(init=False)

    async def play(self) -> None:
        """Connects, boots, charges once and leaves; with `stay` it then answers commands until cancelled.

        A connection that is lost is made again, and what happened meanwhile is told then. Raises LocalError.
        """
        over = " over SOAP" if self.dialect.soap else ""
        self._print(f"connecting as {self.plan.station_id}, {self.dialect.subprotocol}{over}")
        self._uplink = Uplink(self._dial, self._on_lost, self._on_back, self.plan.retry)
        tasks = [asyncio.create_task(self._uplink.run()), asyncio.create_task(self._act())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _dial(self) -> CsmsLink:
        plan = self.plan
        if version := self.dialect.soap:
            return await soap.connect(plan.url, plan.station_id, plan.password, version, self._on_call, tls=plan.tls)
        return await connect(
            plan.url, plan.station_id, plan.password, self.dialect.subprotocol, self._on_call, tls=plan.tls
        )

    def _on_lost(self, lost: ConnectionLost) -> None:
        self._print(f"{lost}; connecting again", "yellow")

    def _on_back(self) -> None:
        """Only a station that has restarted boots again (B01); others tell how they are."""
        self._print("connected again", "yellow")
        if self._booted:
            self._reported = self.dialect.state(1)
            for call in (self.dialect.heartbeat(), *self.dialect.status(0), *self.dialect.status(1)):
                self._kept.append(self._uplink.put(partial(_same, call)))

    async def _act(self) -> None:
        interval = await self._boot("PowerUp")
        # Forty minutes, played in seconds: they have just passed.
        readings = curve(now() - 20 * _READING_INTERVAL, _READING_INTERVAL, int(self._outlet.meter_wh), 21)
        await self._plug_in()
        await self._charge(self._session(self.plan.id_token), readings)
        if self.plan.stay:
            self._print("staying connected: try a remote start; Ctrl-C ends", "bold")
            await self._answer_commands(interval)
        for kept in self._kept:  # more of them may come meanwhile
            await kept

    async def _boot(self, reason: str) -> int:
        while True:
            status, interval = self.dialect.booted(await self._call(self.dialect.boot(reason)))
            self._print(f"BootNotification → {status}; heartbeat every {interval} s")
            if status == "Accepted":
                self._booted, self._reported = True, ""
                await self._send(*self.dialect.status(0))
                await self._report("available")
                return interval
            await asyncio.sleep(interval or 60)

    async def _plug_in(self) -> None:
        self._outlet.plugged = True
        await self._report("a car is plugged in")
        status = self.dialect.authorized(await self._call(self.dialect.authorize(self.plan.id_token)))
        self._print(f"Authorize {self.plan.id_token} → {status}")
        if status != "Accepted":
            raise LocalError(f"the id token {self.plan.id_token} is {status}: choose another with --token")

    async def _charge(self, session: Session, readings: Iterator[Reading], remote: bool = False) -> None:
        first = last = next(readings)
        self.charger.begun(session)
        await self._tell(partial(self.dialect.begun, session, first), partial(self._on_started, session, first))
        await self._report("")
        pause = _REMOTE_PAUSES * self.plan.pause if remote else self.plan.pause
        stopped = False
        for reading in readings:
            if stopped := await self._stopped_within(pause):
                break
            last = reading
            kept = "" if self._uplink.online else "  (kept)"
            self._print(f"  {last.at:%H:%M}  {last.power_w / 1000:5.1f} kW  {_kwh(first, last)}  {last.soc} %{kept}")
            await self._tell(partial(self.dialect.sampled, session, last))
        self._outlet.meter_wh = last.energy_wh
        self._print(
            f"session ended: {'stopped by the CSMS' if stopped else 'stopped by the driver'}, {_kwh(first, last)}",
            "green",
        )
        await self._tell(partial(self.dialect.ended, session, last, "Remote" if stopped else "Local"))
        self.charger.ended(session)
        self._outlet.plugged = False
        await self._report("available again")

    def _on_started(self, session: Session, first: Reading, response: Payload) -> None:
        status = self.dialect.started(session, response)
        self._print(f"charging starts at {first.at:%H:%M} → {status}")

    async def _stopped_within(self, pause: float) -> bool:
        end = asyncio.get_running_loop().time() + pause
        while (left := end - asyncio.get_running_loop().time()) > 0:
            try:
                async with asyncio.timeout(left):
                    effect = await self._effects.get()
            except TimeoutError:
                return False
            if isinstance(effect, Reset):
                self._effects.put_nowait(effect)  # after the session
                if effect.idle:
                    await asyncio.sleep(end - asyncio.get_running_loop().time())
                    return False
            if isinstance(effect, RemoteStop | Reset):
                return True
            await self._apply(effect)
        return False

    async def _answer_commands(self, interval: int) -> None:
        while True:
            try:
                async with asyncio.timeout(interval or 300):
                    effect = await self._effects.get()
            except TimeoutError:
                if self._uplink.online:
                    await self._send(self.dialect.heartbeat(), note="still connected")
                continue
            await self._apply(effect)

    async def _apply(self, effect: Effect) -> None:
        match effect:
            case Perform():
                await self._perform(effect)
            case RemoteStart():
                step = timedelta(seconds=_REMOTE_PAUSES * self.plan.pause)
                readings = curve(now(), step, int(self._outlet.meter_wh), _MAX_READINGS)
                self._outlet.plugged = True
                await self._report("a car is plugged in")
                await self._charge(self._session(effect.id_token, effect), readings, remote=True)
            case Reset():
                self.charger.variables.restarted()
                await self._boot("RemoteReset")

    async def _perform(self, effect: Perform) -> None:
        for step in effect.steps:
            await asyncio.sleep(step.after)
            await self._send(step.call, note="as requested")
        if effect.firmware:
            self.charger.firmware = effect.firmware
            await self._boot("FirmwareUpdate")
        await self._report("as requested")

    async def _report(self, note: str) -> None:
        """Sends the status if it has changed; without a connection the next one begins with it."""
        if self._uplink.online and (state := self.dialect.state(1)) != self._reported:
            self._reported = state
            await self._send(*self.dialect.status(1), note=note)

    async def _call(self, call: Call) -> Payload:
        """The response, however many connections it takes."""
        return await self._uplink.put(partial(_same, call))

    async def _send(self, *calls: Call, note: str = "") -> None:
        for call in calls:
            await self._uplink.answered_or_offline(self._uplink.put(partial(_same, call)))
            self._print(f"{call[0]}{': ' if note else ''}{note}")

    async def _tell(
        self, make: Callable[..., Call | None], answered: Callable[[Payload], None] = lambda _: None
    ) -> None:
        """A message of a session, which says of itself whether there was a connection when it happened."""
        told = self._uplink.put(partial(make, offline=not self._uplink.online), answered)
        await self._uplink.answered_or_offline(told)
        if not told.done():
            self._kept.append(told)

    def _session(self, id_token: str, effect: RemoteStart | None = None) -> Session:
        session = Session(str(uuid.uuid4()), 1, id_token, now())
        if effect:
            session.remote_start_id, session.token_type = effect.request_id, effect.token_type
        return session

    @property
    def _outlet(self) -> Outlet:
        return self.charger.outlets[0]

    def _on_call(self, action: str, payload: Payload) -> Payload | None:
        answer = self.dialect.answer(action, payload)
        status = "not supported" if answer is None else answer.payload.get("status", "answered")
        self._print(f"the CSMS calls {action} → {status}", "cyan")
        if answer is None:
            return None
        self._effects.put_nowait(answer.effect or Perform(()))
        return answer.payload

    def _print(self, text: str, style: str = "") -> None:
        self.console.print(f"{now().astimezone():%H:%M:%S}  {text}", style=style, highlight=False)


def _same(call: Call) -> Call:
    return call


def now() -> datetime:
    """The time of the demo station's clock."""
    return datetime.now(UTC)


def _kwh(first: Reading, last: Reading) -> str:
    return f"{(last.energy_wh - first.energy_wh) / 1000:5.2f} kWh"
