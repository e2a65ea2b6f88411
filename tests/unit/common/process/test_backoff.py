"""Longer and longer waits, not the same for everybody; and a reason is said once."""

from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from services.common.process.backoff import Backoff, retry_until_available
from services.common.process.errors import Unavailable


def test_it_doubles_up_to_the_longest() -> None:
    waits = [*islice(Backoff(0.1, 3.0, jitter=0), 8)]
    assert waits == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.0, 3.0, 3.0])


@given(st.floats(0.01, 1), st.floats(1, 10), st.floats(0, 1))
def test_chance_only_shortens_a_wait(first: float, longest: float, jitter: float) -> None:
    usual, waits = (islice(Backoff(first, longest, share), 12) for share in (0, jitter))
    assert all(full * (1 - jitter) <= wait <= full for full, wait in zip(usual, waits, strict=True))


def test_two_processes_do_not_come_back_together() -> None:
    one, other = ([*islice(Backoff(), 20)] for _ in range(2))
    assert one != other
    assert all(wait > 0 for wait in one)
    assert any(later < earlier * 2 for earlier, later in pairwise(one))


async def test_a_reason_is_logged_when_it_is_new() -> None:
    reasons = iter(["a password", "a password", "a password", "a broker", "a password"])

    async def work() -> str:
        if (reason := next(reasons, None)) is not None:
            raise Unavailable(reason)
        return "there"

    with capture_logs() as logs:
        assert await retry_until_available(work, Backoff(0.001, 0.001)) == "there"
    assert [line["reason"] for line in logs] == ["a password", "a broker", "a password"]
