"""What somebody who watches a fleet sees: totals, every station in its colour, and what happened last."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from voltbus.simulator.fleet.activity import Kind, Tiding
from voltbus.simulator.fleet.fleet import Fleet
from voltbus.simulator.fleet.machine import Machine
from voltbus.simulator.fleet.outlet import Bay
from voltbus.simulator.fleet.world import hour
from voltbus.simulator.station.link import Books

_STYLES = {
    Kind.DRIVER: "blue",
    Kind.SESSION: "green",
    Kind.FAULT: "red",
    Kind.CSMS: "cyan",
    Kind.LINK: "yellow",
    Kind.ERROR: "bold red",
}
_LOOKS = {
    "charging": ("⚡", "bold green"),
    "waiting": ("…", "magenta"),
    "full": ("■", "green"),
    "plugged": ("●", "blue"),
    "reserved": ("◆", "cyan"),
    "closed": ("–", "dim"),
    "fault": ("✗", "bold red"),
    "offline": ("○", "yellow"),
    "free": ("·", "dim"),
}
# With more stations than this, one character each.
_NAMED = 60
_SUMMARY_SECONDS = 10.0


class Meter:
    """How fast something that is counted goes, over the last few looks at it."""

    def __init__(self, count: Callable[[], float]) -> None:
        self._count = count
        self._looks: deque[tuple[float, float]] = deque([(time.monotonic(), count())], maxlen=20)

    def per_second(self) -> float:
        """Since the oldest look that is remembered."""
        self._looks.append((time.monotonic(), self._count()))
        (then, before), (now, after) = self._looks[0], self._looks[-1]
        return (after - before) / (now - then) if now > then else 0.0


class View:
    """On a terminal a picture that lives, elsewhere lines; `quiet` shows totals only."""

    def __init__(self, console: Console, books: Books, quiet: bool) -> None:
        self._console, self._books, self._quiet = console, books, quiet
        self._fleet: Fleet | None = None
        self._feed: deque[Tiding] = deque(maxlen=12)
        self._messages = Meter(lambda: books.messages)
        self._took: deque[float] = deque(maxlen=1000)
        self._summed = time.monotonic()
        self._live: Live | None = None
        self._errors = 0
        books.took = lambda _, seconds: self._took.append(seconds)

    def tell(self, tiding: Tiding) -> None:
        """Something happened."""
        self._feed.append(tiding)
        self._errors += tiding.kind is Kind.ERROR
        if self._live is None and not self._quiet:
            self._console.print(_line(tiding), highlight=False, soft_wrap=True)

    def show(self, fleet: Fleet) -> None:
        """Begins."""
        self._fleet = fleet
        if self._console.is_terminal and not self._quiet:
            self._live = Live(get_renderable=self.picture, console=self._console, refresh_per_second=4, screen=True)
            self._live.start()

    def close(self) -> None:
        """Ends, with the totals."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        if self._fleet is not None:
            self._console.print(self.totals(self._fleet), highlight=False, soft_wrap=True)

    def tick(self) -> None:
        """Where there is no picture, the totals are told now and then."""
        if self._live is None and self._fleet and time.monotonic() - self._summed >= _SUMMARY_SECONDS:
            self._summed = time.monotonic()
            self._console.print(self.totals(self._fleet), highlight=False, soft_wrap=True)

    def totals(self, fleet: Fleet) -> Text:
        """Everything in one line."""
        return Text("   ").join(self._facts(fleet))

    def _facts(self, fleet: Fleet) -> list[Text]:
        charging = [bay for machine in fleet.machines for bay in machine.bays if bay.outlet.session]
        power, tally, books = sum(bay.outlet.power_w for bay in charging) / 1000, fleet.tally, self._books
        errors = self._errors + books.unknown
        return [
            _fact(f"{sum(machine.linked for machine in fleet.machines)}/{len(fleet.machines)}", "connected"),
            _fact(str(len(charging)), "charging"),
            _fact(f"{power:.1f}", "kW"),
            _fact(f"{tally.energy_wh / 1000:.2f}", "kWh"),
            _fact(str(tally.sessions), "sessions"),
            _fact(str(tally.remote), "by app"),
            _fact(str(tally.faults), "faults"),
            _fact(str(tally.spells), "lost networks"),
            _fact(f"{self._messages.per_second():.1f}", "messages/s"),
            _fact(f"{self._median() * 1000:.0f}", "ms an answer"),
            _fact(str(books.asked), "commands answered"),
            _fact(str(errors), "errors", "bold red" if errors else "bold"),
        ]

    def _median(self) -> float:
        return sorted(self._took)[len(self._took) // 2] if self._took else 0.0

    def picture(self) -> RenderableType:
        """As it is now."""
        fleet = self._fleet
        if fleet is None:
            return Text("")
        clock = hour(fleet.clock() - fleet.begun, fleet.plan.speed)
        title = (
            f"Voltbus fleet · {int(clock):02d}:{int(clock % 1 * 60):02d} of a day {fleet.plan.speed:g} times as fast"
        )
        bays = [(machine, bay) for machine in fleet.machines for bay in machine.bays]
        few = len(fleet.machines) <= _NAMED
        stations = Columns([_tile(*one) for one in bays], padding=(0, 2)) if few else _dots(bays)
        return Group(
            Panel(Columns(self._facts(fleet), padding=(0, 3)), title=title, subtitle="Ctrl-C ends it"),
            Panel(Group(stations, _legend())),
            Panel(Group(*map(_line, self._feed)), title="what happens"),
        )


def look(machine: Machine, bay: Bay) -> str:
    """How an outlet looks from afar."""
    outlet = bay.outlet
    if outlet.fault:
        return "fault"
    if not machine.linked:
        return "offline"
    if outlet.session:
        return {"Charging": "charging", "SuspendedEVSE": "waiting"}.get(outlet.session.state, "full")
    if outlet.plugged:
        return "plugged"
    if not (outlet.operative and machine.charger.operative):
        return "closed"
    return "reserved" if outlet.reservation else "free"


def _fact(value: str, what: str, style: str = "bold") -> Text:
    return Text.assemble((value, style), (f" {what}", "dim"))


def _tile(machine: Machine, bay: Bay) -> RenderableType:
    text = Text(f"{machine.charger.id}{f'/{bay.outlet.number}' if len(machine.bays) > 1 else '  '}")
    text.append(" 1.6" if machine.dialect.subprotocol == "ocpp1.6" else " 2.0", "dim")
    sign, style = _LOOKS[look(machine, bay)]
    text.append(f" {sign}", style)
    charge = f"{bay.outlet.power_w / 1000:5.1f} kW {bay.outlet.soc or 0:3.0f} %" if bay.outlet.session else ""
    return text.append(f"{charge:14}", style)


def _dots(bays: Iterable[tuple[Machine, Bay]]) -> Text:
    text = Text()
    for machine, bay in bays:
        text.append(*_LOOKS[look(machine, bay)])
    return text


def _legend() -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_row(*(Text(f"{sign} {name}", style) for name, (sign, style) in _LOOKS.items()))
    return table


def _line(tiding: Tiding) -> Text:
    return Text(f"{_clock(tiding.at)}  {tiding.station_id}  {tiding.text}", _STYLES[tiding.kind])


def _clock(at: datetime) -> str:
    return f"{at.astimezone():%H:%M:%S}"
