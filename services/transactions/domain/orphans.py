"""Stops of 1.6 that name no transaction of ours, or a wrong one: orphans, unless all evidence says whose they are.

Errata 3.18: stations tell −1 or 0, or whatever they believe, where the answer to the start was lost.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.ocpp.id_tokens import token_key
from services.ocpp.sampled_values import is_usable
from services.transactions.domain.energy_readings import TOTAL
from services.transactions.domain.messages import MeterValue, Report, ReportKind, StationSamples
from services.transactions.domain.metering import end_reading
from services.transactions.domain.moments import milliseconds
from services.transactions.domain.present import Moment, began, may_have_risen
from services.transactions.domain.register import TOLERANCE_WH
from services.transactions.domain.station import Station
from services.transactions.domain.transaction import EndedBy, Transaction

# So near each other stations mix up times: the last sample and the stop, the stop and the next start.
NEARLY = timedelta(minutes=1)
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
        """Of the station, and what it said. −1 and 0 say nothing."""
        named = "" if self.transaction_id == "0" else self.transaction_id
        return self.station_id, "" if named.startswith("-") else named, self.stopped_at, self.meter_stop_wh

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


def is_unsure(stop: Report, named: Transaction | None) -> bool:
    """Whether it hangs on the station's other sessions whose it is: named has ended otherwise, or there is none."""
    return may_be_nameless(stop) and (named is None or (named.ended and not _is_end_of(stop, named)))


def is_misnumbered(stop: Report, named: Transaction, of_station: Iterable[Transaction], group_of: GroupOf) -> bool:
    """Whether a stop with the number of a session that has ended is none of its: stations that count themselves.

    By then another had begun on its connector, whose card and meter it may have; or its end was told before, and now a
    card is that was never its own.
    """
    if not named.ended or named.stopped_at is None or _is_end_of(stop, named):
        return False
    is_told, is_own = named.ended_by == EndedBy.STATION, _fits_card(stop, named, group_of)
    if is_told and not is_own:
        return True
    if is_told and stop.at <= named.stopped_at:
        return False
    said = Moment(stop.at if is_told else stop.at - NEARLY, stop.received_at)
    later = [one for one in of_station if one.evse_id == named.evse_id and began(one).is_after(began(named))]
    found = [one for one in later if said.is_after(began(one)) and _fits_meter(stop, one)]
    if is_told:
        return bool(found)
    is_of = [one for one in found if not is_own or _fits_card(stop, one, group_of)]
    return any(may_have_risen(one, stop.end_wh) for one in is_of)


def has_card_of_another(
    stop: Report, named: Transaction, of_station: Iterable[Transaction], group_of: GroupOf
) -> list[Transaction]:
    """The others that are open on the station and have the card of a stop, where the one that it names has not."""
    if not stop.id_token or token_key(stop.id_token) == named.payer:
        return []
    others = [one for one in of_station if one.id != named.id and not one.ended]
    found = [one for one in others if _has_card(stop.id_token, one)]
    return [] if found and _fits_card(stop, named, group_of) else found


def told_before(stop: Report, of_station: Iterable[Transaction], group_of: GroupOf) -> Transaction | None:
    """The session that a nameless stop has ended already, by its number or without: it is told again."""
    found = (one for one in of_station if one.ended and _is_end_of(stop, one) and _fits_card(stop, one, group_of))
    return next(found, None)


def meant_by(stop: Report, of_station: Sequence[Transaction], group_of: GroupOf) -> Transaction | None:
    """The session that a nameless stop ends: the only one that is open on the station, and nothing speaks against it.

    The idToken is the same, of the same token group, or not told; the meter is not below what is known; the stop is not
    before the start, nor before what was measured last. of_station: those that have ended do not count.
    """
    left = [one for one in of_station if not one.ended]
    if len(left) != 1:
        return None
    [one] = left
    is_after = stop.at >= one.started_at and stop.received_at > one.started_received_at
    fits = is_after and not _goes_on_after(stop, one) and _fits_meter(stop, one)
    return one if fits and _fits_card(stop, one, group_of) else None


def may_be_elsewhere(
    stop: Report, named: Transaction | None, meant: Transaction, station: Station, of_station: Iterable[Transaction]
) -> bool:
    """Whether a nameless stop can be of a vehicle that is on another connector, and whose start was lost.

    That is reported occupied, and no session is known that has left it so. The stop has no card of the session it can
    only mean, nor the number of an earlier one of its connector (named).
    """
    has_card = stop.id_token is not None and _has_card(stop.id_token, meant)
    if has_card or not meant.evse_id or (named and named.evse_id == meant.evse_id):
        return False
    taken = [one for one in station.connectors if not one.free and one.evse_id != meant.evse_id]
    ended = [(one.evse_id, one.stopped_received_at) for one in of_station if one.stopped_received_at]
    return any(all(evse_id != one.evse_id or at < one.at - NEARLY for evse_id, at in ended) for one in taken)


def _is_end_of(stop: Report, one: Transaction) -> bool:
    """Whether it says what the station told of the end of a session: the same time, and the same register."""
    register, said = one.meters.get(TOTAL), end_reading(stop)
    ends = register.ends if register else ()
    if said and ends:
        return any((said.at, said.wh) == (known.at, known.wh) for known in ends)
    return "stopped" in one.field_order and one.stopped_at == stop.at


def _goes_on_after(stop: Report, one: Transaction) -> bool:
    """Whether a session was metered when it should have been over: it is older, and of another."""
    known = [reading for meter in one.meters.values() for reading in (meter.last, meter.odd) if reading]
    return any(reading.at > milliseconds(stop.at + NEARLY) for reading in known)


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
    return same_group or _has_card(stop.id_token, one)


def _has_card(id_token: str, one: Transaction) -> bool:
    return token_key(id_token) in {token_key(card.id_token) for card in one.cards}
