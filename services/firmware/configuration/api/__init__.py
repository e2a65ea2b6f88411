"""REST of configuration: of stations, and of groups."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.common.desired.groups import DesiredGroups
from services.common.web.access import Access
from services.firmware.configuration.api import groups, stations
from services.firmware.configuration.requests import SettingsRequests


def routers(requests: SettingsRequests, desired: DesiredGroups, access: Access) -> Sequence[APIRouter]:
    """Everything under /v1/stations/{station_id}/configuration and /v1/groups."""
    return stations.router(requests, access), groups.router(desired, access)
