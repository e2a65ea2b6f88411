"""Notices a schema that was restored, and whose service would go on behind what it no longer knows.

Kafka keeps how far a service has read; beside each offset stands a number that Postgres had counted up to before. Who
has the number has all that was handled before that offset; a schema of an earlier time has a lower one.
"""

from collections.abc import Collection, Iterable, Mapping

from services.common.kafka.bus import Bus
from services.common.postgres.database import Database
from services.common.process.errors import Misconfigured

PREFIX = "mark "
NEXT = "update commit_mark set mark = mark + 1 returning mark"
LAST = "select mark from commit_mark"


class CommitMarks:
    """Those of one service. database: its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def next(self) -> str:
        """To be committed beside the offsets of what is in Postgres by now. Raises Unavailable."""
        async with self._database.connection() as db:
            return f"{PREFIX}{await db.fetchval(NEXT)}"

    async def require_all(self, bus: Bus, read: Mapping[str, Collection[str]]) -> None:
        """Raises Misconfigured where Kafka has a mark that Postgres does not know; Unavailable.

        read: the topics of each consumer group.
        """
        notes = [note for group, topics in read.items() for note in await bus.notes(group, topics)]
        async with self._database.connection() as db:
            last = await db.fetchval(LAST)
        if is_behind(last, notes):
            schema = self._database.schema
            raise Misconfigured(
                f"the schema {schema} was restored to an earlier state, and Kafka would not give its service what came "
                f"since: run `python -m voltbus.operator.rewind {schema} --to TIME` first (docs/backup.md)"
            )


def is_behind(last: int, notes: Iterable[str]) -> bool:
    """Whether one of the notes is a mark that is newer. Others, and those of releases before, say nothing."""
    marks = (note.removeprefix(PREFIX) for note in notes if note.startswith(PREFIX))
    return any(mark.isascii() and mark.isdigit() and int(mark) > last for mark in marks)
