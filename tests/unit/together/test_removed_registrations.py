"""When a registration was removed: as its sender says, whenever Kafka got the record."""

from datetime import UTC, datetime

import pytest

from services.auth.publication import Publication
from services.common.kafka.bus import REMOVED_AT, Record
from services.common.kafka.events import Events
from services.common.process.settings import CommonSettings
from services.common.testing.assignments import unassigned
from services.firmware.listing.inbound import Unregistered, registration

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "written_ms", "at"),
    [
        (((REMOVED_AT, b"2026-03-01T12:00:00+00:00"),), 1, NOON),
        (((REMOVED_AT, b"2026-03-01T13:00:00+01:00"),), 1, NOON),
        # Of before, or of somebody else.
        ((), int(NOON.timestamp() * 1000), NOON),
        (((REMOVED_AT, b"at noon"),), int(NOON.timestamp() * 1000), NOON),
        (((REMOVED_AT, b"\xff"),), int(NOON.timestamp() * 1000), NOON),
        ((), 0, None),
    ],
)
def test_a_tombstone_says_since_when(
    headers: tuple[tuple[str, bytes], ...], written_ms: int, at: datetime | None
) -> None:
    record = Record("registrations", b"CP1", None, headers, written_ms=written_ms)
    assert registration(record) == Unregistered("CP1", at)


def test_that_is_what_auth_says() -> None:
    """With the same header on both topics of the station."""
    publication = Publication(CommonSettings(), Events(CommonSettings(), "auth", unassigned))
    records = publication.station_tombstone("CP1", NOON)
    assert [record.topic for record in records] == ["credentials", "registrations"]
    assert {registration(record) for record in records} == {Unregistered("CP1", NOON)}
