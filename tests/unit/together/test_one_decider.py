"""Whatever chargers tell late, twice, wrongly or never: the limit holds, and two services agree what an EVSE has."""

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.smartcharging.domain.limit_requests import committed
from services.smartcharging.domain.loads import within
from services.smartcharging.domain.site import Limit, Member, Site
from services.transactions.domain.transaction import EndedBy
from tests.unit.together.chargers import Charger, Charger16, Charger201
from tests.unit.together.world import World

FATES = st.sampled_from(["send", "send", "send", "late", "late", "lost", "twice", "unanswered"])
ANSWERS = st.sampled_from(["accept", "accept", "accept", "refuse", "obey", "lose", "unsent"])
CLOCKS = st.sampled_from([timedelta(), timedelta(), timedelta(), timedelta(hours=2), timedelta(hours=-1)])
evses, stations = st.integers(0, 3), st.integers(0, 1)


@st.composite
def worlds(draw: Any) -> World:
    """Two chargers, and hardly enough for both: what is forgotten is soon too much."""
    chargers = [
        draw(st.sampled_from([Charger16, Charger201]))(
            Member(name), tuple(range(1, draw(st.integers(1, 2)) + 1)), draw(CLOCKS), draw(st.booleans())
        )
        for name in ("CP0", "CP1")
    ]
    default = draw(st.sampled_from([0, 0, 60]))
    amperes = draw(st.sampled_from([24, 32, 40]))
    return World(Site("site", Limit(amperes), tuple(one.member for one in chargers), default=default), *chargers)


class Sloppy(RuleBasedStateMachine):
    """Everything that chargers in the field do."""

    world: World
    unknown_evse = False

    @initialize(world=worlds())
    def begins(self, world: World) -> None:
        self.world = world

    @rule(evse=evses, fate=FATES, without_evse=st.booleans())
    def a_vehicle_comes(self, evse: int, fate: str, without_evse: bool) -> None:
        charger, evse_id = self._evse(evse)
        if evse_id not in charger.running:
            self.world.begin(charger, evse_id, fate, without_evse)

    @rule(evse=evses, fate=FATES)
    def a_vehicle_goes_on(self, evse: int, fate: str) -> None:
        charger, evse_id = self._evse(evse)
        if evse_id in charger.running:
            self.world.speak(charger, evse_id, fate)

    @rule(evse=evses, fate=FATES)
    def a_vehicle_is_said_to_be_elsewhere(self, evse: int, fate: str) -> None:
        """Of a session that came to its EVSE after its start, there is nothing else to know it by."""
        charger, evse_id = self._evse(evse)
        if evse_id in charger.running and not charger.running[evse_id].came_later:
            self.unknown_evse |= 3 - evse_id not in charger.evse_ids
            self.world.speak(charger, evse_id, fate, wrong_evse=3 - evse_id)

    @rule(evse=evses, fate=FATES)
    def a_vehicle_leaves(self, evse: int, fate: str) -> None:
        charger, evse_id = self._evse(evse)
        if evse_id in charger.running:
            self.world.end(charger, evse_id, fate)

    @rule(station=stations, position=st.integers(0, 9))
    def something_late_is_told(self, station: int, position: int) -> None:
        charger = self._charger(station)
        if charger.online and charger.queue:
            self.world.deliver(charger, [charger.queue.pop(position % len(charger.queue))])

    @rule(station=stations)
    def all_that_is_late_is_told(self, station: int) -> None:
        charger = self._charger(station)
        if charger.online and charger.queue:
            messages, charger.queue = charger.queue, []
            self.world.deliver(charger, messages)

    @rule(station=stations, position=st.integers(0, 30))
    def something_is_told_again(self, station: int, position: int) -> None:
        charger = self._charger(station)
        if charger.online and charger.told:
            self.world.repeat(charger, position % len(charger.told))

    @rule(count=st.integers(1, 6))
    def events_are_read_again(self, count: int) -> None:
        self.world.read_again(count)

    @rule(station=stations, how=ANSWERS)
    def answers(self, station: int, how: str) -> None:
        charger = self._charger(station)
        if self.world.sent[charger.station_id]:
            self.world.answers(charger.station_id, how)

    @rule()
    def all_answer(self) -> None:
        self.world.answer_all()

    @rule(station=stations)
    def leaves(self, station: int) -> None:
        charger = self._charger(station)
        if charger.online:
            self.world.leaves(charger)

    @rule(station=stations)
    def comes(self, station: int) -> None:
        charger = self._charger(station)
        if not charger.online:
            self.world.comes(charger)

    @rule(station=stations, unset=st.booleans())
    def power_is_cut(self, station: int, unset: bool) -> None:
        self.world.cut(self._charger(station), unset)

    @rule(seconds=st.sampled_from([1, 40, 1000, 4000]))
    def passes(self, seconds: float) -> None:
        self.world.passes(seconds)

    @rule()
    def an_evse_has_what_speaks_there(self) -> None:
        """Once all is told, and a vehicle goes on, it is known again where it is, whatever was told before."""
        for charger, evse_id in self.world.evses:
            charging = charger.running.get(evse_id)
            if not charger.online or not charging or not charging.name or charging.mislabelled:
                continue
            messages, charger.queue = charger.queue, []
            if messages:
                self.world.deliver(charger, messages)
            self.world.speak(charger, evse_id)
            present = self.world.transactions.present(charger.station_id, evse_id)
            assert present is not None
            assert present.transaction_id == charging.name

    @invariant()
    def never_more_than_the_limit(self) -> None:
        """Nor may it be; an EVSE that we learn of is set something aside for, whether it exists or not."""
        capacity, state = self.world.smartcharging.site.capacity, self.world.smartcharging.state()
        assert within(self.world.drawn(), capacity), (self.world.drawn(), capacity)
        assert self.unknown_evse or within(committed(state), capacity), (committed(state), capacity)
        assert self.unknown_evse or not self.world.smartcharging.over_committed

    @invariant()
    def two_services_agree_which_session_an_evse_has(self) -> None:
        steered = self.world.smartcharging.state().sessions
        for charger, evse_id in self.world.evses:
            present = self.world.transactions.present(charger.station_id, evse_id)
            active = steered.get((charger.station_id, evse_id))
            assert (present and present.id) == (active and active.session.id)

    @invariant()
    def an_evse_has_one_session(self) -> None:
        for charger, evse_id in self.world.evses:
            found = self.world.transactions.of_evse(charger.station_id, evse_id)
            assert len([one for one in found if not one.ended and one.superseded_by is None]) <= 1

    @invariant()
    def what_charges_has_not_ended(self) -> None:
        """Ended by another one is only what is over."""
        charging = {(c.station_id, one.name) for c in self.world.chargers.values() for one in c.running.values()}
        superseded = [one for one in self.world.transactions.table.values() if one.ended_by == EndedBy.SUPERSEDED]
        assert not charging & {(one.station_id, one.transaction_id) for one in superseded}

    @invariant()
    def planning_again_changes_nothing(self) -> None:
        before = {name: len(sent) for name, sent in self.world.sent.items()}
        self.world.plan()
        assert before == {name: len(sent) for name, sent in self.world.sent.items()}

    def _evse(self, number: int) -> tuple[Charger, int]:
        return self.world.evses[number % len(self.world.evses)]

    def _charger(self, number: int) -> Charger:
        return self.world.chargers[f"CP{number}"]


class Obedient(Sloppy):
    """Chargers that confirm everything at once: what matters is what they tell."""

    @initialize(world=worlds())
    def begins(self, world: World) -> None:
        self.world = world
        world.obedient = True


PROFILE = settings(max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
TestSloppy, TestObedient = Sloppy.TestCase, Obedient.TestCase
TestSloppy.settings = TestObedient.settings = PROFILE
