"""What commands print: tables as wide as they need, JSON, and times as REST has them, to the second.

Much of it was said by stations. What would command a terminal, or look like another line, is printed as an escape.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

# Control characters of both sets, line separators, and what writes from right to left.
UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Terminal(Console):
    """The output."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As of rich, with what is unseen made visible, but for ends of lines."""
        for one in super().render(renderable, options):
            yield one if one.control else Segment("\n".join(map(visible, one.text.split("\n"))), one.style)


def terminal() -> Terminal:
    """The output; what is too long for a table is worse than a long line."""
    made = Terminal()
    made.width = max(140, made.width)
    return made


def visible(text: str) -> str:
    """A text of one line."""
    return UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def json_text(value: Any, option: int = 0) -> str:
    """JSON. option: of orjson."""
    written = orjson.dumps(value, option=option).decode()
    return re.sub(r"[\x7f-\x9f\u2028-\u202e\u2066-\u2069]", lambda found: f"\\u{ord(found[0]):04x}", written)


def print_json(value: Any) -> None:
    """Prints JSON, whatever the width of the terminal."""
    terminal().out(json_text(value, orjson.OPT_INDENT_2), highlight=False)


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
