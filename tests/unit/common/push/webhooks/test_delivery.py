"""What becomes of a delivery and of a webhook after a try."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.push.webhooks.delivery import (
    LONGEST_PAUSE,
    Attempt,
    Delivery,
    DeliveryStatus,
    Health,
    Outcome,
    Policy,
    after,
    backoff,
    health,
    probes,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = Policy()
DELIVERY = Delivery(1, "e1", "CP1", b"{}", NOW)
AWAY, NO, YES, GONE = Attempt(None, "away"), Attempt(422, "no"), Attempt(204), Attempt(410, "gone")


def made_of(*attempts: Attempt) -> list[tuple[Delivery, Attempt]]:
    return [(DELIVERY, attempt) for attempt in attempts]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.DELIVERED),
        (202, Outcome.DELIVERED),
        (302, Outcome.FAILED),
        (400, Outcome.REFUSED),
        # Set right by whoever runs the receiver: it may take it then.
        (401, Outcome.FAILED),
        (404, Outcome.FAILED),
        (410, Outcome.GONE),
        (422, Outcome.REFUSED),
        (429, Outcome.FAILED),
        (500, Outcome.FAILED),
        (None, Outcome.FAILED),
    ],
)
def test_what_an_answer_means(status: int | None, outcome: Outcome) -> None:
    assert Attempt(status).outcome == outcome


def test_what_failed_is_tried_again_later_and_later() -> None:
    one, waits = DELIVERY, []
    for _ in range(10):
        one = after(one, AWAY, NOW, POLICY, 1)
        assert one.next_at is not None
        waits.append((one.next_at - NOW).total_seconds())
    assert waits == [5, 10, 20, 40, 80, 160, 320, 600, 600, 600]
    assert (one.status, one.attempts, one.error) == (DeliveryStatus.RETRYING, 10, "away")


def test_it_is_dead_when_its_time_is_over_and_not_before() -> None:
    for late, status in (
        (timedelta(hours=23, minutes=59), DeliveryStatus.RETRYING),
        (timedelta(hours=24), DeliveryStatus.DEAD),
    ):
        assert after(DELIVERY, AWAY, NOW + late, POLICY, 0).status == status


def test_what_is_refused_is_dead_sooner() -> None:
    """So that the events of its station do not wait a day for one that nobody will have."""
    one = DELIVERY
    for _ in range(4):
        one = after(one, NO, NOW, POLICY, 0)
        assert one.status == DeliveryStatus.RETRYING
    assert after(one, NO, NOW, POLICY, 0).status == DeliveryStatus.DEAD


def test_who_is_gone_is_not_asked_again_and_the_event_waits() -> None:
    gone = after(DELIVERY, GONE, NOW, POLICY, 0)
    assert (gone.status, gone.next_at, gone.attempts) == (DeliveryStatus.PENDING, None, 1)


def test_a_pause_that_is_asked_for_is_made_within_bounds() -> None:
    for asked, made in ((120.0, 120), (1e9, LONGEST_PAUSE)):
        tried = Attempt(429, "slow down", asked)
        assert after(DELIVERY, tried, NOW, POLICY, 0).next_at == NOW + timedelta(seconds=made)
        # Even if others were taken meanwhile.
        assert health(Health(), made_of(YES, tried), NOW, POLICY, 0) == Health(0, NOW + timedelta(seconds=made))


def test_while_nobody_answers_a_webhook_waits_longer_and_longer() -> None:
    found = Health()
    for failures, wait in ((1, 5), (2, 10), (3, 20)):
        found = health(found, made_of(AWAY, AWAY), NOW, POLICY, 1)
        assert found == Health(failures, NOW + timedelta(seconds=wait))


@pytest.mark.parametrize("attempts", [[YES], [NO], [AWAY, YES], [AWAY, NO], [Attempt(404), AWAY]])
def test_who_answers_anything_is_there(attempts: list[Attempt]) -> None:
    assert health(Health(7, NOW), made_of(*attempts), NOW, POLICY, 0) == Health()


def test_what_fails_again_says_nothing_of_who_is_there_for_others() -> None:
    again = replace(DELIVERY, attempts=3)
    assert health(Health(), [(again, AWAY)], NOW, POLICY, 0) == Health()
    assert health(Health(), [(again, AWAY), (DELIVERY, AWAY)], NOW, POLICY, 0).failures == 1
    assert health(Health(1, NOW), [(again, AWAY)], NOW, POLICY, 0).failures == 2


def test_whether_who_was_away_is_there_again_is_tried_with_several_stations() -> None:
    """Those that were tried seldom first: one may be all that fails."""
    waiting = [
        replace(DELIVERY, number=number, subject=subject, attempts=attempts)
        for number, (subject, attempts) in enumerate([("A", 9), ("A", 0), ("B", 1), ("C", 0), ("D", 0), ("B", 0)])
    ]
    assert [(one.subject, one.number) for one in probes(waiting, 3)] == [("C", 3), ("D", 4), ("B", 2)]


def test_without_a_try_nothing_changes() -> None:
    assert health(Health(7, NOW), [], NOW, POLICY, 0) == Health(7, NOW)


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_the_next_try_is_never_at_once_and_never_far(tries: int, chance: float) -> None:
    assert POLICY.first / 2 <= backoff(tries, POLICY, chance) <= POLICY.longest


@given(
    st.lists(st.sampled_from([AWAY, NO, Attempt(500, "x"), Attempt(429, "x", 7)]), min_size=1, max_size=60),
    st.floats(0, 1),
)
def test_it_always_ends(attempts: list[Attempt], chance: float) -> None:
    """Tried when it is its time, a delivery is dead within a day and the longest wait, whatever is answered."""
    one, now = DELIVERY, NOW
    while one.status != DeliveryStatus.DEAD:
        for attempt in attempts:
            one = after(one, attempt, now, POLICY, chance)
            if one.next_at is None:
                break
            assert one.next_at > now
            now = one.next_at
    assert now - NOW <= POLICY.give_up + timedelta(seconds=POLICY.longest)
