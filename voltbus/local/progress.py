"""What is shown while the stack starts and runs: a table on a terminal, plain lines elsewhere."""

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
    """One part: what it does, since when it has been at it, and when that was."""

    state: str
    since: float
    changed: float


class Board:
    """Called with a part's name and state (a `Report`); entered, it shows how the start goes on."""

    def __init__(self, console: Console, names: Sequence[str]) -> None:
        self._console = console
        self._rows = {name: Row("waiting", time.monotonic(), time.monotonic()) for name in names}
        self._live: Live | None = None
        self._spinner = Spinner("dots")

    def __call__(self, name: str, state: str) -> None:
        now = time.monotonic()
        before = self._rows.get(name)
        begun = before.since if before and before.state not in (_READY, "waiting") else now
        self._rows[name] = Row(state, begun, now)
        if self._live is None:
            took = f" ({now - begun:.1f} s)" if state == _READY else ""
            self._console.print(f"{time.strftime('%H:%M:%S')} {name}: {state}{took}", highlight=False)

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
