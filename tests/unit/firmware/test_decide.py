"""Everything that firmware decides has its place in the tables, and every message proves liveness."""

from typing import Any, get_args

import pytest

from services.firmware.configuration.domain.reports import Part
from services.firmware.domain.decide import COMMANDS, CONNECTION_UPDATES, DECIDE, decide, repeat
from services.firmware.domain.messages import (
    Boot,
    BootVerdict,
    Command,
    ConnectionUpdate,
    CurrentTime,
    DataTransfer,
    DataTransferResult,
    Heartbeat,
    Notification,
    OpenStream,
    ReportConnectorStates,
    ReportConnectorStatus,
    ReportFirmwareStatus,
    ReportSecurityEvent,
    ReportSettings,
    StationConnected,
)
from services.firmware.domain.rules import Rules, VendorMessages
from services.firmware.domain.station import BootStatus, FirmwareStatus, Identity, Place, Station
from tests.unit.firmware.tables import at, context

EXAMPLES: list[Command] = [
    Boot(Identity("Volta", "One")),
    ReportConnectorStatus(Place(1, 1), "Available"),
    ReportConnectorStates(((0, ReportConnectorStatus(Place(1, 1), "Available")),)),
    ReportFirmwareStatus("Installed"),
    ReportSettings(Part(1, 0, False, ())),
    ReportSecurityEvent("TamperDetectionActivated"),
    DataTransfer("org.nobody"),
    Heartbeat(),
    OpenStream(),
    Notification(),
]
ECHO: dict[str, VendorMessages] = {"org.echo": {"say": lambda data: DataTransferResult("Accepted", data)}}


def test_the_tables_are_whole() -> None:
    assert set(get_args(Command)) == set(COMMANDS) == {type(example) for example in EXAMPLES}
    assert set(get_args(ConnectionUpdate)) == set(CONNECTION_UPDATES)
    assert set(DECIDE) == set(COMMANDS) | set(CONNECTION_UPDATES)


@pytest.mark.parametrize("command", EXAMPLES, ids=lambda command: type(command).__name__)
def test_any_message_proves_liveness(command: Any) -> None:
    """G02.FR.04."""
    decision = decide(Station("CP1"), command, context(3))
    assert decision.station.presence.online
    assert isinstance(decision.events[0], StationConnected)


@pytest.mark.parametrize(
    ("transfer", "answer"),
    [
        pytest.param(DataTransfer("org.nobody"), DataTransferResult("UnknownVendorId"), id="P01.FR.05"),
        pytest.param(DataTransfer("org.echo", "sing"), DataTransferResult("UnknownMessageId"), id="P01.FR.06"),
        pytest.param(DataTransfer("org.echo"), DataTransferResult("UnknownMessageId"), id="P01.FR.06, none given"),
        pytest.param(DataTransfer("org.echo", "say", "x"), DataTransferResult("Accepted", "x"), id="P01.FR.07"),
    ],
)
def test_transfers(transfer: DataTransfer, answer: DataTransferResult) -> None:
    assert decide(Station("CP1"), transfer, context(rules=Rules(vendors=ECHO))).reply == answer


def test_a_heartbeat_is_told_the_time() -> None:
    """G02.FR.03."""
    assert decide(Station("CP1"), Heartbeat(), context(now=at(9))).reply == CurrentTime(at(9))


def test_the_last_status_of_an_update_stays() -> None:
    decision = decide(Station("CP1"), ReportFirmwareStatus("Downloading"), context(4))
    assert decision.station.firmware_status == FirmwareStatus("Downloading", at(4))


@pytest.mark.parametrize(
    ("told", "status", "request_id"),
    [
        ([("Installing", 1), ("Downloading", 2), ("Installed", 1)], "Downloading", 2),
        ([("Installing", 1), ("Downloading", 2), ("Downloading", 3), ("Installed", 1)], "Downloading", 3),
        ([("Installing", 1), ("Downloading", 2), ("Idle", None), ("Installed", 1)], "Idle", 2),
        ([("Installing", 1), ("Downloading", 2), ("Idle", None), ("Downloaded", 2)], "Downloaded", 2),
        # Without numbers, as in 1.6, the newest is the last.
        ([("Installing", None), ("Installed", None)], "Installed", None),
    ],
)
def test_late_words_of_an_earlier_update_are_history(
    told: list[tuple[str, int | None]], status: str, request_id: int | None
) -> None:
    """L01.FR.10, L01.FR.20."""
    station = Station("CP1")
    for number, one in enumerate(told):
        station = decide(station, ReportFirmwareStatus(*one), context(number)).station
    known = station.firmware_status
    assert known is not None
    assert (known.status, known.request_id) == (status, request_id)


def test_a_boot_that_is_read_again_is_told_the_same() -> None:
    verdict = BootVerdict(BootStatus.PENDING, 7, at(0))
    decision = repeat(Station("CP1"), verdict, context(now=at(5)))
    assert decision.reply == BootVerdict(BootStatus.PENDING, 7, at(5))
    assert decision.station.registration.status is None
