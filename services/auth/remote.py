"""What auth asks of stations of every version, as commands of no version, and what their answers mean."""

from collections.abc import Callable, Mapping
from typing import Any

from services.auth.dialects import BY_VERSION
from services.auth.domain.password_changes import ChangeState, SetPassword
from services.auth.domain.profile_upgrades import Step, UpgradeAnswer, UpgradeRequest
from services.auth.domain.roots import InstallRoot, RootType
from services.auth.domain.signing_requests import InstallSigned, Purpose, RenewCertificate
from services.common.commands.catalogue import renders
from services.common.commands.command import Command, End

SET_PASSWORD = "SetPassword"

UPGRADE_PROFILE = "UpgradeSecurityProfile"
INSTALL_SIGNED, RENEW, INSTALL_ROOT = "InstallSignedCertificate", "RenewCertificate", "InstallRoot"

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
