"""Two sessions that an EVSE had at once, by what was told of them: neither is billed unseen for what the other got."""

from typing import Any

import pytest
from msgspec.structs import replace

from services.transactions.domain.decide import Decision, decide
from services.transactions.domain.ends import end
from services.transactions.domain.messages import Report, ReportKind
from services.transactions.domain.metering import past_values
from services.transactions.domain.present import may_overlap
from services.transactions.domain.review import ReviewAction
from services.transactions.domain.reviewing import review
from services.transactions.domain.revisions import Audit
from services.transactions.domain.transaction import EndedBy, Transaction
from tests.unit.transactions.making import at, metered, register, report, start

PLACE: dict[str, Any] = {"evse_id": 1, "connector_id": 1}


def began(number: int, minute: float, wh: float, told: float | None = None, **more: Any) -> Report:
    """Of 1.6. told: when it was received."""
    received = at(minute if told is None else told)
    own = {"key": f"start:{number}", "id_token": f"CARD{number}", **PLACE}
    return start(at=at(minute), received_at=received, **({"begin_wh": wh} | own | more))


def stopped(number: int, minute: float, wh: float | None, told: float | None = None, **more: Any) -> Report:
    received = at(minute if told is None else told)
    own = {"order": ReportKind.ENDED, "key": None, "number": number, "end_wh": wh, "stop_reason": "Local"}
    return replace(report(ReportKind.ENDED, at=at(minute), received_at=received, **(own | more)), seq_no=None)


class Station:
    """What is known of one."""

    def __init__(self) -> None:
        self.known: dict[int, Transaction] = {}
        self.told: dict[int, list[Report]] = {}

    def tell(self, number: int, said: Report) -> Decision:
        current, everything = self.known.get(number), [*self.known.values()]
        decision = decide(current, said, number, open_ones=everything)
        if decision.needs_past:
            pasts = {which: past_values(self.told.get(which, [])) for which in decision.needs_past}
            decision = decide(current, said, number, open_ones=everything, pasts=pasts)
        assert decision.transaction
        self.known |= {number: decision.transaction} | {one.id: one for one, _ in decision.others}
        self.told.setdefault(number, []).append(said)
        return decision

    def bill(self, number: int) -> tuple[Any, ...]:
        one = self.known[number]
        return one.id_token, one.energy_wh, one.review if one.ended else one.status


def told(*reports: tuple[int, Report]) -> Station:
    station = Station()
    for number, said in reports:
        station.tell(number, said)
    return station


@pytest.mark.parametrize("turned", [False, True])
def test_two_sessions_of_one_energy_are_held(turned: bool) -> None:
    """1.6: two starts of one connector at nearly the same time, and each is stopped with the same register."""
    ends = [(1, stopped(1, 0, 3000)), (2, stopped(2, 0, 3000))]
    begun = (1, began(1, -1, 1000)), (2, began(2, -1.01, 1000, told=-1))
    station = told(*begun, *(ends[::-1] if turned else ends))
    assert station.known[2].superseded_by == 1
    assert [station.bill(n) for n in (1, 2)] == [("CARD1", 2000, "held"), ("CARD2", 2000, "held")]
    assert all(one.details == {"may_be_two": True} for one in station.known.values())
    before = dict(station.known)
    for number, said in ends:
        decision = station.tell(number, said)
        assert not decision.changed
        assert not decision.others
    assert station.known == before


def test_an_older_session_that_ends_where_another_charges_is_held_with_it() -> None:
    """1.6: its start is told late; what is measured at its stop is of the one that was there."""
    station = told((1, began(1, -60, 3000)), (2, began(2, -600, 1000, told=-1)))
    station.tell(2, stopped(2, 0, 9000))
    assert station.bill(2) == ("CARD2", 8000, "held")
    assert station.bill(1)[2] == "active"
    station.tell(1, stopped(1, 10, 9500))
    assert station.bill(1) == ("CARD1", 6500, "held")


def named(kind: ReportKind, key: str, seq_no: int, minute: float, wh: float) -> Report:
    """Of 2.x."""
    more = {"key": f"id:{key}", "meter_values": (register(at(minute), wh),), **PLACE}
    return report(kind, seq_no=seq_no, at=at(minute), received_at=at(minute), **more)


@pytest.mark.parametrize("ended", [False, True])
def test_an_end_that_is_told_after_the_next_has_charged_holds_both(ended: bool) -> None:
    """2.x: a newer start has ended the first, whose own end then says what it measured until now."""
    station = told(
        (1, named(ReportKind.STARTED, "a", 0, -60, 1000)),
        (2, named(ReportKind.STARTED, "b", 0, -30, 3000)),
        (2, named(ReportKind.ENDED if ended else ReportKind.UPDATED, "b", 1, -2, 6000)),
    )
    last = named(ReportKind.ENDED, "a", 1, -1, 6000)
    assert may_overlap(station.known[1], last)
    decision = station.tell(1, last)
    assert station.bill(1)[1:] == (5000, "held")
    assert station.bill(2)[1:] == (3000, "held" if ended else "active")
    [(_, revision)] = decision.others
    assert (revision is not None) is ended


@pytest.mark.parametrize(
    ("last", "more"),
    [
        pytest.param(stopped(1, -30, 3000, told=0), {}, id="before the next began"),
        pytest.param(stopped(1, -1, 3000), {}, id="told with the time of sending, by the register of then"),
        pytest.param(stopped(1, -1, 9000), {"begin_wh": 70_000.0}, id="the next is of another meter"),
        pytest.param(stopped(1, -1, 3000), {"evse_id": 2}, id="elsewhere"),
    ],
)
def test_an_end_that_measured_nothing_of_the_next_is_its_own(last: Report, more: dict[str, Any]) -> None:
    station = told((1, began(1, -60, 1000)), (2, began(2, -20, 3000, **more)))
    station.tell(1, last)
    assert (station.bill(1)[2], station.known[2].details) == ("none", {})


def test_what_somebody_has_released_is_held_again() -> None:
    station = told((1, began(1, -1, 1000)), (2, began(2, -1.01, 1000, told=-1)), (1, stopped(1, 0, 3000)))
    decided, _ = review(station.known[1], ReviewAction.CORRECT, 2000, at(1), Audit("anna", "read", "correct"))
    station.known[1] = decided
    station.tell(2, stopped(2, 0, 3000, told=2))
    assert station.bill(1) == ("CARD1", 2000, "held")


def test_an_end_that_may_be_of_others_holds_all_of_them() -> None:
    """mixed_up: those that are open."""
    station = told((1, began(1, -60, 1000)), (2, began(2, -50, 70_000, evse_id=2, connector_id=2)))
    last = stopped(1, 0, 52_000)
    decision = decide(station.known[1], last, mixed_up=[station.known[2]])
    [(other, revision)] = decision.others
    assert decision.transaction
    assert (decision.transaction.review, other.details, revision) == ("held", {"may_be_two": True}, None)
    assert not decide(decision.transaction, last, mixed_up=[other]).changed


def test_what_ended_otherwise_is_no_overlap() -> None:
    one = told((1, began(1, -60, 1000))).known[1]
    closed, _ = end(one, EndedBy.OPERATOR, at(-10), at(-10), past=())
    assert not may_overlap(closed, stopped(1, 0, 3000))
    assert not may_overlap(None, stopped(1, 0, 3000))
    superseded = replace(one, superseded_by=2)
    assert not may_overlap(superseded, report(meter_values=metered(5)))
