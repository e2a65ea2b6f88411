"""Remote start and stop as commands: stored independent of version, rendered in the station's when they are sent."""

from collections.abc import Callable, Mapping
from typing import Any

from services.common.commands.catalogue import Render, checked
from services.common.commands.command import Command, Unrenderable
from services.ocpp.errors import ErrorCode
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
    return checked(version, *dialect.requests[type(remote_command)](remote_command))


RENDERERS: Mapping[str, Render] = dict.fromkeys(COMMANDS, render)
