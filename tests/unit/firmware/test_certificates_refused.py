"""A certificate that is refused is an event; what is refused for something else is none."""

from datetime import UTC, datetime

import pytest

from services.firmware.announcements import certificates_refused
from services.firmware.domain.refusals import RefusalReport, RefusedStation
from services.ocpp.refusals import RefusalReason
from voltbus.v1 import events_pb2 as wire

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FAULTS = {
    "foreign_certificate": wire.CERTIFICATE_FAULT_FOREIGN,
    "certificate_of_another": wire.CERTIFICATE_FAULT_OF_ANOTHER,
    "expired_certificate": wire.CERTIFICATE_FAULT_EXPIRED,
    "revoked_certificate": wire.CERTIFICATE_FAULT_REVOKED,
    "untrusted_certificate": wire.CERTIFICATE_FAULT_UNTRUSTED,
    "other_serial_number": wire.CERTIFICATE_FAULT_OTHER_SERIAL_NUMBER,
}


@pytest.mark.parametrize("reason", [*RefusalReason, "of_tomorrow"])
def test_which_refusals_are_about_a_certificate(reason: str) -> None:
    """A00.FR.408"""
    refused = RefusedStation("CP1", reason, 3, NOW, NOW, "192.0.2.7", "ocpp1.6")
    told = list(certificates_refused(RefusalReport("g1", NOW, (refused,))))
    assert [one.fault for one in told] == [fault for fault in [FAULTS.get(reason)] if fault]
    assert all((one.station_id, one.times, one.remote_address) == ("CP1", 3, "192.0.2.7") for one in told)
