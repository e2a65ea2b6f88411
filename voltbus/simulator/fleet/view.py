"""The picture of a fleet: totals, every outlet in its colour, and what happened last."""

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

from voltbus.simulator.fleet.activity import Activity, Kind
from voltbus.simulator.fleet.fleet import Fleet
from voltbus.simulator.fleet.machine import Machine
from voltbus.simulator.fleet.outlet import OutletControl
from voltbus.simulator.fleet.world import hour
from voltbus.simulator.station.link import WireCounts

_STYLES = {
    Kind.DRIVER: "blue",
    Kind.SESSION: "green",
    Kind.FAULT: "red",
    Kind.CSMS: "cyan",
    Kind.LINK: "yellow",
    Kind.ERROR: "bold red",
}
_APPEARANCES = {
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
_MAX_NAMED = 60
_SUMMARY_SECONDS = 10.0


class Meter:
    """The rate of a counter, over the last few samples."""

    def __init__(self, count: Callable[[], float]) -> None:
        self._count = count
        self._samples: deque[tuple[float, float]] = deque([(time.monotonic(), count())], maxlen=20)

    def per_second(self) -> float:
        """Since the oldest sample that is kept."""
        self._samples.append((time.monotonic(), self._count()))
        (then, before), (now, after) = self._samples[0], self._samples[-1]
        return (after - before) / (now - then) if now > then else 0.0


class View:
    """A live picture on a terminal, lines elsewhere. quiet: totals only."""

    def __init__(self, console: Console, counts: WireCounts, quiet: bool) -> None:
        self._console, self._counts, self._quiet = console, counts, quiet
        self._fleet: Fleet | None = None
        self._feed: deque[Activity] = deque(maxlen=12)
        self._messages = Meter(lambda: counts.messages)
        self._seconds: deque[float] = deque(maxlen=1000)
        self._summary_at = time.monotonic()
        self._live: Live | None = None
        self._errors = 0
        counts.on_result = lambda _, seconds: self._seconds.append(seconds)

    def on_activity(self, activity: Activity) -> None:
        """Shows an activity."""
        self._feed.append(activity)
        self._errors += activity.kind is Kind.ERROR
        if self._live is None and not self._quiet:
            self._console.print(_line(activity), highlight=False, soft_wrap=True)

    def show(self, fleet: Fleet) -> None:
        """Starts to show a fleet."""
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
        """Without a picture, prints the totals from time to time."""
        if self._live is None and self._fleet and time.monotonic() - self._summary_at >= _SUMMARY_SECONDS:
            self._summary_at = time.monotonic()
            self._console.print(self.totals(self._fleet), highlight=False, soft_wrap=True)

    def totals(self, fleet: Fleet) -> Text:
        """All totals in one line."""
        return Text("   ").join(self._labels(fleet))

    def _labels(self, fleet: Fleet) -> list[Text]:
        charging = [control for machine in fleet.machines for control in machine.controls if control.outlet.session]
        power, totals, counts = sum(control.outlet.power_w for control in charging) / 1000, fleet.totals, self._counts
        errors = self._errors + counts.rejected
        return [
            _label(f"{sum(machine.linked for machine in fleet.machines)}/{len(fleet.machines)}", "connected"),
            _label(str(len(charging)), "charging"),
            _label(f"{power:.1f}", "kW"),
            _label(f"{totals.energy_wh / 1000:.2f}", "kWh"),
            _label(str(totals.sessions), "sessions"),
            _label(str(totals.remote), "by app"),
            _label(str(totals.faults), "faults"),
            _label(str(totals.outages), "lost networks"),
            _label(f"{self._messages.per_second():.1f}", "messages/s"),
            _label(f"{self._median() * 1000:.0f}", "ms per answer"),
            _label(str(counts.received), "commands answered"),
            _label(str(errors), "errors", "bold red" if errors else "bold"),
        ]

    def _median(self) -> float:
        return sorted(self._seconds)[len(self._seconds) // 2] if self._seconds else 0.0

    def picture(self) -> RenderableType:
        """The current picture."""
        fleet = self._fleet
        if fleet is None:
            return Text("")
        clock = hour(fleet.clock() - fleet.begun, fleet.plan.speed)
        title = (
            f"Voltbus fleet · {int(clock):02d}:{int(clock % 1 * 60):02d}, days pass {fleet.plan.speed:g} times as fast"
        )
        controls = [(machine, control) for machine in fleet.machines for control in machine.controls]
        few = len(fleet.machines) <= _MAX_NAMED
        stations = Columns([_tile(*one) for one in controls], padding=(0, 2)) if few else _dots(controls)
        return Group(
            Panel(Columns(self._labels(fleet), padding=(0, 3)), title=title, subtitle="Ctrl-C to stop"),
            Panel(Group(stations, _legend())),
            Panel(Group(*map(_line, self._feed)), title="activity"),
        )


def appearance(machine: Machine, control: OutletControl) -> str:
    """The name of an outlet's state in the picture."""
    outlet = control.outlet
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


def _label(value: str, name: str, style: str = "bold") -> Text:
    return Text.assemble((value, style), (f" {name}", "dim"))


def _tile(machine: Machine, control: OutletControl) -> RenderableType:
    text = Text(f"{machine.charger.id}{f'/{control.outlet.number}' if len(machine.controls) > 1 else '  '}")
    text.append(" 1.6" if machine.dialect.subprotocol == "ocpp1.6" else " 2.0", "dim")
    sign, style = _APPEARANCES[appearance(machine, control)]
    text.append(f" {sign}", style)
    charge = (
        f"{control.outlet.power_w / 1000:5.1f} kW {control.outlet.soc or 0:3.0f} %" if control.outlet.session else ""
    )
    return text.append(f"{charge:14}", style)


def _dots(controls: Iterable[tuple[Machine, OutletControl]]) -> Text:
    text = Text()
    for machine, control in controls:
        text.append(*_APPEARANCES[appearance(machine, control)])
    return text


def _legend() -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_row(*(Text(f"{sign} {name}", style) for name, (sign, style) in _APPEARANCES.items()))
    return table


def _line(activity: Activity) -> Text:
    return Text(f"{_clock(activity.at)}  {activity.station_id}  {activity.text}", _STYLES[activity.kind])


def _clock(at: datetime) -> str:
    return f"{at.astimezone():%H:%M:%S}"
