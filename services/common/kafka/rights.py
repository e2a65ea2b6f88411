"""What Kafka says this user may not do, in one line for people; and which topics it may write, before it writes.

aiokafka has no question for the second. Brokers answer it with the metadata of topics (KIP-430, Kafka 2.3 and later).
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

# The bit of this operation, and what stands there where a broker does not say.
WRITE, UNSAID = 1 << 4, -(1 << 31)


class _Metadata(Response):  # type: ignore[misc]
    API_KEY, API_VERSION = MetadataRequest.API_KEY, 8
    _PARTITION = (
        *(("error", Int16), ("partition", Int32), ("leader", Int32), ("epoch", Int32)),
        *((name, Array(Int32)) for name in ("replicas", "isr", "offline")),
    )
    SCHEMA = Schema(
        ("throttled", Int32),
        ("brokers", Array(("id", Int32), ("host", String()), ("port", Int32), ("rack", String()))),
        ("cluster", String()),
        ("controller", Int32),
        (
            "topics",
            Array(
                *(("error", Int16), ("name", String()), ("internal", Boolean)),
                ("partitions", Array(*_PARTITION)),
                ("operations", Int32),
            ),
        ),
        ("operations", Int32),
    )


class _MetadataQuestion(RequestStruct):  # type: ignore[misc]
    API_KEY, API_VERSION, RESPONSE_TYPE = MetadataRequest.API_KEY, 8, _Metadata
    SCHEMA = Schema(("topics", Array(String())), ("create", Boolean), ("of_cluster", Boolean), ("of_topics", Boolean))


class _Operations(Request[_MetadataQuestion]):  # type: ignore[misc]
    """What whoever asks may do with these topics."""

    API_KEY = MetadataRequest.API_KEY

    def __init__(self, topics: Collection[str]) -> None:
        self._topics = list(topics)

    def build(self, kind: type[_MetadataQuestion]) -> _MetadataQuestion:
        return kind(self._topics, False, False, True)


async def may_not_write(client: Any, topics: Collection[str]) -> set[str]:
    """Those of the topics that are there and that this user may not write; none where the broker does not say.

    client: an AIOKafkaClient. Raises KafkaError.
    """
    try:
        answer = await client.send(client.get_random_node(), _Operations(topics))
    except NotImplementedError:
        return set()
    denied = TopicAuthorizationFailedError.errno
    return {
        name
        for error, name, _, _, operations in answer.topics
        if error == denied or (not error and operations != UNSAID and not operations & WRITE)
    }


def who(options: Mapping[str, Any]) -> str:
    """options: of a client."""
    if name := options.get("sasl_plain_username"):
        return f"user {name!r} ({options['sasl_mechanism']})"
    return "our token" if "sasl_oauth_token_provider" in options else "this client"


def no_write(who: str, topics: Collection[str]) -> str:
    return f"{who} may not write to the topic {', '.join(sorted(topics))} (ACLs)"


def no_group(who: str, groups: Collection[str]) -> str:
    return f"{who} may not read in the group {', '.join(sorted(groups))} (ACLs)"


def no_topic(who: str, topics: Collection[str]) -> str:
    return f"{who} may not see the topic {', '.join(sorted(topics))} (ACLs)"


def denies_group(error: BaseException) -> bool:
    """Whether that is what an error comes from."""
    return any(isinstance(one, GroupAuthorizationFailedError) for one in _causes(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
