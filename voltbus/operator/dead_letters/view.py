"""Dead letters for the eye and for programs."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from rich.console import Console, Group
from rich.json import JSON
from rich.table import Table
from rich.text import Text

from services.common.kafka.dead_letters import PREFIX
from voltbus.operator.dead_letters.content import action, content
from voltbus.operator.dead_letters.queue import Shown
from voltbus.operator.dead_letters.dead_letter import Letter

COLUMNS = ("id", "put aside", "station", "from", "what", "reason", "state")


def table(letters: Iterable[Shown], prefix: str) -> Table:
    """A row each. prefix: of topics here."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for name in COLUMNS:
        made.add_column(name, no_wrap=name in ("id", "put aside"), overflow="fold")
    for one in letters:
        letter = one.letter
        where = letter.topic.removeprefix(prefix)
        cells = (letter.id, _moment(letter), letter.station, where, action(letter, prefix), letter.reason, _state(one))
        made.add_row(*(Text(cell) for cell in cells))
    return made


def listed(letters: Iterable[Shown], prefix: str) -> list[dict[str, Any]]:
    """The same as JSON."""
    return [_facts(one, prefix) for one in letters]


def whole(one: Shown, prefix: str) -> dict[str, Any]:
    """Everything about a letter, with what is in it; `content` is None where that cannot be read."""
    letter = one.letter
    headers = {name: value.decode(errors="replace") for name, value in letter.headers if not name.startswith(PREFIX)}
    size = len(letter.value or b"") if letter.left_out is None else letter.left_out
    more = {"headers": headers, "bytes": size, "value_left_out": letter.left_out is not None}
    return _facts(one, prefix) | more | {"content": content(letter, prefix)}


def page(one: Shown, prefix: str) -> Group:
    """The same for the eye."""
    facts = whole(one, prefix)
    shown = facts.pop("content")
    lines = Table(box=None, pad_edge=False, show_header=False)
    for name, value in facts.items():
        lines.add_row(Text(name.replace("_", " "), style="bold"), Text(_words(value)))
    unreadable = Text("its value was too large to be kept" if facts["value_left_out"] else "its value cannot be read")
    return Group(lines, "", JSON(orjson.dumps(shown).decode()) if shown is not None else unreadable)


def printed(console: Console, value: Any) -> None:
    """JSON, as it is, whatever the width of the terminal."""
    console.out(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode(), highlight=False)


def counted(count: int, what: str = "letter") -> str:
    """`1 letter`, `2 letters`."""
    return f"{count} {what}" + ("" if count == 1 else "s")


def ids(letters: Sequence[Letter]) -> str:
    return ", ".join(letter.id for letter in letters)


def _facts(one: Shown, prefix: str) -> dict[str, Any]:
    letter = one.letter
    return {
        "id": letter.id,
        "state": one.state,
        "put_aside_at": _moment(letter),
        "reason": letter.reason,
        "station_id": letter.station,
        "topic": letter.topic,
        "partition": letter.came_from[0],
        "offset": letter.came_from[1],
        "action": action(letter, prefix),
        "replayed_before": letter.replayed,
        "replayed_at": one.sent_at,
    }


def _state(one: Shown) -> str:
    before = f", after {counted(one.letter.replayed, 'replay')}" if one.letter.replayed else ""
    return f"{one.state}{before}"


def _moment(letter: Letter) -> str:
    return letter.at.isoformat(timespec="seconds").replace("+00:00", "Z") if letter.at else ""


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{name}: {item}" for name, item in value.items()) or "none"
    return "" if value is None else str(value)
