"""Stops of 1.6 that name no transaction of ours: orphans, unless all evidence says whose they are (errata 3.18)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.ocpp.id_tokens import token_key
from services.transactions.domain.energy_readings import TOTAL
from services.transactions.domain.messages import MeterValue, Report, ReportKind, StationSamples
from services.transactions.domain.register import TOLERANCE_WH, is_usable
from services.transactions.domain.transaction import Transaction

# What a stop says: the same when it is told again.
OrphanKey = tuple[str, str, datetime, float | None]
# The token group of an idToken; None where it has none.
GroupOf = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class OrphanStop:
    """A stop of a transaction that never began here. joined_id: our transaction that was meant all the same."""

    call_id: str
    station_id: str
    transaction_id: str
    id_token: str | None
    meter_stop_wh: float | None
    stopped_at: datetime
    received_at: datetime
    stop_reason: str | None
    meter_values: tuple[MeterValue, ...]
    joined_id: int | None = None

    @property
    def key(self) -> OrphanKey:
        """Of the station, and what it said."""
        return self.station_id, self.transaction_id, self.stopped_at, self.meter_stop_wh

    def station_samples(self) -> StationSamples:
        """Its meter values, which then belong to no transaction."""
        return StationSamples(
            call_id=self.call_id,
            station_id=self.station_id,
            received_at=self.received_at,
            evse_id=None,
            connector_id=None,
            meter_values=self.meter_values,
            transaction_id=self.transaction_id,
        )


def orphan_stop(report: Report, joined_id: int | None = None) -> OrphanStop:
    """A stop as it is kept."""
    return OrphanStop(
        call_id=report.call_id,
        station_id=report.station_id,
        transaction_id=report.transaction_id or "",
        id_token=report.id_token,
        meter_stop_wh=report.end_wh,
        stopped_at=report.at,
        received_at=report.received_at,
        stop_reason=report.stop_reason,
        meter_values=report.meter_values,
        joined_id=joined_id,
    )


def may_be_nameless(report: Report) -> bool:
    """Whether a report is a stop that is nameless where its number is none of ours."""
    return report.kind == ReportKind.ENDED and report.key is None


def meant_by(stop: Report, open_ones: Sequence[Transaction], group_of: GroupOf) -> Transaction | None:
    """The session that a nameless stop ends: the only one that is open on the station, and nothing speaks against it.

    The idToken is the same, of the same token group, or not told; the meter is not below what is known; the stop is not
    before the start. open_ones: of the station; those that have ended do not count.
    """
    left = [one for one in open_ones if not one.ended]
    if len(left) != 1:
        return None
    [one] = left
    is_after = stop.at >= one.started_at and stop.received_at > one.started_received_at
    return one if is_after and _fits_meter(stop, one) and _fits_card(stop, one, group_of) else None


def _fits_meter(stop: Report, one: Transaction) -> bool:
    register = one.meters.get(TOTAL)
    if stop.end_wh is None or register is None or not is_usable(stop.end_wh):
        return True
    return stop.end_wh >= register.last.wh - TOLERANCE_WH


def _fits_card(stop: Report, one: Transaction, group_of: GroupOf) -> bool:
    if stop.id_token is None:
        return True
    if one.id_token is None:
        return False
    group = group_of(stop.id_token)
    same_group = group is not None and group == group_of(one.id_token)
    return same_group or token_key(stop.id_token) == token_key(one.id_token)
