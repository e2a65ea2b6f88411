"""Hands in commands that set settings; what they set is pending from then on."""

from collections.abc import Sequence

from services.common.commands.command import Command
from services.common.commands.service import CommandRequest, CommandService
from services.common.postgres.database import Connection
from services.firmware.configuration import settings_store
from services.firmware.configuration.dialects.tables import WRITES
from services.firmware.configuration.domain.settings import Attempt, attempted, key


async def write(db: Connection, command_service: CommandService, asked: Sequence[CommandRequest]) -> list[Command]:
    """The commands that are new. Their stations are held by the caller; after the commit, tell() and nudge()."""
    commands = await command_service.add(db, asked)
    tried = [(one, tried) for one in commands for tried in WRITES[one.action](one.payload, None)]
    known = await settings_store.load(db, {(one.station_id, key(told.name)) for one, told in tried})
    for one, told in tried:
        where = (one.station_id, key(told.name))
        pending = Attempt(told.wanted, told.result, None, one.created_at, one.created_at, one.id)
        known[where] = attempted(known.get(where), told.name, pending)
    await settings_store.save(db, known)
    return commands
