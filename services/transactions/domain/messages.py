"""What stations say and are told, in words of no version: dialects make these of payloads, and payloads of these."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from services.ocpp.id_tokens import TokenInfo

# One sampled value: {"measurand", "value", "unit"} in the base unit, and "context", "location", "phase", "signed"
# where they differ from the default. A dict, for there are ten thousands of them a second.
Reading = dict[str, Any]
EMPTY: Mapping[str, Any] = MappingProxyType({})


class Kind(IntEnum):
    """What a report is about. The values order reports of 1.6, which have no sequence numbers."""

    STARTED = 0
    UPDATED = 1
    ENDED = 2


class MeterValue(NamedTuple):
    """All readings of one moment. standing, wh: what they say of the energy register, wh None where nothing.

    said: the station's time where it could not be read; taken_at is then the message's own.
    """

    taken_at: datetime
    readings: list[Reading]
    standing: int = 0
    wh: float | None = None
    said: str | None = None


class Report(msgspec.Struct, frozen=True):
    """What a station reports about one transaction.

    key: made of what the station said, the same however often it is told; None where only `number` names the
    transaction (ours, which 1.6 uses). order: rank among the reports of the transaction. seq_no: of 2.x.
    details: what else is kept of it, by name. begin_wh, end_wh: register readings of the message itself (1.6
    meterStart, meterStop).
    """

    kind: Kind
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
    details: Mapping[str, Any] = EMPTY
    begin_wh: float | None = None
    end_wh: float | None = None
    meter_values: tuple[MeterValue, ...] = ()


@dataclass(frozen=True, slots=True)
class Outside:
    """Meter values that belong to no transaction. transaction_id: what the station named, unknown here."""

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


Message = Report | Outside | Verbatim


@dataclass(frozen=True, slots=True)
class Begun:
    """The start of a transaction was heard. number: our id. token: the verdict, where an idToken was presented."""

    number: int
    token: TokenInfo | None


@dataclass(frozen=True, slots=True)
class Heard:
    """Anything else about a transaction was heard."""

    token: TokenInfo | None


@dataclass(frozen=True, slots=True)
class Noted:
    """Kept; there is nothing to say."""


Reply = Begun | Heard | Noted
