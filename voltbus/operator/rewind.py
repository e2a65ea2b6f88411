"""`python -m voltbus.operator.rewind SERVICE --to TIME`: for a schema that was restored to its state at that time.

Kafka knows how far a service has read, and its schema does not know what it has made of it: so all of it is read again
(docs/backup.md). With --settle, when that is done: what is otherwise than others were told.
"""

import argparse
import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    KafkaError,
)
from aiokafka.structs import OffsetAndMetadata

from services.auth import restoring as auth
from services.common.commands.restoring import count_as_sent, fold_cancelled, release, take_back
from services.common.kafka.admin import administrator
from services.common.kafka.broker import KafkaBus
from services.common.kafka.bus import Record
from services.common.kafka.client import committed_offsets, start, stop
from services.common.kafka.security import client_options
from services.common.postgres import outbox
from services.common.postgres.commit_marks import CommitMarks
from services.common.postgres.database import Connection, Database
from services.common.process.backoff import retry_until_available
from services.common.process.clock import now
from services.common.process.errors import Unavailable, VoltbusError
from services.common.process.redis import connect
from services.common.process.redis import translating_errors as redis_errors
from services.common.process.settings import CommonSettings
from services.ocpp import topics
from services.ocpp.acls import groups, read_by
from services.ocpp.services import SERVICES
from services.smartcharging.restoring import doubt_limits
from services.transactions import restoring as transactions
from services.transactions.restoring import Told
from voltbus.errors import LocalError
from voltbus.operator.times import parse_past

T = TypeVar("T")

# A schema is told to be of a time, and a record is written before it is handled.
MARGIN = timedelta(minutes=10)
# A static member that stops stays in its group until its session ends, which takes seconds (ADR 14).
LOOKS, LOOK_EVERY = 60, 0.5
# Seconds.
ANSWERED_WITHIN = 60.0
# By its settings it does not read all of its topics: what it has read nothing of, it need not.
STATION_LOG = "firmware.log"
UNPUBLISHED = "select count(*) from outbox"
SETTLED = "all is read, and nothing is otherwise than it was told"


class NotYet(VoltbusError):
    """Something has to be done, or to happen, before."""


@dataclass(frozen=True, slots=True)
class Settled:
    """lines: what is otherwise than others were told. missing: how many of these sessions are not there."""

    lines: Sequence[str]
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Reader:
    """A topic that a consumer group reads, by their names on the broker."""

    group: str
    topic: str


def readers(settings: CommonSettings, service: str) -> Sequence[Reader]:
    """All of a service."""
    return [
        Reader(settings.topic(group), settings.topic(topic.name))
        for group in groups(service)
        for topic in read_by(group)
    ]


async def rewind(
    settings: CommonSettings, service: str, moment: datetime, *, looks: int = LOOKS
) -> Mapping[Reader, int]:
    """How many records are read again. Raises NotYet, Unavailable, Misconfigured.

    looks: at whether somebody reads on, before that is given up.
    """
    wanted = readers(settings, service)
    await _require_no_gateways(settings)
    async with _bus(settings) as bus, administrator(settings) as admin:
        await _require_no_members(settings, bus, admin, wanted, looks)
        since = moment - MARGIN
        told, cancelled = dict[int, Told](), dict[str, datetime]()
        async for record in _events(bus, settings, service, since):
            fold_cancelled(cancelled, record)
            if service == "transactions":
                transactions.fold(told, record)
        async with _schema(settings, service) as db:
            await take_back(db, cancelled)
            await count_as_sent(db)
            await outbox.drop_state(db)
            if service == "transactions":
                await transactions.keep(db, told)
            if service == "smartcharging":
                await doubt_limits(db)
        # Last: what came before may be done again.
        return {one: await _set_back(settings, bus, admin, one, since) for one in wanted}


async def unread(settings: CommonSettings, service: str) -> Mapping[Reader, int]:
    """How many records a service will read when it starts."""
    async with _bus(settings) as bus, administrator(settings) as admin:
        return {one: await _lag(bus, admin, one) for one in readers(settings, service)}


async def settle(settings: CommonSettings, service: str, *, give_up: bool = False) -> Settled:
    """What is otherwise than others were told.

    Raises NotYet where something is still to be read, Misconfigured where the schema was restored and not set back.

    give_up: what is not there; it is not told again.
    """
    await _require_set_back(settings, service)
    left = await unread(settings, service)
    if waiting := [f"{count} records of {one.topic}" for one, count in left.items() if count]:
        raise NotYet(f"{service} has yet to read {', '.join(waiting)}: start it, and ask again")
    async with _bus(settings) as bus, _schema(settings, service) as db:
        if count := await db.fetchval(UNPUBLISHED):
            raise NotYet(f"{count} rows of {service}'s outbox have yet to be published: ask again")
        unheard = await release(db)
        differences = await transactions.settle(db, give_up=give_up) if service == "transactions" else []
        newer = await auth.differences(db, bus, settings) if service == "auth" else []
    lines = [f"command {id_} ({action}) to {station_id}: no result; it ends" for id_, station_id, action in unheard]
    lines += [
        f"transaction {one.id} of {one.station_id}: told as {one.told}; now {one.now or 'not there'}"
        for one in differences
    ]
    return Settled([*lines, *newer], 0 if give_up else sum(not one.now for one in differences))


async def _require_set_back(settings: CommonSettings, service: str) -> None:
    """As a service asks before it starts: behind a schema that was not set back nothing is left to read."""
    database = Database(settings, service)
    await database.start()
    try:
        async with _bus(settings) as bus:
            read = {group: [settings.topic(topic.name) for topic in read_by(group)] for group in groups(service)}
            marks = CommitMarks(database)
            await _answered(lambda: marks.require_all(bus, read), f"how far {service} is")
    finally:
        await database.close()


async def _require_no_gateways(settings: CommonSettings) -> None:
    """What is read again must ask nothing of stations."""
    redis = connect(settings, 5)
    try:
        names = await redis_errors(redis.keys(f"{settings.redis_prefix}slot:*"))
    finally:
        await redis.aclose()
    if names:
        raise NotYet("a gateway runs, or did a few seconds ago: stop all gateways first")


async def _require_no_members(
    settings: CommonSettings, bus: KafkaBus, admin: Any, wanted: Sequence[Reader], looks: int
) -> None:
    """Nobody may read on meanwhile: where somebody is in a group, Kafka takes offsets from no other."""
    for one in wanted:
        known = await _committed(admin, one, list(await bus.bounds(one.topic)))
        for _ in range(looks):
            try:
                await _commit(settings, one, known)
            except CommitFailedError:
                await asyncio.sleep(LOOK_EVERY)
            else:
                break
        else:
            raise NotYet(f"{one.group}: somebody reads on: stop the service first")


async def _events(bus: KafkaBus, settings: CommonSettings, service: str, since: datetime) -> AsyncIterator[Record]:
    """What others were told since then."""
    topic = settings.topic(topics.events(service).name)
    reader = await bus.read_topic(topic, offsets=await bus.offsets_at(topic, since))
    try:
        while not reader.caught_up():
            for record in await reader.poll():
                yield record
    finally:
        await reader.close()


async def _set_back(settings: CommonSettings, bus: KafkaBus, admin: Any, one: Reader, since: datetime) -> int:
    """To the first record that was written at that time, where the group is further; how many it reads again."""
    moments = await bus.offsets_at(one.topic, since)
    known = await _committed(admin, one, list(moments))
    back = {partition: min(moments[partition], done.offset) for partition, done in known.items()}
    # Without the notes of what was read before: the schema does not know their marks (commit_marks).
    await _commit(settings, one, {partition: OffsetAndMetadata(offset, "") for partition, offset in back.items()})
    return sum(known[partition].offset - offset for partition, offset in back.items())


async def _lag(bus: KafkaBus, admin: Any, one: Reader) -> int:
    bounds = await bus.bounds(one.topic)
    known = await _committed(admin, one, list(bounds))
    if not known and one.group.endswith(STATION_LOG):
        return 0
    done = {number: one.offset for number, one in known.items()}
    return sum(held.end - max(done.get(number, 0), held.start) for number, held in bounds.items())


async def _committed(admin: Any, one: Reader, partitions: Sequence[int]) -> Mapping[int, OffsetAndMetadata]:
    """How far the group is, by partition; those of which it has read nothing are left out."""
    places = [TopicPartition(one.topic, partition) for partition in partitions]

    async def ask() -> Mapping[TopicPartition, OffsetAndMetadata]:
        return await committed_offsets(admin, one.group, places)

    answer = await _answered(ask, f"how far {one.group} is")
    return {place.partition: known for place, known in answer.items()}


async def _answered(ask: Callable[[], Awaitable[T]], what: str) -> T:
    """A Kafka that is new, or has lost a broker, finds coordinators a moment later."""
    try:
        async with asyncio.timeout(ANSWERED_WITHIN):
            return await retry_until_available(ask)
    except TimeoutError:
        raise Unavailable(f"Kafka: nobody knows {what}") from None


async def _commit(settings: CommonSettings, one: Reader, offsets: Mapping[int, OffsetAndMetadata]) -> None:
    """Raises CommitFailedError where the group has members, and Unavailable."""
    if not offsets:
        return
    options = client_options(settings)
    consumer = AIOKafkaConsumer(**options, group_id=one.group, enable_auto_commit=False)
    await start(consumer, options)
    try:
        places = {TopicPartition(one.topic, partition): offset for partition, offset in offsets.items()}
        consumer.assign(list(places))
        try:
            await consumer.commit(places)
        except CommitFailedError:
            raise
        except KafkaError as error:
            raise Unavailable(f"Kafka: {error!r}") from error
    finally:
        await stop(consumer)


@contextlib.asynccontextmanager
async def _bus(settings: CommonSettings) -> AsyncIterator[KafkaBus]:
    bus = KafkaBus(settings)
    await bus.start()
    try:
        yield bus
    finally:
        await bus.close()


@contextlib.asynccontextmanager
async def _schema(settings: CommonSettings, service: str) -> AsyncIterator[Connection]:
    """One transaction on the schema of a service."""
    database = Database(settings, service)
    await database.start()
    try:
        async with database.transaction() as db:
            yield db
    finally:
        await database.close()


def _warn_of_age(moment: datetime) -> None:
    """What Kafka no longer has is not read again."""
    kept = timedelta(milliseconds=topics.WEEK)
    if moment - MARGIN < now() - kept:
        print(f"voltbus: warning: Kafka keeps {kept.days} days; what is older is not read again", file=sys.stderr)


def _with_time(words: Sequence[str]) -> list[str]:
    """The time in one word with its option: argparse takes -5m for an option, and says only how it is used."""
    if "--to" not in words[:-1]:
        return list(words)
    at = words.index("--to")
    return [*words[:at], f"--to={words[at + 1]}", *words[at + 2 :]]


def main() -> None:
    """Exits 1 with one line if it fails."""
    parser = argparse.ArgumentParser("python -m voltbus.operator.rewind", description=__doc__)
    parser.add_argument("service", choices=SERVICES)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--to", metavar="TIME", help="when the backup was begun: RFC 3339, or how long ago, such as 90m")
    what.add_argument("--settle", action="store_true", help="when all is read again, and before gateways start")
    parser.add_argument("--give-up", action="store_true", help="with --settle: sessions that Kafka no longer has")
    given = parser.parse_args(_with_time(sys.argv[1:]))
    if given.give_up and not given.settle:
        parser.error("--give-up is for --settle")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it logs is in the error
    try:
        settings = CommonSettings.read()
        if given.settle:
            settled = asyncio.run(settle(settings, given.service, give_up=given.give_up))
            for line in settled.lines or [SETTLED]:
                print(line)
            if settled.missing:
                raise NotYet(
                    f"{settled.missing} sessions that were told are not there: go back to an earlier time, or, where "
                    "Kafka no longer has them, --settle --give-up"
                )
            return
        moment = parse_past(given.to, now())
        _warn_of_age(moment)
        asyncio.run(rewind(settings, given.service, moment))
        for one, count in asyncio.run(unread(settings, given.service)).items():
            print(f"{one.group} will read {count} records of {one.topic}")
    except (VoltbusError, LocalError) as error:
        sys.exit(f"voltbus: {error}")


if __name__ == "__main__":
    main()
