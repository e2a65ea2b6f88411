"""History never changes the present: what is told late, wrongly or in another order breaks no limit."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.smartcharging.domain.site import Limit, Member, Site
from services.transactions.domain.transaction import EndedBy
from tests.unit.together.chargers import TAG, UNSET, Charger, Charger16, Charger201, said
from tests.unit.together.world import World


def world(amperes: float, *chargers: Charger) -> World:
    made = World(Site("site", Limit(amperes), tuple(one.member for one in chargers), default=0), *chargers)
    made.obedient = True
    return made


def two(kind: type[Charger], amperes: float = 32, evse_ids: tuple[int, ...] = (1,)) -> tuple[World, Charger, Charger]:
    """A site of two chargers of a kind."""
    first, second = kind(Member("CP1"), evse_ids), kind(Member("CP2"), evse_ids)
    return world(amperes, first, second), first, second


def present(site: World, evse_id: int = 1) -> str | None:
    """The session that an EVSE of the first charger has, as the charger calls it."""
    found = site.transactions.present("CP1", evse_id)
    return found.transaction_id if found else None


def event(world: World, kind: str, name: str, seq_no: int, *, ago: float = 0, **more: Any) -> tuple[str, Any]:
    """A TransactionEvent. ago: minutes."""
    at = said(world.now - timedelta(minutes=ago))
    info = {"transactionId": name}
    fields = {"eventType": kind, "timestamp": at, "triggerReason": "CablePluggedIn", "seqNo": seq_no}
    return "TransactionEvent", fields | {"transactionInfo": info} | more


def start(at: datetime, connector: int = 1, **more: Any) -> tuple[str, Any]:
    return "StartTransaction", {
        "connectorId": connector,
        "idTag": TAG,
        "meterStart": 500,
        "timestamp": said(at),
    } | more


def stop(number: int, at: datetime) -> tuple[str, Any]:
    return "StopTransaction", {"transactionId": number, "meterStop": 900, "timestamp": said(at)}


EVSE = {"evse": {"id": 1}}
OFFLINE = {"offline": True}


@pytest.mark.parametrize(
    "told",
    [
        [("Started", 0, EVSE | OFFLINE), ("Ended", 1, OFFLINE)],
        [("Started", 0, EVSE | OFFLINE), ("Updated", 1, EVSE | OFFLINE), ("Ended", 2, EVSE | OFFLINE)],
        [("Updated", 3, EVSE | OFFLINE)],
        [("Updated", 3, EVSE)],
        [("Started", 0, EVSE), ("Ended", 1, {})],
        [("Ended", 1, EVSE | OFFLINE), ("Started", 0, EVSE | OFFLINE)],
        [("Started", 0, OFFLINE), ("Updated", 1, EVSE | OFFLINE)],
        [("Started", 0, EVSE | OFFLINE)],
    ],
    ids=lambda told: " ".join(f"{kind}{'*' if 'offline' in more else ''}" for kind, _, more in told),
)
def test_an_offline_queue_after_a_start_breaks_no_limit(told: list[Any]) -> None:
    """E04.FR.03, K01 (remark). With the flag offline (*) and without it, whole and in part."""
    site, first, second = two(Charger201)
    site.begin(first, 1)
    assert site.shares() == {"CP1/1": 32, "CP2/1": 0}
    for kind, seq_no, more in told:
        site.hear(first, event(site, kind, "old", seq_no, ago=40, **more))
    site.begin(second, 1)
    site.passes(31)
    assert site.shares() == {"CP1/1": 16, "CP2/1": 16}
    assert present(site) == "tx-1"
    old = site.transactions.named("CP1", "old")
    assert old.ended or old.superseded_by == site.transactions.named("CP1", "tx-1").id
    assert site.holds_limit()


@pytest.mark.parametrize("clock", [timedelta(), timedelta(hours=2), timedelta(days=-20000)])
@pytest.mark.parametrize("stopped", [True, False])
def test_a_late_start_and_stop_of_1_6_breaks_no_limit(clock: timedelta, stopped: bool) -> None:
    """1.6 §4.8, §4.10: it has no flag; its clock may be wrong."""
    site, first, second = two(Charger16)
    first.clock = clock
    site.begin(first, 1)
    at = site.now + clock - timedelta(minutes=40)
    [late] = site.hear(first, start(at))
    if stopped:
        site.hear(first, stop(late.number, at + timedelta(minutes=9)))
    site.begin(second, 1)
    assert site.holds_limit()
    site.speak(first, 1)
    site.passes(31)
    assert site.shares() == {"CP1/1": 16, "CP2/1": 16}
    assert present(site) == first.running[1].name


def test_a_late_start_of_an_unset_clock_breaks_no_limit() -> None:
    """It tells nothing of when it was; what runs goes on, as it says itself with its next meter values."""
    site, first, second = two(Charger16)
    site.begin(first, 1)
    [late] = site.hear(first, start(UNSET + timedelta(minutes=3)))
    site.begin(second, 1)
    assert site.holds_limit()
    site.speak(first, 1)
    site.passes(31)
    assert site.shares() == {"CP1/1": 16, "CP2/1": 16}
    site.hear(first, stop(late.number, UNSET + timedelta(minutes=9)))
    assert present(site) == first.running[1].name
    assert site.shares() == {"CP1/1": 16, "CP2/1": 16}


@pytest.mark.parametrize("seconds", [1, 40])
@pytest.mark.parametrize("kind", [Charger16, Charger201])
def test_an_unset_clock_that_began_anew_ends_nothing_that_charges(kind: type[Charger], seconds: float) -> None:
    """A start of one boot, told after another, has the time and the error of what began right after that boot."""
    first = kind(Member("CP1"), (1,), flags=False)
    site = world(32, first)
    site.cut(first, unset=True)
    site.leaves(first)
    site.passes(seconds)
    site.begin(first, 1)
    site.cut(first, unset=False)
    site.cut(first, unset=True)
    site.begin(first, 1)
    late, first.queue = first.queue, []
    site.deliver(first, late)
    site.speak(first, 1)
    charging = first.running[1].name
    assert present(site) == charging
    assert charging is not None
    assert site.transactions.named("CP1", charging).ended_by is None


@pytest.mark.parametrize("times", [1, 3])
def test_meter_values_do_not_move_a_transaction_of_1_6(times: int) -> None:
    """§6.45: its connector is that of its StartTransaction."""
    first = Charger16(Member("CP1"), (1, 2))
    second = Charger16(Member("CP2"), (1,))
    site = world(24, first, second)
    site.begin(first, 1)
    site.begin(first, 2)
    site.passes(31)
    assert site.shares() == {"CP1/1": 12, "CP1/2": 12, "CP2/1": 0}
    for _ in range(times):
        site.speak(first, 1, wrong_evse=2)
    site.begin(second, 1)
    assert site.holds_limit()
    site.passes(31)
    assert site.shares() == {"CP1/1": 8, "CP1/2": 8, "CP2/1": 8}
    names = {evse_id: present(site, evse_id) for evse_id in (1, 2)}
    assert names == {evse_id: first.running[evse_id].name for evse_id in (1, 2)}
    assert not site.smartcharging.over_committed


@pytest.mark.parametrize("kind", [Charger16, Charger201])
@pytest.mark.parametrize("both", [True, False])
def test_a_wrong_evse_forgets_no_limit(kind: type[Charger], both: bool) -> None:
    """What was granted to a session counts where it was granted, until it is known to have ended."""
    site, first, second = two(kind, 24, (1, 2))
    site.begin(first, 1)
    if both:
        site.begin(first, 2)
    site.passes(31)
    site.speak(first, 1, wrong_evse=2)
    site.begin(second, 1)
    assert site.holds_limit()
    site.speak(first, 1)
    site.passes(31)
    site.speak(first, 1)
    site.passes(31)
    assert site.holds_limit()
    assert len({one.ended_by for one in site.transactions.table.values()}) == 1


def test_an_evse_changes_only_by_what_is_newer_in_its_own_sequence() -> None:
    site, first, _ = two(Charger201, evse_ids=(1, 2))
    site.begin(first, 1)
    site.hear(first, event(site, "Updated", "tx-1", 5, evse={"id": 2}))
    assert site.transactions.named("CP1", "tx-1").evse_id == 2
    site.hear(first, event(site, "Updated", "tx-1", 4, evse={"id": 1}))
    assert site.transactions.named("CP1", "tx-1").evse_id == 2
    site.hear(first, event(site, "Updated", "tx-1", 6, evse={"id": 1}))
    assert site.transactions.named("CP1", "tx-1").evse_id == 1


@pytest.mark.parametrize("kind", [Charger16, Charger201])
def test_a_newer_start_ends_what_was_there(kind: type[Charger]) -> None:
    """E01.FR.14: a power cut, and the end was never told."""
    site, first, second = two(kind)
    site.begin(first, 1)
    site.begin(second, 1)
    old = first.running[1].name
    site.cut(first, unset=False)
    site.begin(first, 1)
    ended = site.transactions.named("CP1", old or "")
    newer = site.transactions.named("CP1", first.running[1].name or "")
    assert (ended.ended_by, ended.superseded_by) == (EndedBy.SUPERSEDED, newer.id)
    assert ended.stopped_at == newer.started_at
    assert present(site) == newer.transaction_id
    assert not ended.complete
    site.passes(31)
    assert site.shares() == {"CP1/1": 16, "CP2/1": 16}


def test_what_was_superseded_is_corrected_by_the_stations_own_late_word() -> None:
    site, first, _ = two(Charger201)
    site.begin(first, 1)
    site.cut(first, unset=False)
    site.begin(first, 1)
    site.hear(first, event(site, "Ended", "tx-1", 1, ago=9, offline=True, transactionInfo=LEFT))
    ended = site.transactions.named("CP1", "tx-1")
    assert (ended.ended_by, ended.stop_reason, ended.complete) == (EndedBy.STATION, "PowerLoss", True)
    assert ended.stopped_at == site.now - timedelta(minutes=9, seconds=1)
    assert present(site) == "tx-2"


LEFT = {"transactionId": "tx-1", "stoppedReason": "PowerLoss"}


def test_what_was_told_as_offline_is_there_once_it_speaks() -> None:
    """The end of what was there is lost; the next one started offline, and goes on."""
    site, first, _ = two(Charger201)
    site.begin(first, 1)
    site.leaves(first)
    site.end(first, 1, "lost")
    site.passes(600)
    site.begin(first, 1)
    site.comes(first)
    site.deliver(first, first.queue)
    waits = site.transactions.named("CP1", "tx-2")
    assert not site.transactions.named("CP1", "tx-1").ended
    assert waits.superseded_by
    site.speak(first, 1)
    assert site.transactions.named("CP1", "tx-1").ended_by == EndedBy.SUPERSEDED
    assert present(site) == "tx-2"
    assert site.shares()["CP1/1"] == 32


def test_what_waited_is_there_once_the_other_has_ended() -> None:
    """The queue of an offline charger comes in the wrong order."""
    site, first, _ = two(Charger201)
    site.begin(first, 1)
    site.leaves(first)
    site.end(first, 1)
    site.passes(600)
    site.begin(first, 1)
    site.comes(first)
    for message in reversed(first.queue):
        site.deliver(first, [message])
    assert present(site) == "tx-2"
    assert site.shares()["CP1/1"] == 32


def test_the_end_of_history_makes_nothing_else_present() -> None:
    site, first, _ = two(Charger201)
    site.begin(first, 1)
    for name, ago in (("old", 40), ("older", 80)):
        site.hear(first, event(site, "Started", name, 0, ago=ago, **EVSE, **OFFLINE))
    site.end(first, 1)
    site.hear(first, event(site, "Ended", "older", 1, ago=70, **OFFLINE))
    assert not site.transactions.named("CP1", "old").ended
    assert present(site) is None


@pytest.mark.parametrize("kind", [Charger16, Charger201])
def test_history_that_never_ends_ends_with_the_next_start(kind: type[Charger]) -> None:
    site, first, _ = two(kind)
    site.begin(first, 1)
    if kind is Charger16:
        site.hear(first, start(site.now - timedelta(minutes=40)))
    else:
        site.hear(first, event(site, "Started", "old", 0, ago=40, **EVSE, **OFFLINE))
    assert len([one for one in site.transactions.table.values() if not one.ended]) == 2
    site.passes(60)
    site.end(first, 1)
    assert present(site) is None
    assert site.smartcharging.state().sessions == {}
    site.begin(first, 1)
    assert [one.transaction_id for one in site.transactions.table.values() if not one.ended] == [present(site)]


def test_a_session_that_comes_to_its_evse_later_ends_what_was_there() -> None:
    """E02: it starts without an EVSE."""
    site, first, _ = two(Charger201)
    site.begin(first, 1)
    site.end(first, 1, "lost")
    site.passes(60)
    site.begin(first, 1, without_evse=True)
    assert site.transactions.named("CP1", "tx-1").ended_by == EndedBy.SUPERSEDED
    assert site.shares()["CP1/1"] == 32


def test_who_is_known_by_a_wrong_evse_alone_is_not_ended_by_a_start_there() -> None:
    """Its start was lost, and what was heard first named another EVSE."""
    site, first, second = two(Charger201, evse_ids=(1, 2))
    site.begin(first, 1, "lost")
    site.speak(first, 1, wrong_evse=2)
    site.begin(first, 2)
    assert not site.transactions.named("CP1", "tx-1").ended
    assert present(site, 2) == "tx-2"
    site.speak(first, 1)
    site.begin(second, 1)
    assert (present(site), present(site, 2)) == ("tx-1", "tx-2")
    assert site.holds_limit()
