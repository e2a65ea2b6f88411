"""How long a start may take."""

import os
import subprocess
import sys

import pytest

from voltbus.local.patience import Patience, busy, work_of


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_without_progress_it_runs_out(clock: Clock) -> None:
    waiting = Patience(60, clock)
    waiting.observe("waits for kafka", 0)
    clock.now += 60
    waiting.observe("waits for kafka", 0.9)
    assert not waiting.exhausted
    clock.now += 1
    assert waiting.exhausted
    assert waiting.waited == 61


def test_work_is_progress(clock: Clock) -> None:
    waiting = Patience(60, clock)
    for step in range(9):
        waiting.observe("does not answer yet", 1.0 * step)
        assert not waiting.exhausted
        clock.now += 60


def test_little_work_adds_up(clock: Clock) -> None:
    """As of a process that gets a fiftieth of a processor."""
    waiting = Patience(60, clock)
    for second in range(300):
        waiting.observe("does not answer yet", second / 50)
        assert not waiting.exhausted
        clock.now += 1


def test_a_new_state_is_progress_and_an_old_one_is_not(clock: Clock) -> None:
    waiting = Patience(60, clock)
    for state in ("does not answer yet", "waits for kafka", "waits for stations"):
        waiting.observe(state, 0)
        clock.now += 60
    assert not waiting.exhausted
    waiting.observe("waits for kafka", 0)
    clock.now += 1
    assert waiting.exhausted


def test_a_new_process_begins_anew_and_is_no_progress_by_itself(clock: Clock) -> None:
    waiting = Patience(60, clock)
    waiting.observe("", 100)
    clock.now += 50
    waiting.observe("", 0)
    clock.now += 11
    assert waiting.exhausted
    waiting.observe("", 1)
    assert not waiting.exhausted


def test_in_the_end_it_runs_out_whatever_is_done(clock: Clock) -> None:
    waiting = Patience(60, clock)
    for second in range(0, 601, 20):
        assert not waiting.exhausted
        waiting.observe("", second)
        clock.now += 20
    assert waiting.exhausted


def test_work_is_that_of_the_children_too() -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}]); print(); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert work_of(process.pid) >= 0.3
        process.kill()
    assert work_of(process.pid) == 0


def test_a_busy_machine_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(os, "getloadavg", lambda: (21.7, 3, 1))
    assert busy() == " (this machine is busy: a load of 22 on 2 processors)"
    monkeypatch.setattr(os, "getloadavg", lambda: (3.9, 30, 10))
    assert busy() == ""
