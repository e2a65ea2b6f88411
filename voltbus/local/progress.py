"""Progress of the start: a live table on a terminal, plain lines elsewhere."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

_READY = "ready"


@dataclass(frozen=True, slots=True)
class Row:
    """The state of one process. since: when its start began; changed: when this state began; monotonic seconds."""

    state: str
    since: float
    changed: float


class Progress:
    """A `Report`: called with a process's name and state; as a context manager it shows the live table."""

    def __init__(self, console: Console, names: Sequence[str]) -> None:
        self._console = console
        self._rows = {name: Row("waiting", time.monotonic(), time.monotonic()) for name in names}
        self._live: Live | None = None
        self._spinner = Spinner("dots")

    def __call__(self, name: str, state: str) -> None:
        now = time.monotonic()
        before = self._rows.get(name)
        started = before.since if before and before.state not in (_READY, "waiting") else now
        self._rows[name] = Row(state, started, now)
        if self._live is None:
            took = f" ({now - started:.1f} s)" if state == _READY else ""
            self._console.print(
                f"{time.strftime('%H:%M:%S')} {name}: {state}{took}", highlight=False, markup=False, soft_wrap=True
            )

    def __enter__(self) -> None:
        if self._console.is_terminal:
            self._live = Live(get_renderable=self._table, console=self._console, refresh_per_second=10)
            self._live.start()

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()
            self._live = None

    def _table(self) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        now = time.monotonic()
        for name, row in self._rows.items():
            ready = row.state == _READY
            idle = row.state == "waiting"
            mark: RenderableType = Text("✓", "green") if ready else Text("·") if idle else self._spinner
            seconds = "" if idle else f"{(row.changed if ready else now) - row.since:.1f} s"
            table.add_row(mark, Text(name, "bold"), Text(row.state, "dim" if ready else ""), Text(seconds, "dim"))
        return table
