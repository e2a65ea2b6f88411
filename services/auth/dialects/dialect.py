"""What a version says to auth: messages and the replies to them, and what stations are asked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.auth.domain.password_changes import ChangeState
from services.auth.domain.profile_upgrades import Step, UpgradeAnswer
from services.auth.domain.requests import Request
from services.auth.domain.roots import InstallRoot, RootType
from services.common.calls import dialects
from services.common.commands.command import Unrenderable
from services.ocpp.errors import ErrorCode

# Its action and payload.
OcppRequest = tuple[str, dict[str, Any]]


def install_root(types: Mapping[RootType, str], request: InstallRoot) -> OcppRequest:
    """M05. types: what a version calls those that it has."""
    if request.type not in types:
        raise Unrenderable(ErrorCode.NOT_SUPPORTED, f"there are no root certificates of type {request.type} in it")
    return "InstallCertificate", {"certificateType": types[request.type], "certificate": request.certificate}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect(dialects.Dialect[Request]):
    """requests: by the class of what is asked, its request. read_password_status: the station's word for what became of
    its new password, in its answer. password_states: what that means; any other word means that it has kept the old one
    (A01.FR.04). password_fault: why a station cannot have a password; None where it can. upgrade_steps: by which a
    station goes to a higher security profile; none: it has none. read_upgrade: what it said to one of them.
    """

    requests: Mapping[type, Callable[[Any], OcppRequest]]
    read_password_status: Callable[[Any], str | None]
    password_states: Mapping[str, ChangeState]
    password_fault: Callable[[str], str | None]
    upgrade_steps: Sequence[Step]
    read_upgrade: Callable[[Step, Any], UpgradeAnswer]
