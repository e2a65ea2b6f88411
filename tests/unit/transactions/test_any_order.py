"""Whatever order the reports of a session come in, and however often: it is the same transaction, billed once."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.ocpp.id_tokens import Authorization, TokenInfo
from services.transactions.domain.decide import decide
from services.transactions.domain.messages import MeterValue, Report, ReportKind
from services.transactions.domain.register import Rank
from services.transactions.domain.transaction import Transaction, metered_only
from tests.unit.transactions.making import NOON, report, start

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
        values = (MeterValue(clock, [], rank, wh),) if draw(st.booleans()) else ()
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
    return reports


def folded(reports: list[Report]) -> Transaction:
    current: Transaction | None = None
    for one in reports:
        current = decide(current, one, 1, ACCEPTED if one.id_token else None).transaction
    assert current is not None
    return current


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
    again = decide(current, data.draw(st.sampled_from(reports)), 2, ACCEPTED)
    assert not again.changed
    assert again.transaction is current


@given(sessions())
def test_energy_is_never_negative(reports: list[Report]) -> None:
    energy = folded(reports).energy_wh
    assert energy is None or energy >= 0


@given(sessions())
def test_what_looks_only_metered_is_only_metered(reports: list[Report]) -> None:
    """What a narrow update does not write has not changed."""
    narrow = ("updated_at", "register", "sequence", "field_order", "end_revision", "moved", "row_revision")
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
            report(order=ReportKind.UPDATED, key=None, number=1, meter_values=(MeterValue(NOON, [], 0, wh),)),
            seq_no=None,
        )
        for wh in readings
    ]
    stop = report(ReportKind.ENDED, order=ReportKind.ENDED, key=None, number=1, end_wh=9000.0, stop_reason="Local")
    rest = data.draw(st.permutations([*values, *values, replace(stop, seq_no=None), replace(stop, seq_no=None)]))
    current = started
    for one in rest:
        current = decide(current, one).transaction or current
    assert (current.energy_wh, current.meter_start_wh, current.meter_stop_wh) == (8000, 1000, 9000)
    assert current.complete
