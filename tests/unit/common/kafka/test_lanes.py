"""What waits for a lane: no partition is in two hands, nothing is lost, order is kept."""

from hypothesis import given
from hypothesis import strategies as st

from services.common.kafka.bus import Record
from services.common.kafka.lanes import MIN_SPLIT, PartitionQueues


def record(number: int, offset: int, topic: str = "in") -> Record:
    return Record(topic, b"CP", b"", partition=number, offset=offset)


def test_few_records_stay_together_and_wait_for_what_is_in_hand() -> None:
    queues = PartitionQueues(2)
    queues.add([record(number, 0) for number in range(4)])
    (batch,) = queues.take()
    assert (len(batch), queues.waiting) == (4, 0)
    queues.add([record(number, 0) for number in range(4, 8)])
    assert queues.take() == []
    queues.release(batch)
    assert [len(batch) for batch in queues.take()] == [4]


def test_many_are_shared_by_the_lanes_that_are_free() -> None:
    queues = PartitionQueues(2)
    queues.add([record(number, offset) for number in range(4) for offset in range(MIN_SPLIT)])
    first, second = queues.take()
    assert ({one.partition for one in first}, {one.partition for one in second}) == ({0, 2}, {1, 3})


def test_a_partition_waits_for_the_lane_that_has_it_whatever_its_topic() -> None:
    queues = PartitionQueues(2)
    queues.add([record(0, 0)])
    (batch,) = queues.take()
    queues.add([record(0, 1, "more"), *(record(1, offset) for offset in range(MIN_SPLIT))])
    (other,) = queues.take()
    assert {one.partition for one in other} == {1}
    assert queues.waiting == 1
    queues.release(batch)
    queues.release(other)
    assert queues.take() == [[record(0, 1, "more")]]


@given(
    st.lists(st.one_of(st.integers(0, 5).map(lambda n: ("add", n)), st.integers(0, 3).map(lambda n: ("done", n)))),
    st.integers(1, 4),
    st.integers(1, 90),
)
def test_whatever_comes_each_is_taken_once_in_order_and_by_one_lane_at_a_time(
    steps: list[tuple[str, int]], lanes: int, at_once: int
) -> None:
    queues, told, taken = PartitionQueues(lanes), [0] * 6, [0] * 6
    held: list[list[Record]] = []

    def look() -> None:
        for batch in queues.take():
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
            queues.add([record(number, told[number] + more) for more in range(at_once)])
            told[number] += at_once
        elif held:
            queues.release(held.pop(number % len(held)))
        look()
    while held:
        queues.release(held.pop())
        look()
    assert taken == told
    assert queues.waiting == queues._busy == 0
