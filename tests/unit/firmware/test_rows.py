"""A row that is written has its values in the order of its columns."""

from typing import Any

from services.firmware import rows, store
from services.firmware.domain.station import BootStatus, FirmwareStatus, Identity, Registration
from tests.unit.firmware.tables import START, at, online


def test_a_station_there_and_back() -> None:
    identity = Identity("V", "M", "S", "F", "I", "IM", "MT", "MS")
    registration = Registration(BootStatus.PENDING, "PowerUp", at(1), True)
    known = online(seen=9)
    station = type(known)(
        station_id="CP1",
        version="1.6",
        quarantined=True,
        identity=identity,
        registration=registration,
        presence=known.presence,
        firmware_status=FirmwareStatus("Installed", START, 3, (1, 2)),
    )
    written: dict[str, Any] = dict(zip(rows.SAVED_COLUMNS, store._station_row(station), strict=True))
    read: Any = tuple(written.get(name) for name in rows.STATION_COLUMNS)
    assert rows.station(read) == station
