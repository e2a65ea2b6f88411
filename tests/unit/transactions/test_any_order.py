"""Whatever order the reports of a session come in, and however often: it is the same transaction, billed once."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.ocpp.id_tokens import Authorization, TokenInfo
from services.transactions.domain.decide import Decision
from services.transactions.domain.energy_readings import INTERVAL, RANKS, REGISTER, energy_readings
from services.transactions.domain.messages import MeterValue, Report, ReportKind
from services.transactions.domain.present import Moment
from services.transactions.domain.register import Rank
from services.transactions.domain.revisions import SEEN
from services.transactions.domain.transaction import Transaction
from services.transactions.rows import metered_only
from tests.unit.transactions import making
from tests.unit.transactions.making import NOON, at, decided, register, report, start

ACCEPTED = TokenInfo(Authorization.ACCEPTED)
maybe = st.none() | st.integers(1, 3)


@st.composite
def sessions(draw: st.DrawFn) -> list[Report]:
    """The reports of one transaction of 2.0.1; the clock of the station may do what it likes."""
    count, offset = draw(st.integers(1, 8)), draw(st.integers(0, 5))
    wh = draw(st.integers(0, 10_000))
    reports = []
    for n in range(count):
        kind = ReportKind.STARTED if n == 0 else ReportKind.ENDED if n == count - 1 else ReportKind.UPDATED
        clock = NOON + timedelta(seconds=draw(st.integers(-(10**9), 10**9)))
        rank = {ReportKind.STARTED: Rank.CONTEXT_BEGIN, ReportKind.ENDED: Rank.CONTEXT_END}.get(kind, 0)
        wh += draw(st.integers(0, 500))
        values = (register(clock, wh, rank),) if draw(st.booleans()) else ()
        more: dict[str, Any] = {
            "at": clock,
            "offline": draw(st.booleans()),
            "evse_id": draw(maybe),
            "connector_id": draw(maybe),
            "id_token": draw(st.sampled_from([None, "A", "B"])),
            "ends_authorization": draw(st.booleans()),
            "charging_state": draw(st.sampled_from([None, "Charging", "Idle"])),
            "stop_reason": "Local" if kind == ReportKind.ENDED else None,
            "details": draw(st.dictionaries(st.sampled_from(["phases_used", "x"]), st.integers(1, 3))),
            "meter_values": values,
        }
        reports.append(report(kind, seq_no=n + offset, **more))
    # What certainly happened before its start, or after its end, may be of another transaction.
    moments = [Moment(one.at, one.received_at) for one in reports]
    assume(not any(moments[0].is_after(one) or (count > 1 and one.is_after(moments[-1])) for one in moments))
    return reports


def folded(reports: Sequence[Report]) -> Transaction:
    return making.folded(*reports, token=ACCEPTED)


def content(reports: list[Report]) -> Transaction:
    """What is known after reports, whatever was told of it on the way."""
    return replace(folded(reports), end_revision=0)


@given(st.data(), sessions())
def test_2_x_in_any_order_and_repeated_is_the_same(data: st.DataObject, reports: list[Report]) -> None:
    repeated = reports + data.draw(st.lists(st.sampled_from(reports)))
    assert content(data.draw(st.permutations(repeated))) == content(reports)


@given(st.data(), sessions())
def test_repeated_changes_nothing(data: st.DataObject, reports: list[Report]) -> None:
    current = folded(reports)
    again = decided(current, data.draw(st.sampled_from(reports)), reports, token=ACCEPTED)
    assert not again.changed
    assert again.transaction is current


WH = st.sampled_from([0, 1000, 1500, 4000, 900_000, 901_000, -1, 4294967295])
PHASES = st.sampled_from([None, None, "L1", "L2-N"])
MEASURANDS = st.sampled_from([REGISTER, REGISTER, REGISTER, INTERVAL])


@st.composite
def odd_values(draw: st.DrawFn) -> tuple[MeterValue, ...]:
    """Of meters that do not run as they should."""
    minutes = draw(st.lists(st.integers(0, 12), max_size=3))
    made = []
    for minute in minutes:
        reading = {"measurand": draw(MEASURANDS), "unit": "Wh", "value": float(draw(WH))}
        more = {"phase": draw(PHASES), "context": draw(st.sampled_from([None, None, *RANKS]))}
        reading |= {name: value for name, value in more.items() if value}
        made.append(MeterValue(at(minute), [reading], energy_readings([reading])))
    return tuple(made)


@st.composite
def odd_sessions(draw: st.DrawFn) -> list[Report]:
    """Of 1.6 and of 2.0.1, in the order in which the station tells them; values may come after the end."""
    old, count = draw(st.booleans()), draw(st.integers(0, 5))
    kinds = [ReportKind.STARTED, *[ReportKind.UPDATED] * count, ReportKind.ENDED, ReportKind.UPDATED]
    reports = []
    for n, kind in enumerate(kinds):
        # A start of 1.6 that is received after the end is another one.
        late = 0 if old and kind == ReportKind.STARTED else draw(st.sampled_from([0, 99]))
        told = report(kind, seq_no=n, at=at(2 * n), received_at=at(2 * n + late))
        told = replace(told, meter_values=draw(odd_values()), stop_reason="Local" if kind == ReportKind.ENDED else None)
        if old:
            said = {ReportKind.STARTED: "begin_wh", ReportKind.ENDED: "end_wh"}
            wh = {said[kind]: float(draw(WH))} if kind in said else {}
            told = replace(told, seq_no=None, order=kind, key="start:1", **wh)
        reports.append(told)
    return reports


@given(st.data(), odd_sessions())
def test_the_energy_of_odd_meters_is_the_same_in_any_order(data: st.DataObject, reports: list[Report]) -> None:
    """Told twice, late, before its start and after its end: the same energy, from the same source, as doubtful."""
    repeated = reports + data.draw(st.lists(st.sampled_from(reports)))
    made, expected = folded(data.draw(st.permutations(repeated))), folded(reports)
    assert [getattr(made, field) for field in SEEN] == [getattr(expected, field) for field in SEEN]


def changes_nothing(again: Decision, current: Transaction) -> bool:
    """Nothing that others see: which of two readings alike is kept, where a station's time went back, may change."""
    assert again.transaction
    return not again.is_news and all(getattr(again.transaction, one) == getattr(current, one) for one in SEEN)


@given(st.data(), odd_sessions())
def test_odd_meters_told_again_change_nothing(data: st.DataObject, reports: list[Report]) -> None:
    current = folded(reports)
    again = decided(current, data.draw(st.sampled_from(reports)), reports)
    assert changes_nothing(again, current)


def test_a_value_that_two_messages_had_changes_nothing_when_it_is_told_again() -> None:
    """Whichever of them was received first."""
    value = (register(at(0), 0),)
    kinds = (ReportKind.STARTED, ReportKind.UPDATED, ReportKind.UPDATED, ReportKind.ENDED)
    told = [
        report(kind, at=at(2 * n), received_at=at(2 * n), order=kind, key="start:1") for n, kind in enumerate(kinds)
    ]
    told = [replace(one, seq_no=None) for one in told]
    told[0], told[3] = replace(told[0], begin_wh=0.0), replace(told[3], end_wh=0.0)
    told[1] = replace(told[1], meter_values=value, received_at=at(101))
    told[2] = replace(told[2], meter_values=value)
    current = folded(told)
    assert all(decided(current, one, told).transaction is current for one in told)


VALUES_AGAIN = {
    "of an earlier time than the one before": {3: (4, 0, 0), 4: (0, 0, 0), 5: (4, 0, 0)},
    "that fell between two that say the same": {4: (0, 0, 0), 5: (0, 1000, -1), 6: (0, 1000, -1)},
}


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4, 5, 6), (0, 1, 6, 3, 4, 5, 2)])
@pytest.mark.parametrize("values", VALUES_AGAIN.values(), ids=VALUES_AGAIN)
def test_odd_values_told_again_change_nothing(values: dict[int, tuple[int, float, int]], order: Sequence[int]) -> None:
    """values: by report: minute, Wh, rank."""
    kinds = (ReportKind.STARTED, *[ReportKind.UPDATED] * 4, ReportKind.ENDED, ReportKind.UPDATED)
    reports = [report(kind, seq_no=n, at=at(2 * n), received_at=at(2 * n)) for n, kind in enumerate(kinds)]
    for n, (minute, wh, rank) in values.items():
        reports[n] = replace(reports[n], meter_values=(register(at(minute), wh, rank),))
    told = [reports[n] for n in order]
    current = folded(told)
    assert all(decided(current, one, told).transaction is current for one in told)


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_stops_the_later_counts_in_whatever_order_they_are_told(turned: bool) -> None:
    """The other one is no reading of a register that was reset."""
    of_1_6: dict[str, Any] = {"key": None, "number": 7}
    values = (register(at(10), 7000), register(at(20), 0))
    sampled = report(order=ReportKind.UPDATED, meter_values=values, **of_1_6)
    stops = [
        report(ReportKind.ENDED, order=ReportKind.ENDED, at=at(minute), end_wh=wh, **of_1_6)
        for minute, wh in ((30, 1700.0), (31, 1500.0))
    ]
    told = [replace(one, seq_no=None) for one in (sampled, *(stops[::-1] if turned else stops))]
    made = folded([start(begin_wh=5000.0), *told])
    assert (made.energy_wh, made.energy_source, made.doubts) == (3500, "steps", ["register_fell"])


@given(st.data())
def test_two_stops_in_any_order_are_the_same_end(data: st.DataObject) -> None:
    """Of which one counts, and each of its fields with it."""
    stops = [
        replace(
            report(
                ReportKind.ENDED,
                order=ReportKind.ENDED,
                at=at(data.draw(st.sampled_from([60, 61]))),
                key=None,
                number=7,
                end_wh=data.draw(st.sampled_from([None, 0.0, 1000.0, 4000.0, 4020.0, 9000.0, 2e9, -1.0])),
                stop_reason=reason,
            ),
            seq_no=None,
        )
        for reason in ("Local", "PowerLoss")
    ]
    told = [start(), *data.draw(st.permutations([*stops, *stops]))]
    expected = folded([start(), *stops])
    one = folded(told)
    seen = [field for field in SEEN if field != "stop_reason" or stops[0].at != stops[1].at]
    assert [getattr(one, field) for field in seen] == [getattr(expected, field) for field in seen]
    assert (one.stopped_at, one.stop_reason) in [(stop.at, stop.stop_reason) for stop in stops]


@given(sessions())
def test_energy_is_never_negative(reports: list[Report]) -> None:
    energy = folded(reports).energy_wh
    assert energy is None or energy >= 0


@given(sessions())
def test_what_looks_only_metered_is_only_metered(reports: list[Report]) -> None:
    """What a narrow update does not write has not changed."""
    narrow = ("updated_at", "energy_wh", "meters", "sequence", "field_order", "cards", "moved", "row_revision")
    before = folded(reports[:1])
    for one in reports[1:]:
        after = folded([*reports[: reports.index(one)], one])
        if metered_only(before, after):
            unwritten = dict.fromkeys(narrow)
            assert replace(before, **unwritten) == replace(after, **unwritten)
        before = after


@given(st.data(), st.lists(st.integers(1000, 9000), max_size=6))
def test_1_6_bills_what_start_and_stop_say(data: st.DataObject, readings: list[int]) -> None:
    """1.6: meter values arrive late, twice or never; meterStart and meterStop decide."""
    started = folded([start()])
    values = [
        replace(
            report(order=ReportKind.UPDATED, key=None, number=1, meter_values=(register(NOON, wh),)),
            seq_no=None,
        )
        for wh in readings
    ]
    stop = report(ReportKind.ENDED, order=ReportKind.ENDED, key=None, number=1, end_wh=9000.0, stop_reason="Local")
    rest = data.draw(st.permutations([*values, *values, replace(stop, seq_no=None), replace(stop, seq_no=None)]))
    current = started
    for n, one in enumerate(rest):
        current = decided(current, one, rest[:n]).transaction or current
    assert (current.energy_wh, current.meter_start_wh, current.meter_stop_wh) == (8000, 1000, 9000)
    assert current.complete
