"""What a station is seen to draw counts, whether its session has ended or not, until it confirms a limit."""

import dataclasses
from datetime import datetime, timedelta
from math import inf
from typing import Any

import pytest
from msgspec.structs import replace

from services.smartcharging.domain import sessions
from services.smartcharging.domain.applied_limit import AppliedLimit, Outcome, settle
from services.smartcharging.domain.draw_monitor import DrawMonitor
from services.smartcharging.domain.limit_requests import committed
from services.smartcharging.domain.plan import plan
from services.smartcharging.domain.presence import Presence
from services.smartcharging.domain.seen_draws import SILENCE, seen_draws
from services.smartcharging.domain.sessions import Register, Sample, SessionReport, TrackedSession
from services.smartcharging.domain.site import Limit, Member, Site
from services.smartcharging.domain.site_state import Session, SiteState, state_of
from tests.unit.smartcharging.site_world import START

SITE = Site("site", Limit(32), (Member("D"), Member("E")), default=0)
STOPPED = START - timedelta(minutes=1)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def ended(*samples: tuple[float, float], **more: Any) -> TrackedSession:
    """A session of D that ended a minute ago, and what it drew since: seconds, A."""
    told: dict[str, Any] = {"ended": True, "revision": 1, "stopped_at": STOPPED} | more
    known = sessions.apply(None, SessionReport(1, "D", 1, "tx-1", at(-900), False, Sample(at(-120), 32, "A")), at(-120))
    known = sessions.apply(known, SessionReport(1, "D", 1, "tx-1", at(-900), **told), at(-50))
    for seconds, value in samples:
        sample = Sample(at(seconds), value, "A")
        known = sessions.apply(known, SessionReport(1, "D", 1, "tx-1", at(-900), sample=sample, **told), at(seconds))
    return known


def state(*known: TrackedSession, now: datetime = START, connected: bool = True) -> SiteState:
    """With a session of E that has confirmed 32 A."""
    here = {name: Presence(name, True, name, at(-9999), "1.6", (1,)) for name in "DE"}
    here["D"] = replace(here["D"], connected=connected)
    limits = {(name, 0, 0): (AppliedLimit(held=0, epoch=at(-9999)), DrawMonitor()) for name in "DE"}
    limits["E", 1, 2] = AppliedLimit(held=320, epoch=at(-9999)), DrawMonitor()
    going_on = [one for one in known if not one.ended_at]
    sessions_ = [Session(one.id, one.station_id, 1, "tx-1", START, START) for one in going_on]
    seen = seen_draws(SITE, here, known, now)
    made = state_of(SITE, here, [*sessions_, Session(2, "E", 1, "tx-2", START, START)], limits)
    return dataclasses.replace(made, drawn=seen.currents, drawn_until=seen.until)


@pytest.mark.parametrize("value", [1e308, inf])
@pytest.mark.parametrize("unit", [sessions.CURRENT, sessions.POWER, sessions.PHASE_POWER])
def test_a_current_that_there_cannot_be_counts_as_all_that_the_evse_may_have(value: float, unit: str) -> None:
    """One such sample kept its whole site from being planned."""
    known = replace(ended((10, 30)), draws=(value,), unit=unit)
    drawn = state(known, now=at(11)).drawn
    assert drawn == {("D", 1): SITE.members[0].maximum}


def test_who_draws_on_after_a_guessed_end_is_set_aside_for() -> None:
    """EVerest#2681: it reports Available after a boot, and charges on at 30 A; the other one got all 32 A."""
    known = state(ended((10, 30)), now=at(11))
    planned = plan(known, {}, {}, at(11))
    assert committed(known)["L1"] == 300 + 320
    assert planned.shares.set_aside["L1"] == 300
    assert [(one.key, one.current) for one in planned.requests] == [(("E", 1), 0)]
    assert planned.due_at == at(10) + SILENCE


@pytest.mark.parametrize(
    ("samples", "drawn"),
    [
        pytest.param([], 0, id="nothing was heard since"),
        pytest.param([(-55, 30)], 0, id="the meter was read at the end"),
        pytest.param([(10, 30)], 300, id="it draws"),
        pytest.param([(10, 30), (10, 30), (5, 2)], 300, id="told again, and late"),
        pytest.param([(10, 30), (20, 0.2)], 0, id="it stops"),
        pytest.param([(10, 30), (20, 16)], 160, id="the last counts"),
        pytest.param([(10, 999)], 320, id="no EVSE has more than it can take"),
    ],
)
def test_what_is_seen_after_an_end(samples: list[tuple[float, float]], drawn: int) -> None:
    known = state(ended(*samples), now=at(30))
    assert known.drawn.get(("D", 1), 0) == drawn
    assert committed(known)["L1"] == drawn + 320


def metered(*told: tuple[float, float], end_wh: float | None = 5000, lag: float = 0, **more: Any) -> TrackedSession:
    """A session of D that ended at 0, whose meter tells its register alone: seconds, Wh."""
    known = sessions.apply(None, SessionReport(1, "D", 1, "tx-1", at(-900), False), at(-900))
    own: dict[str, Any] = {"ended": True, "revision": 1, "stopped_at": at(-lag), "end_wh": end_wh} | more
    known = sessions.apply(known, SessionReport(1, "D", 1, "tx-1", at(-900), **own), at(0))
    for seconds, wh in told:
        register = Register(at(seconds - lag), wh, at(seconds))
        known = sessions.apply(known, SessionReport(1, "D", 1, "tx-1", at(-900), register=register, **own), at(seconds))
    return known


@pytest.mark.parametrize(
    ("told", "drawn"),
    [
        pytest.param([(60, 5100)], 260, id="it rises"),
        pytest.param([(60, 5100), (60, 5100)], 260, id="told again"),
        pytest.param([(60, 5061), (120, 5122)], 159, id="the last counts"),
        pytest.param([(60, 5040), (120, 5080)], 104, id="by little at a time"),
        pytest.param([(60, 5000), (120, 5000)], 0, id="it stands still"),
        pytest.param([(60, 5050)], 0, id="no more than registers are rounded by"),
        pytest.param([(60, 5100), (120, 5100)], 260, id="it counts in steps"),
        pytest.param([(60, 5100), (120, 5100), (360, 5100)], 0, id="it stands still for five minutes"),
        pytest.param([(5, 5100)], 0, id="the meter was read at the end"),
        pytest.param([(60, 1900)], 0, id="the stop told another register"),
        pytest.param([(60, 1900), (120, 2000)], 260, id="and this one rises"),
        pytest.param([(60, 90000)], 0, id="no meter runs so fast"),
        pytest.param([(60, 1e308)], 0, id="nor so far"),
        pytest.param([(60, 90000), (120, 90100)], 260, id="and this one rises, too"),
        pytest.param([(60, 6000)], 320, id="no EVSE has more than it can take"),
    ],
)
def test_a_register_that_rises_after_an_end_shows_that_it_draws(told: list[tuple[float, float]], drawn: int) -> None:
    """The default of MeterValuesSampledData in 1.6."""
    known = state(metered(*told), now=at(400))
    assert known.drawn.get(("D", 1), 0) == drawn
    assert committed(known)["L1"] == drawn + 320


def test_of_an_end_without_a_register_two_are_needed() -> None:
    assert not state(metered((60, 5100), end_wh=None)).drawn
    assert state(metered((60, 5100), (120, 5200), end_wh=None)).drawn


@pytest.mark.parametrize("lag", [3600, -7200])
def test_a_register_counts_by_a_wrong_clock_and_not_where_it_is_told_late(lag: float) -> None:
    """Wrong it was when the session began, too; a queue has what was."""
    late = metered((60, 5100), (120, 5200), lag=lag)
    assert not state(late).drawn
    start = at(-900) - timedelta(seconds=lag)
    known = sessions.apply(None, SessionReport(1, "D", 1, "tx-1", start, False), at(-900))
    # An operator has closed it, whose clock is right.
    own: dict[str, Any] = {"ended": True, "revision": 1, "stopped_at": at(0), "end_wh": 5000.0}
    for seconds, wh in ((0, None), (60, 5100), (120, 5200)):
        register = None if wh is None else Register(at(seconds - lag), wh, at(seconds))
        known = sessions.apply(known, SessionReport(1, "D", 1, "tx-1", start, register=register, **own), at(seconds))
    assert state(known).drawn == {("D", 1): 260}


def test_what_a_register_says_counts_where_the_session_is_said_to_be() -> None:
    """2.0.1: a stop with its number named the other EVSE (counters of each)."""
    register = Register(at(60), 5100, at(60))
    own = SessionReport(1, "D", 2, "tx-1", at(-900), True, register=register, stopped_at=at(0), end_wh=5000, revision=1)
    assert state(sessions.apply(metered(), own, at(60))).drawn == {("D", 2): 260}


def test_what_an_operator_has_closed_draws_on_though_its_own_register_follows() -> None:
    """What is metered after such an end counts: each value is a revision, with the register that it tells."""
    known = metered()
    for number, (seconds, wh) in enumerate([(60, 5061.0), (120, 5122.0)], 2):
        told: dict[str, Any] = {"ended": True, "revision": number, "stopped_at": at(0), "end_wh": wh}
        told["register"] = Register(at(seconds), wh, at(seconds))
        known = sessions.apply(known, SessionReport(1, "D", 1, "tx-1", at(-900), **told), at(seconds))
        assert state(known).drawn == {("D", 1): 159}


def test_a_register_is_no_sample_that_a_share_is_given_back_by() -> None:
    back = SessionReport(1, "D", 1, "tx-1", at(-900), False, revision=2)
    after = sessions.apply(metered((60, 5100), (420, 5100), (780, 5100)), back, at(800))
    assert (after.draws[-1], after.samples, after.metered_at, after.draws_on_at) == (0, 0, None, None)


def test_who_has_ended_and_is_silent_is_forgotten_unless_it_is_away() -> None:
    one = ended((10, 30))
    assert not state(one, now=at(10) + SILENCE).drawn
    assert state(one, now=at(10) + SILENCE, connected=False).drawn


def test_the_stations_own_later_end_settles_it() -> None:
    own = SessionReport(1, "D", 1, "tx-1", at(-900), True, None, revision=2, stopped_at=at(12))
    after = sessions.apply(ended((10, 30)), own, at(20))
    assert (after.draws_on_at, after.revision) == (None, 2)


def test_an_end_that_is_taken_back_and_nothing_older_changes_that() -> None:
    """Its events are read again after a crash."""
    one = ended((10, 30))
    back = SessionReport(1, "D", 1, "tx-1", at(-900), False, Sample(at(20), 29, "A"), revision=2)
    after = sessions.apply(one, back, at(20))
    assert (after.ended_at, after.draws_on_at, after.draws[-1]) == (None, None, 29)
    for old in (
        SessionReport(1, "D", 1, "tx-1", at(-900), False),
        SessionReport(1, "D", 1, "tx-1", at(-900), True, revision=1, stopped_at=STOPPED),
        back,
    ):
        assert sessions.apply(after, old, at(30)) is after
    again = sessions.apply(
        after, SessionReport(1, "D", 1, "tx-1", at(-900), True, revision=3, stopped_at=at(40)), at(50)
    )
    assert again.ended_at == at(50)


def test_what_is_drawn_counts_until_a_limit_is_confirmed() -> None:
    """A session that was taken back has none: what it had confirmed was forgotten with its end."""
    back = SessionReport(1, "D", 1, "tx-1", at(-900), False, Sample(at(20), 29, "A"), revision=2)
    known = state(sessions.apply(ended((10, 30)), back, at(20)), now=at(21))
    assert committed(known)["L1"] == 290 + 320
    first = plan(known, {}, {}, at(21))
    assert {one.key: one.current for one in first.requests} == {("D", 1): 160, ("E", 1): 160}
    active = first.state.sessions["D", 1]
    confirmed = dataclasses.replace(active, applied=settle(active.applied, Outcome.ACCEPTED, at(22)))
    after = dataclasses.replace(first.state, sessions={**first.state.sessions, ("D", 1): confirmed})
    assert committed(after)["L1"] == 160 + 320
