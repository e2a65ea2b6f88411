"""How fast stations may send: the limit held, capacity used, nobody slowed down for a service that is away."""

from dataclasses import dataclass, field

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from services.common.kafka.bus import Progress
from services.gateway.pressure.flow import SLOWEST, Flow, ProgressSample
from services.gateway.timing import DEFAULT_TIMING

LIMIT = 5_000
# To shrink a failing example would mean to simulate hours.
ONLY = [Phase.generate]
STEP, TIMING = 0.125, DEFAULT_TIMING
# Seconds after which an outage is known as one, by whoever last looked just before.
KNOWN = round(TIMING.commit_timeout + 2)
PARTITIONS, CHUNK = 8, 1_200.0


@dataclass
class Side:
    """One gateway: what its stations want to send a second, and at most how many of them wait."""

    wanted: float
    stations: float = 20_000
    flow: Flow = field(default_factory=lambda: Flow(LIMIT, TIMING))
    pending: float = 0
    sent: float = 0
    observed: float = 0

    def send(self) -> float:
        """What is sent in one step."""
        self.pending = min(self.stations, self.pending + self.wanted * STEP)
        rate = self.flow.rate
        now = self.pending if rate is None else min(self.pending, rate * STEP)
        self.pending -= now
        self.sent += now
        return now

    @property
    def wait(self) -> float:
        return self.pending / self.flow.rate if self.flow.rate else 0.0


@dataclass
class World:
    """A service that does so many records a second, a chunk of a partition and then the next, and commits now and then;
    gateways that look at it."""

    sides: list[Side]
    capacity: float
    commits: float = 0.9
    now: float = 0
    ends: list[float] = field(default_factory=lambda: [0.0] * PARTITIONS)
    done: list[float] = field(default_factory=lambda: [0.0] * PARTITIONS)
    committed: list[float] = field(default_factory=lambda: [0.0] * PARTITIONS)
    turn: int = 0
    chunk: float = CHUNK
    worst: float = 0

    def run(self, seconds: float) -> "World":
        for _ in range(round(seconds / STEP)):
            self.now += STEP
            sent = sum(side.send() for side in self.sides)
            self.ends = [end + sent / PARTITIONS for end in self.ends]
            self.read(self.capacity * STEP)
            if _every(self.now, self.commits):
                self.committed = list(self.done)
            if _every(self.now, TIMING.progress_interval):
                self.observe()
            self.worst = max(self.worst, self.lag)
        return self

    def read(self, budget: float) -> None:
        """As far as the budget goes."""
        empty = 0
        while budget > 1e-6 and empty < PARTITIONS:
            taken = min(budget, self.chunk, self.ends[self.turn] - self.done[self.turn])
            self.done[self.turn] += taken
            budget -= taken
            self.chunk -= taken
            empty = 0 if taken > 1e-6 else empty + 1
            if self.chunk <= 1e-6 or self.ends[self.turn] - self.done[self.turn] <= 1e-6:
                self.turn, self.chunk = (self.turn + 1) % PARTITIONS, CHUNK

    def observe(self) -> None:
        split = [Progress(int(end), int(done)) for end, done in zip(self.ends, self.committed, strict=True)]
        for side in self.sides:
            busy = side.sent - side.observed >= TIMING.busy_calls or side.flow.rate is not None
            side.observed = side.sent
            if not busy:
                side.flow.reset()
                continue
            side.flow.observe(ProgressSample(self.now, dict(enumerate(split)), int(side.sent)), side.wait)

    @property
    def lag(self) -> float:
        return sum(self.ends) - sum(self.done)

    def rate(self, seconds: float) -> float:
        """Records done a second, over so many more seconds."""
        before = sum(self.done)
        return (sum(self.run(seconds).done) - before) / seconds


def _every(now: float, seconds: float) -> bool:
    return int(now / seconds) != int((now - STEP) / seconds)


@given(st.floats(500, 20_000), st.floats(1.3, 6), st.floats(0.2, 1.2), st.integers(1, 5))
@settings(max_examples=20, deadline=None, phases=ONLY)
def test_too_much_is_brought_down_to_what_the_service_does(
    capacity: float, times: float, commits: float, count: int
) -> None:
    world = World([Side(capacity * times / count) for _ in range(count)], capacity, commits)
    limit = max(LIMIT, TIMING.in_hand * capacity)
    world.run(20 + limit / (capacity * (times - 1)))
    assert world.worst < 2 * limit + capacity * times * 2 * TIMING.rate_window
    worst, world.worst = world.worst, 0
    assert world.rate(60) > 0.95 * capacity
    assert world.worst <= worst + limit / 10


@given(st.floats(500, 20_000), st.floats(0.05, 0.95), st.floats(0.2, 1.2))
@settings(max_examples=20, deadline=None, phases=ONLY)
def test_what_the_service_can_do_is_never_slowed_down(capacity: float, part: float, commits: float) -> None:
    world = World([Side(capacity * part)], capacity, commits)
    for _ in range(60):
        world.run(0.5)
        assert world.sides[0].flow.rate is None


@given(st.floats(500, 10_000), st.floats(0.1, SLOWEST - 0.05), st.integers(KNOWN, 200), st.floats(0.2, 1.2))
@settings(max_examples=20, deadline=None, phases=ONLY)
def test_an_outage_slows_down_nobody_nor_does_what_is_left_of_it(
    capacity: float, part: float, outage: int, commits: float
) -> None:
    world = World([Side(capacity * part)], capacity, commits).run(10)
    world.capacity = 0
    for _ in range(outage):
        world.run(1)
    assert world.sides[0].pending == 0
    world.capacity = capacity
    for _ in range(60):
        world.run(1)
        assert world.sides[0].pending == 0


@given(st.floats(500, 10_000), st.floats(1.5, 4))
@settings(max_examples=20, deadline=None, phases=ONLY)
def test_a_service_that_stops_while_stations_are_slowed_down_lets_them_go(capacity: float, times: float) -> None:
    world = World([Side(capacity * times)], capacity).run(60)
    world.capacity = 0
    world.run(KNOWN)
    assert world.sides[0].flow.rate is None


@given(st.floats(2_000, 10_000), st.floats(1.2, 4), st.floats(0.1, 0.9))
@settings(max_examples=20, deadline=None, phases=ONLY)
def test_gateways_share_in_proportion(capacity: float, times: float, part: float) -> None:
    wanted = capacity * times
    world = World([Side(wanted * part), Side(wanted * (1 - part))], capacity).run(20)
    before = [side.sent for side in world.sides]
    world.run(20)
    sent = [side.sent - start for side, start in zip(world.sides, before, strict=True)]
    assert abs(sent[0] / sum(sent) - part) < 0.1


def test_a_gateway_that_comes_later_gets_its_share() -> None:
    early, late = Side(8_000), Side(0)
    world = World([early, late], 4_000).run(30)
    late.wanted = 8_000
    world.run(90)
    before = early.sent, late.sent
    world.run(20)
    assert (late.sent - before[1]) > 0.4 * (early.sent - before[0])


def test_when_the_load_ends_stations_are_free_again() -> None:
    world = World([Side(8_000)], 4_000).run(30)
    assert world.sides[0].flow.rate is not None
    world.sides[0].wanted = 1_000
    world.run(30)
    assert world.sides[0].flow.rate is None
    assert world.sides[0].pending == 0


def test_partitions_whose_reader_is_gone_say_nothing_of_the_others() -> None:
    flow = Flow(LIMIT, TIMING)
    for step in range(200):
        read, stuck = Progress(step * 500, step * 500), Progress(step * 50_000, 7)
        flow.observe(ProgressSample(step * TIMING.progress_interval, {0: read, 1: stuck}, step * 50_500), 0)
    assert flow.rate is None
    assert flow.lag == 0
