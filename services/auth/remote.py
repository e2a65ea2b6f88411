"""What auth asks of stations of every version, as commands of no version, and what their answers mean."""

from collections.abc import Callable, Mapping
from typing import Any

from services.auth.dialects import BY_VERSION
from services.auth.dialects.local_lists import BY_VERSION as LISTS
from services.auth.domain.list_progress import Heard
from services.auth.domain.password_changes import ChangeState, SetPassword
from services.auth.domain.profile_upgrades import Step, UpgradeAnswer, UpgradeRequest
from services.auth.domain.roots import InstallRoot, RootType
from services.auth.domain.signing_requests import InstallSigned, Purpose, RenewCertificate
from services.common.commands.catalogue import renders
from services.common.commands.command import Command, End
from services.ocpp.errors import ErrorCode
from services.ocpp.id_tokens import token_key

SET_PASSWORD = "SetPassword"

UPGRADE_PROFILE = "UpgradeSecurityProfile"
INSTALL_SIGNED, RENEW, INSTALL_ROOT = "InstallSignedCertificate", "RenewCertificate", "InstallRoot"

SEND_LIST, GET_LIST_VERSION, CUSTOMER_INFORMATION = "SendLocalList", "GetLocalListVersion", "CustomerInformation"

COMMANDS: Mapping[str, Callable[[Command], Any]] = {
    SET_PASSWORD: lambda command: SetPassword(**command.payload),
    INSTALL_SIGNED: lambda command: InstallSigned(
        command.payload["chain"], Purpose(command.payload["purpose"]), command.payload.get("request_id")
    ),
    INSTALL_ROOT: lambda command: InstallRoot(RootType(command.payload["type"]), command.payload["certificate"]),
    RENEW: lambda command: RenewCertificate(Purpose(command.payload["purpose"])),
    UPGRADE_PROFILE: lambda command: UpgradeRequest(**{**command.payload, "step": Step(command.payload["step"])}),
}
RENDERERS = renders(COMMANDS, {version: dialect.requests for version, dialect in BY_VERSION.items()})
# Where there is no answer that can be read. What is not here may have reached the station.
UNANSWERED: Mapping[End, ChangeState] = {
    End.REFUSED: ChangeState.KEPT,
    End.UNRENDERABLE: ChangeState.KEPT,
    End.UNDELIVERED: ChangeState.KEPT,
    End.EXPIRED: ChangeState.KEPT,
    End.CANCELLED: ChangeState.KEPT,
}


def password_outcome(command: Command) -> tuple[ChangeState, str | None]:
    """What became of a password that a station was asked to take: A01.FR.03, A01.FR.04. And why."""
    dialect, answer = BY_VERSION.get(command.version or ""), command.answer
    answered = command.error_code is None and command.outcome in (End.ANSWERED, End.LATE)
    if answered and dialect and isinstance(answer, Mapping):
        status = dialect.read_password_status(answer)
        if status is not None:
            return dialect.password_states.get(status, ChangeState.KEPT), status
    assert command.outcome is not None, "only of commands that have ended"
    return UNANSWERED.get(command.outcome, ChangeState.DOUBTFUL), command.error_code


# What ended so did not reach the station, which is asked again; or it may have, and nobody knows.
NOT_REACHED, DOUBTFUL = frozenset({End.UNDELIVERED, End.EXPIRED}), frozenset({End.TIMED_OUT, End.INVALID, End.PARTIAL})


def upgrade_answer(command: Command) -> UpgradeAnswer:
    """What a station said to a step of an upgrade. command: one that has ended."""
    dialect, answer = BY_VERSION.get(command.version or ""), command.answer
    answered = command.error_code is None and command.outcome in (End.ANSWERED, End.LATE)
    if answered and dialect and isinstance(answer, Mapping):
        return dialect.read_upgrade(Step(command.payload["step"]), answer)
    away, lost = command.outcome in NOT_REACHED, command.outcome in DOUBTFUL
    return UpgradeAnswer(False, reason=command.error_code or "no answer", lost=lost, away=away)


# What became of a message about local lists, where there is no answer; what is not here may have reached the station.
UNHEARD: Mapping[End, Heard] = {
    End.UNDELIVERED: Heard.UNSENT,
    End.CANCELLED: Heard.UNSENT,
    End.EXPIRED: Heard.AWAY,
}
UNSUPPORTED = frozenset({ErrorCode.NOT_SUPPORTED, ErrorCode.NOT_IMPLEMENTED})
STATUSES: Mapping[Any, Heard] = {"Accepted": Heard.ACCEPTED, "NotSupported": Heard.UNSUPPORTED}


def heard_of(command: Command) -> tuple[Heard, str | None]:
    """What became of a message about local lists, and why, in the station's words."""
    assert command.outcome is not None, "only of commands that have ended"
    answer: Any = command.answer
    if command.outcome in (End.ANSWERED, End.LATE) and command.error_code is None:
        if not isinstance(answer, Mapping):
            return Heard.LOST, None
        if command.action == GET_LIST_VERSION:
            return (Heard.ACCEPTED, None) if list_numbers(command) else (Heard.LOST, None)
        status = answer.get("status")
        info = answer.get("statusInfo") or {}
        said = [str(one) for one in (status, info.get("reasonCode"), info.get("additionalInfo")) if one]
        return STATUSES.get(status, Heard.REFUSED), ": ".join(said)
    if command.error_code in UNSUPPORTED:
        return Heard.UNSUPPORTED, command.error_code
    refused = command.outcome in (End.REFUSED, End.UNRENDERABLE, End.LATE)
    return Heard.REFUSED if refused else UNHEARD.get(command.outcome, Heard.LOST), command.error_code


def list_numbers(command: Command) -> bool:
    """Whether an answer has a version of a list."""
    return any(isinstance(command.answer.get(name), int) for name in ("listVersion", "versionNumber"))


def list_version_of(command: Command) -> int | None:
    """The version that a station has told; None: it has no lists, or has not told one."""
    if heard_of(command)[0] is not Heard.ACCEPTED or command.version not in LISTS:
        return None
    return LISTS[command.version].version(command.answer)


def sent_version_of(command: Command) -> int:
    """The version of a list that was sent; 0: that cannot be told."""
    return LISTS[command.version].sent_version(command.payload) if command.version in LISTS else 0


def cleared_token(command: Command) -> str | None:
    """The key of the idToken of a customer whom a station was told to forget, and does (N10.FR.02)."""
    if command.action != CUSTOMER_INFORMATION or command.outcome not in (End.ANSWERED, End.LATE):
        return None
    token, answer = command.payload.get("idToken"), command.answer
    taken = isinstance(answer, Mapping) and answer.get("status") == "Accepted"
    return token_key(token["idToken"]) if command.payload.get("clear") and token and taken else None
