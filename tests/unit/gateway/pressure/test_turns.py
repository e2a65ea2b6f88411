"""Turns: one worker's mistake is its own."""

from services.gateway.pressure.turns import Turns


class Counting:
    """A worker that counts its turns."""

    def __init__(self) -> None:
        self.turns = 0

    def work(self, share: int) -> int:
        self.turns += 1
        return share

    def broken(self) -> None:
        raise AssertionError("it is not")


class Failing:
    """One in whose work there is a mistake."""

    def __init__(self) -> None:
        self.told = False

    def work(self, _: int) -> int:
        raise ValueError("a mistake")

    def broken(self) -> None:
        self.told = True


async def test_a_mistake_with_one_takes_nobody_elses_turn() -> None:
    turns, worker, failing = Turns(), Counting(), Failing()
    for each in (worker, failing, worker):
        turns.add(each)
    await turns.idle()
    assert (worker.turns, failing.told) == (2, True)
    turns.add(worker)
    await turns.idle()
    assert worker.turns == 3
