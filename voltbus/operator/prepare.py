"""`python -m voltbus.operator.prepare`: topics, roles, schemas, migrations before the processes start; repeatable."""

import asyncio
import logging
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aiokafka.admin import NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

import services
from services.common.kafka.admin import administrator
from services.common.kafka.client import translating_errors
from services.common.postgres.migrate import prepare
from services.common.process import environment
from services.common.process.errors import Unavailable, VoltbusError
from services.common.process.settings import CommonSettings
from services.ocpp import topics
from services.ocpp.services import SERVICES

FOLDER = Path(services.__file__).parent
# The time of a record is Kafka's: it takes none from a process whose clock is an hour ahead.
TIME = {"message.timestamp.type": "LogAppendTime"}
CONFIGS = {
    True: TIME | {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.1", "segment.ms": "3600000"},
    False: TIME | {"cleanup.policy": "delete"},
}


async def create_topics(settings: CommonSettings) -> None:
    """Creates what is missing; what is there is left as it is. Raises Unavailable where Kafka does not answer."""
    async with administrator(settings) as admin:
        answer = await translating_errors(admin.create_topics([_new(topic, settings) for topic in topics.ALL]))
    for name, code, *_ in answer.topic_errors:
        if (kind := for_code(code)) not in (TopicAlreadyExistsError, for_code(0)):
            raise Unavailable(f"Kafka does not create the topic {name}: {kind.__name__}")


def _new(topic: topics.Topic, settings: CommonSettings) -> NewTopic:
    partitions = {topics.Spread.PARTITIONS: settings.partitions, topics.Spread.SLOTS: settings.slots}
    name = settings.topic(topic.name)
    return NewTopic(name, partitions[topic.spread], settings.replication, topic_configs=configs(topic))


def configs(topic: topics.Topic) -> dict[str, str]:
    """How the broker keeps it."""
    found = dict(CONFIGS[topic.retention_ms is None])
    if topic.retention_ms is not None:
        found["retention.ms"] = str(topic.retention_ms)
    return found


def create_schemas(settings: CommonSettings) -> None:
    """Brings all schemas to their newest state, side by side."""
    dsn = settings.postgres_dsn.get_secret_value()
    with ThreadPoolExecutor() as pool:
        folders = {name: FOLDER / name / "migrations" for name in SERVICES}
        list(pool.map(lambda name: prepare(dsn, name, folders[name]), folders))


async def everything(settings: CommonSettings) -> None:
    """Topics and schemas, side by side. Both come to their end also when one fails: half-made connections say so."""
    both = create_topics(settings), asyncio.to_thread(create_schemas, settings)
    for failure in await asyncio.gather(*both, return_exceptions=True):
        if failure is not None:
            raise failure


def main() -> None:
    """Prepares the servers of VOLTBUS_…; exits 1 with one line if that fails."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it logs is in the error
    for sentence in environment.sentences():
        print(f"voltbus: {sentence}", file=sys.stderr)
    try:
        asyncio.run(everything(CommonSettings.read()))
    except VoltbusError as error:
        sys.exit(f"voltbus: {error}")


if __name__ == "__main__":
    main()
