"""Statements are planned while tables are empty, and those plans are kept: none of them reads a table through."""

import re
from collections.abc import Iterator

import pytest

from services.common.commands import metrics as commands
from services.common.commands import parts_store, store
from services.common.postgres import measures, outbox
from services.common.postgres.database import Database
from services.common.process.settings import CommonSettings
from services.common.push.webhooks import store as webhooks
from services.firmware import history_store, uptime
from services.firmware import store as firmware
from services.firmware.configuration import reports_store, settings_store, stations_store
from services.firmware.configuration.stores import GROUPS, PROGRESS
from services.firmware.listing import store as listing
from services.smartcharging import store as smartcharging
from services.transactions import metrics as transaction_metrics
from services.transactions import store as transactions
from tests.conftest import Stack
from tests.integration.common.running import settings_of

HOT = {
    "firmware": [
        *(firmware.LOAD_STATIONS, firmware.LOAD_CONNECTORS, firmware.LOAD_VERDICTS),
        *(firmware.COUNT_CONNECTORS, firmware.SAVE_STATUS, firmware.SAVE_SEEN),
        *(PROGRESS.booted_sql, PROGRESS.save_sql, *PROGRESS.claim_sql.values(), GROUPS.load_sql),
        *(stations_store.HERE, stations_store.BOOTS, settings_store.LOAD, reports_store.LOAD),
        *(store.LOCK, store.BY_KEYS, store.ONE, store.WAITING, store.CLAIM, store.CLAIM_DUE, store.IN_PARTS),
        *(store.CLAIM_SILENT, store.SILENT, parts_store.BY_IDS, parts_store.PAGE, parts_store.OF_COMMANDS),
        parts_store.SAVE,
        *(listing.LOAD_SESSIONS, listing.REMOVE_REGISTRATIONS, history_store.MARK_NEXT, uptime.CHANGES),
        *(listing.END_UNREGISTERED, uptime.UNREGISTERED),
    ],
    "smartcharging": [
        *(
            smartcharging.STATIONS_IN_SITES,
            smartcharging.LOAD_SESSIONS,
            smartcharging.END_SESSIONS,
            smartcharging.STATIONS,
        ),
        *(smartcharging.MARK_CHANGED, smartcharging.SESSION_LIMITS),
    ],
    "transactions": [
        *(transactions.LOAD, transactions.EXISTING_SAMPLES, transactions.WRITE, outbox.NEXT),
        *(measures.OUTBOX_ROWS, measures.OUTBOX_OLDEST, commands.COUNT),
        *(transaction_metrics.COUNT_OPEN, transaction_metrics.COUNT_HELD),
        *(transactions.REMOTE_STARTS_BY_NUMBER, transactions.REMOTE_STARTS_BY_TOKEN),
        *(webhooks.DUE, webhooks.NEXT_TRY, webhooks.TRIED, webhooks.EXPIRE, webhooks.COUNTS, webhooks.LIST),
    ],
}


def cases() -> Iterator[object]:
    for schema, statements in HOT.items():
        for statement in statements:
            yield pytest.param(schema, statement, id=f"{schema}: {' '.join(statement.split())[:50]}")


@pytest.fixture(scope="session")
async def settings(stack: Stack) -> CommonSettings:
    made: CommonSettings = settings_of(CommonSettings, await stack.fresh(topics=False))
    return made


@pytest.mark.parametrize(("schema", "statement"), list(cases()))
async def test_no_table_is_read_through(settings: CommonSettings, schema: str, statement: str) -> None:
    database = Database(settings, schema)
    await database.start()
    try:
        nothing = ", ".join(["null"] * max(map(int, re.findall(r"\$(\d+)", statement)), default=0))
        async with database.transaction() as db:
            await db.execute("set local plan_cache_mode = force_generic_plan")
            await db.execute(f"prepare hot as {statement}")
            plan = [row[0] for row in await db.fetch(f"explain execute hot {nothing and f'({nothing})'}")]
            await db.execute("deallocate hot")
    finally:
        await database.close()
    assert not [line for line in plan if "Seq Scan" in line]
