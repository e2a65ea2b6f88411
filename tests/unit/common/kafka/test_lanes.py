"""What waits for a lane: no partition is in two hands, nothing is lost, order is kept."""

from hypothesis import given
from hypothesis import strategies as st

from services.common.kafka.bus import Record
from services.common.kafka.lanes import MAX_BATCH, MIN_SPLIT, PartitionQueues, size_of


def record(number: int, offset: int, topic: str = "in", size: int = 0) -> Record:
    return Record(topic, b"CP", b"x" * size, partition=number, offset=offset)


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


def test_a_batch_of_large_records_is_bounded_and_no_partition_waits_for_all_of_another() -> None:
    queues = PartitionQueues(1)
    large = MAX_BATCH // 4
    queues.add([record(number, offset, size=large) for number in (0, 1) for offset in range(10)])
    queues.add([record(2, 0, size=3 * MAX_BATCH)])
    taken = []
    while batch := [one for found in queues.take() for one in found]:
        assert len(batch) == 1 or size_of(batch) <= MAX_BATCH
        taken.append([(one.partition, one.offset) for one in batch])
        queues.release(batch)
    assert taken[:3] == [[(0, n) for n in range(4)], [(1, n) for n in range(4)], [(2, 0)]]
    assert sorted(one for batch in taken for one in batch) == [
        *((0, n) for n in range(10)),
        *((1, n) for n in range(10)),
        (2, 0),
    ]


@given(
    st.lists(st.one_of(st.integers(0, 5).map(lambda n: ("add", n)), st.integers(0, 3).map(lambda n: ("done", n)))),
    st.integers(1, 4),
    st.integers(1, 90),
    st.sampled_from([0, MAX_BATCH // 50]),
)
def test_whatever_comes_each_is_taken_once_in_order_and_by_one_lane_at_a_time(
    steps: list[tuple[str, int]], lanes: int, at_once: int, size: int
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
            queues.add([record(number, told[number] + more, size=size) for more in range(at_once)])
            told[number] += at_once
        elif held:
            queues.release(held.pop(number % len(held)))
        look()
    while held:
        queues.release(held.pop())
        look()
    assert taken == told
    assert queues.waiting == queues._busy == 0
