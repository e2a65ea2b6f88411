"""Transactions that go on after a reboot of their station: their TxProfiles are sent again (2.1 B13.FR.31, E17.FR.15).

Whether a station keeps them itself (SmartChargingCtrlr.ChargingProfilePersistence) is not known here: what has the same
id takes the place of what was there (K01.FR.05).
"""

from collections.abc import Sequence
from datetime import datetime

from services.common.commands.service import CommandRequest, CommandService
from services.common.postgres.database import Connection
from services.smartcharging import reads, store
from services.smartcharging.domain.resumed_profiles import lost_profiles
from services.smartcharging.domain.sessions import SessionReport
from services.smartcharging.profile_guard import ACTIONS
from services.smartcharging.remote import UPDATE, profile_command


async def send_again(
    db: Connection, command_service: CommandService, resumed: Sequence[SessionReport], now: datetime
) -> bool:
    """Within the caller's transaction, after sessions were saved; whether there is anything to send.

    Read again, an event sends nothing again: the idempotency keys name it and the profile.
    """
    requests = [request for report in resumed for request in await _requests(db, report)]
    stations = {report.station_id for report in resumed}
    await store.unconfirm_sessions(db, [(report.station_id, report.evse_id) for report in resumed])
    await store.mark_changed(db, stations, now)
    return bool(await command_service.add(db, requests)) if requests else False


async def _requests(db: Connection, report: SessionReport) -> list[CommandRequest]:
    if report.transaction_id in await reads.ended_transactions(db, report.station_id):
        return []
    commands = await reads.profile_commands(db, [report.station_id], [*ACTIONS, UPDATE])
    by_id = {command.id: command for command in commands}
    steps = [step for command in commands if (step := profile_command(command))]
    requests: list[CommandRequest] = []
    for lost in lost_profiles(steps, report.transaction_id):
        said, key = by_id[lost.command_id], f"resumed/{report.resumed}/{lost.profile.id}"
        requests.append(CommandRequest(report.station_id, said.action, said.payload, idempotency_key=key))
        if lost.updated:
            update = {"chargingProfileId": lost.profile.id, "scheduleUpdate": dict(lost.updated)}
            requests.append(CommandRequest(report.station_id, UPDATE, update, idempotency_key=f"{key}/update"))
    return requests
