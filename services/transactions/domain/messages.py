"""What stations report and are answered, independent of version: dialects translate payloads to and from these."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from services.ocpp.id_tokens import TokenInfo
from services.transactions.domain.energy_readings import EnergyReading

# One sampled value: {"measurand", "value", "unit"} in the base unit, and "context", "location", "phase", "signed"
# where they differ from the default. A dict, for there are tens of thousands of them a second.
Reading = dict[str, Any]
# Among the details of a report: its time, where that cannot be read; `at` is then when it was received.
UNREADABLE = "unreadable_timestamp"
# Among the details of a transaction: the one, by our id, that this may be told again.
LOOKS_LIKE = "looks_like"
# The same: what was told of it may be of two that have one name.
MAY_BE_TWO = "may_be_two"
# The same: on whose account whoever came could charge; empty: on nobody's.
FREE_VEND = "free_vend"
NOTHING: Mapping[str, Any] = MappingProxyType({})


class ReportKind(IntEnum):
    """What a report is about. The values order reports of 1.6, which have no sequence numbers."""

    STARTED = 0
    UPDATED = 1
    ENDED = 2


# Members of an enumeration are slow to find in Python 3.11, and these are looked for with every meter value.
STARTED, UPDATED, ENDED = ReportKind

# What the keys of transactions begin with that stations name themselves, as in 2.x.
NAMED = "id:"


class MeterValue(NamedTuple):
    """All readings of one moment. energies: what they say of the transaction's energy.

    raw_timestamp: the station's time if it could not be parsed; taken_at is then that of the message.
    """

    taken_at: datetime
    readings: list[Reading]
    energies: tuple[EnergyReading, ...] = ()
    raw_timestamp: str | None = None


class Report(msgspec.Struct, frozen=True):
    """What a station reports about one transaction.

    key: made of what the station sent, the same for every retry; None if only `number` names the transaction (our
    id, which 1.6 uses). order: position among the reports of the transaction. seq_no: of 2.x.
    details: what else is kept of it, by name. begin_wh, end_wh: register readings of the message itself (1.6
    meterStart, meterStop). message: of a start of 1.6, its connection and its message id.
    """

    kind: ReportKind
    call_id: str
    station_id: str
    at: datetime
    received_at: datetime
    order: int
    key: str | None = None
    number: int | None = None
    transaction_id: str | None = None
    seq_no: int | None = None
    trigger: str | None = None
    offline: bool = False
    evse_id: int | None = None
    connector_id: int | None = None
    id_token: str | None = None
    id_token_type: str | None = None
    ends_authorization: bool = False
    reservation_id: int | None = None
    remote_start_id: int | None = None
    charging_state: str | None = None
    stop_reason: str | None = None
    details: Mapping[str, Any] = NOTHING
    begin_wh: float | None = None
    end_wh: float | None = None
    meter_values: tuple[MeterValue, ...] = ()
    message: tuple[str, str] | None = None

    @property
    def is_named(self) -> bool:
        """Whether the station names its transactions itself, as in 2.x."""
        return self.key is not None and self.key.startswith(NAMED)


@dataclass(frozen=True, slots=True)
class StationSamples:
    """Meter values that belong to no transaction. transaction_id: as the station named it, unknown here."""

    call_id: str
    station_id: str
    received_at: datetime
    evse_id: int | None
    connector_id: int | None
    meter_values: tuple[MeterValue, ...]
    transaction_id: str | None = None


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Kept as it came; nothing is decided about it."""

    call_id: str


@dataclass(frozen=True, slots=True)
class VatNumber:
    """Is it a VAT number (2.1 C18)? evse_id: where it was entered. Both as the station said."""

    call_id: str
    number: str
    evse_id: int | None


Message = Report | StationSamples | Verbatim | VatNumber


class Started(msgspec.Struct, frozen=True):
    """Answers the start of a transaction. number: our id. token: the verdict, if an idToken was presented.

    limit: what it may have at most, see limits.
    """

    number: int
    token: TokenInfo | None
    limit: Mapping[str, Any] = NOTHING


class Updated(msgspec.Struct, frozen=True):
    """Answers any other report of a transaction. token, limit: see Started."""

    token: TokenInfo | None
    limit: Mapping[str, Any] = NOTHING


@dataclass(frozen=True, slots=True)
class Empty:
    """An empty answer: what was sent is kept."""


@dataclass(frozen=True, slots=True)
class VatNumberRejected:
    """It is not known to be one."""

    number: str
    evse_id: int | None
    reason: str


Reply = Started | Updated | Empty | VatNumberRejected
