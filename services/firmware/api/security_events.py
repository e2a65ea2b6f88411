"""REST of firmware: security events of all stations."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.common.postgres.database import Database
from services.common.web.access import Access, Groups
from services.common.web.fields import UtcDatetime
from services.common.web.pages import Cursor, Limit, Page, read_time_cursor, write_time_cursor
from services.common.web.problems import field_problem
from services.firmware import security_events_store
from services.firmware.api.selection import Text
from services.firmware.domain.security_events import MOST_A_DAY, Origin
from services.firmware.rights import READ
from services.firmware.security_events_store import SecurityEventFilter


class SecurityEventView(BaseModel):
    """Something that matters for security."""

    id: str
    station_id: str = Field(examples=["CP001"])
    origin: Origin = Field(description="station: it reported this; csms: this side noticed it")
    type: str = Field(
        description="as the station names it; of csms: LoginFailed, CertificateRefused or DowngradeAttempted",
        examples=["TamperDetectionActivated"],
    )
    critical: bool | None = Field(description="as the list of OCPP has it; null: of a type that is not in it")
    tech_info: str | None = Field(description="in the station's words; of csms: why it was not let in")
    remote_address: str | None = Field(description="of csms: from where, the last time")
    happened_at: datetime = Field(description="occurred_at where that can be right, else received_at")
    occurred_at: datetime | None = Field(description="by the clock of its origin, which may lie")
    received_at: datetime
    times: int = Field(
        description="how often. Of a station, an origin and a type the first "
        f"{MOST_A_DAY} of a day are kept, and the last of these counts what came after it, too"
    )


def router(database: Database, access: Access) -> APIRouter:
    """/v1/security-events."""
    routes = APIRouter(prefix="/v1/security-events", tags=["security"])

    @routes.get("", dependencies=[access.require(READ, filtered=True)])
    async def security_events(
        groups: Groups,
        station_id: Text = None,
        group: Annotated[Text, Query(description="one that the station is in now")] = None,
        type: Annotated[
            Text,
            Query(description="by its name in 2.1, those that 1.6 names otherwise, too; other: all unknown ones"),
        ] = None,
        critical: bool | None = None,
        origin: Origin | None = None,
        begin: Annotated[UtcDatetime | None, Query(alias="from", description="that happened then or later")] = None,
        end: Annotated[UtcDatetime | None, Query(alias="to", description="that happened before")] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[SecurityEventView]:
        """Security events of all stations, the newest first; those told late stand where they happened."""
        if begin and end and not begin < end:
            raise field_problem("query.from", "must be before `to`")
        wanted = SecurityEventFilter(
            station_id=station_id,
            type=type,
            critical=critical,
            origin=origin and origin.value,
            since=begin,
            until=end,
            group=group,
            within=groups,
        )
        before = read_time_cursor(cursor, str)
        async with database.list_connection() as db:
            found = await security_events_store.page(db, wanted, before, limit + 1)
        fields = SecurityEventView.model_fields
        items = [SecurityEventView(**{name: row[name] for name in fields}) for row in found[:limit]]
        last = items[-1] if len(found) > limit else None
        return Page(items=items, next=write_time_cursor(last.happened_at, last.id) if last else None)

    return routes
