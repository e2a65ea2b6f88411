"""What a station has reported of its profiles: the parts of its newest report, put together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from services.common.calls import message_log
from services.common.postgres.database import Connection
from services.smartcharging.dialects import BY_VERSION
from services.smartcharging.domain.profile import Profile

ACTION = "ReportChargingProfiles"
MOST_PARTS = 200
# When a report of that number was last asked for, by our command or by an operator's.
ASKED_AT = """
select max(sent_at) from command
where station_id = $1
    and (action = 'ReportProfiles' and number = $2
        or action = 'GetChargingProfiles' and payload ->> 'requestId' = $2::text)"""

# The row of a part, and its payload.
Part = tuple[asyncpg.Record, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ProfileReport:
    """request_id: the number of the command that asked for it. complete: no part is to come (K09.FR.02).

    profiles: each with its source (ChargingLimitSourceEnumType).
    """

    request_id: int
    complete: bool
    reported_at: datetime
    profiles: tuple[tuple[str, Profile], ...]


async def newest(db: Connection, station_id: str) -> ProfileReport | None:
    """None where it never reported anything."""
    rows = await message_log.newest(db, station_id, ACTION, MOST_PARTS)
    parts = [(row, orjson.loads(row["normalised"] or row["payload"])) for row in rows if row["refused"] is None]
    if not parts:
        return None
    number = parts[0][1]["requestId"]
    report = newest_of(number, parts, await db.fetchval(ASKED_AT, station_id, number))
    return ProfileReport(
        request_id=number,
        complete=any(not part.get("tbc") for _, part in report),
        reported_at=parts[0][0]["received_at"],
        profiles=tuple(profile for row, part in report for profile in _profiles(row, part)),
    )


def newest_of(number: int, parts: Sequence[Part], asked_at: datetime | None) -> list[Part]:
    """The parts of the newest report of that number, in their order. parts: newest first, of any reports.

    A number may be used again: what came before it was last asked for, or before a part that was the last of its
    report, belongs to another. A part that came twice is one.
    """
    report: list[Part] = []
    for row, part in parts:
        if part["requestId"] != number or any(part == one for _, one in report):
            continue
        if (asked_at and row["received_at"] < asked_at) or (report and not part.get("tbc")):
            break
        report.insert(0, (row, part))
    return report


def _profiles(row: asyncpg.Record, part: dict[str, Any]) -> list[tuple[str, Profile]]:
    source = part.get("chargingLimitSource", "")
    return [(source, profile) for profile in BY_VERSION[row["version"]].read_reported_profiles(part)]
