"""Which faults a run has, and in which order."""

import pytest

from voltbus.errors import LocalError
from voltbus.lab.chaos.faults import FAULTS, choose


def test_a_seed_makes_it_repeatable() -> None:
    assert choose([], 3, 7) == choose([], 3, 7)
    assert choose([], 3, 7) != choose([], 3, 8)


def test_each_round_has_every_fault_once() -> None:
    faults = choose([], 2, 1)
    assert sorted(fault.name for fault in faults[: len(FAULTS)]) == sorted(fault.name for fault in FAULTS)
    assert sorted(fault.name for fault in faults[len(FAULTS) :]) == sorted(fault.name for fault in FAULTS)


def test_they_are_chosen_by_name_or_kind() -> None:
    assert {fault.name for fault in choose(["usurp", "stall:gateway-redis"], 1, 1)} == {
        "usurp:gateway",
        "stall:gateway-redis",
    }


def test_a_fault_that_there_is_not_is_refused_by_name() -> None:
    with pytest.raises(LocalError, match="no fault 'kil'"):
        choose(["kil"], 1, 1)
