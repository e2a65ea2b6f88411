"""Dead letters as tables and as JSON."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from rich.console import Group
from rich.json import JSON
from rich.table import Table
from rich.text import Text

from services.common.kafka.dead_letters import PREFIX
from voltbus.operator import output
from voltbus.operator.dead_letters.content import action, content
from voltbus.operator.dead_letters.dead_letter import DeadLetter
from voltbus.operator.dead_letters.queue import Entry

COLUMNS = ("id", "put aside", "station", "from", "what", "reason", "state")


def table(letters: Iterable[Entry], prefix: str) -> Table:
    """A row each. prefix: of topics on this Kafka."""
    return output.table(COLUMNS, (_cells(one, prefix) for one in letters), unbroken=("id", "put aside"))


def listed(letters: Iterable[Entry], prefix: str) -> list[dict[str, Any]]:
    """The same as JSON."""
    return [_fields(one, prefix) for one in letters]


def details(one: Entry, prefix: str) -> dict[str, Any]:
    """Everything about a dead letter; `content` is None if its value cannot be read."""
    letter = one.letter
    headers = {name: value.decode(errors="replace") for name, value in letter.headers if not name.startswith(PREFIX)}
    size = len(letter.value or b"") if letter.left_out is None else letter.left_out
    more = {"headers": headers, "bytes": size, "value_left_out": letter.left_out is not None}
    return _fields(one, prefix) | more | {"content": content(letter, prefix)}


def page(one: Entry, prefix: str) -> Group:
    """The same for a terminal."""
    facts = details(one, prefix)
    shown = facts.pop("content")
    lines = Table(box=None, pad_edge=False, show_header=False)
    for name, value in facts.items():
        lines.add_row(Text(name.replace("_", " "), style="bold"), Text(_text(value)))
    unreadable = Text("its value was too large to keep" if facts["value_left_out"] else "its value cannot be read")
    return Group(lines, "", JSON(orjson.dumps(shown).decode()) if shown is not None else unreadable)


def counted(count: int) -> str:
    """`1 dead letter`, `2 dead letters`."""
    return output.counted(count, "dead letter")


def ids(letters: Sequence[DeadLetter]) -> str:
    return ", ".join(letter.id for letter in letters)


def _cells(one: Entry, prefix: str) -> Sequence[str]:
    letter = one.letter
    where = letter.topic.removeprefix(prefix)
    return letter.id, _time(letter), letter.station, where, action(letter, prefix), letter.reason, _state(one)


def _fields(one: Entry, prefix: str) -> dict[str, Any]:
    letter = one.letter
    return {
        "id": letter.id,
        "state": one.state,
        "put_aside_at": _time(letter),
        "reason": letter.reason,
        "station_id": letter.station,
        "topic": letter.topic,
        "partition": letter.origin[0],
        "offset": letter.origin[1],
        "action": action(letter, prefix),
        "replayed_before": letter.replayed,
        "replayed_at": one.sent_at,
    }


def _state(one: Entry) -> str:
    before = f", after {output.counted(one.letter.replayed, 'replay')}" if one.letter.replayed else ""
    return f"{one.state}{before}"


def _time(letter: DeadLetter) -> str:
    return letter.at.isoformat(timespec="seconds").replace("+00:00", "Z") if letter.at else ""


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{name}: {item}" for name, item in value.items()) or "none"
    return "" if value is None else str(value)
