"""A row that is written has its values in the order of its columns."""

from typing import Any

from services.firmware import rows, store
from services.firmware.domain.station import BootStatus, Connector, FirmwareStatus, Identity, Place, Registration
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


def test_a_connector_there_and_back() -> None:
    times = at(1), at(2), at(3)
    known = Connector(
        "Faulted", "E", "I", "VE", *times, "a", "{}", happened_at=at(4), by_event=True, confirmed_at=at(5)
    )
    written: Any = store._connector_row("CP1", Place(1, 2), known)
    assert written[:3] == ("CP1", 1, 2)
    assert rows.connector(written) == known
