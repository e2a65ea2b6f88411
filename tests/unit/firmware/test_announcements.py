"""What a station says in words of its own has one meaning on events, whatever its version."""

from datetime import UTC, datetime

import pytest

from services.firmware.announcements import CONNECTOR_STATUS, connector_status_changed, station_booted
from services.firmware.configuration.domain.reports import ReportProgress
from services.firmware.configuration.domain.settings import Result
from services.firmware.domain.messages import ConnectorStatusChanged, StationBooted
from services.firmware.domain.station import BootStatus, Place, Registration, Station
from services.ocpp.versions import VERSIONS
from voltbus.v1 import events_pb2 as wire

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_every_status_of_a_schema_has_a_meaning() -> None:
    document = {name: version.schemas.request_document("StatusNotification") for name, version in VERSIONS.items()}
    words = {*document["1.6"]["properties"]["status"]["enum"]}
    words |= {*document["2.0.1"]["definitions"]["ConnectorStatusEnumType"]["enum"]}
    assert words == CONNECTOR_STATUS.keys()


@pytest.mark.parametrize(
    ("word", "meaning"),
    [("Finishing", wire.CONNECTOR_STATUS_OCCUPIED), ("Sleeping", wire.CONNECTOR_STATUS_UNKNOWN)],
)
def test_the_word_stands_beside_its_meaning(word: str, meaning: wire.ConnectorStatus) -> None:
    event = connector_status_changed(ConnectorStatusChanged("CP1", Place(0, 0), word, None, AT, "c"))
    assert isinstance(event, wire.ConnectorStatusChanged)
    assert (event.status, event.reported_status) == (meaning, word)
    assert event.HasField("evse_id")
    assert event.HasField("connector_id")


@pytest.mark.parametrize("status", [None, *BootStatus])
def test_every_answer_to_a_boot(status: BootStatus | None) -> None:
    event = station_booted(StationBooted(Station("CP1", registration=Registration(status)), AT, "c"))
    assert isinstance(event, wire.StationBooted)
    assert wire.RegistrationStatus.Name(event.status).endswith(status.name if status else "UNSPECIFIED")


def test_closed_lists_are_on_events_what_they_are_here() -> None:
    settings = {f"SETTING_STATUS_{name}" for name in ("UNSPECIFIED", "OBSERVED", *Result.__members__)}
    assert settings - {"SETTING_STATUS_PENDING"} == set(wire.SettingStatus.keys())
    reports = {f"REPORT_STATUS_{name}" for name in ("UNSPECIFIED", *ReportProgress.__members__)}
    assert reports - {"REPORT_STATUS_RECEIVING"} == set(wire.ReportStatus.keys())
