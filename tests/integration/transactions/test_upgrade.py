"""Transactions of an installation of before are found by those that come after."""

import shutil
import uuid
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from services.common.postgres import migrate
from tests.conftest import Stack
from tests.integration.transactions.conftest import MIGRATIONS


async def test_names_that_differ_in_case_alone_become_occurrences_of_one(stack: Stack, tmp_path: Path) -> None:
    admin = await asyncpg.connect(stack.servers.postgres_dsn)
    name = f"test_{uuid.uuid4().hex[:12]}"
    await admin.execute(f"create database {name}")
    await admin.close()
    dsn = urlunsplit(urlsplit(stack.servers.postgres_dsn)._replace(path=f"/{name}"))
    for path in MIGRATIONS.glob("*"):
        if path.name < "0017":
            shutil.copy(path, tmp_path)
    migrate.prepare(dsn, "transactions", tmp_path)
    db = await asyncpg.connect(dsn, server_settings={"search_path": "transactions"})
    before = [("A", "id:AB"), ("A", "id:ab"), ("A", "id:Ab"), ("B", "id:AB"), ("B", "id:z"), ("B", "start:1:T")]
    for n, (station, key) in enumerate(before, 1):
        await db.execute(
            "insert into transaction (id, station_id, key, transaction_id, started_at, started_received_at, "
            "updated_at, offline, occurrence, register_jumped_back, details, state, revision) "
            "values ($1, $2, $3, $3, now(), now(), now(), false, 1, false, '{}', '{}', 1)",
            *(n, station, key),
        )
    migrate.prepare(dsn, "transactions", MIGRATIONS)
    rows = await db.fetch("select station_id, key, occurrence from transaction order by id")
    await db.close()
    one = [("A", "id:ab", 2), ("A", "id:ab", 1), ("A", "id:ab", 3)]
    assert [tuple(row) for row in rows] == [*one, ("B", "id:ab", 1), ("B", "id:z", 1), ("B", "start:1:T", 1)]
