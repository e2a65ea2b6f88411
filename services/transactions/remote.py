"""Remote start and stop as commands: stored independent of version, rendered in the station's when they are sent."""

from collections.abc import Callable, Mapping
from typing import Any

from services.common.commands.catalogue import Render
from services.common.commands.command import Command, Unrenderable
from services.ocpp.errors import ErrorCode, OcppError
from services.ocpp.versions import VERSIONS
from services.transactions.dialects import BY_VERSION
from services.transactions.domain.remote import RemoteStart, RemoteStop

START, STOP = "RemoteStart", "RemoteStop"

COMMANDS: Mapping[str, Callable[[Command], Any]] = {
    START: lambda command: RemoteStart(number=command.number, **command.payload),
    STOP: lambda command: RemoteStop(**command.payload),
}


def render(command: Command, version: str) -> tuple[str, Mapping[str, Any]]:
    """Its CALL, valid against its schema. Raises Unrenderable."""
    dialect = BY_VERSION.get(version)
    if dialect is None:
        raise Unrenderable(ErrorCode.NOT_SUPPORTED, f"no remote control of OCPP {version} here")
    remote_command = COMMANDS[command.action](command)
    action, payload = dialect.requests[type(remote_command)](remote_command)
    try:
        VERSIONS[version].schemas.check_request(action, payload)
    except OcppError as error:
        raise Unrenderable(error.code, error.description) from None
    return action, payload


RENDERERS: Mapping[str, Render] = dict.fromkeys(COMMANDS, render)
