"""A station of 1.6 that loses stops, names none, tells again and late: every session ends, and is told so once."""

import itertools
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from services.transactions.batch import LoadedTransactions
from services.transactions.domain.decide import Decision, decide, decide_joined, starts_transaction
from services.transactions.domain.ends import end
from services.transactions.domain.messages import Report, ReportKind
from services.transactions.domain.orphans import (
    OrphanKey,
    is_misnumbered,
    may_be_nameless,
    meant_by,
    orphan_stop,
    told_before,
)
from services.transactions.domain.present import after_end
from services.transactions.domain.revisions import Revision
from services.transactions.domain.transaction import EndedBy, Transaction
from tests.unit.transactions.making import NOON, metered, report, start

CARDS = st.sampled_from(["A", "B"])


def no_group(_: str) -> None:
    """No card has one."""


class Life(RuleBasedStateMachine):
    """table: the transactions by id. told: the revisions of each, in order. said: all that the station has sent."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.wh, self.ids = NOON, 1000.0, itertools.count(1)
        self.table: dict[int, Transaction] = {}
        self.told: dict[int, list[Revision]] = {}
        self.said: list[Report] = []
        self.orphans: set[OrphanKey] = set()

    def passes(self) -> None:
        self.now += timedelta(minutes=1)
        self.wh += 100

    def hear(self, one: Report) -> Decision:
        """As the handler does it, in a batch of its own."""
        loaded = LoadedTransactions(list(self.table.values()))
        loaded.add_open({"CS-1"}, [])
        before, open_ones = loaded.find(one), loaded.open_at("CS-1")
        if may_be_nameless(one) and self._is_nameless(one, before, open_ones):
            decision = self._nameless(one, open_ones)
        else:
            number = next(self.ids) if starts_transaction(before, one) else None
            decision = decide(before, one, number, open_ones=open_ones)
        loaded.apply(decision)
        for changed in itertools.chain(*loaded.changed()):
            self.table[changed.id] = changed
        for revision in decision.revisions:
            self.told.setdefault(revision.transaction_id, []).append(revision)
        return decision

    def _is_nameless(self, stop: Report, named: Transaction | None, open_ones: list[Transaction]) -> bool:
        if named is None or orphan_stop(stop).key in self.orphans:
            return True
        return is_misnumbered(stop, named, open_ones, no_group)

    def _nameless(self, stop: Report, open_ones: list[Transaction]) -> Decision:
        key = orphan_stop(stop).key
        is_known = key in self.orphans or told_before(stop, open_ones, no_group)
        meant = None if is_known else meant_by(stop, open_ones, no_group)
        self.orphans.add(key)
        return decide_joined(meant, stop, None, open_ones) if meant else decide(None, stop)

    def say(self, one: Report) -> Decision:
        self.said.append(one)
        return self.hear(one)

    def end_otherwise(self, one: Transaction, by: EndedBy) -> None:
        ended, revision = end(one, by, one.updated_at, self.now)
        assert revision
        self.told.setdefault(one.id, []).append(revision)
        self.table |= {changed.id: changed for changed in (ended, *after_end(ended, self.table.values()))}

    @property
    def open_ones(self) -> list[Transaction]:
        return [one for one in self.table.values() if not one.ended]

    @rule(connector=st.integers(1, 2), card=CARDS)
    def starts(self, connector: int, card: str) -> None:
        self.passes()
        key = f"start:{connector}:{self.now}:{card}"
        where = {"evse_id": connector, "connector_id": connector}
        self.say(start(key=key, at=self.now, received_at=self.now, begin_wh=self.wh, id_token=card, **where))

    @precondition(lambda self: self.table)
    @rule(data=st.data())
    def meters(self, data: st.DataObject) -> None:
        self.passes()
        number = data.draw(st.sampled_from(sorted(self.table)))
        values = report(
            order=ReportKind.UPDATED, key=None, number=number, received_at=self.now, meter_values=metered(self.wh)
        )
        self.say(replace(values, seq_no=None))

    @precondition(lambda self: self.table)
    @rule(data=st.data(), named=st.booleans(), card=st.none() | CARDS)
    def stops(self, data: st.DataObject, named: bool, card: str | None) -> None:
        self.passes()
        number = data.draw(st.sampled_from(sorted(self.table))) if named else 0
        stop = report(
            ReportKind.ENDED,
            order=ReportKind.ENDED,
            key=None,
            number=number,
            transaction_id=str(number or -1),
            at=self.now,
            received_at=self.now,
            id_token=card,
            ends_authorization=True,
            end_wh=self.wh,
            stop_reason="Local",
        )
        self.say(replace(stop, seq_no=None))

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def is_read_again(self, data: st.DataObject) -> None:
        """After a crash: nothing new comes of it."""
        before = dict(self.table)
        for one in self.said[data.draw(st.integers(0, len(self.said) - 1)) :]:
            assert not self.hear(one).revisions
        assert {number: one.ended_by for number, one in before.items()} == {
            number: one.ended_by for number, one in self.table.items()
        }

    @precondition(lambda self: self.open_ones)
    @rule(data=st.data(), by=st.sampled_from([EndedBy.OPERATOR, EndedBy.AVAILABLE]))
    def ends_otherwise(self, data: st.DataObject, by: EndedBy) -> None:
        self.passes()
        self.end_otherwise(data.draw(st.sampled_from(self.open_ones)), by)

    @invariant()
    def an_end_is_told_once_and_then_revised(self) -> None:
        for one in self.table.values():
            numbers = [revision.number for revision in self.told.get(one.id, [])]
            assert numbers == [*range(1, one.revision + 1)]
            assert bool(numbers) == one.ended
            assert (one.ended_by is not None) == one.ended

    @invariant()
    def nobody_pays_less_than_nothing(self) -> None:
        assert all(one.energy_wh is None or one.energy_wh >= 0 for one in self.table.values())

    @invariant()
    def a_connector_has_one_session(self) -> None:
        present = [one.connector_id for one in self.open_ones if one.superseded_by is None]
        assert len(present) == len(set(present))

    def teardown(self) -> None:
        """What is left ends by whoever ends it, and a stop that comes after all corrects it."""
        for one in self.open_ones:
            self.end_otherwise(self.table[one.id], EndedBy.OPERATOR)
            self.an_end_is_told_once_and_then_revised()
        assert not self.open_ones


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)
