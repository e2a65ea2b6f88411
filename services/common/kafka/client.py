"""aiokafka as we use it: its errors have one name, and what it does not survive ends the process.

aiokafka works by background tasks: for metadata, fetching, the group. One that ends by an error is not started again,
and some of its callers would wait for ever.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import aiokafka.conn
import aiokafka.consumer.fetcher
import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError, SaslAuthenticationFailed, for_code
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.structs import OffsetAndMetadata

from services.common.kafka.bus import Record
from services.common.kafka.diagnosis import may_not, why_unreachable
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
    """A consumer has ended by itself; only a new one helps."""


@dataclass(frozen=True)
class KafkaTiming:
    """Seconds.

    poll: that a poll waits for records. catch_up: the same, while a topic is read from its start.
    fetch: that the broker holds a fetch until there are records.
    answer: within which the broker says which topics it has, or is not ready.
    topic: within which it shows the partitions of a topic that is to be read, or the topic is not there.
    session: the shortest that brokers allow by default, and longer than a restart takes: a static member that is killed
        and comes back within this time moves no partitions. One that does not come back keeps its own so long (ADR 14).
    heartbeat: after which a member knows of a rebalance at the latest.
    handover: that the batches in flight may delay a rebalance.
    commit: that a commit may take; aiokafka tries for as long as it takes.
    """

    poll: float = 1.0
    catch_up: float = 0.2
    fetch: float = 0.5
    answer: float = 2.0
    topic: float = 5.0
    session: float = 6.0
    heartbeat: float = 0.5
    handover: float = 2.0
    commit: float = 10.0


class _TokenAuthenticator(aiokafka.conn.OAuthAuthenticator):  # type: ignore[misc]
    async def step(self, payload: bytes | None) -> tuple[bytes, bool] | None:
        """As in aiokafka, which takes no notice of a refusal (RFC 7628, section 3.2.2): what is asked next fails."""
        if self._token_sent and payload:
            raise SaslAuthenticationFailed(payload[:200].decode(errors="replace"))
        step: tuple[bytes, bool] | None = await super().step(payload)
        return step


class _Connection(aiokafka.conn.AIOKafkaConnection):  # type: ignore[misc]
    async def connect(self) -> Any:
        """As in aiokafka. What a broker says that is no SASL raises errors which would end the task."""
        try:
            return await super().connect()
        except (KafkaError, OSError, TimeoutError):
            raise
        except Exception as error:
            raise KafkaConnectionError(f"{self}: {error!r}") from error

    def authenticator_oauth(self) -> Any:
        return _TokenAuthenticator(sasl_oauth_token_provider=self._sasl_oauth_token_provider)

    def send(self, *arguments: Any, **more: Any) -> Any:
        """As in aiokafka. Just after a connection is lost uvloop raises RuntimeError, which would end the task."""
        try:
            return super().send(*arguments, **more)
        except RuntimeError as error:
            lost = KafkaConnectionError(f"{self}: {error}")
            self.close(exc=lost)
            raise lost from error


aiokafka.conn.AIOKafkaConnection = _Connection


class _PartitionRecords(aiokafka.consumer.fetcher.PartitionRecords):  # type: ignore[misc]
    def _consumer_record(self, tp: TopicPartition, record: Any) -> Record:
        """As in aiokafka, but a Record at once: its own, of eleven fields, costs more than to decode what it holds.

        So it is for all consumers of the process.
        """
        place = tp.partition, record.offset, record.timestamp
        return Record(tp.topic, record.key, record.value, tuple(record.headers), *place)


aiokafka.consumer.fetcher.PartitionRecords = _PartitionRecords


def replicas(cluster: Any, topic: str) -> int:
    """Of its partition with the fewest, as the metadata of a client say; 0 if the topic is not there."""
    return min((len(one.replicas) for one in cluster._partitions.get(topic, {}).values()), default=0)


# Why no broker is reached `start` says; that PLAIN needs TLS, docs/settings.md.
_KNOWN = ('Unable connect to "', "Sending username and password in the clear")


def _is_news(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(_KNOWN)


for _name in ("aiokafka", "aiokafka.conn"):
    logging.getLogger(_name).addFilter(_is_news)


async def start(client: Any, options: Mapping[str, Any]) -> None:
    """Starts a client that was made with these options; raises Unavailable, which says why."""
    try:
        await client.start()
    except BaseException as error:
        await (client.stop() if hasattr(client, "stop") else client.close())
        if isinstance(error, (KafkaError, OSError)):
            raise Unavailable(may_not(error, options) or await why_unreachable(options)) from error
        raise


def linger_between_fetches(consumer: Any, seconds: float, enough: int) -> None:
    """Makes a consumer that is not started yet ask each broker for records once in so many seconds, for what there is.

    enough: bytes in an answer after which it asks again at once, for there may be as much again.

    Held back by the broker (fetch.min.bytes), a request is looked at with all its partitions whenever one of them is
    written to, and under load there is enough after some milliseconds; each answer names all partitions, too.
    """
    send, due = consumer._client.send, dict[int, float]()

    async def paced(node_id: int, request: Any, **more: Any) -> Any:
        if not isinstance(request, FetchRequest):
            return await send(node_id, request, **more)
        await asyncio.sleep(due.get(node_id, 0) - time.monotonic())
        due[node_id] = time.monotonic() + seconds
        answer = await send(node_id, request, **more)
        if sum(len(part[-1]) for _, parts in answer.topics for part in parts) >= enough:
            due[node_id] = 0
        return answer

    consumer._client.send = paced


async def translating_errors(answer: Awaitable[T]) -> T:
    """Kafka's answer; raises Unavailable while there is none."""
    try:
        return await answer
    except (KafkaError, OSError) as error:
        raise Unavailable(f"Kafka: {error!r}") from error


async def committed_offsets(
    admin: Any, group: str, partitions: Sequence[TopicPartition] | None = None
) -> Mapping[TopicPartition, OffsetAndMetadata]:
    """How far a group is; partitions of which it has committed nothing are left out. Raises Unavailable.

    admin: an AIOKafkaAdminClient, whose own question takes an error of the whole group, such as that its coordinator
    still loads it, for a group that has read nothing. group: its name on the broker. partitions: None is all.
    """
    numbers: dict[str, list[int]] = {}
    for one in partitions or ():
        numbers.setdefault(one.topic, []).append(one.partition)
    request = OffsetFetchRequest(group, None if partitions is None else list(numbers.items()))
    coordinator = await translating_errors(admin.find_coordinator(group))
    answer = await translating_errors(admin._send_request(request, coordinator))
    parts = [(topic, *part) for topic, parts in answer.topics for part in parts]
    for code in (answer.error_code, *(part[-1] for part in parts)):
        if code:
            raise Unavailable(f"Kafka: {group}: {for_code(code).__name__}") from for_code(code)()
    return {
        TopicPartition(topic, number): OffsetAndMetadata(offset, metadata)
        for topic, number, offset, metadata, _ in parts
        if offset >= 0
    }


def count_degraded(client: Any, topics: Collection[str]) -> tuple[int, int]:
    """Partitions of topics that lack a replica in sync, and those without a leader, as brokers last told a client."""
    found = [one for topic in topics for one in client.cluster._partitions.get(topic, {}).values()]
    return sum(len(one.isr) < len(one.replicas) for one in found), sum(one.leader == -1 for one in found)


async def poll(consumer: Any, seconds: float) -> Mapping[TopicPartition, Sequence[Record]]:
    """The next records by partition, within so many seconds; raises Unavailable and ClientBroken."""
    raise_if_broken(consumer)
    messages: Mapping[TopicPartition, Sequence[Record]] = await translating_errors(
        consumer.getmany(timeout_ms=round(seconds * 1000))
    )
    return messages


async def stop(consumer: Any) -> None:
    """Stops it; one that is broken raises again, which is only logged."""
    try:
        await consumer.stop()
    except Exception as error:
        log.warning("a reader of Kafka did not stop cleanly", reason=repr(error))


def raise_if_broken(consumer: Any) -> None:
    """Raises ClientBroken if a background task of a consumer has ended by an error."""
    for name, task in background_tasks(consumer).items():
        if task.done() and not task.cancelled() and (error := task.exception()):
            raise ClientBroken(f"aiokafka's {name} has ended: {error!r}") from error


def background_tasks(consumer: Any) -> dict[str, asyncio.Task[Any]]:
    """The background tasks of a consumer, which aiokafka keeps private; without a group there are fewer."""
    found = {name: getattr(getattr(consumer, owner), f"_{name}", None) for name, owner in _TASKS.items()}
    return {name: task for name, task in found.items() if task}
