"""Everything that firmware decides has its place in the tables, and every message proves liveness."""

from typing import Any, get_args

import pytest

from services.firmware.configuration.domain.reports import Part
from services.firmware.domain.decide import CHANGES, COMMANDS, DECIDE, decide, repeat
from services.firmware.domain.messages import (
    Beat,
    Boot,
    Change,
    Command,
    Connected,
    Report,
    ReportSecurity,
    ReportSettings,
    ReportStatus,
    ReportUpdate,
    Time,
    Transfer,
    Transferred,
    Verdict,
)
from services.firmware.domain.rules import Rules
from services.firmware.domain.station import BootStatus, Identity, Place, Station, Update
from tests.unit.firmware.configuration.tables import at, heard

EXAMPLES: list[Command] = [
    Boot(Identity("Volta", "One")),
    ReportStatus(Place(1, 1), "Available"),
    ReportUpdate("Installed"),
    ReportSettings(Part(1, 0, False, ())),
    ReportSecurity("TamperDetectionActivated"),
    Transfer("org.nobody"),
    Beat(),
    Report(),
]
ECHO = {"org.echo": {"say": lambda data: Transferred("Accepted", data)}}


def test_the_tables_are_whole() -> None:
    assert set(get_args(Command)) == set(COMMANDS) == {type(example) for example in EXAMPLES}
    assert set(get_args(Change)) == set(CHANGES)
    assert set(DECIDE) == set(COMMANDS) | set(CHANGES)


@pytest.mark.parametrize("command", EXAMPLES, ids=lambda command: type(command).__name__)
def test_any_message_proves_liveness(command: Any) -> None:
    """G02.FR.04."""
    decision = decide(Station("CP1"), heard(3), command, Rules(), at(3))
    assert decision.station.presence.online
    assert isinstance(decision.events[0], Connected)


@pytest.mark.parametrize(
    ("transfer", "answer"),
    [
        pytest.param(Transfer("org.nobody"), Transferred("UnknownVendorId"), id="P01.FR.05"),
        pytest.param(Transfer("org.echo", "sing"), Transferred("UnknownMessageId"), id="P01.FR.06"),
        pytest.param(Transfer("org.echo"), Transferred("UnknownMessageId"), id="P01.FR.06, none given"),
        pytest.param(Transfer("org.echo", "say", "x"), Transferred("Accepted", "x"), id="P01.FR.07"),
    ],
)
def test_transfers(transfer: Transfer, answer: Transferred) -> None:
    assert decide(Station("CP1"), heard(), transfer, Rules(vendors=ECHO), at(0)).reply == answer


def test_a_heartbeat_is_told_the_time() -> None:
    """G02.FR.03."""
    assert decide(Station("CP1"), heard(), Beat(), Rules(), at(9)).reply == Time(at(9))


def test_the_last_word_on_an_update_stays() -> None:
    decision = decide(Station("CP1"), heard(4), ReportUpdate("Downloading"), Rules(), at(4))
    assert decision.station.update == Update("Downloading", at(4))


def test_a_boot_that_is_read_again_is_told_the_same() -> None:
    told = Verdict(BootStatus.PENDING, 7, at(0))
    decision = repeat(Station("CP1"), heard(0), told, Rules(), at(5))
    assert decision.reply == Verdict(BootStatus.PENDING, 7, at(5))
    assert decision.station.registration.status is None
