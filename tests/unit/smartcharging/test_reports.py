"""Which parts are the newest report of profiles."""

from typing import Any

import pytest

from services.smartcharging.reported_profiles import newest_of


def row(minute: int, name: str, tbc: bool, number: int = 7) -> Any:
    return {"received_at": minute}, {"requestId": number, "name": name, "tbc": tbc}


FIRST = [row(1, "a", True), row(2, "b", False)]


@pytest.mark.parametrize(
    ("told", "asked_at", "names"),
    [
        (FIRST, None, "ab"),
        ([*FIRST, row(10, "c", True), row(11, "d", False)], None, "cd"),
        # The last part of the second has yet to come, or never does.
        ([*FIRST, row(10, "c", True)], None, "c"),
        # A lost answer: the part is told again.
        ([*FIRST, row(3, "b", False)], None, "ab"),
        ([row(1, "a", True), *FIRST], None, "ab"),
        # The first report of that number never ended: that it was asked for again tells them apart.
        ([row(1, "a", True), row(10, "b", False)], 5, "b"),
        ([row(1, "a", True), row(10, "b", False)], None, "ab"),
        # Reports of other numbers between them.
        ([row(1, "a", True), row(2, "x", False, number=8), row(3, "b", False)], None, "ab"),
        ([], None, ""),
    ],
)
def test_parts_of_the_newest(told: list[Any], asked_at: Any, names: str) -> None:
    assert "".join(part["name"] for _, part in newest_of(7, told[::-1], asked_at)) == names
