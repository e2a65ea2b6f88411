"""Charging profiles as commands: kept in no version's words, written in the station's when they are sent."""

from collections.abc import Callable, Mapping
from typing import Any

from services.common.commands.catalogue import renders
from services.common.commands.command import Command, End
from services.smartcharging.dialects import BY_VERSION
from services.smartcharging.dialects.dialect import Payload
from services.smartcharging.domain.applied_limit import Outcome
from services.smartcharging.domain.installed_profiles import ProfileCommand
from services.smartcharging.domain.profile import Profile, Purpose, from_json
from services.smartcharging.domain.profile_commands import (
    ClearProfiles,
    CommandName,
    ComposeSchedule,
    CompositeSchedule,
    ReportProfiles,
    SetProfile,
    UpdateProfile,
)

# Of 2.1, in its words.
UPDATE = "UpdateDynamicSchedule"

OUTCOMES: Mapping[End, Outcome] = {
    End.REFUSED: Outcome.REFUSED,
    End.INVALID: Outcome.UNKNOWN,
    End.UNRENDERABLE: Outcome.REFUSED,
    End.UNDELIVERED: Outcome.UNSENT,
    End.EXPIRED: Outcome.UNSENT,
    End.TIMED_OUT: Outcome.UNKNOWN,
    End.PARTIAL: Outcome.UNKNOWN,
    End.LATE: Outcome.LATE,
    End.CANCELLED: Outcome.UNSENT,
}


def clear_profiles(payload: Payload) -> ClearProfiles:
    """A ClearProfiles as a command holds it."""
    purpose = payload.get("purpose")
    return ClearProfiles(**(payload | {"purpose": Purpose(purpose) if purpose else None}))


COMMANDS: Mapping[str, Callable[[Command], Any]] = {
    CommandName.SET: lambda command: SetProfile(from_json(command.payload)),
    CommandName.CLEAR: lambda command: clear_profiles(dict(command.payload)),
    CommandName.COMPOSE: lambda command: ComposeSchedule(**command.payload),
    CommandName.REPORT: lambda command: ReportProfiles(number=command.number, **command.payload),
}

RENDERERS = renders(COMMANDS, {version: dialect.requests for version, dialect in BY_VERSION.items()})


def outcome_of(end: End | None, response: Any) -> Outcome:
    """What became of a command."""
    if end is None:
        return Outcome.OPEN
    if end == End.ANSWERED:
        return Outcome.ACCEPTED if accepted(response) else Outcome.REFUSED if refused(response) else Outcome.UNKNOWN
    return OUTCOMES[end]


def accepted(response: Any) -> bool:
    return isinstance(response, dict) and response.get("status") == "Accepted"


def refused(response: Any) -> bool:
    """In a word that OCPP has for it; what another one means, nobody knows."""
    return isinstance(response, dict) and response.get("status") in ("Rejected", "NotSupported", "Unknown")


def read_composite_schedule(version: str | None, response: Any) -> CompositeSchedule | None:
    """The schedule in a station's answer; None where it gave none."""
    dialect = BY_VERSION.get(version or "")
    return dialect.read_composite_schedule(response) if dialect and accepted(response) else None


def profile_command(command: Command) -> ProfileCommand | None:
    """A command that sets or clears profiles, whether in our words or a version's; None for all others."""
    change = _change(command)
    if change is None:
        return None
    cleared = isinstance(change, ClearProfiles) and isinstance(command.answer, dict)
    # A station that knows no such profile has cleared it (K10.FR.01).
    done = accepted(command.answer) or (cleared and command.answer.get("status") == "Unknown")
    return ProfileCommand(
        command_id=command.id,
        change=change,
        status=command.status,
        response=command.response,
        asked_at=command.created_at,
        done=done,
        open=not command.final,
    )


def _change(command: Command) -> Profile | ClearProfiles | UpdateProfile | None:
    if command.action == CommandName.SET:
        return from_json(command.payload)
    if command.action == CommandName.CLEAR:
        return clear_profiles(dict(command.payload))
    dialect = BY_VERSION.get(command.version or "")
    if dialect is None or command.sent_at is None:
        return None
    if command.action == "SetChargingProfile":
        return dialect.read_profile(dict(command.payload))
    if command.action == UPDATE and dialect.read_update:
        return dialect.read_update(dict(command.payload))
    return dialect.read_clear(dict(command.payload)) if command.action == "ClearChargingProfile" else None
