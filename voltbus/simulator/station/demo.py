"""What the demo station does, step by step, printed in plain words."""

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console

from voltbus.errors import LocalError
from voltbus.simulator.station.charger import Charger, Outlet
from voltbus.simulator.station.link import Link, connect
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

_READING_INTERVAL = timedelta(minutes=2)
# A session that the CSMS started runs at a realistic pace.
_REMOTE_PAUSES = 10
_MAX_READINGS = 100_000


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """What the station does. pause: seconds between two meter readings. stay: connected, after the session."""

    url: str
    station_id: str
    id_token: str
    password: str | None = None
    pause: float = 1.0
    stay: bool = False


@dataclass(slots=True)
class Demo:
    """One station on one connection."""

    plan: DemoPlan
    charger: Charger
    dialect: Dialect
    console: Console
    _effects: "asyncio.Queue[Effect]" = field(default_factory=asyncio.Queue)
    _reported: str = ""

    async def play(self) -> None:
        """Connects, boots, charges once and leaves; with `stay` it then answers commands until cancelled.

        Raises LocalError.
        """
        self._print(f"connecting as {self.plan.station_id}, {self.dialect.subprotocol}")
        plan = self.plan
        link = await connect(plan.url, plan.station_id, plan.password, self.dialect.subprotocol, self._on_call)
        acting = asyncio.create_task(self._act(link))
        either: list[asyncio.Future[Any]] = [acting, link.lost]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not acting.done():
                raise link.lost.result()
            acting.result()
        finally:
            acting.cancel()
            await asyncio.wait({acting})
            await link.close()

    async def _act(self, link: Link) -> None:
        interval = await self._boot(link, "PowerUp")
        # Forty minutes, played in seconds: they have just passed.
        readings = curve(now() - 20 * _READING_INTERVAL, _READING_INTERVAL, int(self._outlet.meter_wh), 21)
        await self._plug_in(link)
        await self._charge(link, self._session(self.plan.id_token), readings)
        if self.plan.stay:
            self._print("staying connected: try a remote start; Ctrl-C ends", "bold")
            await self._answer_commands(link, interval)

    async def _boot(self, link: Link, reason: str) -> int:
        while True:
            status, interval = self.dialect.booted(await link.call(*self.dialect.boot(reason)))
            self._print(f"BootNotification → {status}; heartbeat every {interval} s")
            if status == "Accepted":
                self._reported = ""
                await self._send(link, *self.dialect.status(0))
                await self._report(link, "available")
                return interval
            await asyncio.sleep(interval or 60)

    async def _plug_in(self, link: Link) -> None:
        self._outlet.plugged = True
        await self._report(link, "a car is plugged in")
        status = self.dialect.authorized(await link.call(*self.dialect.authorize(self.plan.id_token)))
        self._print(f"Authorize {self.plan.id_token} → {status}")
        if status != "Accepted":
            raise LocalError(f"the id token {self.plan.id_token} is {status}: choose another with --token")

    async def _charge(self, link: Link, session: Session, readings: Iterator[Reading], remote: bool = False) -> None:
        first = last = next(readings)
        call = self.dialect.begun(session, first)
        self.charger.begun(session)
        status = self.dialect.started(session, await link.call(*call))
        self._print(f"{call[0]}: charging starts at {first.at:%H:%M} → {status}")
        await self._report(link, "")
        pause = _REMOTE_PAUSES * self.plan.pause if remote else self.plan.pause
        stopped = False
        for reading in readings:
            if stopped := await self._stopped_within(pause, link):
                break
            last = reading
            await self._send(link, self.dialect.sampled(session, last), quiet=True)
            self._print(f"  {last.at:%H:%M}  {last.power_w / 1000:5.1f} kW  {_kwh(first, last)}  {last.soc} %")
        self._outlet.meter_wh = last.energy_wh
        await self._send(link, self.dialect.ended(session, last, "Remote" if stopped else "Local"), quiet=True)
        self._print(
            f"session ended: {'stopped by the CSMS' if stopped else 'stopped by the driver'}, {_kwh(first, last)}",
            "green",
        )
        self.charger.ended(session)
        self._outlet.plugged = False
        await self._report(link, "available again")

    async def _stopped_within(self, pause: float, link: Link) -> bool:
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
            await self._apply(link, effect)
        return False

    async def _answer_commands(self, link: Link, interval: int) -> None:
        while True:
            try:
                async with asyncio.timeout(interval or 300):
                    effect = await self._effects.get()
            except TimeoutError:
                await self._send(link, self.dialect.heartbeat(), note="still connected")
                continue
            await self._apply(link, effect)

    async def _apply(self, link: Link, effect: Effect) -> None:
        match effect:
            case Perform():
                await self._perform(link, effect)
            case RemoteStart():
                step = timedelta(seconds=_REMOTE_PAUSES * self.plan.pause)
                readings = curve(now(), step, int(self._outlet.meter_wh), _MAX_READINGS)
                self._outlet.plugged = True
                await self._report(link, "a car is plugged in")
                await self._charge(link, self._session(effect.id_token, effect), readings, remote=True)
            case Reset():
                self.charger.variables.restarted()
                await self._boot(link, "RemoteReset")

    async def _perform(self, link: Link, effect: Perform) -> None:
        for step in effect.steps:
            await asyncio.sleep(step.after)
            await self._send(link, step.call, note="as requested")
        if effect.firmware:
            self.charger.firmware = effect.firmware
            await self._boot(link, "FirmwareUpdate")
        await self._report(link, "as requested")

    async def _report(self, link: Link, note: str) -> None:
        """Sends the status if it has changed."""
        if (state := self.dialect.state(1)) != self._reported:
            self._reported = state
            await self._send(link, *self.dialect.status(1), note=note)

    async def _send(self, link: Link, *calls: Call | None, note: str = "", quiet: bool = False) -> None:
        for call in calls:
            if call is not None:
                await link.call(*call)
                if not quiet:
                    self._print(f"{call[0]}{': ' if note else ''}{note}")

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


def now() -> datetime:
    """The time of the demo station's clock."""
    return datetime.now(UTC)


def _kwh(first: Reading, last: Reading) -> str:
    return f"{(last.energy_wh - first.energy_wh) / 1000:5.2f} kWh"
