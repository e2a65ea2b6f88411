"""What the demo charger does, step by step, told in plain words."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console

from services.local.errors import LocalError
from services.local.station.facts import (
    Call,
    Dialect,
    Payload,
    Reading,
    RemoteStart,
    RemoteStop,
    Reset,
    Send,
    Wish,
    curve,
)
from services.local.station.link import Link, connect

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
    dialect: Dialect
    console: Console
    _meter_wh: int = 1_234_500
    _wishes: "asyncio.Queue[Wish]" = field(default_factory=asyncio.Queue)

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
        interval = await self._boot(link)
        await self._say(link, *self.dialect.status(_now(), occupied=False), note="I am free")
        await self._plug_in(link)
        # Forty minutes are played in seconds, so they have just passed.
        await self._charge(link, self.plan.id_token, curve(_now() - 20 * _STEP, _STEP, self._meter_wh, 21))
        if self.plan.stay:
            self._tell("staying; start me from the CSMS, Ctrl-C to leave", "bold")
            await self._obey(link, interval)

    async def _boot(self, link: Link) -> int:
        while True:
            status, interval = self.dialect.booted(await link.call(*self.dialect.boot()))
            self._tell(f"BootNotification → {status}; heartbeat every {interval} s")
            if status == "Accepted":
                return interval
            await asyncio.sleep(interval or 60)

    async def _plug_in(self, link: Link) -> None:
        await self._say(link, *self.dialect.status(_now(), occupied=True), note="a car is plugged in")
        status = self.dialect.authorized(await link.call(*self.dialect.authorize(self.plan.id_token)))
        self._tell(f"Authorize {self.plan.id_token} → {status}")
        if status != "Accepted":
            raise LocalError(f"the token {self.plan.id_token} is {status}: give another with --token")

    async def _charge(
        self, link: Link, id_token: str, readings: Iterator[Reading], remote: RemoteStart | None = None
    ) -> None:
        first = last = next(readings)
        call = self.dialect.start(id_token, first, remote)
        response = await link.call(*call)
        self.dialect.started(response)
        self._tell(f"{call[0]}: charging starts at {first.at:%H:%M} → {self.dialect.authorized(response)}")
        await self._say(link, *self.dialect.charging(first.at))
        pause = _REMOTE_PAUSES * self.plan.pause if remote else self.plan.pause
        stopped = False
        for reading in readings:
            if stopped := await self._stopped_within(pause, link):
                break
            last = reading
            await link.call(*self.dialect.sample(last))
            self._tell(f"  {last.at:%H:%M}  {last.power_w / 1000:5.1f} kW  {_kwh(first, last)}  {last.soc} %")
        self._meter_wh = last.energy_wh
        end = self.dialect.stop(id_token, last, remote=stopped)
        await link.call(*end)
        self._tell(f"{end[0]}: {'stopped by the CSMS' if stopped else 'done'}, {_kwh(first, last)}", "green")
        await self._say(link, *self.dialect.status(_now(), occupied=False), note="I am free again")

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
            case Send(calls):
                await self._say(link, *calls, note="as asked")
            case RemoteStart(id_token):
                step = timedelta(seconds=_REMOTE_PAUSES * self.plan.pause)
                readings = curve(_now(), step, self._meter_wh, _A_LOT)
                await self._charge(link, id_token, readings, wish)
            case Reset():
                await self._boot(link)

    async def _say(self, link: Link, *calls: Call, note: str = "") -> None:
        for call in calls:
            await link.call(*call)
            self._tell(f"{call[0]}{': ' if note else ''}{note}")

    def _asked(self, action: str, payload: Payload) -> Payload | None:
        answer = self.dialect.answer(action, payload)
        said = "I do not know it" if answer is None else answer.payload.get("status", "answered")
        self._tell(f"the CSMS asks {action} → {said}", "cyan")
        if answer is None:
            return None
        if answer.wish is not None:
            self._wishes.put_nowait(answer.wish)
        return answer.payload

    def _tell(self, text: str, style: str = "") -> None:
        self.console.print(f"{_now().astimezone():%H:%M:%S}  {text}", style=style, highlight=False)


def _now() -> datetime:
    return datetime.now(UTC)


def _kwh(first: Reading, last: Reading) -> str:
    return f"{(last.energy_wh - first.energy_wh) / 1000:5.2f} kWh"
