"""Lists of the REST API: a page of items and the cursor of the next, which holds while rows are added."""

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

import orjson
from fastapi import Query
from pydantic import BaseModel

from services.common.web.problems import Problem, field_problem

T = TypeVar("T")
# Bytes of what stations wrote after which a page ends: a message may have 450 kB, and a page a thousand of them.
PAGE_SIZE = 4 * 1024 * 1024

Limit = Annotated[int, Query(ge=1, le=1000, description="how many items at the most")]
Cursor = Annotated[str | None, Query(max_length=500, description="`next` of the page before")]


class Page(BaseModel, Generic[T]):
    """One page; next is null on the last."""

    items: list[T]
    next: str | None = None


def bounded(page: str, *, order: str, size: str) -> str:
    """A query of a page of rows, until those before come to more than PAGE_SIZE.

    page: a query with its order and limit. order: the same. size: bytes of a row, in SQL. Each row has `found`: how
    many there are within the limit.
    """
    return f"""
select * from (
    select *, count(*) over () as found, sum(size) over (order by {order}) - size as before
    from (select *, {size} as size from ({page}) as page) as sized
) as summed
where before < {PAGE_SIZE}
order by {order}"""


def write_cursor(*position: str | int) -> str:
    """Where a page ended, opaque to the client."""
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def read_cursor(cursor: str | None, *kinds: type) -> Sequence[str | int] | None:
    """The position in a cursor, one value for each kind; None for the first page.

    Raises Problem where it is no cursor of ours.
    """
    if cursor is None:
        return None
    try:
        position = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        position = None
    if not isinstance(position, list) or [type(value) for value in position] != list(kinds) or not _usable(position):
        raise _unknown()
    return position


def write_time_cursor(at: datetime, key: str | int) -> str:
    """Where a page of a list ended that is in the order of time; key: what tells apart what was at one time."""
    return write_cursor(at.isoformat(), key)


def read_time_cursor(cursor: str | None, kind: type) -> tuple[datetime, Any] | None:
    """The time and the key in a cursor; None for the first page. Raises Problem."""
    if (position := read_cursor(cursor, str, kind)) is None:
        return None
    try:
        return datetime.fromisoformat(str(position[0])).astimezone(UTC), position[1]
    except (ValueError, OverflowError):
        raise _unknown() from None


def _unknown() -> Problem:
    return field_problem("query.cursor", "is not one that this list returned")


def _usable(position: list[str | int]) -> bool:
    """Whether Postgres can compare with it: a cursor is what a client makes of it."""
    return all("\0" not in value if isinstance(value, str) else abs(value) < 1 << 63 for value in position)
