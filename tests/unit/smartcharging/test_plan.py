"""The plan of a site: outcomes and samples taken in, what is sent to whom, and when to plan again."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.smartcharging.domain.allocate import Claim, allocate
from services.smartcharging.domain.applied_limit import FIRST_RETRY, AppliedLimit, LimitKey, Outcome
from services.smartcharging.domain.draw_monitor import DrawMonitor
from services.smartcharging.domain.limit_requests import LimitRequest, committed
from services.smartcharging.domain.plan import DrawSamples, plan
from services.smartcharging.domain.profile import Period, Purpose
from services.smartcharging.domain.share import INTERVAL, TURN
from services.smartcharging.domain.site import Limit, Member, Site
from services.smartcharging.domain.site_profiles import obsolete, site_profile
from services.smartcharging.domain.site_state import Session, state_of
from tests.unit.smartcharging.site_world import START, SiteWorld, applied_limit_of

A, B = ("A", 1), ("B", 1)


def world(limit: Limit, *members: Member, default: int = 0, voltage: float = 230) -> SiteWorld:
    """Sessions on A and B, which have confirmed their shares."""
    site = Site("site", limit, members or (Member("A"), Member("B")), default=default, voltage=voltage)
    made = SiteWorld(site, {member.station_id: (1,) for member in site.members})
    for member in site.members:
        made.start((member.station_id, 1))
    made.answer_all()
    return made


def monitor_of(made: SiteWorld, samples: DrawSamples, seen: int = 0) -> DrawMonitor:
    """Of A, whose share is 16 A, with new samples."""
    active = made.state.sessions[A]
    known = replace(active, monitor=DrawMonitor(seen=seen))
    state = replace(made.state, sessions={**made.state.sessions, A: known})
    return plan(state, {}, {A: samples}, made.now).state.sessions[A].monitor


def test_the_outcome_of_a_command_is_found_by_its_id() -> None:
    made = world(Limit(32))
    asked = AppliedLimit(held=320, asked=60, command_id="c1")
    defaults = {("A", 0): replace(asked, command_id="c2")}
    sessions = {A: replace(made.state.sessions[A], applied=asked), B: made.state.sessions[B]}
    state = replace(made.state, defaults={**made.state.defaults, **defaults}, sessions=sessions)
    planned = plan(state, {"c1": Outcome.ACCEPTED, "c2": Outcome.REFUSED}, {}, made.now).state
    assert planned.sessions[A].applied.held == 60
    assert (planned.defaults["A", 0].held, planned.defaults["A", 0].refused) == (320, True)


@pytest.mark.parametrize(
    ("seen", "count", "lows"),
    [
        pytest.param(0, 2, 2, id="both are new"),
        pytest.param(4, 5, 1, id="the last is new"),
        pytest.param(5, 5, 0, id="none is new"),
        pytest.param(1, 90, 2, id="more are new than are kept"),
    ],
)
def test_each_sample_counts_once(seen: int, count: int, lows: int) -> None:
    monitor = monitor_of(world(Limit(32)), DrawSamples("A", (5, 7), count), seen)
    assert (monitor.lows, monitor.seen) == (lows, count)
    assert monitor.peak == (70 if lows else 0)


def test_a_sample_in_watts_may_be_of_one_phase() -> None:
    """2,300 W are 10 A of it at 230 V; of three where that is compared with a limit in watts."""
    assert monitor_of(world(Limit(32)), DrawSamples("W", (2300,), 1)).peak == 100
    assert monitor_of(world(Limit(32)), DrawSamples("W/phase", (2300,), 1)).peak == 100
    assert monitor_of(world(Limit(32), voltage=240), DrawSamples("W", (2400,), 1)).peak == 100
    in_watts = world(Limit(32), Member("A", unit="W"), Member("B", unit="W"))
    assert monitor_of(in_watts, DrawSamples("W", (6900,), 1)).peak == 100


def test_a_vehicle_of_one_phase_whose_power_alone_is_told_keeps_its_share() -> None:
    """It draws all that it may: 16 A on one phase."""
    made = world(Limit(32))
    samples = {A: DrawSamples("W", (16 * 230.0,) * 8, 8), B: DrawSamples("W", (3 * 16 * 230.0,) * 8, 8)}
    planned = plan(made.state, {}, samples, made.now + INTERVAL)
    assert planned.shares.targets == {A: 160, B: 160}
    assert planned.requests == []


def test_a_site_is_planned_again_when_a_station_is_asked_again() -> None:
    made = world(Limit(32))
    assert made.due_at is None
    made.state = replace(made.state, site=replace(made.state.site, limit=Limit(20)))
    made.plan()
    made.answers("A", "refuse")
    assert made.due_at == made.now + FIRST_RETRY


def test_a_site_is_planned_again_when_more_may_be_granted() -> None:
    made = world(Limit(32))
    granted_at = made.now
    made.now += timedelta(seconds=1)
    made.end(B)
    assert made.shares() == {A: 160}
    assert made.due_at == granted_at + INTERVAL


def test_a_site_is_planned_again_when_a_turn_ends() -> None:
    made = world(Limit(10))
    assert sorted(made.shares().values()) == [0, 100]
    assert made.due_at == made.now + TURN


def test_a_limit_in_watts_is_counted_at_the_voltage_of_the_site() -> None:
    made = world(Limit(240 * 3 * 20, "W"), voltage=240)
    assert made.shares() == {A: 100, B: 100}


def test_a_default_is_never_above_what_an_evse_can_take() -> None:
    members = (Member("A", maximum=100), Member("B"))
    site = Site("site", Limit(96), members, default=160)
    assert site.defaults(members) == {"A": 100, "B": 160}


@pytest.mark.parametrize(
    ("preferences", "shares"),
    [
        pytest.param({"priority": 1}, {A: 140, B: 60}, id="priority"),
        pytest.param({"maximum": 80}, {A: 80, B: 120}, id="maximum"),
        pytest.param({"maximum": 900}, {A: 100, B: 100}, id="a maximum above that of the station"),
        pytest.param({"minimum": 150, "priority": 1}, {A: 200, B: 0}, id="minimum"),
    ],
)
def test_an_operator_s_preferences(preferences: dict[str, Any], shares: dict[tuple[str, int], int]) -> None:
    made = world(Limit(20), Member("A", maximum=200), Member("B", maximum=200))
    active = made.state.sessions[A]
    preferred = replace(active, session=replace(active.session, **preferences))
    made.state = replace(made.state, sessions={**made.state.sessions, A: preferred})
    for _ in range(3):
        made.passes(INTERVAL.total_seconds())
        made.answer_all()
    assert made.shares() == shares


def test_no_session_is_given_more_than_its_evse_can_take() -> None:
    made = world(Limit(96), Member("A", maximum=160))
    active = made.state.sessions[A]
    preferred = replace(active, session=replace(active.session, maximum=320))
    made.state = replace(made.state, sessions={A: preferred})
    made.passes(INTERVAL.total_seconds())
    made.answer_all()
    assert made.shares() == {A: 160}


def test_profiles_say_the_limit_in_the_unit_of_the_station() -> None:
    """K01.FR.50: watts are turned back into amperes by the station, and rounded down here."""
    members = (Member("A", phases=("L1", "L2"), unit="W"), Member("B", evse_ids=(1,)))
    state = world(Limit(32), *members, voltage=231).state
    default = site_profile(state, LimitRequest(("B", 1), 0, 320))
    assert (default.id, default.purpose, default.evse_id, default.transaction_id) == (
        900_000_002,
        Purpose.TX_DEFAULT,
        1,
        None,
    )
    session = site_profile(state, LimitRequest(A, 61, 320, session_id=1))
    assert (session.id, session.purpose, session.transaction_id) == (900_000_003, Purpose.TX, "1")
    assert (session.schedule.unit, session.schedule.periods) == ("W", (Period(0, 2818, 2),))
    other = site_profile(state, LimitRequest(B, 61, 320, session_id=2))
    assert (other.schedule.unit, other.schedule.periods) == ("A", (Period(0, 6.1, 3),))


@pytest.mark.parametrize(
    ("members", "gone"),
    [
        pytest.param((Member("A"),), [], id="nothing has changed"),
        pytest.param((), [("A", 0, 0), ("A", 1, 7), ("A", 2, 8)], id="the station left"),
        pytest.param((Member("A", evse_ids=(1,)),), [("A", 0, 0), ("A", 2, 8)], id="only one EVSE stayed"),
    ],
)
def test_profiles_that_are_not_of_the_site_any_more(members: tuple[Member, ...], gone: list[LimitKey]) -> None:
    keys = [("A", 0, 0), ("A", 1, 7), ("A", 2, 8)]
    assert obsolete(keys, Site("site", Limit(32), members)) == gone


def test_a_station_that_failed_is_asked_for_no_more_than_it_may_have() -> None:
    """Others would have to make room for nothing."""
    made = world(Limit(32))
    failed = replace(applied_limit_of(made, A), failures=1, retry_at=None)
    sessions = {A: replace(made.state.sessions[A], applied=failed)}
    planned = plan(replace(made.state, sessions=sessions), {}, {}, made.now + INTERVAL)
    assert planned.shares.targets == {A: 160}


def with_applied(made: SiteWorld, **changes: Any) -> SiteWorld:
    """A has applied something else."""
    active = made.state.sessions[A]
    known = replace(active, applied=replace(active.applied, **changes))
    made.state = replace(made.state, sessions={**made.state.sessions, A: known})
    return made


def test_what_the_next_session_may_draw_is_set_aside_behind_a_lower_limit() -> None:
    """And costs nothing where it is granted to this one."""
    made = with_applied(world(Limit(16), Member("A"), default=160), held=60)
    [evse] = made.state.evses
    assert (evse.ceiling, evse.reserve, evse.current) == (60, 160, 60)
    made.passes(INTERVAL.total_seconds())
    assert [request.current for request in made.sent["A"]] == [160]


def test_a_limit_is_certain_where_it_was_confirmed_on_this_connection_and_nothing_is_in_doubt() -> None:
    made = world(Limit(32), Member("A"))
    [evse] = made.state.evses
    applied = applied_limit_of(made, A)
    assert evse.certain(applied)
    assert not evse.certain(replace(applied, doubtful=60))
    assert not evse.certain(replace(applied, epoch=None))
    assert not evse.certain(replace(applied, held=None))


def test_a_change_of_an_ampere_is_worth_a_message() -> None:
    made = world(Limit(32))
    made.passes(INTERVAL.total_seconds())
    for limit, shares in ((33.8, {A: 160, B: 160}), (34, {A: 170, B: 170})):
        made.state = replace(made.state, site=replace(made.state.site, limit=Limit(limit)))
        made.plan()
        made.answer_all()
        assert made.shares() == shares


def test_what_is_enough_is_never_below_an_operator_s_minimum() -> None:
    """Or the session would be paused for drawing little."""
    made = world(Limit(32))
    active = made.state.sessions[A]
    known = replace(active, session=replace(active.session, minimum=100), monitor=DrawMonitor(cap=80))
    planned = plan(replace(made.state, sessions={**made.state.sessions, A: known}), {}, {}, made.now + INTERVAL)
    assert planned.shares.targets == {A: 100, B: 220}


def test_a_floor_costs_nothing() -> None:
    """What is set aside for an EVSE anyway is granted to its session."""
    claims = [Claim(A, {"L1": 1}, 60, 320, floor=100), Claim(B, {"L1": 1}, 60, 80, floor=100)]
    assert allocate({"L1": 0}, claims) == {A: 100, B: 80}


def beside(made: SiteWorld, *others: tuple[LimitKey, AppliedLimit]) -> SiteWorld:
    """With limits of sessions that have not ended, beside those that the EVSEs have."""
    made.state = replace(made.state, others={key: (applied, DrawMonitor()) for key, applied in others})
    return made


def test_what_another_session_was_granted_counts_where_it_was_granted() -> None:
    """One EVSE draws once: the larger of the two counts."""
    made = world(Limit(32))
    assert committed(made.state)["L1"] == 320
    assert committed(beside(made, (("A", 1, 99), AppliedLimit(held=100))).state)["L1"] == 320
    assert committed(beside(made, (("A", 1, 99), AppliedLimit(held=200))).state)["L1"] == 360
    assert committed(beside(made, (("A", 1, 99), AppliedLimit(doubtful=200))).state)["L1"] == 360
    assert committed(beside(made, (("A", 2, 99), AppliedLimit(held=60))).state)["L1"] == 380


def test_what_another_session_may_draw_is_set_aside() -> None:
    """The one that the EVSE has may use it; the others share what is left."""
    made = beside(world(Limit(32)), (("A", 1, 99), AppliedLimit(held=240)))
    planned = plan(made.state, {}, {}, made.now)
    assert planned.shares.set_aside["L1"] == 240
    assert planned.shares.targets[B] == 80
    assert not planned.shares.over_committed
    full = beside(world(Limit(32)), (("A", 1, 99), AppliedLimit(held=240)), (("B", 1, 98), AppliedLimit(held=240)))
    assert plan(full.state, {}, {}, full.now).shares.over_committed


def test_a_command_of_another_session_comes_to_its_end() -> None:
    under_way = AppliedLimit(held=60, asked=200, command_id="c1")
    made = beside(world(Limit(32)), (("A", 1, 99), under_way))
    planned = plan(made.state, {"c1": Outcome.REFUSED}, {}, made.now)
    assert planned.state.others["A", 1, 99][0].ceiling(0) == 60


def session(number: int, evse_id: int = 1, superseded: bool = False) -> Session:
    return Session(number, "A", evse_id, f"tx-{number}", START, START, superseded)


def test_an_evse_has_the_session_that_is_not_history() -> None:
    site = Site("site", Limit(32), (Member("A"), Member("B", (2,))))
    limits = {("A", 1, 1): (AppliedLimit(held=60), DrawMonitor()), ("A", 1, 7): (AppliedLimit(held=80), DrawMonitor())}
    limits |= {("A", 0, 0): (AppliedLimit(held=10), DrawMonitor()), ("A", 1, 3): (AppliedLimit(held=9), DrawMonitor())}
    state = state_of(site, {}, [session(1), session(2, superseded=True), session(7, evse_id=2)], limits)
    assert {key: one.session.id for key, one in state.sessions.items()} == {("A", 1): 1, ("A", 2): 7}
    # Granted where it was before it moved; 3 has ended.
    assert set(state.others) == {("A", 1, 7)}
    assert {evse.key: evse.ceiling for evse in state.evses}["A", 1] == 80
    ended = {("A", 1, 3): limits["A", 1, 3]}
    assert state.limits | ended == limits | {("A", 2, 7): (AppliedLimit(), DrawMonitor())}


def test_told_of_two_an_evse_has_the_last() -> None:
    state = state_of(Site("site", Limit(32), (Member("A"),)), {}, [session(1), session(2)], {})
    assert [one.session.id for one in state.sessions.values()] == [2]
