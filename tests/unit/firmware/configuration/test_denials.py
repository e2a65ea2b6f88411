"""What a station says of itself that leaves no room for a connector."""

import pytest

from services.firmware.configuration.domain.denials import denied, number_of_connectors
from services.firmware.domain.station import Place

PLACES = [Place(0, 0), Place(1, 0), Place(1, 1), Place(1, 2), Place(2, 0), Place(2, 1)]


def test_what_a_full_inventory_does_not_name_is_gone() -> None:
    """B07: a full inventory names all there is. An EVSE is there with any of its connectors, the station anyway."""
    assert denied([Place(1, 1)], PLACES) == [Place(1, 2), Place(2, 0), Place(2, 1)]
    assert denied([Place(1, 2), Place(2, 1)], PLACES) == [Place(1, 1)]


def test_an_inventory_without_any_connector_says_nothing_of_them() -> None:
    assert denied([], PLACES) == []


@pytest.mark.parametrize(
    ("value", "number"),
    [("2", 2), ("0", None), ("-1", None), ("two", None), ("", None), (None, None), ("9" * 30, None)],
)
def test_how_many_there_are(value: str | None, number: int | None) -> None:
    """1.6 §9.1.19."""
    assert number_of_connectors(value) == number
