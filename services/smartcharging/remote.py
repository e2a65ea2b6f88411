"""Charging profiles as commands: kept in words of no version, said in the station's when they are sent."""

from collections.abc import Callable, Mapping
from typing import Any

from services.common.commands import Command, End, Unrenderable
from services.common.commands_catalogue import Render
from services.ocpp.errors import ErrorCode, OcppError
from services.ocpp.versions import VERSIONS
from services.smartcharging.dialects import v16, v201
from services.smartcharging.dialects.words import Payload
from services.smartcharging.domain.hold import Fate
from services.smartcharging.domain.installed import Step
from services.smartcharging.domain.orders import (
    ClearProfiles,
    Composed,
    ComposeSchedule,
    ReportProfiles,
    SetProfile,
    Word,
)
from services.smartcharging.domain.profile import Profile, Purpose, read

SAYS: Mapping[str, Mapping[type, Callable[[Any], Any]]] = {"1.6": v16.SAYS, "2.0.1": v201.SAYS}
COMPOSED: Mapping[str, Callable[[Payload], Composed | None]] = {"1.6": v16.composed, "2.0.1": v201.composed}
# Charging profiles that somebody set or cleared in the words of a version.
PROFILE_OF: Mapping[str, Callable[[Payload], Profile]] = {"1.6": v16.profile_of, "2.0.1": v201.profile_of}
CLEAR_OF: Mapping[str, Callable[[Payload], ClearProfiles]] = {"1.6": v16.clear_of, "2.0.1": v201.clear_of}
REPORTED: Mapping[str, Callable[[Payload], list[Profile]]] = {"2.0.1": v201.reported}
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
    says = SAYS.get(version)
    if says is None:
        raise Unrenderable(ErrorCode.NOT_SUPPORTED, f"no charging profiles of OCPP {version} here")
    order = READ[command.action](command)
    action, payload = says[type(order)](order)
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
    reader = COMPOSED.get(version or "")
    return reader(response) if reader and accepted(response) else None


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
    table: Mapping[str, Any] = {"SetChargingProfile": PROFILE_OF, "ClearChargingProfile": CLEAR_OF}.get(
        command.action, {}
    )
    reader = table.get(command.version or "")
    found: Profile | ClearProfiles | None = reader(dict(command.payload)) if reader and command.sent_at else None
    return found
