"""Whatever happens in whatever order: never more than the limit, no session below its minimum, no flapping."""

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.smartcharging.domain.limit_requests import committed
from services.smartcharging.domain.share import INTERVAL, TURN, share, smallest_change
from services.smartcharging.domain.site import Limit, Member, Site
from tests.unit.smartcharging.site_world import SiteWorld

WIRINGS = [("L1", "L2", "L3"), ("L1",), ("L2",), ("L3", "L1", "L2"), ("L2", "L3")]
ANSWERS = ["accept", "accept", "refuse", "obey", "obey", "lose", "unsent"]


@st.composite
def worlds(draw: Any) -> SiteWorld:
    """Sites of up to four stations, whose TxDefaultProfiles are installed."""
    members, evses = [], {}
    for number in range(draw(st.integers(1, 3))):
        name, count = f"CP{number}", draw(st.integers(1, 2))
        given_ids = draw(st.booleans())
        evses[name] = tuple(range(1, count + 1))
        members.append(
            Member(
                name,
                evses[name] if given_ids else None,
                draw(st.sampled_from(WIRINGS)),
                minimum=draw(st.sampled_from([60, 60, 80])),
                maximum=draw(st.sampled_from([160, 320, 320])),
                priority=draw(st.integers(0, 1)),
            )
        )
    amperes = draw(st.sampled_from([5, 6, 16, 20, 25.5, 32, 40, 64, 120]))
    limit = draw(st.sampled_from([Limit(amperes), Limit(amperes), Limit(amperes * 690, "W")]))
    world = SiteWorld(Site("site", limit, tuple(members)), evses)
    # With an operator's default, if that fits.
    own = SiteWorld(replace(world.state.site, default=80), evses)
    return own if draw(st.booleans()) and own.holds_limit() else world


stations = st.integers(0, 2)
evses = st.integers(0, 5)


class Site_(RuleBasedStateMachine):
    """Everything that can happen to a site."""

    world: SiteWorld

    @initialize(world=worlds())
    def begins(self, world: SiteWorld) -> None:
        self.world = world

    @rule(evse=evses)
    def starts(self, evse: int) -> None:
        self.world.start(self._key(evse))

    @rule(evse=evses)
    def ends(self, evse: int) -> None:
        self.world.end(self._key(evse))

    @rule(evse=evses, part=st.sampled_from([0, 0.2, 0.5, 0.9, 1]), times=st.integers(1, 4))
    def draws(self, evse: int, part: float, times: int) -> None:
        for _ in range(times):
            self.world.draws(self._key(evse), part)

    @rule(station=stations, how=st.sampled_from(ANSWERS))
    def answers(self, station: int, how: str) -> None:
        self.world.answers(self._station(station), how)

    @rule()
    def all_answer(self) -> None:
        self.world.answer_all()

    @rule(station=stations)
    def leaves(self, station: int) -> None:
        self.world.leaves(self._station(station))

    @rule(station=stations)
    def comes(self, station: int) -> None:
        self.world.comes(self._station(station))

    @rule(seconds=st.sampled_from([1, 30, 40, 1000, 4000]))
    def passes(self, seconds: float) -> None:
        self.world.passes(seconds)

    @invariant()
    def never_more_than_the_limit(self) -> None:
        world = self.world
        assert world.holds_limit(), (world.drawn(), committed(world.state), world.state.site.capacity)

    @invariant()
    def no_request_is_between_nothing_and_the_minimum(self) -> None:
        minimum = {member.station_id: member.minimum for member in self.world.state.site.members}
        assert all(not request.current or request.current >= minimum[request.key[0]] for request in self.world.requests)

    @invariant()
    def planning_again_changes_nothing(self) -> None:
        before = len(self.world.requests)
        self.world.plan()
        assert self.world.requests[before:] == []

    def _key(self, number: int) -> tuple[str, int]:
        return self.world.keys[number % len(self.world.keys)]

    def _station(self, number: int) -> str:
        names = sorted(self.world.reals)
        return names[number % len(names)]


class Contended(Site_):
    """Two stations with one EVSE each, and hardly enough for both: what is forgotten is soon too much."""

    @initialize(amperes=st.sampled_from([16, 20, 32, 40]), default=st.sampled_from([0, 60]))
    def begins(self, amperes: float, default: int) -> None:
        names = ("CP0", "CP1")
        members = tuple(Member(name) for name in names)
        site = Site("site", Limit(amperes), members, default=default)
        self.world = SiteWorld(site, dict.fromkeys(names, (1,)))


PROFILE = settings(max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
TestSite, TestContended = Site_.TestCase, Contended.TestCase
TestSite.settings = TestContended.settings = PROFILE


def quiet(world: SiteWorld) -> None:
    """Everybody answers, and nothing else happens for a while."""
    for _ in range(4):
        world.answer_all()
        world.passes(INTERVAL.total_seconds() + 1)
    world.answer_all()


@settings(max_examples=150, deadline=None)
@given(world=worlds(), started=st.sets(evses))
def test_what_is_there_is_used(world: SiteWorld, started: set[int]) -> None:
    """Work-conserving up to what is not worth a message: a session that could take more is on a phase that is full."""
    for number in sorted(started):
        world.start(world.keys[number % len(world.keys)])
    quiet(world)
    capacity, taken = world.state.site.capacity, committed(world.state)
    for evse in world.state.evses:
        if evse.active:
            wish = max(smallest_change(evse.current), evse.minimum) if evse.current else evse.minimum
            enough = evse.current + wish > evse.maximum
            fits = all(taken[name] + wish * weight <= capacity[name] for name, weight in evse.weights.items())
            assert enough or not fits, (evse.key, evse.current, taken, capacity)


@settings(max_examples=100, deadline=None)
@given(
    world=worlds(), started=st.sets(evses, min_size=1), parts=st.lists(st.sampled_from([0.1, 0.3, 1.0]), max_size=60)
)
def test_small_draws_that_come_and_go_do_not_make_shares_flap(
    world: SiteWorld, started: set[int], parts: list[float]
) -> None:
    """A share is given back after some samples, and after each return it takes twice as many."""
    for number in sorted(started):
        world.start(world.keys[number % len(world.keys)])
    quiet(world)
    before = len(world.requests)
    for part in parts:
        for key in world.keys:
            world.draws(key, part)
        world.answer_all()
        world.passes(31)
    turns = 31 * len(parts) // TURN.total_seconds() + 1
    sessions = len(world.state.sessions)
    assert len(world.requests) - before <= sessions * (12 * sessions + 4 * turns)


@settings(max_examples=100, deadline=None)
@given(world=worlds(), started=st.sets(evses))
def test_the_same_again_asks_nothing(world: SiteWorld, started: set[int]) -> None:
    for number in sorted(started):
        world.start(world.keys[number % len(world.keys)])
    quiet(world)
    shares = share(world.state, world.now)
    if all(shares.targets.values()):
        before = len(world.requests)
        for _ in range(5):
            world.passes(60)
        assert len(world.requests) == before
