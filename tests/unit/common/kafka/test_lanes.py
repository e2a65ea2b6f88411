"""What waits for a lane: no partition is in two hands, nothing is lost, order is kept."""

from hypothesis import given
from hypothesis import strategies as st

from services.common.kafka.bus import Record
from services.common.kafka.lanes import APART, PartitionQueues


def record(number: int, offset: int, topic: str = "in") -> Record:
    return Record(topic, b"CP", b"", partition=number, offset=offset)


def test_few_records_stay_together_and_wait_for_what_is_in_hand() -> None:
    piles = PartitionQueues(2)
    piles.add([record(number, 0) for number in range(4)])
    (batch,) = piles.take()
    assert (len(batch), piles.waiting) == (4, 0)
    piles.add([record(number, 0) for number in range(4, 8)])
    assert piles.take() == []
    piles.give_back(batch)
    assert [len(batch) for batch in piles.take()] == [4]


def test_many_are_shared_by_the_lanes_that_are_free() -> None:
    piles = PartitionQueues(2)
    piles.add([record(number, offset) for number in range(4) for offset in range(APART)])
    first, second = piles.take()
    assert ({one.partition for one in first}, {one.partition for one in second}) == ({0, 2}, {1, 3})


def test_a_partition_waits_for_the_lane_that_has_it_whatever_its_topic() -> None:
    piles = PartitionQueues(2)
    piles.add([record(0, 0)])
    (batch,) = piles.take()
    piles.add([record(0, 1, "more"), *(record(1, offset) for offset in range(APART))])
    (other,) = piles.take()
    assert {one.partition for one in other} == {1}
    assert piles.waiting == 1
    piles.give_back(batch)
    piles.give_back(other)
    assert piles.take() == [[record(0, 1, "more")]]


@given(
    st.lists(st.one_of(st.integers(0, 5).map(lambda n: ("add", n)), st.integers(0, 3).map(lambda n: ("done", n)))),
    st.integers(1, 4),
    st.integers(1, 90),
)
def test_whatever_comes_each_is_taken_once_in_order_and_by_one_lane_at_a_time(
    steps: list[tuple[str, int]], lanes: int, at_once: int
) -> None:
    piles, told, taken = PartitionQueues(lanes), [0] * 6, [0] * 6
    held: list[list[Record]] = []

    def look() -> None:
        for batch in piles.take():
            held.append(batch)
            for one in batch:
                number = one.partition or 0
                assert one.offset == taken[number]
                taken[number] += 1
        hands = [{one.partition for one in batch} for batch in held]
        assert len(hands) <= lanes
        assert sum(map(len, hands)) == len(set().union(*hands))

    for step, number in steps:
        if step == "add":
            piles.add([record(number, told[number] + more) for more in range(at_once)])
            told[number] += at_once
        elif held:
            piles.give_back(held.pop(number % len(held)))
        look()
    while held:
        piles.give_back(held.pop())
        look()
    assert taken == told
    assert piles.waiting == piles.busy == 0
