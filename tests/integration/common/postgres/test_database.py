"""What Postgres says of the moment is tried again, and is no fault of a record."""

import pytest

from services.common.postgres.database import Database
from services.common.process.errors import Unavailable
from services.common.process.settings import CommonSettings
from tests.conftest import Stack
from tests.integration.common.running import settings_of

READ = "select * from command limit 1"


async def read(database: Database) -> None:
    async with database.transaction() as db:
        await db.fetch(READ)


async def test_a_migration_under_a_running_process_is_tried_again(stack: Stack) -> None:
    """An upgrade prepares the schemas while processes of the version before still run."""
    database = Database(settings_of(CommonSettings, await stack.fresh(topics=False)), "auth")
    await database.start()
    try:
        await read(database)
        async with database.connection() as db:
            await db.execute("alter table command add column later json")
        with pytest.raises(Unavailable):
            await read(database)
        await read(database)
    finally:
        await database.close()
