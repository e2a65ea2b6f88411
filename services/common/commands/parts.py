"""Parts of commands: each is a CALL of its own, sent once, and the next one when it is answered. Pure.

A part that is not answered ends its command: what comes after it is never sent. The command says how many of its items
were answered; of those in its last part the station may know, if that timed out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from services.common.commands.command import (
    STATUS,
    TURN,
    Command,
    End,
    Route,
    Status,
    Unrenderable,
    concluded,
    ended,
    ended_in_part,
    sent,
)
from services.common.commands.cut import Cut, PartsProgress
from services.common.splitting import chunks, fitting, message_size
from services.ocpp.errors import ErrorCode
from voltbus.v1.bus_pb2 import Result

# More would keep a station busy for an hour.
MOST_PARTS = 2000


@dataclass(frozen=True, slots=True)
class Part:
    """One part. id: of its CALL. number: from 1 on. start: its first item. items: how many it has.

    others: what it says otherwise than its command. The rest is as it is of a Command.
    """

    id: str
    command_id: str
    number: int
    start: int
    items: int
    sent_at: datetime
    others: Mapping[str, Any] | None = None
    ended_at: datetime | None = None
    outcome: End | None = None
    response: Any = None
    normalised: Any = None
    error_code: str | None = None
    error_description: str | None = None

    @property
    def answered(self) -> bool:
        """By a CALLRESULT that can be used."""
        return self.outcome in (End.ANSWERED, End.LATE) and self.error_code is None


def check(command: Command, cut: Cut) -> None:
    """Raises Unrenderable where an item is too large for any message, or the parts would be too many."""
    items, around = _items(command, cut)
    start = count = 0
    for chunk in chunks(items, cut.limit, around):
        _require_room(cut, items, around, start)
        start, count = start + len(chunk), count + 1
    if not items:
        _require_room(cut, items, around, start)
    if count > MOST_PARTS:
        raise _refused(cut, cut.field, f"takes {count} messages, and {MOST_PARTS} are the most for a command")


def next_part(command: Command, cut: Cut, id_: str, now: datetime) -> Part | None:
    """What is to be sent now; None where one message holds all. id_: of its CALL.

    Raises Unrenderable where no message holds its first item; before the first part is sent, as check does.
    """
    (items, around), progress = _items(command, cut), command.parts
    start, number = (progress.sent, progress.count + 1) if progress else (0, 1)
    if progress is None:
        check(command, cut)
    else:
        _require_room(cut, items, around, start)
    count = fitting(items, cut.limit, around, start)
    if number == 1 and count == len(items):
        return None
    return Part(id_, command.id, number, start, count, now, dict(cut.others) or None)


def payload_of(command: Command, part: Part, field: str) -> dict[str, Any]:
    """What the station gets."""
    items = command.payload[field][part.start : part.start + part.items]
    return {**command.payload, **(part.others or {}), field: items}


def part_sent(command: Command, part: Part, cut: Cut, route: Route, now: datetime) -> Command:
    """A part is on its way."""
    before = command.parts or PartsProgress(len(command.payload[cut.field]), cut.field, cut.results, cut.limit)
    after = replace(before, limit=cut.limit, sent=part.start + part.items, count=part.number, sent_at=now, due=False)
    if part.number == 1:
        return replace(sent(command, route, now), parts=after)
    return replace(command, parts=after)


def expiry_of(command: Command, part: Part) -> datetime:
    """Until when a part may wait for its turn; the first as long as its command at most."""
    own = part.sent_at + TURN
    return min(own, command.expires_at) if part.number == 1 else own


def part_concluded(command: Command, part: Part, result: Result) -> Part:
    """What the gateway says became of a part; the same object where that is known already."""
    before = as_command(command, part)
    after = concluded(before, result)
    if after is before:
        return part
    return replace(
        part,
        ended_at=after.ended_at,
        outcome=after.outcome,
        response=after.response,
        normalised=after.normalised,
        error_code=after.error_code,
        error_description=after.error_description,
    )


def advanced(command: Command, part: Part) -> Command:
    """The command after its last part has ended, or was answered after all."""
    before = command.parts
    assert before is not None, "of a command with parts"
    assert part.outcome is not None, "of a part that has ended"
    assert part.ended_at is not None, "of a part that has ended"
    if not part.answered:
        if command.final:
            return command
        return ended_in_part(command, part.outcome, part.ended_at, part.error_code, part.error_description)
    parts = replace(before, answered=before.answered + part.items)
    after = replace(command, parts=parts)
    if command.final:
        whole = parts.answered == parts.items
        return replace(after, outcome=End.LATE if whole else End.PARTIAL, ended_at=part.ended_at)
    if parts.complete:
        return ended(after, End.ANSWERED, part.ended_at)
    if parts.stopped:
        return ended(after, End.CANCELLED, part.ended_at)
    return replace(after, parts=replace(parts, due=True))


def as_command(command: Command, part: Part) -> Command:
    """A part as if it were a command of its own, but for the id."""
    assert command.parts is not None, "of a command with parts"
    return replace(
        command,
        payload=payload_of(command, part, command.parts.field),
        status=STATUS[part.outcome] if part.outcome else Status.SENT,
        expires_at=expiry_of(command, part),
        sent_at=part.sent_at,
        ended_at=part.ended_at,
        outcome=part.outcome,
        response=part.response,
        normalised=part.normalised,
        error_code=part.error_code,
        error_description=part.error_description,
        effect=None,
        effect_at=None,
        request=None,
        parts=None,
        part=part.number,
    )


def rest_of(command: Command) -> Command:
    """What of a command that has ended was never sent, as if it were a command of its own; nothing has no items."""
    assert command.parts is not None, "of a command with parts"
    left = command.payload[command.parts.field][command.parts.sent :]
    unsent = replace(command, payload={**command.payload, command.parts.field: left}, response=None, normalised=None)
    return replace(unsent, status=Status.UNDELIVERABLE, outcome=End.UNDELIVERED) if left else unsent


def _items(command: Command, cut: Cut) -> tuple[list[Any], int]:
    """The list that may be long, and the bytes of a message without any of it."""
    payload = {**command.payload, **cut.others}
    items = payload.get(cut.field)
    if not isinstance(items, list):
        return [], message_size(payload)
    return items, message_size({**payload, cut.field: []})


def _require_room(cut: Cut, items: Sequence[Any], around: int, start: int) -> None:
    """Raises Unrenderable where no message holds the item at start."""
    most, size = cut.limit.bytes, around + sum(len(orjson.dumps(item)) for item in items[start : start + 1])
    if most is not None and size > most:
        field = f"{cut.field}.{start}" if items else cut.field
        raise _refused(cut, field, f"takes a message of {size} bytes, and the station takes {most}")


def _refused(cut: Cut, field: str, said: str) -> Unrenderable:
    why = f"{said} ({cut.said_in})"
    return Unrenderable(ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION, f"{field} {why}", {field: why})
