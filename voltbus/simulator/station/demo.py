"""What the demo charger does, step by step, told in plain words."""

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
    Payload,
    Perform,
    Reading,
    RemoteStart,
    RemoteStop,
    Reset,
    Session,
    Wish,
    curve,
)

_STEP = timedelta(minutes=2)
# A session that the CSMS started runs in real time.
_REMOTE_PAUSES = 10
_A_LOT = 100_000


@dataclass(frozen=True, slots=True)
class Plan:
    """How the charger is to behave; `pause` is the time in seconds between two meter readings."""

    url: str
    station_id: str
    id_token: str
    password: str | None = None
    pause: float = 1.0
    stay: bool = False


@dataclass(slots=True)
class Story:
    """One charger on one connection."""

    plan: Plan
    charger: Charger
    dialect: Dialect
    console: Console
    _wishes: "asyncio.Queue[Wish]" = field(default_factory=asyncio.Queue)
    _reported: str = ""

    async def play(self) -> None:
        """Connects, boots, charges once and leaves; with `stay`, then obeys the CSMS until cancelled.

        Raises LocalError.
        """
        self._tell(f"connecting as {self.plan.station_id}, {self.dialect.subprotocol}")
        plan = self.plan
        link = await connect(plan.url, plan.station_id, plan.password, self.dialect.subprotocol, self._asked)
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
        # Forty minutes are played in seconds, so they have just passed.
        readings = curve(now() - 20 * _STEP, _STEP, int(self._outlet.meter_wh), 21)
        await self._plug_in(link)
        await self._charge(link, self._session(self.plan.id_token), readings)
        if self.plan.stay:
            self._tell("staying; start me from the CSMS, Ctrl-C to leave", "bold")
            await self._obey(link, interval)

    async def _boot(self, link: Link, reason: str) -> int:
        while True:
            status, interval = self.dialect.booted(await link.call(*self.dialect.boot(reason)))
            self._tell(f"BootNotification → {status}; heartbeat every {interval} s")
            if status == "Accepted":
                self._reported = ""
                await self._say(link, *self.dialect.status(0))
                await self._report(link, "I am free")
                return interval
            await asyncio.sleep(interval or 60)

    async def _plug_in(self, link: Link) -> None:
        self._outlet.plugged = True
        await self._report(link, "a car is plugged in")
        status = self.dialect.authorized(await link.call(*self.dialect.authorize(self.plan.id_token)))
        self._tell(f"Authorize {self.plan.id_token} → {status}")
        if status != "Accepted":
            raise LocalError(f"the token {self.plan.id_token} is {status}: give another with --token")

    async def _charge(self, link: Link, session: Session, readings: Iterator[Reading], remote: bool = False) -> None:
        first = last = next(readings)
        call = self.dialect.begun(session, first)
        self.charger.begun(session)
        status = self.dialect.started(session, await link.call(*call))
        self._tell(f"{call[0]}: charging starts at {first.at:%H:%M} → {status}")
        await self._report(link, "")
        pause = _REMOTE_PAUSES * self.plan.pause if remote else self.plan.pause
        stopped = False
        for reading in readings:
            if stopped := await self._stopped_within(pause, link):
                break
            last = reading
            await self._say(link, self.dialect.sampled(session, last), quiet=True)
            self._tell(f"  {last.at:%H:%M}  {last.power_w / 1000:5.1f} kW  {_kwh(first, last)}  {last.soc} %")
        self._outlet.meter_wh = last.energy_wh
        await self._say(link, self.dialect.ended(session, last, "Remote" if stopped else "Local"), quiet=True)
        self._tell(f"session over: {'stopped by the CSMS' if stopped else 'done'}, {_kwh(first, last)}", "green")
        self.charger.ended(session)
        self._outlet.plugged = False
        await self._report(link, "I am free again")

    async def _stopped_within(self, pause: float, link: Link) -> bool:
        end = asyncio.get_running_loop().time() + pause
        while (left := end - asyncio.get_running_loop().time()) > 0:
            try:
                async with asyncio.timeout(left):
                    wish = await self._wishes.get()
            except TimeoutError:
                return False
            if isinstance(wish, Reset):
                self._wishes.put_nowait(wish)  # after the session
                if wish.idle:
                    await asyncio.sleep(end - asyncio.get_running_loop().time())
                    return False
            if isinstance(wish, RemoteStop | Reset):
                return True
            await self._fulfil(link, wish)
        return False

    async def _obey(self, link: Link, interval: int) -> None:
        while True:
            try:
                async with asyncio.timeout(interval or 300):
                    wish = await self._wishes.get()
            except TimeoutError:
                await self._say(link, self.dialect.heartbeat(), note="still here")
                continue
            await self._fulfil(link, wish)

    async def _fulfil(self, link: Link, wish: Wish) -> None:
        match wish:
            case Perform():
                await self._perform(link, wish)
            case RemoteStart():
                step = timedelta(seconds=_REMOTE_PAUSES * self.plan.pause)
                readings = curve(now(), step, int(self._outlet.meter_wh), _A_LOT)
                self._outlet.plugged = True
                await self._report(link, "a car is plugged in")
                await self._charge(link, self._session(wish.id_token, wish), readings, remote=True)
            case Reset():
                self.charger.variables.restarted()
                await self._boot(link, "RemoteReset")

    async def _perform(self, link: Link, wish: Perform) -> None:
        for step in wish.steps:
            await asyncio.sleep(step.after)
            await self._say(link, step.call, note="as asked")
        if wish.firmware:
            self.charger.firmware = wish.firmware
            await self._boot(link, "FirmwareUpdate")
        await self._report(link, "as asked")

    async def _report(self, link: Link, note: str) -> None:
        """A status, where it is another than the one before."""
        if (state := self.dialect.state(1)) != self._reported:
            self._reported = state
            await self._say(link, *self.dialect.status(1), note=note)

    async def _say(self, link: Link, *calls: Call | None, note: str = "", quiet: bool = False) -> None:
        for call in calls:
            if call is not None:
                await link.call(*call)
                if not quiet:
                    self._tell(f"{call[0]}{': ' if note else ''}{note}")

    def _session(self, id_token: str, wish: RemoteStart | None = None) -> Session:
        session = Session(str(uuid.uuid4()), 1, id_token, now())
        if wish:
            session.remote_start_id, session.token_type = wish.request_id, wish.token_type
        return session

    @property
    def _outlet(self) -> Outlet:
        return self.charger.outlets[0]

    def _asked(self, action: str, payload: Payload) -> Payload | None:
        answer = self.dialect.answer(action, payload)
        said = "I do not know it" if answer is None else answer.payload.get("status", "answered")
        self._tell(f"the CSMS asks {action} → {said}", "cyan")
        if answer is None:
            return None
        self._wishes.put_nowait(answer.wish or Perform(()))
        return answer.payload

    def _tell(self, text: str, style: str = "") -> None:
        self.console.print(f"{now().astimezone():%H:%M:%S}  {text}", style=style, highlight=False)


def now() -> datetime:
    """What the demo charger's clock says."""
    return datetime.now(UTC)


def _kwh(first: Reading, last: Reading) -> str:
    return f"{(last.energy_wh - first.energy_wh) / 1000:5.2f} kWh"
