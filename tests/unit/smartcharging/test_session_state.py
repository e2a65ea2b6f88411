"""The state that a session is shown in, and why."""

from dataclasses import replace

import pytest

from services.smartcharging.domain.session_state import SessionState, session_state
from services.smartcharging.domain.share import share
from services.smartcharging.domain.site import Limit, Member, Site
from tests.unit.smartcharging.site_world import SiteWorld

A, B = ("A", 1), ("B", 1)


def state_of(world: SiteWorld, key: tuple[str, int]) -> tuple[SessionState, str]:
    [evse] = [evse for evse in world.state.evses if evse.key == key]
    return session_state(evse, share(world.state, world.now), world.now)


def two(limit: float) -> SiteWorld:
    """A session that charges, and one that has just begun and asked the other for its share."""
    world = SiteWorld(Site("site", Limit(limit), (Member("A"), Member("B")), default=0), {"A": (1,), "B": (1,)})
    world.start(A)
    world.answer_all()
    assert state_of(world, A) == (SessionState.CHARGING, "")
    world.start(B)
    return world


def test_less_is_awaited_before_more_is_sent() -> None:
    world = two(32)
    assert state_of(world, A) == (SessionState.CHANGING, "the station has yet to answer")
    assert state_of(world, B) == (SessionState.WAITING, "others have to confirm less first")
    world.answers("A", "accept")
    assert state_of(world, B) == (SessionState.CHANGING, "the station has yet to answer")
    world.answer_all()
    assert state_of(world, B) == (SessionState.CHARGING, "")


def test_a_session_without_its_minimum_is_paused() -> None:
    world = two(10)
    world.answer_all()
    assert state_of(world, B) == (SessionState.PAUSED, "the minimum does not fit")


@pytest.mark.parametrize(
    ("answer", "reason"), [("refuse", "the station refused the limit"), ("lose", "the station did not answer")]
)
def test_what_is_set_aside_for_a_station_that_does_not_obey(answer: str, reason: str) -> None:
    world = two(32)
    world.answers("A", answer)
    assert state_of(world, A) == (SessionState.SET_ASIDE, reason)


def test_what_is_set_aside_for_a_station_that_is_away() -> None:
    world = two(32)
    world.leaves("A")
    assert state_of(world, A) == (SessionState.SET_ASIDE, "the station is not connected")


def test_nothing_is_confirmed_yet_on_a_new_connection() -> None:
    world = two(32)
    world.answer_all()
    active = world.state.sessions[A]
    known = replace(active, applied=replace(active.applied, epoch=None))
    world.state = replace(world.state, sessions={**world.state.sessions, A: known})
    assert state_of(world, A) == (SessionState.CHANGING, "nothing is confirmed yet")
