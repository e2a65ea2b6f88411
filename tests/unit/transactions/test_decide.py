"""Tables of transactions and reports, and what is decided of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from services.ocpp.id_tokens import Authorization, TokenInfo
from services.transactions.domain.decide import decide
from services.transactions.domain.messages import Report, ReportKind, Started, Updated
from services.transactions.domain.register import Rank
from services.transactions.domain.transaction import EndedBy, Transaction
from tests.unit.transactions.making import RECEIVED, at, metered, report, start

ACCEPTED, BLOCKED = TokenInfo(Authorization.ACCEPTED), TokenInfo(Authorization.BLOCKED)


def folded(*reports: Report, token: TokenInfo | None = None) -> Transaction:
    """One transaction after reports."""
    current: Transaction | None = None
    for one in reports:
        current = decide(current, one, 7, token if one.id_token else None).transaction
    assert current is not None
    return current


def test_a_start_makes_a_transaction_and_gives_it_a_number() -> None:
    """1.6 §4.8."""
    decision = decide(None, start(), 7, ACCEPTED)
    assert decision.reply == Started(7, ACCEPTED)
    assert decision.changed
    assert decision.transaction is not None
    made = decision.transaction
    assert (made.id, made.transaction_id, made.status, made.authorization) == (7, "7", "active", "Accepted")
    assert (made.meter_start_wh, made.energy_wh) == (1000, 0)


def test_a_retried_start_is_the_same_transaction_whatever_number_is_at_hand() -> None:
    current = folded(start())
    decision = decide(current, start(call_id="c.99"), 8, BLOCKED)
    assert decision.reply == Started(7, BLOCKED)
    assert not decision.changed
    assert decision.transaction is current


def test_a_refused_token_still_makes_the_transaction() -> None:
    """1.6 §4.8, E05.FR.01: the station may have started it already; the answer says what is so."""
    decision = decide(None, start(), 7, BLOCKED)
    assert decision.reply == Started(7, BLOCKED)
    assert decision.transaction is not None
    assert decision.transaction.authorization == "Blocked"


@pytest.mark.parametrize("kind", list(ReportKind))
def test_any_event_of_2_x_makes_the_transaction(kind: ReportKind) -> None:
    """E §1.3.1: Started may come late, or never."""
    decision = decide(None, report(kind, seq_no=4), 7)
    assert decision.transaction is not None
    assert (decision.transaction.id, decision.transaction.transaction_id) == (7, "tx")
    assert decision.transaction.ended is (kind == ReportKind.ENDED)


def test_a_late_start_tells_when_it_began() -> None:
    late = folded(
        report(ReportKind.ENDED, seq_no=2), report(ReportKind.UPDATED, seq_no=1), report(ReportKind.STARTED, seq_no=0)
    )
    assert (late.started_at, late.stopped_at, late.complete) == (at(0), at(2), True)
    never = folded(report(ReportKind.ENDED, seq_no=2), report(ReportKind.UPDATED, seq_no=1))
    assert (never.started_at, never.complete) == (at(1), False)


def test_what_is_sent_once_is_not_overwritten_with_absence() -> None:
    """E §1.5: evse, idToken and reservationId are sent once."""
    once = report(
        ReportKind.STARTED, seq_no=0, id_token="T", id_token_type="eMAID", reservation_id=3, remote_start_id=5
    )
    plugged = report(seq_no=1, evse_id=2)
    connector = report(seq_no=2, evse_id=2, connector_id=1, charging_state="Charging")
    made = folded(once, plugged, connector, report(seq_no=3), token=ACCEPTED)
    assert (made.id_token, made.id_token_type, made.reservation_id, made.remote_start_id) == ("T", "eMAID", 3, 5)
    assert (made.evse_id, made.connector_id, made.charging_state) == (2, 1, "Charging")


def test_the_token_that_stops_is_kept_beside_the_one_that_started() -> None:
    """C09.FR.03, E07.FR.02."""
    stop = report(ReportKind.ENDED, seq_no=1, id_token="WIFE", ends_authorization=True)
    made = folded(report(ReportKind.STARTED, seq_no=0, id_token="MAN"), stop, token=ACCEPTED)
    assert (made.id_token, made.stop_id_token) == ("MAN", "WIFE")


def test_an_earlier_charging_state_does_not_undo_a_later_one() -> None:
    made = folded(report(seq_no=5, charging_state="SuspendedEV"), report(seq_no=4, charging_state="Charging"))
    assert made.charging_state == "SuspendedEV"


def test_a_charging_state_after_the_end_changes_nothing() -> None:
    """That of the end itself is kept, and those before it."""
    began = report(ReportKind.STARTED, seq_no=0)
    ended = report(ReportKind.ENDED, seq_no=5, charging_state="EVConnected", stop_reason="Local")
    charging, late = report(seq_no=6, charging_state="Charging"), report(seq_no=4, charging_state="Charging")
    assert folded(began, ended, charging, late).charging_state == "EVConnected"
    silent = replace(ended, charging_state=None)
    assert folded(began, silent, charging).charging_state is None
    assert folded(began, silent, late, charging).charging_state == "Charging"
    assert decide(folded(began, ended), charging).revision is None


@pytest.mark.parametrize(
    ("started", "stopped", "doubts"),
    [
        (at(0), at(9), ()),
        (at(9), at(0), ("stop_before_start",)),
        (datetime(1970, 1, 1, tzinfo=UTC), None, ("clock",)),
        (datetime(2099, 1, 1, tzinfo=UTC), None, ("clock",)),
        (at(0), datetime(2099, 1, 1, tzinfo=UTC), ("clock",)),
        (datetime(2099, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC), ("clock", "stop_before_start")),
        # Stations are offline for months, and some say local time.
        (RECEIVED - timedelta(days=364), RECEIVED + timedelta(hours=14), ()),
        (RECEIVED - timedelta(days=366), at(0), ("clock",)),
        (at(0), RECEIVED + timedelta(hours=25), ("clock",)),
    ],
)
def test_times_that_cannot_be_right_are_marked(
    started: datetime, stopped: datetime | None, doubts: tuple[str, ...]
) -> None:
    begin = report(ReportKind.STARTED, seq_no=0, at=started, meter_values=metered(1000, rank=-1))
    stop = report(ReportKind.ENDED, seq_no=1, at=stopped or at(0), meter_values=metered(2000, rank=1))
    assert folded(begin, *([stop] if stopped else [])).doubts == list(doubts)


def test_a_time_that_cannot_be_read_is_a_doubt() -> None:
    assert folded(report(details={"unreadable_timestamp": "soon"})).doubts == ["clock"]


def test_gaps_are_seen_and_close() -> None:
    """E §1.3.2."""
    started, ended = report(ReportKind.STARTED, seq_no=10), report(ReportKind.ENDED, seq_no=13)
    assert not folded(started, ended).complete
    assert folded(started, ended, report(seq_no=12), report(seq_no=11)).complete


def test_a_station_that_never_counts_ends_its_transaction_all_the_same() -> None:
    made = folded(
        report(ReportKind.STARTED, seq_no=0), report(ReportKind.ENDED, seq_no=0, at=at(9), stop_reason="Local")
    )
    assert (made.ended, made.stop_reason, made.ended_by) == (True, "Local", EndedBy.STATION)


def test_offline_once_is_offline() -> None:
    """E04.FR.03."""
    assert folded(report(ReportKind.STARTED, seq_no=0), report(seq_no=1, offline=True), report(seq_no=2)).offline


def test_details_are_kept_and_the_later_ones_count() -> None:
    """E02.FR.18, E02.FR.19."""
    made = folded(
        report(seq_no=2, details={"phases_used": 1}),
        report(seq_no=1, details={"phases_used": 3, "cable_max_current": 32}),
    )
    assert made.details == {"phases_used": 1, "cable_max_current": 32}


def test_energy_of_2_x_is_what_lies_between_begin_and_end() -> None:
    """E01.FR.09, E06.FR.11."""
    made = folded(
        report(ReportKind.STARTED, seq_no=0, meter_values=metered(1000, rank=Rank.CONTEXT_BEGIN)),
        report(seq_no=1, meter_values=metered(1500, 1600)),
        report(ReportKind.ENDED, seq_no=2, meter_values=metered(2500, rank=Rank.CONTEXT_END)),
    )
    assert (made.meter_start_wh, made.meter_stop_wh, made.energy_wh) == (1000, 2500, 1500)


STOP: dict[str, Any] = {"key": None, "transaction_id": "-1", "number": 0, "end_wh": 4000.0, "stop_reason": "Local"}


@pytest.mark.parametrize(("power_w", "doubts"), [(70_000.0, []), (11_000.0, ["no_energy", "register_leapt"])])
def test_what_its_evse_can_deliver_bounds_it(power_w: float, doubts: list[str]) -> None:
    """60 kWh in an hour."""
    begun = decide(None, start(), 7, rated_power_w=power_w).transaction
    told = report(ReportKind.ENDED, order=ReportKind.ENDED, key=None, number=7, end_wh=61_000.0, at=at(60))
    ended = decide(begun, replace(told, seq_no=None), pasts={7: ()}).transaction
    assert ended
    assert (ended.energy_wh, ended.doubts) == (None if doubts else 60_000, doubts)


def test_a_stop_of_nothing_is_an_orphan_and_answered() -> None:
    """1.6 §4.10, errata 3.18."""
    decision = decide(None, report(ReportKind.ENDED, id_token="T", **STOP), None, ACCEPTED)
    assert decision.reply == Updated(ACCEPTED)
    assert decision.transaction is None
    assert decision.orphan is not None
    assert (decision.orphan.transaction_id, decision.orphan.meter_stop_wh) == ("-1", 4000)


def test_meter_values_of_nothing_are_kept_without_one() -> None:
    named: dict[str, Any] = {"key": None, "number": 0, "transaction_id": "-1", "connector_id": 2}
    decision = decide(None, report(meter_values=metered(1, 2), **named), None)
    assert decision.station_samples is not None
    assert (decision.station_samples.transaction_id, decision.station_samples.connector_id) == ("-1", 2)
    assert len(decision.station_samples.meter_values) == 2


def test_a_second_stop_changes_nothing() -> None:
    said = report(ReportKind.ENDED, order=ReportKind.ENDED, key=None, number=7, end_wh=3000.0, stop_reason="Local")
    first = replace(said, seq_no=None)
    current = folded(start(), first)
    again = decide(current, replace(first, call_id="c.9", at=at(99), end_wh=3000.0, stop_reason="Remote"), None)
    assert not again.changed
    assert again.transaction is current


def test_the_remote_start_is_remembered() -> None:
    """F02.FR.01: remoteStartId may come in a later event (F01.FR.25)."""
    current = folded(report(ReportKind.STARTED, seq_no=0))
    later = decide(current, report(seq_no=1, remote_start_id=5), None, None, "command").transaction
    assert later is not None
    assert later.command_id == "command"
