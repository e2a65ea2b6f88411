"""Which transactions a call is about, by its query."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Literal

from asyncpg import Range
from fastapi import Query

from services.common.postgres.database import Database
from services.common.web.access import Groups
from services.common.web.fields import NO_NUL, UtcDatetime
from services.ocpp.id_tokens import Authorization
from services.transactions.domain.doubts import Doubt
from services.transactions.domain.review import Review
from services.transactions.reads import STORED_SOON, TransactionFilter, stored_until, stored_within

Word = Annotated[str | None, Query(max_length=255, pattern=NO_NUL)]
Reviews = Annotated[
    list[Review] | None, Query(max_length=len(Review), description="may be given more than once: any of")
]


def selected(database: Database) -> Callable[..., Awaitable[TransactionFilter]]:
    """A dependency: the filter that a query says, within what the caller is limited to."""

    async def selection(
        groups: Groups,
        station_id: Word = None,
        group: Word = None,
        location_id: Word = None,
        status: Literal["active", "ended"] | None = None,
        id_token: Word = None,
        authorization: Authorization | None = None,
        started_after: UtcDatetime | None = None,
        started_before: UtcDatetime | None = None,
        received_after: UtcDatetime | None = None,
        received_before: UtcDatetime | None = None,
        stopped_after: UtcDatetime | None = None,
        stopped_before: UtcDatetime | None = None,
        updated_after: UtcDatetime | None = None,
        complete: bool | None = None,
        doubt: Doubt | None = None,
        review: Reviews = None,
        billable: bool | None = None,
    ) -> TransactionFilter:
        updated, known_until = await _since(database, updated_after)
        return TransactionFilter(
            station_id=station_id,
            group=group,
            within=groups,
            location_id=location_id,
            active=None if status is None else status == "active",
            id_token=id_token,
            authorization=authorization,
            started_after=started_after,
            started_before=started_before,
            received_after=received_after,
            received_before=received_before,
            stopped_after=stopped_after,
            stopped_before=stopped_before,
            updated=updated,
            known_until=known_until,
            complete=complete,
            doubt=doubt,
            review=review,
            billable=billable,
        )

    return selection


async def _since(database: Database, moment: datetime | None) -> "tuple[Range[datetime] | None, datetime | None]":
    """What was stored from a moment on, as far as all is known, and up to when; without a moment only if soon."""
    async with database.list_connection() as db:
        if moment is None:
            return None, await stored_within(db, STORED_SOON)
        until = await stored_until(db)
    return Range(moment, max(moment, until)), until
