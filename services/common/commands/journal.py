"""Where commands are written down: their rows, the events of their steps, and what the service makes of their end."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import orjson

from services.common.commands import store
from services.common.commands.command import Command
from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.postgres import outbox
from services.common.postgres.database import Connection
from services.ocpp.masking import masked
from voltbus.v1.events_pb2 import CommandChanged

# Told of commands that have ended, by whatever way, within the transaction that says so; and again of a late answer.
OnEnded = Callable[[Connection, Sequence[Command]], Awaitable[None]]


async def ignore_ended(_: Connection, __: Sequence[Command]) -> None:
    """A service to which the end of a command means nothing."""


@dataclass(frozen=True, slots=True)
class CommandJournal:
    """All within the caller's transaction."""

    events: Events
    ended: OnEnded

    async def add(self, db: Connection, commands: Sequence[Command]) -> list[Command]:
        """Keeps new commands; leaves out those whose idempotency key is taken."""
        kept = await store.add(db, commands)
        await outbox.add(db, [self._event(command) for command in kept])
        return kept

    async def save(self, db: Connection, stepped: Sequence[Command]) -> None:
        """Keeps the steps that commands have made."""
        if not stepped:
            return
        await store.save(db, stepped)
        await outbox.add(db, [self._event(command) for command in stepped])
        if final := [command for command in stepped if command.final]:
            await self.ended(db, final)

    def _event(self, command: Command) -> Record:
        changed = CommandChanged(
            command_id=command.id,
            station_id=command.station_id,
            action=command.action,
            status=f"COMMAND_STATUS_{command.status.name}",
            outcome=f"COMMAND_OUTCOME_{command.outcome.name}" if command.outcome else None,
            batch_id=command.batch_id or "",
            response="" if command.response is None else orjson.dumps(masked(command.response, tokens=False)).decode(),
            error_code=command.error_code or "",
            error_description=command.error_description or "",
            at=command.changed_at,
            effect=f"COMMAND_EFFECT_{command.effect.name}" if command.effect else None,
        )
        return self.events.record(changed, command.station_id, f"{command.id}/{command.step}", command.changed_at)
