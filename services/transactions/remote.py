"""Remote start and stop, and asking after a transaction, as commands of no version."""

from collections.abc import Callable, Mapping
from typing import Any

from services.common.commands.catalogue import Render, renders
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

RENDERED = renders(COMMANDS, {version: dialect.requests for version, dialect in BY_VERSION.items()})


def start(command: Command, version: str) -> tuple[str, Mapping[str, Any]]:
    """A limit is said once the transaction has begun; in some versions it has none. Raises Unrenderable."""
    if command.payload.get("limit") and not has_limits(version):
        why = f"transactions of OCPP {version} have no limits"
        raise Unrenderable(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, why, {"limit": why})
    return RENDERED[START](command, version)


def has_limits(version: str | None) -> bool:
    """Whether transactions of a version have limits."""
    dialect = BY_VERSION.get(version or "")
    return dialect is not None and dialect.has_limits


RENDERERS: Mapping[str, Render] = {**RENDERED, START: start}
