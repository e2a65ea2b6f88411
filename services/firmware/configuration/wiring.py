"""The wiring of configuration."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.common.commands.service import CommandService
from services.common.desired.groups import DesiredGroups
from services.common.desired.reconciler import Reconciler, Timing
from services.common.postgres.announcer import Announcer
from services.common.postgres.database import Database
from services.common.process.clock import Clock
from services.common.process.service import Step
from services.firmware.configuration.projection import SettingsProjection
from services.firmware.configuration.report_expiry import ReportExpiry
from services.firmware.configuration.requests import SettingsRequests
from services.firmware.configuration.resource import RESOURCE
from services.firmware.configuration.stores import GROUPS, PROGRESS
from voltbus.v1.events_pb2 import GroupConfigurationChanged, GroupConfigurationRemoved


@dataclass(frozen=True, slots=True)
class Configuration:
    """What REST asks, and what runs beside."""

    requests: SettingsRequests
    groups: DesiredGroups
    tasks: Mapping[str, Step]


def wire(
    *,
    database: Database,
    command_service: CommandService,
    projection: SettingsProjection,
    announcer: Announcer,
    clock: Clock,
    most: int,
    timing: Timing,
) -> Configuration:
    """most: stations that are read at a time."""
    reconciler = Reconciler(
        resource=RESOURCE,
        groups=GROUPS,
        progress=PROGRESS,
        database=database,
        command_service=command_service,
        most=most,
        clock=clock,
        timing=timing,
    )
    reports = ReportExpiry(
        database=database,
        command_service=command_service,
        projection=projection,
        clock=clock,
        every=timing.every,
    )
    groups = DesiredGroups(
        database=database,
        stations=command_service.stations,
        groups=GROUPS,
        progress=PROGRESS,
        nudge=reconciler.nudge,
        announcer=announcer,
        changed=GroupConfigurationChanged,
        removed=GroupConfigurationRemoved,
        clock=clock,
    )
    requests = SettingsRequests(database, command_service, clock)
    return Configuration(requests, groups, {"configuration": reconciler.run, "reports": reports.run})
