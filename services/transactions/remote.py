"""Remote start and stop, and asking after a transaction, as commands of no version."""

from collections.abc import Callable, Mapping
from typing import Any

from services.common.commands.catalogue import Render, checked
from services.common.commands.command import Command, Unrenderable
from services.ocpp.errors import ErrorCode
from services.transactions.dialects import BY_VERSION
from services.transactions.domain.remote import RemoteStart, RemoteStop, TransactionStatus

START, STOP, STATUS = "RemoteStart", "RemoteStop", "TransactionStatus"

COMMANDS: Mapping[str, Callable[[Command], Any]] = {
    START: lambda command: RemoteStart(number=command.number, **command.payload),
    STOP: lambda command: RemoteStop(**command.payload),
    STATUS: lambda command: TransactionStatus(**command.payload),
}


def render(command: Command, version: str) -> tuple[str, Mapping[str, Any]]:
    """Its CALL, valid against its schema. Raises Unrenderable."""
    dialect = BY_VERSION.get(version)
    if dialect is None:
        raise Unrenderable(ErrorCode.NOT_SUPPORTED, f"no remote control of OCPP {version} here")
    remote_command = COMMANDS[command.action](command)
    request = dialect.requests.get(type(remote_command))
    if request is None:
        raise Unrenderable(ErrorCode.NOT_SUPPORTED, f"OCPP {version} cannot say it")
    return checked(version, *request(remote_command))


RENDERERS: Mapping[str, Render] = dict.fromkeys(COMMANDS, render)
