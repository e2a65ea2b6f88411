"""SQL of what the inventory says of stations, for their configuration."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from services.common.desired.progress import Step
from services.common.postgres.database import Connection

HERE = """
select station_id, version from station
where station_id = any($1::text[]) and online and boot_status = 'Accepted' and not quarantined"""

BOOTS = "select station_id, booted_at from station where station_id = any($1::text[])"

FIRMWARE = "select station_id, firmware_version from station where station_id = any($1::text[])"

STATUS = """
select s.version, s.booted_at, c.step, c.read_at, c.applied_at
from station s left join configuration c using (station_id)
where s.station_id = $1"""


@dataclass(frozen=True, slots=True)
class ConfigurationStatus:
    """What is known of a station. step: None where it has not come up for reading yet."""

    version: str | None
    booted_at: datetime | None
    step: Step | None
    read_at: datetime | None
    applied_at: datetime | None


async def here(db: Connection, station_ids: Collection[str]) -> dict[str, str]:
    """The versions of those that are here and let in."""
    return {row["station_id"]: row["version"] for row in await db.fetch(HERE, station_ids)}


async def boots(db: Connection, station_ids: Collection[str]) -> dict[str, datetime | None]:
    """When each last booted."""
    return {row["station_id"]: row["booted_at"] for row in await db.fetch(BOOTS, station_ids)}


async def firmware_versions(db: Connection, station_ids: Collection[str]) -> dict[str, str | None]:
    """By station; without those that never booted."""
    rows = await db.fetch(FIRMWARE, station_ids) if station_ids else []
    return {row["station_id"]: row["firmware_version"] for row in rows}


async def status(db: Connection, station_id: str) -> ConfigurationStatus | None:
    """How a station stands; None where it was never heard of."""
    row = await db.fetchrow(STATUS, station_id)
    if row is None:
        return None
    return ConfigurationStatus(
        version=row["version"],
        booted_at=row["booted_at"],
        step=Step(row["step"]) if row["step"] else None,
        read_at=row["read_at"],
        applied_at=row["applied_at"],
    )
