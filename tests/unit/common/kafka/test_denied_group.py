"""A member whose group is denied to its user while it reads: it waits until the right is there, and joins again."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import GroupAuthorizationFailedError, IllegalStateError, KafkaError

from services.common.kafka.bus import Record
from services.common.kafka.client import ClientBroken, KafkaTiming
from services.common.kafka.readers import KafkaSubscription
from services.common.process.errors import Unavailable

PLACE = TopicPartition("calls", 0)
DENIED = GroupAuthorizationFailedError("auth")
RECORD = Record("calls", b"CP1", b"", partition=0, offset=7)


class Member:
    """A consumer of aiokafka. refuses: what it says when it is asked for records or to commit."""

    def __init__(self, records: Sequence[Record] = ()) -> None:
        self.records, self.stopped = records, False
        self.refuses: Exception | None = None
        self.committed: list[Mapping[TopicPartition, Any]] = []
        self._client = self._fetcher = self._coordinator = None

    async def getmany(self, timeout_ms: int) -> Mapping[TopicPartition, Sequence[Record]]:  # noqa: ARG002
        self._refuse()
        return {PLACE: self.records} if self.records else {}

    async def commit(self, offsets: Mapping[TopicPartition, Any]) -> None:
        self._refuse()
        self.committed.append(offsets)

    def assignment(self) -> set[TopicPartition]:
        return {PLACE}

    async def stop(self) -> None:
        self.stopped = True

    def _refuse(self) -> None:
        if self.refuses:
            raise self.refuses


class World:
    """A subscription whose members are made one after the other; None is one that is denied at once."""

    def __init__(self, *members: Member | None) -> None:
        self._members, self.revoked = list(members), 0
        self.subscription = KafkaSubscription(self._join, ["calls"], self._on_revoke, None, KafkaTiming())

    async def _join(self, _: object) -> Member:
        if member := self._members.pop(0):
            return member
        raise Unavailable("may not read in the group auth (ACLs)") from DENIED

    async def _on_revoke(self) -> None:
        self.revoked += 1
        await self.subscription.commit({("calls", 0): 5})


def coordination_error() -> KafkaError:
    """As a background task of aiokafka ends."""
    error = KafkaError("Unexpected error during coordination")
    error.__cause__ = DENIED
    return error


@pytest.mark.parametrize("refusal", [DENIED, coordination_error()], ids=["told", "a task has ended"])
async def test_it_waits_and_goes_on_when_the_right_is_back(refusal: Exception) -> None:
    first, second = Member(), Member([RECORD])
    world = World(first, None, second)
    await world.subscription.join()
    assert world.subscription.ready()
    first.refuses = refusal
    assert await world.subscription.poll() == []
    assert not world.subscription.ready()
    with pytest.raises(Unavailable, match="may not read in the group auth"):
        await world.subscription.poll()
    # What waits is left to whoever reads next, and nothing is committed by who is no member.
    assert (first.stopped, world.revoked, first.committed) == (True, 1, [])
    assert await world.subscription.poll() == [RECORD]
    assert world.subscription.ready()


async def test_a_commit_that_is_denied_is_not_tried_for_ever() -> None:
    """What was not committed is read again."""
    first, second = Member(), Member([RECORD])
    world = World(first, second)
    await world.subscription.join()
    first.refuses = DENIED
    await world.subscription.commit({("calls", 0): 5})
    assert await world.subscription.poll() == [RECORD]
    await world.subscription.commit({("calls", 0): 8})
    assert (first.committed, second.committed) == ([], [{PLACE: (8, "")}])


async def test_another_end_of_a_member_is_not_taken_for_it() -> None:
    member = Member()
    world = World(member)
    await world.subscription.join()
    member.refuses = IllegalStateError("closed")
    with pytest.raises((Unavailable, ClientBroken)):
        await world.subscription.poll()
