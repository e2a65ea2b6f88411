"""`python -m voltbus.operator.copy_state --from PREFIX`: state of compacted topics, to those of VOLTBUS_TOPIC_PREFIX.

For more partitions (docs/partitions.md): a key must not stand in two partitions of a topic that is compacted, for
nothing says which of them is newer. Repeatable; what is there already is written over.
"""

import argparse
import asyncio
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from services.common.kafka.broker import KafkaBus
from services.common.kafka.bus import Bus, Record
from services.common.process.errors import Misconfigured, VoltbusError
from services.common.process.settings import CommonSettings
from services.ocpp import topics

COMPACTED = [topic.name for topic in topics.ALL if topic.retention_ms is None]
# Records that are written in one go.
BATCH = 5000


async def copy(bus: Bus, names: Mapping[str, str]) -> Mapping[str, int]:
    """How many keys each topic now has. names: from where, to where. Raises Unavailable."""
    return {new: await _copy(bus, old, new) for old, new in names.items()}


async def _copy(bus: Bus, old: str, new: str) -> int:
    newest: dict[bytes, Record] = {}
    reader = await bus.read_topic(old)
    try:
        while not reader.caught_up():
            for record in await reader.poll():
                if record.value is None:
                    newest.pop(record.key or b"", None)
                else:
                    newest[record.key or b""] = record
    finally:
        await reader.close()
    for batch in _batches([Record(new, one.key, one.value, one.headers) for one in newest.values()]):
        await bus.publish(batch)
    return len(newest)


def _batches(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    rest = iter(records)
    while batch := list(islice(rest, BATCH)):
        yield batch


async def run(settings: CommonSettings, old_prefix: str) -> None:
    """Copies, and prints what. Raises Misconfigured and Unavailable."""
    if old_prefix == settings.topic_prefix:
        raise Misconfigured("VOLTBUS_TOPIC_PREFIX: the topics to copy from have the same prefix")
    bus = KafkaBus(settings)
    await bus.start()
    try:
        copied = await copy(bus, {old_prefix + name: settings.topic(name) for name in COMPACTED})
    finally:
        await bus.close()
    for name, count in copied.items():
        print(f"{name}: {count}")


def main() -> None:
    """Exits 1 with one line if it fails."""
    parser = argparse.ArgumentParser("python -m voltbus.operator.copy_state", description=__doc__)
    parser.add_argument("--from", dest="old", required=True, metavar="PREFIX", help='"" for topics without a prefix')
    old = parser.parse_args().old
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it logs is in the error
    try:
        asyncio.run(run(CommonSettings.read(), old))
    except VoltbusError as error:
        sys.exit(f"voltbus: {error}")


if __name__ == "__main__":
    main()
