"""Whose CPU it was, from samples that are made up."""

import os
import subprocess
import sys

from voltbus.lab.bench.usage import Look, Running, Usage, between, grouped, look

ROOTS = {10: "postgres", 20: "gateway", 1: "load"}


def test_a_process_counts_for_its_nearest_root() -> None:
    processes = [
        Running(1, 0, 1.0, 100),
        Running(10, 1, 2.0, 200),
        Running(11, 10, 4.0, 300),
        Running(12, 11, 8.0, 400),
        Running(20, 1, 16.0, 500),
        Running(21, 1, 32.0, 600),
        Running(30, 0, 64.0, 700),
    ]
    assert grouped(processes, ROOTS) == {
        "load": Usage(33.0, 700),
        "postgres": Usage(14.0, 900),
        "gateway": Usage(16.0, 500),
    }


def test_two_roots_of_one_name_are_one_group() -> None:
    processes = [Running(2, 0, 1.0), Running(3, 0, 2.0)]
    assert grouped(processes, {2: "load", 3: "load"}) == {"load": Usage(3.0)}


def test_a_root_that_is_not_there_has_used_nothing() -> None:
    assert grouped([], {5: "redis"}) == {"redis": Usage()}


def test_between_two_looks_a_child_that_has_ended_still_counts() -> None:
    # A backend of Postgres used 3 s, 2 of them since the first look, and ended: its parent has seen it end.
    first = grouped([Running(10, 0, 1.0), Running(11, 10, 1.0)], {10: "postgres"})
    last = grouped([Running(10, 0, 1.5 + 3.0, 50)], {10: "postgres"})
    spent = between(Look(100.0, first, 7.0), Look(104.0, last, 12.0))
    assert spent.seconds == 4.0
    assert spent.cpu == {"postgres": 2.5}
    assert spent.memory == {"postgres": 50}
    assert spent.others == 2.5


def test_other_programs_have_never_used_less_than_nothing() -> None:
    groups = {"gateway": Usage(3.0)}
    assert between(Look(0, {"gateway": Usage()}, 5.0), Look(1, groups, 7.9)).others == 0


def test_looks_at_real_processes() -> None:
    burn = "import time; t = time.process_time()\nwhile time.process_time() < t + 0.2: pass"
    before = look({os.getpid(): "us"})
    # The shell waits for its child, and we for the shell: what both have used is ours then.
    subprocess.run(["sh", "-c", f"{sys.executable} -c '{burn}'; true"], check=True)
    after = look({os.getpid(): "us"})
    spent = between(before, after)
    assert spent.cpu["us"] >= 0.2
    assert spent.memory["us"] > 1_000_000
    assert spent.others >= 0
