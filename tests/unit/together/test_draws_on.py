"""A session that counts as ended and draws on, by a meter that tells energy registers alone: the limit holds again.

That is the default of MeterValuesSampledData in 1.6. Until a register that rises is told nobody can know.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.smartcharging.domain.loads import within
from services.smartcharging.domain.site import Limit, Member, Site
from tests.unit.together.chargers import Charger, Charger16, Charger201, Charging, said
from tests.unit.together.world import World

Sent = tuple[str, dict[str, Any]]
A = "CP1"


def world(kind: type[Charger], evse_ids: tuple[int, ...] = (1,), clock: timedelta = timedelta()) -> World:
    """Two chargers that share 32 A, and obey at once."""
    chargers = kind(Member(A), evse_ids, clock), Charger201(Member("CP2"), (1,))
    made = World(Site("site", Limit(32), tuple(one.member for one in chargers), default=0), *chargers)
    made.obedient = True
    return made


def start(connector: int, tag: str, wh: int, at: datetime) -> Sent:
    payload = {"connectorId": connector, "idTag": tag, "meterStart": wh, "timestamp": said(at)}
    return "StartTransaction", payload


def values(number: int, wh: float, at: datetime, connector: int = 1) -> Sent:
    told = [{"value": str(wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}]
    meter_value = [{"timestamp": said(at), "sampledValue": told}]
    return "MeterValues", {"connectorId": connector, "transactionId": number, "meterValue": meter_value}


def stop(number: int, wh: int, at: datetime, **more: Any) -> Sent:
    return "StopTransaction", {"transactionId": number, "meterStop": wh, "timestamp": said(at)} | more


def event(kind: str, name: str, seq_no: int, at: datetime, wh: float | None = None, **more: Any) -> Sent:
    """A TransactionEvent. wh: of the register."""
    context = {"Started": "Transaction.Begin", "Updated": "Sample.Periodic", "Ended": "Transaction.End"}[kind]
    info = {"transactionId": name, "chargingState": "Charging"}
    fields: dict[str, Any] = {"eventType": kind, "timestamp": said(at), "triggerReason": "Trigger", "seqNo": seq_no}
    if wh is not None:
        reading = {"value": wh, "measurand": "Energy.Active.Import.Register", "context": context}
        fields["meterValue"] = [{"timestamp": said(at), "sampledValue": [reading]}]
    return "TransactionEvent", fields | {"transactionInfo": info} | more


def on(evse_id: int) -> dict[str, Any]:
    return {"evse": {"id": evse_id}}


def card(id_token: str) -> dict[str, Any]:
    return {"idToken": {"idToken": id_token, "type": "ISO14443"}}


class Scene:
    """The first charger tells what it likes; the second charges what it may."""

    def __init__(self, kind: type[Charger], evse_ids: tuple[int, ...] = (1, 2)) -> None:
        self.world = world(kind, evse_ids)
        self.charger = self.world.chargers[A]

    def tell(self, sent: Sent) -> Any:
        [reply] = self.world.hear(self.charger, sent)
        return reply

    def ago(self, seconds: float) -> datetime:
        return self.world.now - timedelta(seconds=seconds)

    def charges(self, name: str) -> None:
        """A vehicle is on the first EVSE of the first charger."""
        self.charger.running[1] = Charging(1, name, self.world.now)

    def share(self) -> None:
        """A second vehicle comes to the other charger."""
        self.world.begin(self.world.chargers["CP2"], 1)
        self.world.passes(35)
        assert self.drawn() == (16, 16)

    def drawn(self) -> tuple[float, float]:
        """What the two may draw."""
        shares = self.world.shares()
        return shares[f"{A}/1"], shares["CP2/1"]


def started_16(scene: Scene, tag: str, wh: int) -> int:
    number: int = scene.tell(start(1, tag, wh, scene.ago(10))).number
    scene.charges(str(number))
    scene.tell(values(number, wh + 50, scene.ago(0)))
    return number


def started_201(scene: Scene) -> None:
    scene.charges("7")
    scene.tell(event("Started", "7", 0, scene.ago(10), 1000, **on(1), **card("CARDA")))


def ended_by_the_other_evse(scene: Scene) -> list[Sent]:
    """2.0.1: a counter of each EVSE; the stop of the second one comes first."""
    started_201(scene)
    scene.share()
    scene.tell(event("Ended", "7", 1, scene.ago(1), 1800, **on(2)))
    scene.world.passes(36)
    now = scene.world.now
    return [event("Updated", "7", 1, now, 1900, **on(1)), event("Updated", "7", 2, now, 2900, **on(1))]


def ended_by_the_stop_of_history(scene: Scene) -> list[Sent]:
    """1.6: a session that was offline is stopped by the number of the one that charges."""
    number = started_16(scene, "CARDB", 3000)
    scene.tell(start(1, "CARDA", 1000, scene.ago(600)))
    scene.share()
    scene.tell(stop(number, 3000, scene.ago(300)))
    scene.world.passes(34)
    return [values(number, 4000, scene.ago(0)), values(number, 5000, scene.ago(0))]


def ended_by_a_start_of_the_wrong_connector(scene: Scene) -> list[Sent]:
    """1.6: the start of the second connector says that it is of the first."""
    number = started_16(scene, "CARDA", 3000)
    scene.share()
    other: int = scene.tell(start(1, "CARDB", 70000, scene.ago(0))).number
    scene.tell(values(number, 3200, scene.ago(0)))
    scene.tell(stop(other, 70010, scene.ago(0), idTag="CARDB"))
    scene.world.passes(34)
    return [values(number, 4000, scene.ago(0)), values(number, 5000, scene.ago(0))]


def ended_by_an_operator(scene: Scene) -> list[Sent]:
    started_201(scene)
    scene.share()
    records = scene.world.transactions.close(A, 1, scene.world.now)
    scene.world.smartcharging.read(records, scene.world.now)
    scene.world.plan()
    scene.tell(event("Updated", "7", 1, scene.ago(0), 1200))
    scene.world.passes(34)
    return [event("Updated", "7", 2, scene.ago(0), 2000)]


def ended_by_another_of_its_name(scene: Scene) -> list[Sent]:
    """2.0.1: the counter begins anew with a boot, and the late end of the first comes after the second has begun."""
    scene.tell(event("Started", "1", 0, scene.ago(300), 1000, **on(1), **card("CARDA")))
    scene.charges("1")
    cable = {"triggerReason": "CablePluggedIn"}
    scene.tell(event("Started", "1", 0, scene.ago(10), 3000, **on(1), **cable))
    scene.tell(event("Updated", "1", 1, scene.ago(9), **card("CARDB"), triggerReason="Authorized"))
    scene.share()
    scene.tell(event("Ended", "1", 5, scene.ago(60), 3000, offline=True))
    scene.world.passes(34)
    return [event("Updated", "1", 2, scene.ago(0), 4000), event("Updated", "1", 3, scene.ago(0), 5000)]


@pytest.mark.parametrize(
    ("kind", "ends"),
    [
        (Charger201, ended_by_the_other_evse),
        (Charger16, ended_by_the_stop_of_history),
        (Charger16, ended_by_a_start_of_the_wrong_connector),
        (Charger201, ended_by_an_operator),
        (Charger201, ended_by_another_of_its_name),
    ],
)
def test_a_session_that_counts_as_ended_and_draws_on_is_set_aside_for(
    kind: type[Charger], ends: Callable[[Scene], list[Sent]]
) -> None:
    """The other one had got all 32 A, for ever."""
    scene = Scene(kind)
    for sent in ends(scene):
        scene.tell(sent)
    assert scene.world.holds_limit(), scene.drawn()
    assert sum(scene.drawn()) <= 32
    scene.world.passes(60)
    assert sum(scene.drawn()) <= 32


@pytest.mark.parametrize("late", [False, True])
def test_it_is_set_aside_for_what_it_draws_until_it_stands_still(late: bool) -> None:
    """Thirteen kilowatts of one phase are more than 32 A; what a queue tells says nothing of now."""
    scene = Scene(Charger201)
    started_201(scene)
    scene.share()
    scene.tell(event("Ended", "7", 1, scene.ago(1), 1010, **on(2)))
    for number in range(12):
        scene.world.passes(9)
        at = scene.ago(200 if late else 0)
        scene.tell(event("Updated", "7", 2 + number, at, 1020 + 37 * number, **on(1)))
    assert scene.drawn() == (16, 32 if late else 0)
    if late:
        return
    scene.world.passes(300)
    scene.tell(event("Updated", "7", 20, scene.ago(0), 1020 + 37 * 11, **on(1)))
    scene.charger.running.clear()
    scene.world.passes(35)
    assert scene.drawn() == (0, 32)


VOLTAGE, SECONDS_AN_HOUR = 230, 3600


class DrawsOn(RuleBasedStateMachine):
    """A vehicle draws all it may, of one phase; its charger tells the register alone, and wrong ends.

    told_at: when its register was told last, since the wrong end; rises: how often it was told to have risen by then.
    """

    world: World
    charger: Charger
    number: int
    register: float
    drawn_at: datetime
    rises: int | None
    told: float

    @initialize(clock=st.sampled_from([0, 7200, -3600]))
    def begins(self, clock: int) -> None:
        self.world = world(Charger16, clock=timedelta(seconds=clock))
        self.charger = self.world.chargers[A]
        self.register, self.drawn_at, self.rises, self.told = 3000.0, self.world.now, None, 0.0
        self._begin()
        self.world.begin(self.world.chargers["CP2"], 1)
        self.world.passes(40)

    @rule(seconds=st.sampled_from([15, 60, 300, 900]))
    def goes_on(self, seconds: int) -> None:
        self.world.passes(seconds)

    @rule(late=st.booleans())
    def tells_its_register(self, late: bool) -> None:
        """late: what a queue has had since it charged at first."""
        wh = 3000.0 if late else self._charged()
        at = self.world.now + self.charger.clock - timedelta(hours=3 if late else 0)
        if not late and self.rises is not None and wh > self.told + 50:
            self.rises, self.told = self.rises + 1, wh
        self.world.hear(self.charger, values(self.number, wh, at))

    @rule(wh=st.sampled_from([-1, 0, 10**6, 70000, 2**31 - 1]), ago=st.sampled_from([0, 60, 900]))
    def ends_by_mistake(self, wh: int, ago: int) -> None:
        """A stop with its number, and the register of another; or two of them."""
        self._charged()
        at = self.world.now + self.charger.clock - timedelta(seconds=ago)
        self.rises, self.told = 0, 0.0
        self.world.hear(self.charger, stop(self.number, wh, at))
        self.world.passes(15)

    @rule()
    def another_vehicle_comes(self) -> None:
        """The one before has left, whatever was told of it."""
        self._charged()
        self.world.hear(self.charger, stop(self.number, int(self.register), self.world.now + self.charger.clock))
        self.charger.running.clear()
        self.charger.limits.clear()
        self.rises = None
        self._begin()
        self.world.passes(40)

    @invariant()
    def never_more_than_the_limit_once_it_is_told(self) -> None:
        """Of a stop with another register, the first that is told after it is only what the next is compared with."""
        if self.rises is None or self.rises > 1:
            assert within(self.world.drawn(), self.world.smartcharging.site.capacity), self.world.shares()

    def _begin(self) -> None:
        [reply] = self.world.hear(
            self.charger, start(1, "CAFE01", int(self.register), self.world.now + self.charger.clock)
        )
        self.number = reply.number
        self.charger.running[1] = Charging(1, str(self.number), self.world.now)
        self.world.plan()

    def _charged(self) -> float:
        """Its register now."""
        hours = (self.world.now - self.drawn_at).total_seconds() / SECONDS_AN_HOUR
        self.register += self.charger.most(1) / 10 * VOLTAGE * hours
        self.drawn_at = self.world.now
        return self.register


TestDrawsOn = DrawsOn.TestCase
TestDrawsOn.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
