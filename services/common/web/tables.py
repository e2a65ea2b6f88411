"""Rows of a table as lines of a file, CSV or NDJSON, and back; without I/O.

A fault names the line as an editor shows it. No fault repeats what a line says: it may be a password or an idToken.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from io import StringIO
from typing import Any, Protocol

import orjson

CSV, NDJSON = "text/csv", "application/x-ndjson"
BOM = b"\xef\xbb\xbf"
# What other programs write where there is nothing.
NOTHING = ("NULL", r"\N", "#N/A", "#REF!", "#VALUE!", "#NAME?")
# Spreadsheets calculate what begins like this, whoever wrote it (CWE-1236): such a cell is written behind an
# apostrophe, and so is one that looks as if it were, or like nothing. Reading takes it away again.
_HIDDEN = rf"(?:[=+\-@\t\r]|(?:{'|'.join(map(re.escape, NOTHING))})\Z)"
FORMULA, QUOTED_FORMULA = re.compile("'*" + _HIDDEN), re.compile("'+" + _HIDDEN)
# How others keep a spreadsheet from taking an id for a number, and what it makes of one that they did not keep it from:
# of digits with an E among them, or of too many.
AS_FORMULA = re.compile(r'=".*"', re.DOTALL)
ROUNDED = re.compile(r"\d+(?:[.,]\d+)?E\+\d+", re.IGNORECASE)
# A list in one cell: a|b; in its items | is \| and \ is \\.
LIST_PART = re.compile(r"\\[\\|]|\||[^\\|]+|\\")
# What a spreadsheet can have as its first line.
SEPARATOR = re.compile(r"sep=([,;])\s*", re.IGNORECASE)
UNENDED = "unexpected end of data"
MAX_LINE_BYTES = 64 * 1024
# How alike a name must be to be taken for a slip: less could be a password, in a file that begins without names.
ALIKE = 0.6


@dataclass(frozen=True, slots=True)
class Columns:
    """What a line may say.

    names: of the fields, in the order in which they are written. needed: the one that every line has. lists: those
    that hold several. kept: those that an empty cell says nothing of; all others it empties. exact: ids and secrets,
    which are nothing else when a spreadsheet has written them otherwise.
    """

    names: Sequence[str]
    needed: str
    lists: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    exact: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Row:
    """What a line says, by field; not yet checked."""

    line: int
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a line. field: empty if it is the line."""

    line: int
    field: str
    message: str


class Faulty(Exception):
    """A file that cannot be used, and why."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(faults[0].message)
        self.faults = faults


class _Twice(Exception):
    """An object has a key twice: of its two values, nobody knows which is meant."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _each_once(pairs: list[tuple[str, Any]]) -> None:
    """Raises _Twice."""
    if len(dict(pairs)) < len(pairs):
        raise _Twice(next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1))


EACH_ONCE = json.JSONDecoder(object_pairs_hook=_each_once)


class Reader(Protocol):
    """Reads the lines of one file, in order."""

    def read(self, number: int, line: bytes) -> Row | Fault | None:
        """number: of the line, from 1. None: it says nothing, or goes on. Raises Faulty."""

    def end(self) -> Fault | None:
        """What is wrong after the last line."""


@dataclass(slots=True)
class CsvReader(Reader):
    """CSV (RFC 4180) whose first line names the columns; the separator is the one that it has, comma or semicolon."""

    columns: Columns
    _names: list[str] = field(default_factory=list)
    _delimiter: str = ","
    # What goes on in the next line: where it begins, and its length.
    _begun: int = 0
    _parts: list[str] = field(default_factory=list)
    _length: int = 0

    def read(self, number: int, line: bytes) -> Row | Fault | None:
        if (text := _text(number, line)) is None:
            return _no_text(number, heading=not self._names)
        if not self._begun:
            if not text.strip():
                return None
            self._begun = number
        if not self._names and not self._parts:
            if SEPARATOR.fullmatch(text):
                self._end()
                return None
            self._delimiter = ";" if text.count(";") > text.count(",") else ","
        try:
            cells = self._cells(text)
        except csv.Error as error:
            if str(error) == UNENDED:
                self._go_on(text, len(line))
                return None
            return Fault(self._end(), "", 'a quote within a quoted cell is written as ""')
        begun = self._end()
        if self._names:
            return self._row(begun, cells)
        self._names = _heading(begun, cells, self.columns)
        return None

    def _go_on(self, text: str, length: int) -> None:
        """A quoted cell does not end in this line. Raises Faulty where it is too long to end at all."""
        self._parts.append(text)
        self._length += length + 1
        if self._length > MAX_LINE_BYTES:
            message = f"begins a quoted cell that does not end within {MAX_LINE_BYTES} bytes"
            raise Faulty([Fault(self._begun, "", message)])

    def _end(self) -> int:
        """Forgets a line, and says where it began."""
        begun, self._begun, self._length = self._begun, 0, 0
        self._parts.clear()
        return begun

    def end(self) -> Fault | None:
        if self._begun:
            return Fault(self._begun, "", "begins a quoted cell that does not end")
        if not self._names:
            return Fault(1, "", f"the first line names the columns: {', '.join(self.columns.names)}")
        return None

    def _cells(self, text: str) -> list[str]:
        """Those of a line, with what it goes on from. Raises csv.Error."""
        if self._parts:
            self._split(f'"{text}')  # only where the cell ends here is the whole read: each line once
            text = "\n".join([*self._parts, text])
        return self._split(text)

    def _split(self, text: str) -> list[str]:
        if '"' not in text:
            return text.split(self._delimiter)
        return next(csv.reader([text], strict=True, delimiter=self._delimiter))

    def _row(self, line: int, cells: list[str]) -> Row | Fault | None:
        cells = cells[: len(self._names)] + _stripped(cells[len(self._names) :])
        if not any(cells):
            return None
        if len(cells) != len(self._names):
            return Fault(line, "", f"has {len(cells)} cells, and there are {len(self._names)} columns")
        fields: dict[str, Any] = {}
        for name, cell in zip(self._names, cells, strict=True):
            exact = name in self.columns.exact
            if wrong := _mistaken(cell, exact):
                return Fault(line, name, wrong)
            if _hides(cell, exact):
                cell = cell[1:]
            if cell:
                fields[name] = split_list(cell) if name in self.columns.lists else cell
            elif name not in self.columns.kept:
                fields[name] = None
        return Row(line, fields)


@dataclass(frozen=True, slots=True)
class NdjsonReader(Reader):
    """NDJSON: each line an object. What it does not name stays as it is, null empties it."""

    columns: Columns

    def read(self, number: int, line: bytes) -> Row | Fault | None:
        line = line.removeprefix(BOM) if number == 1 else line
        if not line.strip():
            return None
        try:
            fields = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            return Fault(number, "", f"no JSON at column {error.colno}")
        if not isinstance(fields, dict):
            return Fault(number, "", "no JSON object")
        try:
            EACH_ONCE.decode(line.decode())
        except _Twice as error:
            known = error.name in self.columns.names
            return Fault(number, error.name if known else "", "is there twice" if known else "has a field twice")
        except RecursionError:
            return Fault(number, "", "is nested too deep")
        return Row(number, fields)

    def end(self) -> Fault | None:
        return None


READERS: Mapping[str, type[CsvReader] | type[NdjsonReader]] = {CSV: CsvReader, NDJSON: NdjsonReader}


def unknown(name: str, place: str, columns: Columns) -> str:
    """What is said of a field that there is not. place: where it is, if its name must not be repeated."""
    near = get_close_matches(name, columns.names, 1, ALIKE)
    if near:
        return f"{name} is not known; did you mean {near[0]}?"
    return f"{place} has a name that is not known; there are {', '.join(columns.names)}"


def split_list(cell: str) -> list[str]:
    """The items of a list in one cell."""
    items = [""]
    for part in LIST_PART.findall(cell):
        if part == "|":
            items.append("")
        else:
            items[-1] += part[1:] if part in (r"\|", r"\\") else part
    return items


def join_list(items: Iterable[str]) -> str:
    """A list in one cell."""
    return "|".join(item.replace("\\", r"\\").replace("|", r"\|") for item in items)


def write_heading(columns: Columns) -> bytes:
    """The first line of a CSV file."""
    return _csv_lines([columns.names])


def write_csv(rows: Iterable[Mapping[str, Any]], columns: Columns) -> bytes:
    """Lines of a CSV file, as reading takes them."""
    return _csv_lines([_cell(row[name], name in columns.exact) for name in columns.names] for row in rows)


def write_ndjson(rows: Iterable[Mapping[str, Any]], columns: Columns) -> bytes:
    """Lines of NDJSON, as reading takes them."""
    lines = ({name: row[name] for name in columns.names} for row in rows)
    return b"".join(orjson.dumps(line, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE) for line in lines)


def _text(number: int, line: bytes) -> str | None:
    """None: it is no UTF-8."""
    line = line.removeprefix(BOM) if number == 1 else line
    try:
        return line.removesuffix(b"\r").decode()
    except UnicodeDecodeError:
        return None


def _no_text(number: int, heading: bool) -> Fault:
    fault = Fault(number, "", "has bytes that are no UTF-8: save the file as UTF-8")
    if heading:
        raise Faulty([fault])
    return fault


def _heading(line: int, cells: Sequence[str], columns: Columns) -> list[str]:
    """The names of the columns. Raises Faulty."""
    names = _stripped([cell.strip() for cell in cells])
    faults = [
        Fault(line, "", unknown(name, f"column {place}", columns))
        for place, name in enumerate(names, 1)
        if name not in columns.names
    ]
    faults += [Fault(line, name, "this column is there twice") for name in columns.names if names.count(name) > 1]
    if columns.needed not in names:
        faults.append(Fault(line, columns.needed, "this column is missing"))
    if faults:
        raise Faulty(faults)
    return names


def _stripped(cells: list[str]) -> list[str]:
    """Without those at the end that are empty: spreadsheets write them where something once was."""
    said = next((place for place in range(len(cells), 0, -1) if cells[place - 1]), 0)
    return cells[:said]


def _mistaken(cell: str, exact: bool) -> str | None:
    """What is wrong with a cell that another program wrote in its own way."""
    if cell in NOTHING:
        return f"{cell} is what another program writes for nothing: leave the cell empty"
    if AS_FORMULA.fullmatch(cell):
        return 'is written as a formula: without =" before it and " behind it'
    if not exact:
        return None
    if cell.startswith("'") and not _hides(cell, exact):
        return "begins with an apostrophe, which would be a part of it: leave the apostrophe away"
    if ROUNDED.fullmatch(cell):
        return "is a number that a spreadsheet has rounded: give its column the format Text, and fill it again"
    return None


def _hides(cell: str, exact: bool) -> bool:
    """Whether its first apostrophe is none of its own. In ids and secrets one of their own is behind another."""
    return QUOTED_FORMULA.match(cell) is not None or (exact and cell.startswith("''"))


def _cell(value: Any, exact: bool = False) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if _has_parts(value):
        return orjson.dumps(value).decode()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    text = join_list(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return f"'{text}" if FORMULA.match(text) or (exact and text.startswith("'")) else text


def _has_parts(value: Any) -> bool:
    """Whether it is an object, or holds one: no cell says that but in JSON."""
    return isinstance(value, dict) or (isinstance(value, (list, tuple)) and any(map(_has_parts, value)))


def _csv_lines(rows: Iterable[Sequence[str]]) -> bytes:
    csv.writer(written := StringIO()).writerows(rows)
    return written.getvalue().encode()
