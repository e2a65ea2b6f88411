"""Shares of a site, as stories: which session gets what, and when."""

from dataclasses import replace
from typing import Any

import pytest

from services.smartcharging.domain.allocate import Claim, allocate
from services.smartcharging.domain.applied_limit import FIRST_RETRY
from services.smartcharging.domain.presence import Presence
from services.smartcharging.domain.share import INTERVAL, TURN, share
from services.smartcharging.domain.site import Limit, Member, Site
from tests.unit.smartcharging.site_world import SiteWorld, applied_limit_of

ONE = {"L1": 1}
ALL = {"L1": 1, "L2": 1, "L3": 1}
A, B, C = ("A", 1), ("B", 1), ("C", 1)
A0 = ("A", 0)


def claim(name: str, minimum: int = 60, maximum: int = 320, priority: int = 0, **weights: int) -> Claim:
    return Claim((name, 1), weights or ONE, minimum, maximum, priority)


def world(limit: float, *names: str, unit: str = "A", default: int | None = 0, **more: Any) -> SiteWorld:
    members = tuple(Member(name, **more) for name in names)
    return SiteWorld(Site("site", Limit(limit, unit), members, default=default), dict.fromkeys(names, (1,)))


@pytest.mark.parametrize(
    ("room", "claims", "shares"),
    [
        pytest.param(960, [claim("A"), claim("B")], [320, 320], id="enough for all"),
        pytest.param(320, [claim("A"), claim("B")], [160, 160], id="in equal parts"),
        pytest.param(321, [claim("A"), claim("B")], [160, 160], id="what cannot be parted stays"),
        pytest.param(320, [claim("A", maximum=100), claim("B")], [100, 220], id="what one cannot take the other gets"),
        pytest.param(150, [claim("A"), claim("B"), claim("C")], [75, 75, 0], id="below the minimum is a pause"),
        pytest.param(59, [claim("A")], [0], id="not even one minimum"),
        pytest.param(0, [claim("A")], [0], id="nothing at all"),
        pytest.param(-50, [claim("A")], [0], id="less than nothing"),
        pytest.param(320, [claim("A", priority=1), claim("B")], [260, 60], id="priority after the minima"),
        pytest.param(100, [claim("A", minimum=80), claim("B")], [100, 0], id="minima in their order"),
        pytest.param(300, [claim("A", minimum=120), claim("B"), claim("C")], [120, 90, 90], id="a higher minimum"),
        pytest.param(320, [claim("A", maximum=50)], [0], id="what is below its own minimum"),
    ],
)
def test_shares_of_one_phase(room: int, claims: list[Claim], shares: list[int]) -> None:
    assert list(allocate({"L1": room}, claims).values()) == shares


def test_phases_are_shared_one_by_one() -> None:
    """A claim on a full phase stops; the others go on."""
    claims = [
        Claim(("three", 1), ALL, 60, 320),
        Claim(("one", 1), {"L1": 1}, 60, 320),
        Claim(("two", 1), {"L2": 1}, 60, 320),
        Claim(("also two", 1), {"L2": 1}, 60, 320),
    ]
    shares = allocate(dict.fromkeys(ALL, 300), claims)
    assert list(shares.values()) == [100, 200, 100, 100]


def test_a_floor_costs_nothing() -> None:
    claims = [Claim(A, ONE, 60, 320, floor=60), Claim(B, ONE, 60, 320)]
    assert allocate({"L1": 60}, claims) == {A: 60, B: 60}


def test_less_is_confirmed_before_others_get_more() -> None:
    site = world(32, "A", "B")
    site.start(A)
    site.answer_all()
    assert site.shares() == {A: 320}
    site.start(B)
    assert [request.current for request in site.sent["A"]] == [160]
    assert not site.sent["B"]
    site.answers("A", "accept")
    assert [request.current for request in site.sent["B"]] == [160]
    site.answers("B", "accept")
    assert site.shares() == {A: 160, B: 160}
    site.passes(INTERVAL.total_seconds())
    site.end(A)
    site.answer_all()
    assert site.shares() == {B: 320}


@pytest.mark.parametrize("how", ["lose", "obey", "unsent"])
def test_what_a_station_does_not_confirm_stays_set_aside(how: str) -> None:
    """And is asked again after a while."""
    site = world(32, "A", "B")
    site.start(A)
    site.answer_all()
    site.start(B)
    site.answers("A", how)
    assert site.shares() == {A: 320, B: 0}
    assert share(site.state, site.now).set_aside == dict.fromkeys(ALL, 320)
    site.passes(FIRST_RETRY.total_seconds())
    assert [request.current for request in site.sent["A"]] == [160]
    site.answer_all()
    assert site.shares() == {A: 160, B: 160}


def test_more_that_was_taken_in_silence_counts() -> None:
    site = world(32, "A", "B")
    site.start(A)
    site.answers("A", "obey")
    site.start(B)
    site.answer_all()
    assert site.drawn() == dict.fromkeys(ALL, 320)
    assert site.shares() == {A: 320, B: 0}
    assert site.holds_limit()


def test_what_was_overtaken_may_still_be_obeyed() -> None:
    """Less is asked for while more is under way: until that is answered, the more counts."""
    site = world(64, "A", "B", "C")
    site.start(A)
    assert [request.current for request in site.sent["A"]] == [320]
    site.start(B)
    site.start(C)
    assert [request.current for request in site.sent["A"]] == [320, 213]
    assert applied_limit_of(site, A).ceiling(0) == 320
    assert [request.current for request in site.sent["C"]] == []
    site.answer_all()
    assert site.shares() == {A: 213, B: 213, C: 213}


def test_a_station_that_refuses_keeps_what_it_confirmed_and_is_not_asked_for_more() -> None:
    site = world(32, "A", "B")
    site.start(A)
    site.answers("A", "refuse")
    site.start(B)
    site.answer_all()
    assert site.shares() == {A: 0, B: 320}
    site.passes(FIRST_RETRY.total_seconds())
    assert [request.current for request in site.sent["A"]] == [0]
    site.answer_all()
    site.passes(INTERVAL.total_seconds())
    site.answer_all()
    assert site.shares() == {A: 160, B: 160}


def test_a_station_that_takes_no_profiles_counts_with_all_it_can_take() -> None:
    site = world(40, "A", "B")
    site.state = replace(site.state, defaults={})
    site.plan()
    site.answers("A", "refuse")
    site.answer_all()
    site.start(B)
    site.answer_all()
    assert share(site.state, site.now).set_aside == dict.fromkeys(ALL, 320)
    assert site.shares() == {B: 80}


def test_a_station_that_is_away_keeps_its_share_and_its_default() -> None:
    site = world(40, "A", "B", default=60)
    site.start(A)
    site.answer_all()
    assert site.shares() == {A: 320}
    site.leaves("A")
    site.start(B)
    site.answer_all()
    assert site.shares() == {A: 320, B: 80}
    site.end(A)
    site.start(A)
    assert site.drawn() == {"L1": 140, "L2": 140, "L3": 140}
    site.comes("A")
    site.answer_all()
    site.passes(INTERVAL.total_seconds())
    site.answer_all()
    assert site.shares() == {A: 200, B: 200}
    assert site.holds_limit()


def test_a_station_that_comes_back_is_asked_again() -> None:
    """Profiles are persistent (K01.FR.27), but not every station knows."""
    site = world(32, "A")
    site.start(A)
    site.answer_all()
    before = len(site.requests)
    site.leaves("A")
    site.now += FIRST_RETRY
    site.comes("A")
    assert [(request.current, request.session_id) for request in site.requests[before:]] == [(320, 1), (0, None)]


def test_a_station_that_was_never_here_sets_nothing_aside() -> None:
    site = world(32, "A", "B")
    known, never = site.state, Presence("B", evse_ids=(1,))
    site.state = replace(known, stations={**known.stations, "B": never}, defaults={A0: known.defaults[A0]})
    site.start(A)
    site.answer_all()
    assert site.shares() == {A: 320}


def test_what_is_not_drawn_goes_to_others_and_comes_back() -> None:
    site = world(40, "A", "B")
    site.start(A)
    site.start(B)
    site.answer_all()
    assert site.shares() == {A: 200, B: 200}
    for _ in range(3):
        site.passes(60)
        site.draws(A, 0.4)
        site.answer_all()
    assert site.shares() == {A: 90, B: 310}
    site.passes(60)
    site.draws(A, 1)
    site.answer_all()
    assert site.shares() == {A: 200, B: 200}


def test_nothing_is_taken_from_a_session_that_draws_little_while_no_other_needs_it() -> None:
    site = world(40, "A", "B")
    site.start(A)
    site.answer_all()
    for _ in range(5):
        site.passes(60)
        site.draws(A, 0.1)
    assert site.shares() == {A: 320}


def test_a_session_that_waits_gets_its_turn() -> None:
    site = world(10, "A", "B")
    site.start(A)
    site.answer_all()
    site.start(B)
    site.answer_all()
    assert site.shares() == {A: 100, B: 0}
    for turn in range(4):
        site.passes(TURN.total_seconds())
        site.answer_all()
        assert site.shares() == ({A: 0, B: 100} if turn % 2 == 0 else {A: 100, B: 0})


def test_priority_takes_the_turn_of_others() -> None:
    members = (Member("A"), Member("B", priority=1))
    site = SiteWorld(Site("site", Limit(10), members, default=0), {"A": (1,), "B": (1,)})
    site.start(A)
    site.answer_all()
    site.start(B)
    site.answer_all()
    assert site.shares() == {A: 0, B: 100}


def test_a_small_change_is_not_worth_a_message() -> None:
    site = world(40, "A", "B", "C")
    for key in (A, B):
        site.start(key)
    site.answer_all()
    site.passes(60)
    before = len(site.requests)
    site.state = replace(site.state, site=replace(site.state.site, limit=Limit(41.8)))
    site.plan()
    assert len(site.requests) == before
    site.state = replace(site.state, site=replace(site.state.site, limit=Limit(39.8)))
    site.plan()
    assert site.requests[before:]
    site.answer_all()
    assert site.holds_limit()


def test_a_limit_in_watts_counts_all_phases_together() -> None:
    members = (Member("A", phases=("L1",)), Member("B"))
    site = SiteWorld(Site("site", Limit(230 * 60, "W"), members, default=0), {"A": (1,), "B": (1,)})
    site.start(A)
    site.start(B)
    site.answer_all()
    assert site.shares() == {A: 150, B: 150}


def test_a_limit_that_cannot_be_held_is_shown() -> None:
    site = world(32, "A", "B")
    site.start(A)
    site.answer_all()
    site.leaves("A")
    site.state = replace(site.state, site=replace(site.state.site, limit=Limit(20)))
    shares = share(site.state, site.now)
    assert shares.over_committed
    assert shares.set_aside == dict.fromkeys(ALL, 320)


@pytest.mark.parametrize(("limit", "default"), [(96, 60), (48, 60), (47, 0), (16, 0)])
def test_the_default_is_the_minimum_where_that_is_a_small_part(limit: float, default: int) -> None:
    assert world(limit, "A", "B", default=None).state.default_currents == {"A": default, "B": default}


def test_a_session_that_has_had_its_turn_takes_no_other_s() -> None:
    """A new session ends one turn; the one that is paused for it does not end another."""
    site = world(13, "A", "B", "C")
    site.start(A)
    site.start(B)
    site.answer_all()
    site.passes(TURN.total_seconds() + 1)
    site.answer_all()
    site.start(C)
    site.answer_all()
    site.passes(INTERVAL.total_seconds())
    site.answer_all()
    assert sorted(site.shares().values()) == [0, 65, 65]
    assert site.shares()[C] == 65
    before = len(site.requests)
    site.passes(60)
    assert len(site.requests) == before


def test_a_station_that_may_take_less_from_now_on_is_asked_for_less() -> None:
    site = world(32, "A")
    site.start(A)
    site.answer_all()
    lower = replace(site.state.site, members=(Member("A", maximum=100),))
    site.state = replace(site.state, site=lower)
    site.plan()
    assert [request.current for request in site.sent["A"]] == [100]
    assert site.state.evses[0].ceiling == 320
    site.answer_all()
    assert site.shares() == {A: 100}
