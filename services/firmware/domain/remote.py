"""What stations can be asked to do, independent of version: dialects say it in the words of each."""

from dataclasses import dataclass
from enum import StrEnum


class ResetType(StrEnum):
    """How a station restarts.

    on_idle: once no session goes on. soft, immediate: sessions are ended in order first. hard: whatever goes on.
    resume: sessions go on afterwards.
    """

    ON_IDLE = "on_idle"
    SOFT = "soft"
    IMMEDIATE = "immediate"
    HARD = "hard"
    RESUME = "resume"


class Availability(StrEnum):
    """Whether sessions may begin."""

    OPERATIVE = "operative"
    INOPERATIVE = "inoperative"


class Trigger(StrEnum):
    """What a station can be asked to tell."""

    BOOT = "boot"
    CERTIFICATE = "certificate"
    FIRMWARE_STATUS = "firmware_status"
    HEARTBEAT = "heartbeat"
    LOG_STATUS = "log_status"
    METER_VALUES = "meter_values"
    STATUS = "status"
    TRANSACTION = "transaction"


@dataclass(frozen=True, slots=True)
class Reset:
    """evse_id: of what is reset; None: the station."""

    type: ResetType
    evse_id: int | None = None


@dataclass(frozen=True, slots=True)
class UnlockConnector:
    """Of an EVSE. In 1.6, which has no EVSEs, either names the connector."""

    evse_id: int | None = None
    connector_id: int | None = None


@dataclass(frozen=True, slots=True)
class ChangeAvailability:
    """Of a connector, of all of an EVSE, or of the station where neither is said."""

    status: Availability
    evse_id: int | None = None
    connector_id: int | None = None


@dataclass(frozen=True, slots=True)
class TriggerMessage:
    """evse_id, connector_id: of what; None: of all."""

    message: Trigger
    evse_id: int | None = None
    connector_id: int | None = None
