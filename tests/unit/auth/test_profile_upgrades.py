"""Stations that go to a higher security profile, one step at a time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.dialects import BY_VERSION
from services.auth.domain import profile_upgrades as domain
from services.auth.domain.profile_upgrades import Step, UpgradeAnswer, UpgradeRequest
from services.auth.domain.rollouts import RolloutStation, Stage

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WANTED = {"url": "wss://csms:9443/ocpp", "interface": "Wired0", "timeout": 30}
SLOTS = (1, 2, 3)
YES, NO = UpgradeAnswer(True, reason="Accepted"), UpgradeAnswer(False, reason="Rejected")
LOST, AWAY = UpgradeAnswer(False, lost=True), UpgradeAnswer(False, away=True)
STEPS = {version: BY_VERSION[version].upgrade_steps for version in ("1.6", "2.0.1", "2.1")}


def begun(version: str = "2.0.1") -> RolloutStation:
    return RolloutStation(
        station_id="CP1",
        state=Stage.SENT,
        step=STEPS[version][0],
        due_at=NOW,
        connection_id="g-1",
        changed_at=NOW,
        looked_at=NOW,
    )


def after(*answers: UpgradeAnswer, version: str = "2.0.1") -> RolloutStation:
    station = begun(version)
    for one in answers:
        station = domain.answered(station, one, STEPS[version], SLOTS, NOW)
    return station


def look(
    station: RolloutStation,
    connection: str | None = "g-1",
    minutes: float = 0,
    current: int = 1,
    version: str = "2.0.1",
) -> RolloutStation:
    return domain.looked(
        station,
        profile=2,
        current=current,
        connection_id=connection,
        steps=STEPS[version],
        patience=HOUR,
        now=NOW + timedelta(minutes=minutes),
    )


def asked(station: RolloutStation) -> UpgradeRequest:
    request = domain.request(station, 2, WANTED)
    assert request
    return request


READ = UpgradeAnswer(True, value="1,3")


def test_a_station_of_2_x_goes_there_by_a_free_slot() -> None:
    """A05, B09, B10: the new one is first, what it had stays behind it; then it boots, and is seen."""
    assert asked(begun()).step is Step.READ
    store = asked(after(READ))
    assert (store.step, store.slot, store.profile, store.url) == (Step.STORE, 2, 2, "wss://csms:9443/ocpp")
    prioritize = asked(after(READ, YES))
    assert (prioritize.step, prioritize.priority) == (Step.PRIORITIZE, "2,1,3")
    assert asked(after(READ, YES, YES)).step is Step.RESET
    awaiting = after(READ, YES, YES, YES)
    assert (awaiting.step, domain.request(awaiting, 2, WANTED)) == (Step.AWAIT, None)
    assert look(awaiting) == awaiting
    assert look(awaiting, "g-2", current=2).state is Stage.SEEN


@pytest.mark.parametrize(("reboot", "step"), [(False, Step.AWAIT), (True, Step.RESET)])
def test_a_station_of_1_6_goes_there_by_itself(reboot: bool, step: Step) -> None:
    """Security whitepaper A05."""
    assert asked(begun("1.6")).step is Step.SWITCH
    assert after(replace(YES, reboot=reboot), version="1.6").step is step


@pytest.mark.parametrize("version", STEPS)
def test_a_station_that_comes_back_with_what_it_had_has_rolled_back(version: str) -> None:
    answers = [replace(YES, reboot=True), YES] if version == "1.6" else [READ, YES, YES, YES]
    came = look(after(*answers, version=version), "g-2", 5, version=version)
    assert came.state is Stage.SENT, "a gateway may be about to say with which profile"
    assert look(came, "g-2", 5.5, version=version) == came
    back = look(came, "g-2", 7, version=version)
    if version != "1.6":
        assert (asked(back).step, asked(back).priority) == (Step.RESTORE, "1,3,2")
        back = domain.answered(back, YES, STEPS[version], SLOTS, NOW)
    assert (back.state, back.reason) == (Stage.ROLLED_BACK, "it came back with its old security profile")
    assert look(back, "g-3", 60, current=2, version=version).state is Stage.SEEN, "it came with it later"


def test_one_that_does_not_come_back_has_failed_and_says_so() -> None:
    late = look(after(READ, YES, YES, YES), None, 61)
    assert (late.step, late.reason) == (Step.RESTORE, "it has not come with security profile 2 in time")
    assert domain.answered(late, YES, STEPS["2.0.1"], SLOTS, NOW).state is Stage.FAILED


@pytest.mark.parametrize(
    ("answers", "step", "reason"),
    [
        ([NO], None, "read: Rejected"),
        ([replace(READ, value="1,2,3")], None, domain.NO_SLOT),
        ([replace(READ, value="first")], None, domain.UNREADABLE),
        ([READ, NO], None, "store: Rejected"),
        ([READ, YES, NO], Step.RESTORE, "prioritize: Rejected"),
        ([READ, YES, LOST], Step.RESTORE, "prioritize: no answer"),
        ([READ, YES, YES, NO], Step.RESTORE, "reset: Rejected"),
        ([READ, YES, YES, LOST], Step.AWAIT, None),
        ([READ, AWAY], Step.STORE, "it is away"),
    ],
)
def test_what_fails_is_shown(answers: Sequence[UpgradeAnswer], step: Step | None, reason: str | None) -> None:
    station = after(*answers)
    assert (station.step, station.reason) == (step, reason)
    assert (station.state is Stage.FAILED) == (step is None)


def test_what_it_lacks_is_said_before_anything_is_sent() -> None:
    full = {"profile": 2, "steps": STEPS["2.0.1"], "password": True, "certificate": True, "url": "wss://a"}
    assert domain.fault(**full) is None  # type: ignore[arg-type]
    for lacks, word in (({"password": False}, "password"), ({"profile": 3, "certificate": False}, "certificate")):
        assert word in (domain.fault(**full | lacks) or "")  # type: ignore[arg-type]
    assert "url" in (domain.fault(**full | {"url": None}) or "")  # type: ignore[arg-type]
    assert domain.fault(**full | {"url": None, "steps": STEPS["1.6"]}) is None  # type: ignore[arg-type]


ANSWERS = st.sampled_from([YES, NO, LOST, AWAY, READ, replace(YES, reboot=True)])
LOOKS = st.tuples(st.sampled_from([None, "g-1", "g-2", "g-3"]), st.integers(0, 90), st.booleans())


@given(st.lists(st.one_of(ANSWERS, LOOKS), max_size=25))
def test_a_station_is_never_left_with_only_a_way_that_leads_nowhere(
    told: Sequence[UpgradeAnswer | tuple[str | None, int, bool]],
) -> None:
    """Whatever is lost, late or told twice: what it is given has all that it had, and the new one from then on."""
    station, given_, seen, minutes = begun(), [1, 3], False, 0
    for one in told:
        request = domain.request(station, 2, WANTED) if station.state is Stage.SENT else None
        if request and request.step in (Step.PRIORITIZE, Step.RESTORE):
            order = domain.priority_of(request.priority)
            assert sorted(order) == [1, 2, 3]
            given_ = order
        if request and request.step is Step.STORE:
            assert request.slot not in given_, "what it uses is never written over"
        if isinstance(one, UpgradeAnswer):
            if station.state is Stage.SENT and station.step != Step.AWAIT:
                station = domain.answered(station, one, STEPS["2.0.1"], SLOTS, NOW + timedelta(minutes=minutes))
        else:
            connection, passed, with_new = one
            minutes += passed
            seen = seen or (with_new and given_ != [1, 3])
            station = look(station, connection, minutes, 2 if seen else 1)
        assert not seen or 2 in given_
        assert {1, 3} <= set(given_)
        assert station.state in (Stage.SENT, Stage.SEEN, Stage.FAILED, Stage.ROLLED_BACK)
        assert (station.step is None) == (station.state is not Stage.SENT)
