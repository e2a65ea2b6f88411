"""What commands about configuration came to, in terms of the domain. Pure.

Commands that an operator gave as they are in OCPP say as much of settings as those that come from here.
"""

from dataclasses import dataclass, replace
from typing import Any

from services.common.commands.command import Command, End, Status
from services.common.desired.progress import undelivered
from services.firmware.configuration.dialects.dialect import ReportReply, SetResult, SettingsReading
from services.firmware.configuration.domain.settings import Result
from services.firmware.dialects import SETTINGS
from services.ocpp.errors import OcppError
from services.ocpp.versions import VERSIONS

# An action means the same in all versions that have it, so that the one of a command says enough.
READ_ANSWERS = {action: read for dialect in SETTINGS.values() for action, read in dialect.read_answers.items()}
WRITE_ANSWERS = {action: read for dialect in SETTINGS.values() for action, read in dialect.write_answers.items()}
REPORT_ANSWERS = {action: read for dialect in SETTINGS.values() for action, read in dialect.report_answers.items()}
ACTIONS = READ_ANSWERS.keys() | WRITE_ANSWERS.keys() | REPORT_ANSWERS.keys()
# An attempt that got no answer.
UNANSWERED = {
    Status.REJECTED: Result.REJECTED,
    Status.EXPIRED: Result.EXPIRED,
    Status.UNDELIVERABLE: Result.UNDELIVERABLE,
}
PENDING = frozenset({Status.ACCEPTED, Status.SENT})


NO_READING = SettingsReading(())


@dataclass(frozen=True, slots=True)
class SettingsAnswer:
    """What one command says: of settings that were read, that were to be set, of a report that was asked for."""

    command: Command
    reading: SettingsReading = NO_READING
    results: tuple[SetResult, ...] = ()
    report: ReportReply | None = None


def answer(command: Command) -> SettingsAnswer:
    """Nothing where the command says nothing of configuration, or was never one that a station could take."""
    if command.action not in ACTIONS or not _is_valid(command):
        return SettingsAnswer(command)
    response = _response(command)
    if command.action in WRITE_ANSWERS:
        return SettingsAnswer(command, results=tuple(_set_results(command, response)))
    if command.action in REPORT_ANSWERS:
        return SettingsAnswer(command, report=_report_reply(command, response))
    return SettingsAnswer(
        command, READ_ANSWERS[command.action](command.payload, response) if response is not None else NO_READING
    )


def _is_valid(command: Command) -> bool:
    """What was sent has been checked; what was not may be anything."""
    if command.sent_at:
        return True
    versions = (version for version, dialect in SETTINGS.items() if command.action in dialect.actions)
    return any(_is_request(version, command) for version in versions)


def _is_request(version: str, command: Command) -> bool:
    try:
        VERSIONS[version].schemas.check_request(command.action, command.payload)
    except OcppError:
        return False
    return True


def _response(command: Command) -> Any:
    """An answer that came late is one; one that breaks its schema is none."""
    late = command.outcome is End.LATE and command.error_code is None
    return command.answer if late or command.outcome is End.ANSWERED else None


def _set_results(command: Command, response: Any) -> list[SetResult]:
    if response is None and command.answer is not None and command.parts and command.parts.answered:
        field, count = command.parts.field, command.parts.answered
        answered, left = command.payload[field][:count], command.payload[field][count:]
        results = WRITE_ANSWERS[command.action]({field: answered}, command.answer)
        return results + _set_results(replace(command, payload={field: left}, response=None, normalised=None), None)
    results = WRITE_ANSWERS[command.action](command.payload, response)
    if response is not None or command.status in PENDING:
        return results
    result = UNANSWERED.get(command.status, Result.CANCELLED)
    return [replace(one, result=result, reason=command.error_code) for one in results]


def _report_reply(command: Command, response: Any) -> ReportReply | None:
    if command.parts:
        # Each of its parts asks for a report of its own.
        return None
    if response is None:
        if command.status in PENDING or undelivered(command):
            return None
        response = {"status": command.error_code or command.status.value}
    return REPORT_ANSWERS[command.action](command.payload, response)
