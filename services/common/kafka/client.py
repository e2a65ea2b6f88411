"""aiokafka as we use it: its troubles have one name, and what it does not survive ends the process.

aiokafka works by background tasks: for metadata, fetching, the group. One that ends by an error is not begun again, and
some of those who wait for it would do so for ever.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, TypeVar

import aiokafka.conn
import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError

from services.common.process.errors import Unavailable

T = TypeVar("T")

_TASKS = {
    "sync_task": "_client",
    "fetch_task": "_fetcher",
    "coordination_task": "_coordinator",
    "heartbeat_task": "_coordinator",
    "commit_refresh_task": "_coordinator",
}

log = structlog.get_logger()


class ClientBroken(Exception):
    """A consumer has come to its end by itself; only a new one helps."""


class _Connection(aiokafka.conn.AIOKafkaConnection):  # type: ignore[misc]
    def send(self, *arguments: Any, **more: Any) -> Any:
        """As there. For a moment after a connection was lost uvloop says RuntimeError, by which tasks would end."""
        try:
            return super().send(*arguments, **more)
        except RuntimeError as error:
            lost = KafkaConnectionError(f"{self}: {error}")
            self.close(exc=lost)
            raise lost from error


aiokafka.conn.AIOKafkaConnection = _Connection


async def translating_errors(answer: Awaitable[T]) -> T:
    """What Kafka says; raises Unavailable while it does not answer."""
    try:
        return await answer
    except (KafkaError, OSError) as error:
        raise Unavailable(f"Kafka: {error!r}") from error


async def poll(consumer: Any, milliseconds: int) -> Mapping[TopicPartition, Sequence[Any]]:
    """The next messages by partition, waited for so long; raises Unavailable and ClientBroken."""
    raise_if_broken(consumer)
    messages: Mapping[TopicPartition, Sequence[Any]] = await translating_errors(
        consumer.getmany(timeout_ms=milliseconds)
    )
    return messages


async def stop(consumer: Any) -> None:
    """Stops it; one that has broken says so once more, which helps nobody now."""
    try:
        await consumer.stop()
    except Exception as error:
        log.warning("a reader of Kafka did not stop cleanly", reason=repr(error))


def raise_if_broken(consumer: Any) -> None:
    """Raises ClientBroken where a task that a consumer works by has ended by an error."""
    for name, task in background_tasks(consumer).items():
        if task.done() and not task.cancelled() and (error := task.exception()):
            raise ClientBroken(f"aiokafka's {name} has ended: {error!r}") from error


def background_tasks(consumer: Any) -> dict[str, asyncio.Task[Any]]:
    """What a consumer works by; one without a group has fewer. aiokafka tells nobody of them."""
    found = {name: getattr(getattr(consumer, owner), f"_{name}", None) for name, owner in _TASKS.items()}
    return {name: task for name, task in found.items() if task}
