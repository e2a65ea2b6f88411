"""What commands print: tables as wide as they need, JSON, and times as REST has them, to the second."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text


def terminal() -> Console:
    """The output; what is too long for a table is worse than a long line."""
    made = Console()
    made.width = max(140, made.width)
    return made


def print_json(value: Any) -> None:
    """Prints JSON, whatever the width of the terminal."""
    terminal().out(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode(), highlight=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], unbroken: Sequence[str] = ()) -> Table:
    """A row each. unbroken: columns whose cells stay on one line."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        made.add_column(name, no_wrap=name in unbroken, overflow="fold")
    for cells in rows:
        made.add_row(*(Text(cell) for cell in cells))
    return made


def counted(count: int, noun: str) -> str:
    """`1 station`, `2 stations`."""
    return f"{count} {noun}" + ("" if count == 1 else "s")


def seconds(time: str | None) -> str:
    """A time of REST without its fractions; empty for none."""
    return f"{time[:19]}Z" if time else ""
