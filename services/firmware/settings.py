"""Settings of firmware, read once from the environment."""

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from services.common.process.settings import CommonSettings, Days
from services.firmware.domain.rules import Rules
from services.firmware.domain.station import BootStatus

DAY = 24 * 3600


def _names(given: object) -> object:
    """`CP001,CP002`"""
    return tuple(filter(None, map(str.strip, given.split(",")))) if isinstance(given, str) else given


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)]


class Settings(CommonSettings):
    """VOLTBUS_… of this service, beside those that all processes share."""

    boot_policy: BootStatus = Field(BootStatus.ACCEPTED, description="verdict on stations that nobody decided about")
    heartbeat_interval: int = Field(300, ge=1, le=DAY, description="seconds between heartbeats of an accepted station")
    boot_retry_interval: int = Field(30, ge=1, le=DAY, description="seconds until a station that waits may ask again")
    offline_after: float = Field(150, gt=0, description="seconds of silence after which a station counts as offline")
    boot_days: Days = Field(400, description="days for which BootNotifications are kept; 0: for ever")
    security_event_days: Days = Field(400, description="days for which security events are kept; 0: for ever")
    status_history_days: int = Field(90, ge=1, le=3650, description="days for which each status of a connector is kept")
    configuration_reading: int = Field(
        500, ge=0, description="stations whose settings are read at a time; 0: none is read or set by itself"
    )
    frame_log_stations: Names = Field(
        (), description="with frame_log some: stations whose frames are all kept: CP1,CP2"
    )
    frame_log_groups: Names = Field((), description="with frame_log some: groups of such stations")
    frame_log_days: int = Field(14, ge=1, le=3650, description="days for which the station log is kept")

    def rules(self) -> Rules:
        """As the domain takes them."""
        return Rules(
            boot=self.boot_policy,
            heartbeat=self.heartbeat_interval,
            retry=self.boot_retry_interval,
            silence=timedelta(seconds=self.offline_after),
        )
