"""B13.FR.31, E17.FR.15 of OCPP 2.1: the TxProfiles that a resumed transaction is given again."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.common.kafka.events import Events, event_id
from services.common.process.settings import CommonSettings
from services.common.testing.assignments import unassigned
from services.smartcharging import inbound_events
from services.smartcharging.domain.installed_profiles import ProfileCommand
from services.smartcharging.domain.profile import Kind, Period, Profile, Purpose, Schedule
from services.smartcharging.domain.profile_commands import ClearProfiles, UpdateProfile
from services.smartcharging.domain.resumed_profiles import lost_profiles
from services.smartcharging.domain.sessions import SessionReport
from services.smartcharging.domain.site_profiles import FIRST_ID
from voltbus.v1 import events_pb2 as pb

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TX = Profile(3, Purpose.TX, Schedule("A", (Period(0, 16),)), 1, transaction_id="tx-1")
DYNAMIC = replace(TX, id=4, kind=Kind.DYNAMIC, stack_level=1)


def command(id_: str, change: Any, done: bool = True, open_: bool = False) -> ProfileCommand:
    return ProfileCommand(id_, change, "answered", None, NOW, done, open_)


@pytest.mark.parametrize(
    ("commands", "again"),
    [
        pytest.param([command("a", TX)], ["a"], id="confirmed"),
        pytest.param([command("a", TX), command("b", replace(TX, stack_level=2))], ["b"], id="the last of an id"),
        pytest.param([command("a", TX), command("b", replace(TX, stack_level=2), done=False)], ["a"], id="refused"),
        pytest.param([command("a", TX, done=False, open_=True)], ["a"], id="on its way when the station rebooted"),
        pytest.param([command("a", TX), command("b", ClearProfiles(id=3))], [], id="cleared"),
        pytest.param([command("a", TX), command("b", ClearProfiles(id=3), done=False)], [], id="to be cleared"),
        pytest.param([command("a", TX), command("b", ClearProfiles(id=9))], ["a"], id="another was cleared"),
        pytest.param([command("a", replace(TX, transaction_id="TX-1"))], ["a"], id="an identifier has no case"),
        pytest.param([command("a", replace(TX, transaction_id="tx-2"))], [], id="of another transaction"),
        pytest.param([command("a", replace(TX, purpose=Purpose.TX_DEFAULT, transaction_id=None))], [], id="a default"),
        pytest.param([command("a", replace(TX, id=FIRST_ID))], [], id="a site's own"),
        pytest.param([command("a", TX), command("b", DYNAMIC)], ["a", "b"], id="several, in their order"),
    ],
)
def test_which_are_set_again(commands: list[ProfileCommand], again: list[str]) -> None:
    assert [one.command_id for one in lost_profiles(commands, "tx-1")] == again


def test_a_dynamic_profile_is_brought_up_to_date() -> None:
    """K28.FR.06: what was updated since is said after it; what was refused is not."""
    updates = [
        command("b", UpdateProfile(4, {"limit": 10.0, "limit_L2": 6.0})),
        command("c", UpdateProfile(4, {"limit": 8.0})),
        command("d", UpdateProfile(4, {"limit": 1.0}), done=False),
        command("e", UpdateProfile(3, {"limit": 2.0})),
    ]
    found = lost_profiles([command("a", DYNAMIC), *updates], "tx-1")
    assert [(one.command_id, one.updated) for one in found] == [("a", {"limit": 8.0, "limit_L2": 6.0})]
    again = lost_profiles([command("a", DYNAMIC), *updates, command("f", DYNAMIC)], "tx-1")
    assert [(one.command_id, one.updated) for one in again] == [("f", {})]


@pytest.mark.parametrize("form", ["protobuf", "json"])
def test_that_a_transaction_goes_on_is_read_outside_of_sites_too(form: str) -> None:
    """Of all other updates nobody needs to know there; an idToken that is called so resumes nothing."""
    settings: Any = CommonSettings(events_format=form)
    transaction = pb.Transaction(id=7, station_id="CP1", evse_id=2, transaction_id="x", started_at=NOW)
    updated = pb.TransactionUpdated(transaction=transaction, trigger_reason="TxResumed", offline=True)
    record = Events(settings, "transactions", unassigned).record(updated, "CP1", "1", NOW)
    resumed = SessionReport(7, "CP1", 2, "x", NOW, False, resumed=event_id(record))
    assert resumed.resumed
    assert inbound_events.read(record, pb.TransactionUpdated, in_site=False) == resumed
    updated.trigger_reason = "ChargingStateChanged"
    other = Events(settings, "transactions", unassigned).record(updated, "CP1", "2", NOW)
    assert inbound_events.read(other, pb.TransactionUpdated, in_site=False) is None
    updated.transaction.id_token = "TxResumed"
    named = Events(settings, "transactions", unassigned).record(updated, "CP1", "3", NOW)
    assert inbound_events.read(named, pb.TransactionUpdated, in_site=False) == replace_resumed(resumed)


def replace_resumed(report: SessionReport) -> SessionReport:
    """The same, and it tells something else."""
    return SessionReport(report.id, report.station_id, report.evse_id, report.transaction_id, NOW, False)
