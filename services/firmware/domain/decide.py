"""Every command and its decision."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from msgspec.structs import replace

from services.firmware.domain.boot import boot
from services.firmware.domain.connectors import report_status
from services.firmware.domain.messages import (
    Alive,
    Beat,
    Boot,
    Change,
    Closed,
    Command,
    Decision,
    Heard,
    Opened,
    Report,
    ReportSecurity,
    ReportSettings,
    ReportStatus,
    ReportUpdate,
    SecurityReported,
    Time,
    Transfer,
    Verdict,
)
from services.firmware.domain.presence import alive, closed, opened, seen
from services.firmware.domain.rules import Rules
from services.firmware.domain.station import Station, Update
from services.firmware.domain.transfers import transfer

Decide: TypeAlias = Callable[[Station, Heard, Any, Rules, datetime], Decision]


def decide(station: Station, heard: Heard, what: Command | Change, rules: Rules, now: datetime) -> Decision:
    """What a station's message, or a gateway's word of its connection, leads to."""
    return DECIDE[type(what)](station, heard, what, rules, now)


def repeat(station: Station, heard: Heard, told: Verdict, rules: Rules, now: datetime) -> Decision:
    """A boot that was decided before and is read again: the same verdict, and nothing happens."""
    return Decision(seen(station, heard, rules, now).station, replace(told, now=now))


def _beat(station: Station, _: Heard, __: Beat, ___: Rules, now: datetime) -> Decision:
    return Decision(station, Time(now))


def _report_status(station: Station, heard: Heard, command: ReportStatus, _: Rules, __: datetime) -> Decision:
    return report_status(station, heard, command)


def _report_update(station: Station, heard: Heard, command: ReportUpdate, _: Rules, __: datetime) -> Decision:
    return Decision(replace(station, update=Update(command.status, heard.at)))


def _report_security(station: Station, heard: Heard, what: ReportSecurity, _: Rules, __: datetime) -> Decision:
    """Told as it came, however late: stations queue these while they are offline (A04.FR.02)."""
    event = SecurityReported(station.station_id, what.type, what.tech_info, what.at, heard.at, heard.id)
    return Decision(station, events=(event,))


def _transfer(station: Station, _: Heard, command: Transfer, rules: Rules, __: datetime) -> Decision:
    return Decision(station, transfer(command, rules))


def _report(station: Station, _: Heard, __: Report | ReportSettings, ___: Rules, ____: datetime) -> Decision:
    return Decision(station)


def _here(choose: Decide) -> Decide:
    """A station that sends something is here, whatever it says (G02.FR.04)."""

    def chosen(station: Station, heard: Heard, command: Command, rules: Rules, now: datetime) -> Decision:
        here = seen(station, heard, rules, now)
        decision = choose(here.station, heard, command, rules, now)
        return replace(decision, events=here.events + decision.events)

    return chosen


COMMANDS: Mapping[type, Decide] = {
    Boot: boot,
    ReportStatus: _report_status,
    ReportUpdate: _report_update,
    ReportSecurity: _report_security,
    ReportSettings: _report,
    Transfer: _transfer,
    Beat: _beat,
    Report: _report,
}
CHANGES: Mapping[type, Decide] = {
    Opened: opened,
    Alive: alive,
    Closed: closed,
}
DECIDE: Mapping[type, Decide] = {
    **{kind: _here(choose) for kind, choose in COMMANDS.items()},
    **CHANGES,
}
