"""Lines of a file to rows and back: every fault has its line, and what was written is read as it was."""

import csv
from collections.abc import Sequence
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.web.tables import (
    CSV,
    NDJSON,
    READERS,
    Columns,
    CsvReader,
    Fault,
    Faulty,
    Row,
    join_list,
    split_list,
    write_csv,
    write_heading,
    write_ndjson,
)

COLUMNS = Columns(
    ("id", "name", "groups", "secret"),
    needed="id",
    lists=frozenset({"groups"}),
    kept=frozenset({"secret"}),
    exact=frozenset({"id", "secret"}),
)
# As in a description: no control characters, and what a spreadsheet or a list might take for something else.
TEXT = st.text(st.sampled_from("ab=+-@'\"|\\;, äß漢") | st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1)


def read(data: bytes, kind: str = CSV) -> list[Row | Fault]:
    reader = READERS[kind](COLUMNS)
    found = [reader.read(number, line) for number, line in enumerate(data.split(b"\n"), 1)]
    return [one for one in (*found, reader.end()) if one]


def rows(data: bytes, kind: str = CSV) -> list[Any]:
    return [dict(one.fields) for one in read(data, kind) if isinstance(one, Row)]


def faults(data: bytes, kind: str = CSV) -> list[tuple[int, str, str]]:
    try:
        found: Sequence[Row | Fault] = read(data, kind)
    except Faulty as error:
        found = error.faults
    return [(one.line, one.field, one.message) for one in found if isinstance(one, Fault)]


@pytest.mark.parametrize(
    "data",
    [
        b"id,name\nA,hall\n",
        b"id;name\r\nA;hall\r\n",
        b"\xef\xbb\xbfid,name\nA,hall",
        b'"id","name"\n"A","hall"\n',
        b"\n id , name\nA,hall\n\n  \n",
        b"sep=;\r\nid;name;;\r\nA;hall;;\r\n;;;\r\n;;\r\n",
    ],
)
def test_a_file_may_be_written_in_many_ways(data: bytes) -> None:
    assert rows(data) == [{"id": "A", "name": "hall"}]


def test_a_decimal_comma_is_no_separator_where_that_is_a_semicolon() -> None:
    assert rows(b"id;name\nA;1,5\n") == [{"id": "A", "name": "1,5"}]


def test_an_empty_cell_empties_unless_its_column_keeps() -> None:
    assert rows(b'id,name,groups,secret\nA,,"",\n') == [{"id": "A", "name": None, "groups": None}]


def test_lines_are_counted_as_an_editor_does() -> None:
    found = read(b'id,name\n\nA,"two\nlines, ""quoted"""\nB,b\n')
    assert found == [Row(3, {"id": "A", "name": 'two\nlines, "quoted"'}), Row(5, {"id": "B", "name": "b"})]


@pytest.mark.parametrize("cell", ['a","b"\n,""",""",c\n', 'x\n\n""\n"', '"",\n"'])
def test_a_cell_of_many_lines_is_what_csv_says(cell: str) -> None:
    text = f'"{cell}'
    written = [one for one in csv.reader(StringIO(text, newline=""), strict=True) if one]
    reader = CsvReader(Columns(("a", "b", "c", "d"), "a"))
    reader.read(1, b"a,b,c,d")
    found = [reader.read(number, line) for number, line in enumerate(text.encode().split(b"\n"), 2)]
    widths = [len(one) for one in written]
    assert [_width(one) for one in found if one] == widths


def _width(one: Row | Fault) -> int:
    return len(one.fields) if isinstance(one, Row) else int(one.message.split()[1])


def test_a_cell_that_does_not_end_is_told_where_it_begins() -> None:
    data = b'id,name\nA,a\nB,"' + b"x\n" * 100_000
    assert faults(data) == [(3, "", "begins a quoted cell that does not end within 65536 bytes")]


def test_a_cell_of_many_lines_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = list[int]()

    def counting(self: CsvReader, text: str) -> list[str]:
        reads.append(len(text))
        return split(self, text)

    split = CsvReader._split
    monkeypatch.setattr(CsvReader, "_split", counting)
    data = b'id,name\nA,"' + b"x\n" * 30_000 + b'"\nB,b\n'
    assert [len(one["name"]) for one in rows(data)] == [60_000, 1]
    assert sum(reads) < 4 * len(data)


def test_faults_have_their_lines_and_do_not_hide_others() -> None:
    data = b'id,name\nA\nB,\xff\nC,"c"d\nD,d,e\nE,e\nF,"f\n'
    assert [line for line, _, _ in faults(data)] == [2, 3, 4, 5, 7]
    assert rows(data) == [{"id": "E", "name": "e"}]
    assert faults(b"id,name\nA\n") == [(2, "", "has 1 cells, and there are 2 columns")]


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        (b"id,nmae", [(1, "", "nmae is not known; did you mean name?")]),
        (b"name", [(1, "id", "this column is missing")]),
        (b"id,name,name", [(1, "name", "this column is there twice")]),
        (b"id,\xff", [(1, "", "has bytes that are no UTF-8: save the file as UTF-8")]),
        (b"", [(1, "", "the first line names the columns: id, name, groups, secret")]),
    ],
)
def test_a_heading_that_cannot_be_is_told(heading: bytes, expected: list[Any]) -> None:
    assert faults(heading + b"\n") == expected


def test_a_file_without_names_does_not_give_its_secrets_away() -> None:
    said = str(faults(b"CP001,hunter2-hunter2-hunter2\n"))
    assert "hunter2" not in said
    assert "column 2" in said


@pytest.mark.parametrize("line", [b"{", b"[1]", b'"A"', b'{"id": NaN}', b'{"id": "\\ud800"}', b"\xff"])
def test_a_line_that_is_no_object_is_a_fault(line: bytes) -> None:
    assert [number for number, _, _ in faults(b'{"id": "A"}\n\n' + line, NDJSON)] == [3]


@pytest.mark.parametrize("cell", ["NULL", "\\N", "#N/A"])
def test_what_another_program_writes_for_nothing_is_told(cell: str) -> None:
    [told] = faults(f"id,name\nA,{cell}\n".encode())
    assert told == (2, "name", f"{cell} is what another program writes for nothing: leave the cell empty")
    assert rows(b"id,name\nA,null\n") == [{"id": "A", "name": "null"}]


ROUNDED = "is a number that a spreadsheet has rounded: give its column the format Text, and fill it again"


@pytest.mark.parametrize("cell", ["4.1E+13", '"4,11E+12"', "4E+13", "1.23456789012346E+39", "4.1e+13"])
def test_an_id_or_a_secret_that_a_spreadsheet_has_rounded_is_a_fault(cell: str) -> None:
    assert faults(f"id,secret\n{cell},\nA,{cell}\n".encode()) == [(2, "id", ROUNDED), (3, "secret", ROUNDED)]
    assert len(rows(f"id,name\nA,{cell}\n".encode())) == 1
    assert rows(b'{"id": "4.1E+13"}', NDJSON) == [{"id": "4.1E+13"}]


@pytest.mark.parametrize("cell", ["04E105", "41E13", "4.1", "E+13", "1E-13", "A4.1E+13"])
def test_an_id_that_only_looks_like_a_number_is_one(cell: str) -> None:
    assert rows(f"id\n{cell}\n".encode()) == [{"id": cell}]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("'04AABB14", "begins with an apostrophe, which would be a part of it: leave the apostrophe away"),
        ("'4.1E+13", "begins with an apostrophe, which would be a part of it: leave the apostrophe away"),
        ("'", "begins with an apostrophe, which would be a part of it: leave the apostrophe away"),
        ('="04AABB15"', 'is written as a formula: without =" before it and " behind it'),
        ('"=""04AABB15"""', 'is written as a formula: without =" before it and " behind it'),
    ],
)
def test_how_others_keep_a_spreadsheet_from_rounding_is_no_part_of_an_id(cell: str, message: str) -> None:
    assert faults(f"id,secret\n{cell},\nA,{cell}\n".encode()) == [(2, "id", message), (3, "secret", message)]


def test_a_name_written_as_a_formula_is_a_fault_too() -> None:
    assert [field for _, field, _ in faults(b'id,name\nA,="Hall 1"\n')] == ["name"]


@pytest.mark.parametrize("own", ["'A", "''A", "'=1", "=1", "'NULL", "NULL", '="A"', "'", "-A"])
def test_an_id_with_such_signs_of_its_own_is_read_as_it_was(own: str) -> None:
    row = {"id": own, "name": own, "groups": [own], "secret": own}
    assert rows(write_heading(COLUMNS) + write_csv([row], COLUMNS)) == [row]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('{"id": "A", "name": "a", "name": "b"}', (1, "name", "is there twice")),
        ('{"id": "A", "\\u0069d": "B"}', (1, "id", "is there twice")),
        ('{"id": "A", "hunter2": 1, "hunter2": 1}', (1, "", "has a field twice")),
        ('{"id": {"a": 1, "a": 2}}', (1, "", "has a field twice")),
        ('{"id": ' + "[" * 1010 + "]" * 1010 + "}", (1, "", "is nested too deep")),
    ],
)
def test_an_object_that_says_a_field_twice_says_nothing(line: str, fault: Any) -> None:
    assert faults(line.encode(), NDJSON) == [fault]


def test_an_object_says_what_it_names() -> None:
    assert rows(b'\xef\xbb\xbf{"id": "A", "name": null}\n{"id": "B"}\r\n', NDJSON) == [
        {"id": "A", "name": None},
        {"id": "B"},
    ]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@a", "'=1", "''=1", "\t=1", "\r=1"])
def test_no_cell_that_is_written_is_a_formula(cell: str) -> None:
    written = write_csv([{"id": cell, "name": None, "groups": [cell], "secret": ""}], COLUMNS).decode()
    assert not written.removeprefix('"').startswith(("=", "+", "-", "@", "\t", "\r"))
    assert not any(written.split(",")[2].removeprefix('"').startswith(sign) for sign in "=+-@\t\r")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (True, "true"),
        (-3, "-3"),
        (-2.5, "-2.5"),
        (7500.0, "7500"),
        ([3, 4], "3|4"),
        ([], ""),
        ({"a": [1]}, '"{""a"":[1]}"'),
        ([{"a": 1}], '"[{""a"":1}]"'),
    ],
)
def test_a_value_in_a_cell(value: Any, cell: str) -> None:
    assert write_csv([{"id": "A", "value": value}], Columns(("id", "value"), "id")).decode() == f"A,{cell}\r\n"


def test_an_apostrophe_that_hides_nothing_is_kept() -> None:
    assert rows(b"id,name\nA,'t Hof\n") == [{"id": "A", "name": "'t Hof"}]


@given(st.lists(TEXT, min_size=1))
def test_a_list_in_a_cell_is_read_as_it_was(items: list[str]) -> None:
    assert split_list(join_list(items)) == items


def test_a_backslash_that_escapes_nothing_is_one() -> None:
    assert split_list(r"a\b|c\|d|e\\|f") == [r"a\b", "c|d", "e\\", "f"]


@given(
    st.lists(
        st.fixed_dictionaries({"id": TEXT, "name": st.none() | TEXT, "groups": st.none() | st.lists(TEXT, min_size=1)})
    )
)
def test_what_was_written_is_read_as_it_was(table: list[dict[str, Any]]) -> None:
    columns = Columns(("id", "name", "groups"), "id", frozenset({"groups"}), exact=frozenset({"id"}))
    assert rows(write_heading(columns) + write_csv(table, columns)) == table
    assert rows(write_ndjson(table, columns), NDJSON) == table
