"""Profiles that may not be sent, because their stations have another one in their place (K01.FR.06, K01.FR.39)."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.common.commands.command import Command, Unrenderable
from services.common.commands.dispatcher import Unfit
from services.common.postgres.database import Connection
from services.common.process.clock import Clock
from services.ocpp.errors import ErrorCode
from services.ocpp.versions import VERSIONS
from services.smartcharging import reads, reported_profiles
from services.smartcharging.dialects import BY_VERSION
from services.smartcharging.domain.installed_profiles import ProfileCommand
from services.smartcharging.domain.profile import Profile, Purpose, from_json
from services.smartcharging.domain.profile_commands import CommandName
from services.smartcharging.domain.profile_conflicts import ReportedProfiles, in_the_way, known_profiles
from services.smartcharging.domain.site_profiles import FIRST_ID
from services.smartcharging.remote import profile_command
from services.smartcharging.reported_profiles import ProfileReport

SET, GET = "SetChargingProfile", "GetChargingProfiles"
ACTIONS = (CommandName.SET, CommandName.CLEAR, CommandName.REPORT, SET, "ClearChargingProfile", GET)
# What a station answers that has none to report.
NONE = "NoProfiles"


def in_place_of_another(clock: Clock) -> Unfit:
    """What holds back commands that set a profile while another one is in its place."""

    async def unfit(db: Connection, commands: Sequence[Command]) -> Mapping[str, Unrenderable]:
        asked = [(one, profile) for one in commands if (profile := _profile_to_set(one))]
        if not asked:
            return {}
        stations = sorted({one.station_id for one, _ in asked})
        # Another process does not send one beside ours before it knows of ours.
        await reads.lock_profiles(db, stations)
        known, found = await _known(db, stations), dict[str, Unrenderable]()
        for command, profile in asked:
            others = known[command.station_id]
            if profile.purpose == Purpose.TX:
                ended = await reads.ended_transactions(db, command.station_id)
                others = [one for one in others if one.transaction_id not in ended]
            if other := in_the_way(profile, others, clock()):
                found[command.id] = _refusal(command, other)
            else:
                known[command.station_id].append(profile)
        return found

    return unfit


def _profile_to_set(command: Command) -> Profile | None:
    """None where nothing is set, the station replaces what is in the way, or it is a matter of its site."""
    dialect = BY_VERSION.get(command.version or "")
    if command.version is None or dialect is None or dialect.place_field is None:
        return None
    if command.action == CommandName.SET:
        profile = from_json(command.payload)
        return profile if profile.id < FIRST_ID else None
    if command.action != SET or VERSIONS[command.version].request_fault(SET, command.payload):
        return None
    return dialect.read_profile(dict(command.payload))


async def _known(db: Connection, stations: Sequence[str]) -> dict[str, list[Profile]]:
    """The profiles of stations, by what they were asked, answered and reported."""
    commands: dict[str, list[Command]] = {station_id: [] for station_id in stations}
    for command in await reads.profile_commands(db, stations, ACTIONS):
        commands[command.station_id].append(command)
    found = {}
    for station_id, own in commands.items():
        asked = any(command.action in (CommandName.REPORT, GET) for command in own)
        report = await reported_profiles.newest(db, station_id) if asked else None
        found[station_id] = known_profiles(_steps(own, report))
    return found


def _steps(commands: Sequence[Command], report: ProfileReport | None) -> list[ProfileCommand | ReportedProfiles]:
    """A report counts from when it was asked for; where an operator asked by criteria, what it lacks may be there."""
    asking = [one for one in commands if report and _request_id(one) == report.request_id]
    steps: list[ProfileCommand | ReportedProfiles] = []
    for command in commands:
        everything, evse_id = command.action == CommandName.REPORT, command.payload.get("evse_id")
        if step := profile_command(command):
            steps.append(step)
        elif report and command in asking[-1:]:
            profiles = tuple(profile for _, profile in report.profiles)
            steps.append(ReportedProfiles(profiles, evse_id, complete=everything and report.complete))
        elif everything and isinstance(command.answer, dict) and command.answer.get("status") == NONE:
            steps.append(ReportedProfiles(evse_id=evse_id, complete=True))
    return steps


def _request_id(command: Command) -> Any:
    return command.number if command.action == CommandName.REPORT else command.payload.get("requestId")


def _refusal(command: Command, other: Profile) -> Unrenderable:
    """Names what is in the way, and says what can be done about it."""
    tx = other.purpose == Purpose.TX
    of, rule = ("transaction", "K01.FR.39") if tx else ("EVSE", "K01.FR.06")
    field = "stack_level" if command.action == CommandName.SET else BY_VERSION[command.version or ""].place_field or ""
    why = (
        f"is that of profile {other.id}, which the station has for the same purpose and {of} ({rule}): take another "
        f"stack level or the id {other.id}, or clear that profile first (DELETE …/profiles?id={other.id}); "
        "if the station has it no more, have it report that (POST …/profiles/report)"
    )
    return Unrenderable(ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION, f"{field} {why}", {field: why})
