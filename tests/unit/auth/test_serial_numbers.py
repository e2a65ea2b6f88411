"""A serial number is of one station; what two have from before stays."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

import pytest

from services.auth.domain.serial_numbers import SerialNumbersOfFile, is_of, set_anew
from services.auth.domain.stations import Station, StationDecision
from services.auth.importing import Page, serial_number_check
from services.auth.staging import Staged, Staging
from services.common.web.tables import Fault

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NEW = Station("CP1", None, None, (), None, NOW, NOW)
ONE, OTHER = replace(NEW, serial_number="SN-1"), replace(NEW, serial_number="SN-2")


@pytest.mark.parametrize(
    ("current", "wanted", "expected"),
    [
        (None, NEW, None),
        (None, ONE, "SN-1"),
        (NEW, ONE, "SN-1"),
        (OTHER, ONE, "SN-1"),
        (ONE, ONE, None),
        (ONE, NEW, None),
    ],
)
def test_which_serial_number_is_looked_for(current: Station | None, wanted: Station, expected: str | None) -> None:
    assert set_anew(current, wanted) == expected


@pytest.mark.parametrize(
    ("first", "second", "fault"),
    [
        (None, None, True),
        (ONE, None, True),
        (None, ONE, True),
        (OTHER, ONE, True),
        # From before.
        (ONE, ONE, False),
    ],
)
def test_two_lines_of_a_file_with_one(first: Station | None, second: Station | None, fault: bool) -> None:
    seen = SerialNumbersOfFile()
    assert seen.fault(2, first, ONE) is None
    assert seen.fault(3, None, NEW) is None
    assert seen.fault(4, None, OTHER) is None
    assert seen.fault(5, second, ONE) == ("line 2 has the same" if fault else None)


class Elsewhere:
    """What the table of stations has beside the file."""

    def __init__(self, known: dict[str, str]) -> None:
        self._known = known

    async def serial_numbers(self, wanted: Sequence[str]) -> dict[str, str]:
        return {one: self._known[one] for one in wanted if one in self._known}


async def test_lines_of_a_page() -> None:
    """One that is unfit has no decision, and one that keeps its serial number is not looked for."""
    lines = [Staged(line, key, ["a", "list"]) for line, key in enumerate(("CP1", "CP2", "CP3", "CP4"), 2)]
    kept = replace(ONE, station_id="CP2")
    wanted = {"CP1": replace(OTHER, station_id="CP1"), "CP2": kept, "CP4": replace(OTHER, station_id="CP4")}
    decisions = {key: StationDecision(station) for key, station in wanted.items()}
    check = serial_number_check(cast(Staging, Elsewhere({"SN-1": "CP9", "SN-2": "CP8"})))
    assert await check(Page(lines, {"CP2": kept}, decisions)) == [
        Fault(2, "serial_number", is_of("CP8")),
        Fault(5, "serial_number", is_of("CP8")),
    ]
    assert await check(Page([Staged(7, "CP5", None)], {}, {"CP5": StationDecision(OTHER)})) == [
        Fault(7, "serial_number", is_of("CP8"))
    ]
    alone = serial_number_check(cast(Staging, Elsewhere({})))
    assert await alone(Page(lines, {"CP2": kept}, decisions)) == [Fault(5, "serial_number", "line 2 has the same")]
