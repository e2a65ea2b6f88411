"""The meter values of transactions whose energy hangs on all of them: stored ones, and those of the batch at hand."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from services.transactions.batch import DecidedReport, unconfirmed_samples
from services.transactions.domain.decide import Decision
from services.transactions.domain.metering import PastValue, past_values


class PastValues:
    """Those of a batch, each transaction's read once. load: by id; None where there are too many to be read."""

    def __init__(self, load: Callable[[int], Awaitable[list[PastValue] | None]]) -> None:
        self._load = load
        self._stored: dict[int, list[PastValue] | None] = {}
        self._decided: dict[int, list[DecidedReport]] = {}

    def add(self, one: DecidedReport) -> None:
        """A report of the batch that is decided, before the next is."""
        if one.samples and one.decision.transaction:
            self._decided.setdefault(one.decision.transaction.id, []).append(one)

    async def of(self, decision: Decision) -> Mapping[int, Sequence[PastValue]]:
        """By id, what a decision is to be made again with; nothing if it stands."""
        found: dict[int, Sequence[PastValue]] = {}
        if not decision.may_need_past:
            return found
        for one in (decision.transaction, *(other for other, _ in decision.others)):
            if one is None or not (one.ended or one.id in decision.needs_past):
                continue
            earlier = self._decided.get(one.id, ())
            # What changed nothing may have been told late, which is known only when the batch is written.
            if one.id in decision.needs_past or (earlier and unconfirmed_samples(earlier)):
                stored = await self._read(one.id)
                if stored is not None:
                    found[one.id] = [*stored, *past_values(each.report for each in earlier)]
        return found

    async def _read(self, number: int) -> list[PastValue] | None:
        if number not in self._stored:
            self._stored[number] = await self._load(number)
        return self._stored[number]
