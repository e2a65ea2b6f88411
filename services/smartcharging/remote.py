"""Charging profiles as commands: kept in words of no version, said in the station's when they are sent."""

from collections.abc import Callable, Mapping
from typing import Any

from services.common.commands.catalogue import Render
from services.common.commands.command import Command, End, Unrenderable
from services.ocpp.errors import ErrorCode, OcppError
from services.ocpp.versions import VERSIONS
from services.smartcharging.dialects import PROFILES
from services.smartcharging.dialects.schedules import Payload
from services.smartcharging.domain.applied_limit import Fate
from services.smartcharging.domain.installed_profiles import Step
from services.smartcharging.domain.profile import Profile, Purpose, read
from services.smartcharging.domain.profile_commands import (
    ClearProfiles,
    Composed,
    ComposeSchedule,
    ReportProfiles,
    SetProfile,
    Word,
)

FATES: Mapping[End, Fate] = {
    End.REFUSED: Fate.REFUSED,
    End.INVALID: Fate.UNKNOWN,
    End.UNRENDERABLE: Fate.REFUSED,
    End.UNDELIVERED: Fate.UNSENT,
    End.EXPIRED: Fate.UNSENT,
    End.TIMED_OUT: Fate.UNKNOWN,
    End.LATE: Fate.LATE,
    End.CANCELLED: Fate.UNSENT,
}


def clear_profiles(payload: Payload) -> ClearProfiles:
    """A ClearProfiles as a command holds it."""
    purpose = payload.get("purpose")
    return ClearProfiles(**(payload | {"purpose": Purpose(purpose) if purpose else None}))


READ: Mapping[str, Callable[[Command], Any]] = {
    Word.SET: lambda command: SetProfile(read(command.payload)),
    Word.CLEAR: lambda command: clear_profiles(dict(command.payload)),
    Word.COMPOSE: lambda command: ComposeSchedule(**command.payload),
    Word.REPORT: lambda command: ReportProfiles(number=command.number, **command.payload),
}


def render(command: Command, version: str) -> tuple[str, Mapping[str, Any]]:
    """The CALL that says it, valid against its schema. Raises Unrenderable."""
    dialect = PROFILES.get(version)
    if dialect is None:
        raise Unrenderable(ErrorCode.NOT_SUPPORTED, f"no charging profiles of OCPP {version} here")
    order = READ[command.action](command)
    action, payload = dialect.says[type(order)](order)
    try:
        VERSIONS[version].schemas.check_request(action, payload)
    except OcppError as error:
        raise Unrenderable(error.code, error.description) from None
    return action, payload


WORDS: Mapping[str, Render] = dict.fromkeys(Word, render)


def fate(end: End | None, response: Any) -> Fate:
    """What a command came to."""
    if end is None:
        return Fate.OPEN
    if end == End.ANSWERED:
        return Fate.ACCEPTED if accepted(response) else Fate.REFUSED
    return FATES[end]


def accepted(response: Any) -> bool:
    return isinstance(response, dict) and response.get("status") == "Accepted"


def composed(version: str | None, response: Any) -> Composed | None:
    """The schedule in a station's answer; None where it gave none."""
    dialect = PROFILES.get(version or "")
    return dialect.composed(response) if dialect and accepted(response) else None


def step(command: Command) -> Step | None:
    """What a command sets or clears, whether in our words or a version's; None for all others."""
    order = _order(command)
    if order is None:
        return None
    cleared = isinstance(order, ClearProfiles) and isinstance(command.response, dict)
    # There is nothing to clear where nothing is known of it (K10.FR.01).
    done = accepted(command.response) or (cleared and command.response.get("status") == "Unknown")
    return Step(command.id, order, command.status, command.response, command.created_at, done, not command.final)


def _order(command: Command) -> Profile | ClearProfiles | None:
    if command.action == Word.SET:
        return read(command.payload)
    if command.action == Word.CLEAR:
        return clear_profiles(dict(command.payload))
    dialect = PROFILES.get(command.version or "")
    if dialect is None or command.sent_at is None:
        return None
    if command.action == "SetChargingProfile":
        return dialect.profile_of(dict(command.payload))
    return dialect.clear_of(dict(command.payload)) if command.action == "ClearChargingProfile" else None
