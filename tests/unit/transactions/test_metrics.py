"""What is counted of transactions: their ends, once told."""

import pytest
from msgspec.structs import replace
from prometheus_client import REGISTRY

from services.transactions import metrics
from services.transactions.batch import Changes
from services.transactions.domain.revisions import Revision, RevisionReason
from services.transactions.domain.transaction import EndedBy, Transaction, new_transaction
from tests.unit.transactions.making import NOON, report

ENDED, ENERGY = "voltbus_transactions_ended_total", "voltbus_transactions_energy_wh_total"


def ended(number: int, energy_wh: float | None, by: EndedBy = EndedBy.STATION) -> Transaction:
    return replace(new_transaction(report(), number), ended_by=by, stopped_at=NOON, energy_wh=energy_wh)


def revision(number: int, reason: RevisionReason = RevisionReason.ENDED) -> Revision:
    return Revision(number, 1, reason, NOON, ())


def counted(changes: Changes) -> tuple[float, float, float]:
    """By station, by superseding, and energy: how much more there is."""

    def now() -> list[float]:
        ways = (EndedBy.STATION, EndedBy.SUPERSEDED)
        ends = [REGISTRY.get_sample_value(ENDED, {"ended_by": way}) for way in ways]
        return [value or 0 for value in (*ends, REGISTRY.get_sample_value(ENERGY))]

    before = now()
    metrics.count([changes])
    one, two, energy = (after - earlier for after, earlier in zip(now(), before, strict=True))
    return one, two, energy


def test_an_end_counts_with_its_energy() -> None:
    both = Changes(
        changed=[ended(1, 1200.5), ended(2, 800, EndedBy.SUPERSEDED), ended(3, 77)],
        revisions=[revision(1), revision(2)],
    )
    assert counted(both) == pytest.approx((1, 1, 2000.5)), "3 has told of no end"


def test_what_is_told_later_does_not() -> None:
    later = Changes(changed=[ended(1, 1300)], revisions=[revision(1, RevisionReason.LATE_REPORT)])
    assert counted(later) == (0, 0, 0)


@pytest.mark.parametrize("energy_wh", [None, -5.0, 0.0])
def test_energy_that_is_none(energy_wh: float | None) -> None:
    assert counted(Changes(changed=[ended(1, energy_wh)], revisions=[revision(1)])) == (1, 0, 0)
