"""Takes in what gateways say became of CALLs: of commands, and of their parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from services.common.commands import parts_store, store
from services.common.commands.command import Command, concluded
from services.common.commands.journal import CommandJournal
from services.common.commands.parts import Part, advanced, part_concluded
from services.common.kafka import traced
from services.common.kafka.bus import Record
from services.common.postgres.database import Connection
from services.common.process.errors import Unprocessable
from voltbus.v1.bus_pb2 import Outcome, Result


@dataclass(frozen=True, slots=True)
class Concluded:
    """changed: commands. parts_ended: whether some have ended, so that others may be sent."""

    changed: list[Command]
    parts_ended: bool


async def conclude(db: Connection, journal: CommandJournal, records: Sequence[Record]) -> Concluded:
    """Within the caller's transaction. Raises Unprocessable for what is no Result."""
    if not records:
        return Concluded([], parts_ended=False)
    results = [_result(record) for record in records]
    ids = [result.command_id for result in results]
    known = await store.lock(db, ids)
    parts = await parts_store.by_ids(db, ids) if any(command.parts for command in known.values()) else {}
    changed, ended = _steps(results, known, parts)
    await journal.end_parts(db, ended)
    await journal.save(db, changed)
    return Concluded(changed, bool(ended))


def _steps(
    results: Sequence[Result], known: Mapping[str, Command], parts: Mapping[str, Part]
) -> tuple[list[Command], list[tuple[Command, Part]]]:
    """The commands that change, and parts that have ended, each with its command. known, parts: by id."""
    commands, ends, changed = dict(known), dict(parts), dict[str, Command]()
    for result in results:
        part = ends.get(result.command_id)
        before = commands.get(part.command_id if part else result.command_id)
        if before is None:
            continue
        if part is None:
            after = concluded(before, result)
        elif (end := part_concluded(before, part, result)) is not part:
            after, ends[part.id] = advanced(before, end), end
        else:
            continue
        if after is not before:
            commands[after.id] = changed[after.id] = after
    ended = [(commands[part.command_id], part) for id_, part in ends.items() if part is not parts[id_]]
    return list(changed.values()), ended


def _result(record: Record) -> Result:
    try:
        result = Result.FromString(record.value or b"")
    except DecodeError:
        raise Unprocessable("not a voltbus.v1.Result") from None
    if record.headers:
        _trace(record, result)
    return result


def _trace(record: Record, result: Result) -> None:
    told = {
        "voltbus.station.id": result.station_id,
        "voltbus.command.id": result.command_id,
        "voltbus.ocpp.action": result.action,
        "voltbus.ocpp.version": result.version,
        "voltbus.outcome": Outcome.Name(result.outcome),
    }
    traced.describe(record, result.command_id, f"conclude {result.action}", told)
