"""Remote start and stop, and asking after a transaction, as commands of no version."""

from collections.abc import Callable, Mapping
from typing import Any

from services.common.commands.catalogue import renders
from services.common.commands.command import Command
from services.transactions.dialects import BY_VERSION
from services.transactions.domain.remote import RemoteStart, RemoteStop, TransactionStatus

START, STOP, STATUS = "RemoteStart", "RemoteStop", "TransactionStatus"

COMMANDS: Mapping[str, Callable[[Command], Any]] = {
    START: lambda command: RemoteStart(number=command.number, **command.payload),
    STOP: lambda command: RemoteStop(**command.payload),
    STATUS: lambda command: TransactionStatus(**command.payload),
}

RENDERERS = renders(COMMANDS, {version: dialect.requests for version, dialect in BY_VERSION.items()})
