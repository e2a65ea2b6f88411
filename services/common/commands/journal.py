"""Where commands are written down: their rows, the events of their steps, and what the service makes of their end."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import orjson

from services.common.commands import parts_store, store
from services.common.commands.command import Command, End
from services.common.commands.cut import joined
from services.common.commands.parts import Part, as_command, rest_of
from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.kafka.traced import going_on
from services.common.postgres import outbox
from services.common.postgres.database import Connection
from services.ocpp.answers import effect_of
from services.ocpp.masking import masked
from voltbus.v1.events_pb2 import CommandChanged

# Told of commands that have ended, by whatever way, within the transaction that says so; and again of a late answer.
# Of a command in parts it is told of each part as it ends (Command.part), and at last of what was never sent.
OnEnded = Callable[[Connection, Sequence[Command]], Awaitable[None]]

# Bytes of a response in an event. What is longer, which only that to a command in parts can be, REST has.
LONGEST_TOLD = 512 * 1024


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
        stepped = await self._with_answers(db, stepped)
        await store.save(db, stepped)
        # Between two parts nothing has happened to others.
        await outbox.add(db, [self._event(one) for one in stepped if one.final or one.parts is None or _has_begun(one)])
        if final := [rest_of(command) if command.parts else command for command in stepped if command.final]:
            await self.ended(db, final)

    async def end_parts(self, db: Connection, stepped: Sequence[tuple[Command, Part]]) -> None:
        """Keeps how parts have ended, each with its command."""
        if not stepped:
            return
        await parts_store.save(db, [part for _, part in stepped])
        await self.ended(db, [as_command(command, part) for command, part in stepped])

    async def _with_answers(self, db: Connection, stepped: Sequence[Command]) -> Sequence[Command]:
        """Commands that have ended have the answers to their parts; a part that has none ends with its command."""
        ended = {command.id: command for command in stepped if command.parts and command.final}
        if not ended:
            return stepped
        parts = await parts_store.of_commands(db, list(ended))
        open_ = [(ended[part.command_id], part) for some in parts.values() for part in some if part.outcome is None]
        await self.end_parts(db, [(command, _unanswered(command, part)) for command, part in open_])
        return [_with_answer(command, parts[command.id]) if command.id in ended else command for command in stepped]

    def _event(self, command: Command) -> Record:
        changed = CommandChanged(
            command_id=command.id,
            station_id=command.station_id,
            action=command.action,
            status=f"COMMAND_STATUS_{command.status.name}",
            outcome=f"COMMAND_OUTCOME_{command.outcome.name}" if command.outcome else None,
            batch_id=command.batch_id or "",
            response=_told(command),
            error_code=command.error_code or "",
            error_description=command.error_description or "",
            at=command.changed_at,
            author=command.author or "",
            cancelled_by=command.cancelled_by or "",
            effect=f"COMMAND_EFFECT_{command.effect.name}" if command.effect else None,
        )
        made = self.events.record(changed, command.station_id, f"{command.id}/{command.step}", command.changed_at)
        return going_on(made, command.traceparent)


def _has_begun(command: Command) -> bool:
    """Whether its first part is on its way, and nothing else has come of it."""
    parts = command.parts
    return parts is not None and parts.count == 1 and not parts.due and not parts.stopped


def _unanswered(command: Command, part: Part) -> Part:
    """Nothing was heard of it when its command ended."""
    why = "nothing was heard of it again"
    return replace(
        part, outcome=End.TIMED_OUT, ended_at=command.ended_at, error_code=command.error_code, error_description=why
    )


def _with_answer(command: Command, parts: Sequence[Part]) -> Command:
    """One answer of those to its parts."""
    assert command.parts is not None, "of a command with parts"
    answered = [part for part in parts if part.answered] or parts[-1:]
    response = joined([part.response for part in answered], command.parts.results)
    read = [part.response if part.normalised is None else part.normalised for part in answered]
    deviates = any(part.normalised is not None for part in answered)
    normalised = joined(read, command.parts.results) if deviates else None
    effect = effect_of(response if normalised is None else normalised) if any(part.answered for part in parts) else None
    return replace(
        command, response=response, normalised=normalised, effect=effect, effect_at=command.ended_at if effect else None
    )


def _told(command: Command) -> str:
    """Its response, as others are told it."""
    if command.response is None:
        return ""
    written = orjson.dumps(masked(command.response, tokens=False))
    return "" if len(written) > LONGEST_TOLD else written.decode()
