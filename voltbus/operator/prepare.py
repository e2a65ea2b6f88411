"""`python -m voltbus.operator.prepare`: all that processes need: topics, schemas, partitions; repeatable.

With --check it changes nothing: it says how topics are not as they are to be, and exits 1 if there is anything to say.
"""

import argparse
import asyncio
import logging
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import structlog

import services
from services.common.kafka.admin import administrator
from services.common.postgres.database import Database
from services.common.postgres.migrate import prepare
from services.common.postgres.retention import Retention
from services.common.process import environment
from services.common.process.errors import Misconfigured, VoltbusError
from services.common.process.settings import CommonSettings, Durability
from services.ocpp.services import SERVICES
from voltbus.operator import topics

FOLDER = Path(services.__file__).parent


class NotAsWanted(VoltbusError):
    """Topics are there that are not as they are to be."""


async def create_topics(settings: CommonSettings) -> None:
    """Creates what is missing, and warns of what is not durable, or has other partitions than are set.

    Raises Unavailable and NotAsWanted.
    """
    wanted = topics.wanted(settings)
    async with administrator(settings) as admin:
        found = await topics.create(admin, wanted)
    lines = topics.told({name: [*topics.undurable(one)] for name, one in found.items()})
    if lines and settings.durability is Durability.REQUIRE:
        raise NotAsWanted("\n".join(lines))
    lines += topics.told({one.name: [*topics.divided(one, found[one.name])] for one in wanted})
    for line in lines:
        print(f"voltbus: warning: {line}", file=sys.stderr)


async def check_topics(settings: CommonSettings) -> None:
    """Raises Unavailable and NotAsWanted."""
    wanted = topics.wanted(settings)
    async with administrator(settings) as admin:
        found = await topics.found(admin, [one.name for one in wanted])
    lines = topics.told({one.name: [*topics.differences(one, found.get(one.name))] for one in wanted})
    if lines:
        raise NotAsWanted("\n".join(lines))


def create_schemas(settings: CommonSettings) -> None:
    """Brings all schemas to their newest state, side by side."""
    dsn = settings.postgres_dsn.get_secret_value()
    with ThreadPoolExecutor() as pool:
        folders = {name: FOLDER / name / "migrations" for name in SERVICES}
        list(pool.map(lambda name: prepare(dsn, name, folders[name]), folders))


async def make_partitions(settings: CommonSettings) -> None:
    """Those of now and of what comes, of all schemas. Nothing is dropped: services know how long they keep it."""
    for name in SERVICES:
        database = Database(settings, name)
        await database.start()
        try:
            tables = import_module(f"services.{name}.kept").TABLES
            await Retention(
                database=database, tables=tables, settings=settings, clock=lambda: datetime.now(UTC)
            ).prepare()
        finally:
            await database.close()


async def prepare_postgres(settings: CommonSettings) -> None:
    """Schemas, and what services would make at their start."""
    await asyncio.to_thread(create_schemas, settings)
    await make_partitions(settings)


async def everything(settings: CommonSettings) -> None:
    """Topics and schemas, side by side. Both come to their end also when one fails: half-made connections say so."""
    both = create_topics(settings), prepare_postgres(settings)
    failures = [one for one in await asyncio.gather(*both, return_exceptions=True) if one is not None]
    # What no wait mends is said first.
    for failure in sorted(failures, key=lambda one: not isinstance(one, Misconfigured)):
        raise failure


def main(check: bool) -> None:
    """Prepares the servers of VOLTBUS_…, or only checks them; exits 1 if that fails, and says why."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it logs is in the error
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    for sentence in environment.sentences():
        print(f"voltbus: {sentence}", file=sys.stderr)
    try:
        settings = CommonSettings.read()
        asyncio.run(check_topics(settings) if check else everything(settings))
    except VoltbusError as error:
        sys.exit("\n".join(f"voltbus: {line}" for line in str(error).splitlines()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m voltbus.operator.prepare", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, and say how topics differ")
    main(parser.parse_args().check)
