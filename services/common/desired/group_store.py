"""SQL of what is desired of groups: one document a group, as its service reads it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from services.common.postgres.database import Connection

LOAD = """
select station_group, {content} as content, changed_at, author from {table} where station_group = any($1::text[])"""

SAVE = """
insert into {table} (station_group, {content}, changed_at, author) values ($1, $2, $3, $4)
on conflict (station_group) do update set {content} = excluded.{content},
    changed_at = excluded.changed_at, author = excluded.author"""

REMOVE = "delete from {table} where station_group = $1 returning station_group"


@dataclass(frozen=True, slots=True)
class GroupDocument:
    """What is desired of the stations of a group. content: JSON. author: who said so, where that is known."""

    group: str
    content: Any
    changed_at: datetime
    author: str | None = None


class GroupStore:
    """One table. content: its column of documents. What is written is the caller's transaction's."""

    def __init__(self, table: str, content: str = "content") -> None:
        self.load_sql, self.save_sql, self.remove_sql = (
            statement.format(table=table, content=content) for statement in (LOAD, SAVE, REMOVE)
        )

    async def load(self, db: Connection, groups: Collection[str]) -> dict[str, GroupDocument]:
        """By group; without those of which nothing is desired."""
        rows = await db.fetch(self.load_sql, list(groups)) if groups else []
        return {row["station_group"]: _document(row) for row in rows}

    async def save(self, db: Connection, document: GroupDocument) -> None:
        content = orjson.dumps(document.content).decode()
        await db.execute(self.save_sql, document.group, content, document.changed_at, document.author)

    async def remove(self, db: Connection, group: str) -> bool:
        """Whether there was something."""
        return await db.fetchval(self.remove_sql, group) is not None


def _document(row: asyncpg.Record) -> GroupDocument:
    return GroupDocument(row["station_group"], orjson.loads(row["content"]), row["changed_at"], row["author"])
