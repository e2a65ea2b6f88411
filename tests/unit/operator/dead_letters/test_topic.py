"""What a topic of dead letters says, in whatever order several operators write to it."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.common.kafka.bus import Record
from tests.unit.operator.dead_letters.letters import DEAD, NOW, dead
from voltbus.operator.dead_letters.dead_letter import DeadLetter
from voltbus.operator.dead_letters.topic import CLAIM, SENT, DeadLetterTopic, State, replay_record


def topic(*records: Record) -> DeadLetterTopic:
    made = DeadLetterTopic("transactions", lambda _: True)
    for offset, record in enumerate(records):
        made.add(replace(record, partition=0, offset=offset))
    return made


LETTER: DeadLetter = topic(dead()).letters[0, 0]


def step(what: bytes, number: int, run: str) -> Record:
    return replay_record(DEAD, LETTER, what, number, run, NOW)


def test_a_letter_is_open_then_claimed_then_sent() -> None:
    steps = [dead(), step(CLAIM, 1, "a"), step(SENT, 1, "a")]
    states = [topic(*steps[:count]).state(LETTER) for count in (1, 2, 3)]
    assert states == [State.OPEN, State.REPLAYING, State.REPLAYED]
    assert topic(*steps).sent_at(LETTER) == NOW.isoformat()


def test_the_first_of_two_claims_holds() -> None:
    made = topic(dead(), step(CLAIM, 1, "a"), step(CLAIM, 1, "b"), step(SENT, 1, "b"))
    assert made.holder(LETTER, 1) == "a"
    assert made.state(LETTER) is State.REPLAYING
    assert made.next(LETTER) == 2


def test_again_is_a_claim_of_the_next_number() -> None:
    made = topic(dead(), step(CLAIM, 1, "a"), step(SENT, 1, "a"), step(CLAIM, 2, "b"))
    assert (made.holder(LETTER, 2), made.state(LETTER)) == ("b", State.REPLAYING)


def test_what_is_not_chosen_is_not_kept() -> None:
    made = DeadLetterTopic("transactions", lambda letter: letter.station == "CP2")
    made.add(replace(dead(), partition=0, offset=0))
    made.add(replace(dead(key=b"CP2"), partition=0, offset=1))
    assert list(made.letters) == [(0, 1)]


def test_a_note_that_cannot_be_read_is_nobodys() -> None:
    broken = replace(step(CLAIM, 1, "a"), headers=(("dead-replay", CLAIM), ("dead-replay-offset", b"x")))
    assert topic(dead(), broken).state(LETTER) is State.OPEN


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=40))
def test_whoever_reads_to_the_end_of_a_claim_sees_the_same_holder(moves: list[tuple[int, bool]]) -> None:
    """Operators that claim what they have read to be free, as late as they like: one holder for each number."""
    log = [dead()]
    seen = dict.fromkeys(range(4), 1)
    sent: list[tuple[int, int]] = []
    for operator, reads in moves:
        if reads:
            seen[operator] = len(log)
            continue
        number = topic(*log[: seen[operator]]).next(LETTER)
        log.append(step(CLAIM, number, str(operator)))
        now = topic(*log)
        if now.holder(LETTER, number) == str(operator) and (operator, number) not in sent:
            sent.append((operator, number))
        seen[operator] = len(log)
    numbers = [number for _, number in sent]
    assert numbers == list(range(1, len(numbers) + 1))
