"""What stations have said commands no terminal, and is not taken for another line."""

import json
from io import StringIO

import pytest
from rich.json import JSON
from rich.text import Text

from voltbus.operator.output import Terminal, json_text, table, visible

# A title, a colour, the same in eight bits, a line of its own, and what turns a line around.
HOSTILE = "\x1b]0;title\x07 \x1b[31mred \x9b2J \nCP2  Accepted\u2028\u202eabc"


def printed(what: object) -> str:
    out = Terminal(file=StringIO(), force_terminal=True, width=200, color_system="truecolor", legacy_windows=False)
    out.print(what, highlight=False)
    assert isinstance(out.file, StringIO)
    return out.file.getvalue()


@pytest.mark.parametrize(
    "what", [Text(HOSTILE), table(("vendor",), [(HOSTILE,)]), JSON(json.dumps({"vendor": HOSTILE}, ensure_ascii=False))]
)
def test_what_would_command_a_terminal_is_shown(what: object) -> None:
    shown = printed(what)
    assert not {"\x07", "\x9b", "\u2028", "\u202e"} & set(shown)
    assert "\x1b[31mred" not in shown
    assert "\x1b]" not in shown


def test_our_own_colours_are_kept() -> None:
    assert "\x1b[1m" in printed(Text("bold", style="bold"))


def test_it_is_one_line() -> None:
    assert visible("a\r\nb\tc\x85") == "a\\r\\nb\\tc\\x85"
    assert visible("Zürich 漢 🚗") == "Zürich 漢 🚗"


def test_json_is_the_same_and_ascii_where_it_matters() -> None:
    written = json_text({"vendor": HOSTILE})
    assert json.loads(written) == {"vendor": HOSTILE}
    assert visible(written) == written
