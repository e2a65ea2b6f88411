"""A session whose end was a guess goes on if it shows that it charges; nothing late or mislabelled brings one back."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from services.transactions.domain.decide import Decision, decide_joined
from services.transactions.domain.ends import end
from services.transactions.domain.energy_readings import REGISTER, energy_readings
from services.transactions.domain.messages import MeterValue, Report, ReportKind
from services.transactions.domain.metering import past_values
from services.transactions.domain.present import may_be_contested
from services.transactions.domain.review import Review
from services.transactions.domain.revisions import RevisionReason
from services.transactions.domain.transaction import EndedBy, Transaction
from tests.unit.transactions.making import NOON, at, decided, folded, report, start

UNSET = datetime(1970, 1, 1, tzinfo=NOON.tzinfo) - NOON


def values(minute: float, *, clock: timedelta = timedelta(), wh: float | None = None, **drawn: float) -> MeterValue:
    """drawn: A or W."""
    names = {"A": "Current.Import", "W": "Power.Active.Import"}
    readings = [{"measurand": names[unit], "unit": unit, "value": number} for unit, number in drawn.items()]
    readings += [] if wh is None else [{"measurand": REGISTER, "unit": "Wh", "value": wh}]
    return MeterValue(at(minute) + clock, readings, energy_readings(readings))


def metered(minute: float, *, clock: timedelta = timedelta(), late: float = 0, **more: Any) -> Report:
    """MeterValues of 1.6. late: minutes."""
    value = values(minute, clock=clock, **more)
    said = report(at=value.taken_at, received_at=at(minute + late), order=1, key=None, number=7, meter_values=(value,))
    return replace(said, seq_no=None)


def begun(clock: timedelta = timedelta()) -> list[Report]:
    """Of 1.6: a start at noon, and a meter value."""
    first = start(at=NOON + clock, received_at=NOON, evse_id=1, connector_id=1)
    return [first, metered(1, clock=clock, wh=1500.0, A=30)]


def stop(minute: float, wh: float = 4000.0, clock: timedelta = timedelta()) -> Report:
    """One without a name."""
    said = report(ReportKind.ENDED, at=at(minute) + clock, received_at=at(minute), order=2, key=None, number=0)
    return replace(said, seq_no=None, end_wh=wh, id_token="T", ends_authorization=True, stop_reason="Local")


def guessed(by: EndedBy, clock: timedelta = timedelta()) -> Transaction:
    """A session that ended at 12:20, as we learned at 12:30."""
    one = folded(*begun(clock))
    if by == EndedBy.JOINED:
        joined = decide_joined(one, stop(20, clock=clock)).transaction
        assert joined
        return joined
    ended, _ = end(one, by, at(20), at(30), past=past_values(begun(clock)))
    return ended


def heard(one: Transaction, said: Report, clock: timedelta = timedelta(), **more: Any) -> Decision:
    return decided(one, said, begun(clock), **more)


GUESSES = [EndedBy.JOINED, EndedBy.AVAILABLE, EndedBy.ASKED]


@pytest.mark.parametrize("clock", [timedelta(), timedelta(hours=-2), UNSET])
@pytest.mark.parametrize("by", GUESSES)
@pytest.mark.parametrize("drawn", [{"A": 30}, {"W": 6900}, {"wh": 1600.0}, {"A": 0, "wh": 1600.0}])
def test_a_session_that_was_guessed_to_have_ended_and_charges_goes_on(
    by: EndedBy, drawn: dict[str, float], clock: timedelta
) -> None:
    """EVSEs report Available after a boot, and charge on; a stop without a name was another's."""
    ended = guessed(by, clock)
    said = metered(31, clock=clock, **drawn)
    assert may_be_contested(ended, said)
    decision = heard(ended, said, clock)
    after, revision = decision.transaction, decision.revision
    assert after
    assert revision
    assert (after.status, after.ended_by, after.stop_reason, after.review) == ("active", None, None, Review.NONE)
    assert (revision.reason, revision.number) == (RevisionReason.GOES_ON, 2)
    assert {"status", "stopped_at", "ended_by"} <= {change.field for change in revision.changes}
    assert after.id_token == "T"
    assert after.stop_id_token is None
    assert after.energy_wh == drawn.get("wh", 1500.0) - 1000
    assert decided(after, said, begun(clock)).revision is None


@pytest.mark.parametrize("by", GUESSES)
def test_its_next_end_is_a_revision_with_all_that_was_delivered(by: EndedBy) -> None:
    told = [*begun(), metered(31, A=30, wh=6000.0)]
    after = heard(guessed(by), told[-1]).transaction
    stopped = replace(stop(40, 7000.0), number=7)
    decision = decided(after, stopped, told)
    assert decision.transaction
    assert decision.revision
    assert (decision.transaction.ended_by, decision.transaction.energy_wh) == (EndedBy.STATION, 6000)
    assert (decision.revision.number, decision.revision.reason) == (3, RevisionReason.LATE_END)
    assert not decision.transaction.doubts


@pytest.mark.parametrize("by", GUESSES)
@pytest.mark.parametrize(
    "said",
    [
        pytest.param(metered(31, A=0.1, W=8, wh=1500.0), id="nothing flows"),
        pytest.param(metered(31), id="nothing is said of it"),
        pytest.param(metered(19, A=30, wh=1900.0, late=12), id="told late, from before the end"),
        pytest.param(metered(21, A=30, wh=1900.0, late=20), id="told late, from after it"),
        pytest.param(replace(metered(31, A=30), offline=True), id="offline"),
        pytest.param(replace(metered(31, A=30), at=at(31), meter_values=(values(0, A=30),)), id="of long ago"),
    ],
)
def test_what_is_late_or_draws_nothing_brings_nothing_back(by: EndedBy, said: Report) -> None:
    assert heard(guessed(by), said).transaction.ended  # type: ignore[union-attr]


@pytest.mark.parametrize("by", [EndedBy.SUPERSEDED, EndedBy.OPERATOR, EndedBy.STATION])
def test_who_was_told_to_have_ended_has(by: EndedBy) -> None:
    """A newer start, an operator, or the station itself."""
    ended = replace(guessed(EndedBy.AVAILABLE), ended_by=by)
    assert decided(ended, metered(31, A=30, wh=9000.0), begun()).transaction.ended  # type: ignore[union-attr]


@pytest.mark.parametrize("by", GUESSES)
def test_where_the_evse_has_another_session_it_may_be_its_values(by: EndedBy) -> None:
    other = replace(folded(start(at=at(25), received_at=at(25), evse_id=1, connector_id=1)), id=8)
    decision = heard(guessed(by), metered(31, A=30, wh=9000.0), open_ones=[other])
    assert decision.transaction
    assert decision.transaction.ended


@pytest.mark.parametrize(
    ("more", "ended"),
    [
        pytest.param({"seq_no": 2, "charging_state": "Charging"}, False, id="it says that it charges"),
        pytest.param({"seq_no": 2, "charging_state": "SuspendedEV"}, True, id="and that it does not"),
        pytest.param({"seq_no": 1, "charging_state": "Charging"}, True, id="told again"),
        pytest.param({"seq_no": 2}, True, id="nothing is said of it"),
        pytest.param(
            {"seq_no": 2, "charging_state": "Charging", "meter_values": (values(31, A=0),)}, True, id="readings count"
        ),
        pytest.param({"seq_no": 2, "charging_state": "Charging", "offline": True}, True, id="offline"),
    ],
)
def test_an_event_of_2_x_brings_it_back_if_it_is_new(more: dict[str, Any], ended: bool) -> None:
    told = [report(ReportKind.STARTED, received_at=at(0), evse_id=1), report(seq_no=1, received_at=at(1))]
    over, _ = end(folded(*told), EndedBy.ASKED, at(20), at(30), past=())
    after = decided(over, report(at=at(31), received_at=at(31), **more), told).transaction
    assert after
    assert after.ended is ended
