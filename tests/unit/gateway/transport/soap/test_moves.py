"""Whether an id is of two devices, as far as addresses say that."""

import pytest

from services.gateway.transport.soap.moves import WITHIN, Address

A, B, C = "http://10.0.0.1:80", "http://10.0.0.2:80", "http://10.0.0.3:80"


def turns(*said: str, step: float = 60.0) -> list[int]:
    address = Address()
    return [address.said(one, number * step) for number, one in enumerate(said)]


def test_to_and_fro_is_counted() -> None:
    assert turns(A, B, A, B, A) == [0, 0, 1, 2, 3]


def test_a_station_that_moves_is_one() -> None:
    assert turns(A, B, C, A, B, C) == [0] * 6
    assert turns(A, A, A, B, B) == [0] * 5


def test_another_address_begins_anew() -> None:
    assert turns(A, B, A, C, A, C) == [0, 0, 1, 0, 1, 2]


def test_what_is_long_ago_does_not_count() -> None:
    assert turns(A, B, A, B, step=WITHIN) == [0] * 4


@pytest.mark.parametrize("none", ["", "n/a"])
def test_who_says_none_has_not_moved(none: str) -> None:
    address = Address()
    address.said(A, 0)
    assert address.said(none, 1) == 0
    assert (address.now, address.before) == (A, "")


def test_what_is_none_is_shown_where_there_is_no_other() -> None:
    """A command says then why it cannot be sent."""
    address = Address()
    address.said("n/a", 0)
    assert address.now == "n/a"
    address.said(A, 1)
    assert address.now == A
