"""A schema that was restored is noticed by the marks beside the offsets, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.postgres.commit_marks import is_behind


@pytest.mark.parametrize(
    ("last", "notes", "behind"),
    [
        (5, ["mark 6"], True),
        (5, ["mark 4", "mark 10", "mark 5"], True),
        # As ever; or it ended between the count and the commit.
        (5, ["mark 5"], False),
        (6, ["mark 5"], False),
        # Kafka is new, or the group, or the partitions; or nobody has read for longer than Kafka keeps offsets.
        (5, [], False),
        # Offsets of a release before, or that Kafka's own tools have set.
        (0, ["", "", "reset by hand", "mark", "mark x", "mark ²"], False),
        # An empty Postgres beside a Kafka that was read.
        (0, ["", "mark 1"], True),
    ],
)
def test_of_whom_it_is_said(last: int, notes: list[str], behind: bool) -> None:
    assert is_behind(last, notes) is behind


@given(st.lists(st.sampled_from(["commit", "count", "forget", "repartition"])), st.data())
def test_it_is_said_of_each_state_before_the_last_commit_alone(steps: list[str], data: st.DataObject) -> None:
    """count: a crash before Kafka has it. forget: Kafka is new. states: what backups there are."""
    mark, notes, states = 0, [""], [0]
    for step in steps:
        if step in ("commit", "count"):
            mark += 1
        if step == "commit":
            notes[data.draw(st.integers(0, len(notes) - 1))] = f"mark {mark}"
        elif step == "forget":
            notes = [""]
        elif step == "repartition":
            notes.append("")
        states.append(mark)
        assert not is_behind(mark, notes)
    newest = max((int(note[5:]) for note in notes if note), default=0)
    assert all(is_behind(state, notes) is (state < newest) for state in states)
