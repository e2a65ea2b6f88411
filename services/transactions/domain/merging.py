"""How reports of a station are merged into a transaction.

Reports come late, twice, out of order, and leave out what was sent before. So every field has a merge rule that gives
the same result for any order: the earliest or the latest by the station's own order, the lowest, any.
"""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from msgspec.structs import replace

from services.transactions.domain import sequence_numbers
from services.transactions.domain.cards import Card, Cards, payer, with_card
from services.transactions.domain.energy import energy_so_far
from services.transactions.domain.energy_readings import TOTAL
from services.transactions.domain.final_energy import energy_changes, metered_at_end
from services.transactions.domain.messages import ENDED, STARTED, Report
from services.transactions.domain.metering import (
    PastValue,
    are_merely_late,
    end_reading,
    meter_readings,
    unusable,
    usable,
    with_readings,
)
from services.transactions.domain.register import end_counts
from services.transactions.domain.transaction import EndedBy, Transaction, touch

PLACE = frozenset({"evse_id", "connector_id"})


def merge(
    current: Transaction,
    report: Report,
    authorization: str | None = None,
    command_id: str | None = None,
    past: Sequence[PastValue] | None = None,
) -> Transaction:
    """With one more report; the same object if that adds nothing.

    authorization: the verdict on the report's idToken. command_id: of the remote start that it comes from. past: all
    meter values that were reported before, which needs_past() asks for.
    """
    changes: dict[str, Any] = {}
    field_order = dict(current.field_order)
    if report.kind == STARTED and report.order < field_order.get("started", inf):
        changes |= {"started_at": report.at, "started_received_at": report.received_at}
        changes["start_message"] = report.message
        field_order["started"] = report.order
    elif "started" not in field_order and report.at < current.started_at:
        changes["started_at"] = report.at
    if report.kind == ENDED and _counts_as_end(current, report):
        changes |= {"stopped_at": report.at, "stopped_received_at": report.received_at}
        changes |= {"stop_reason": report.stop_reason, "ended_by": EndedBy.STATION}
        field_order["stopped"] = report.order
    if report.id_token is not None:
        changes |= _card_changes(current.cards, report, field_order, authorization)
    if report.evse_id is not None and (report.seq_no is not None or not field_order.keys() >= PLACE):
        changes |= _place_changes(current, report, field_order)
    for name in ("charging_state", "reservation_id", "remote_start_id"):
        value = getattr(report, name)
        if value is None or report.order <= field_order.get(name, -inf):
            continue
        if name != "charging_state" or not _comes_after_the_end(current, report):
            changes[name] = value
            field_order[name] = report.order
    told = meter_readings(report)
    readings = usable(told) if told else told
    if report.details or len(readings) < len(told):
        changes |= _detail_changes(current, report, unusable(told), field_order)
    if command_id and not current.command_id:
        changes["command_id"] = command_id
    if report.offline and not current.offline:
        changes["offline"] = True
    if report.seq_no is not None:
        sequence = sequence_numbers.add(current.sequence, report.seq_no)
        if sequence is not current.sequence:
            changes["sequence"] = sequence
    if current.ended or "stopped_at" in changes:
        after = replace(current, field_order=field_order, **changes) if changes else current
        after = metered_at_end(after, readings, past)
        return current if after == current else touch(after, report)
    meters = with_readings(current.meters, readings, current.rated_power_w)
    if meters is not current.meters:
        energy = energy_changes(current, energy_so_far(meters))
        # Told late or again: which one, only the stored meter values tell: see with_late_values().
        if changes or energy or not are_merely_late(current.meters, meters):
            changes |= {"meters": meters, **energy}
    if not changes:
        return current
    if report.received_at > current.updated_at:
        changes["updated_at"] = report.received_at
    return replace(current, field_order=field_order, **changes)


def with_late_values(current: Transaction, report: Report) -> Transaction:
    """With a report that changed nothing, and yet its meter values turn out to be new."""
    if current.ended:
        return touch(current, report)
    meters = with_readings(current.meters, usable(meter_readings(report)), current.rated_power_w)
    return touch(replace(current, meters=meters), report)


def _counts_as_end(current: Transaction, report: Report) -> bool:
    """By the station's own order; of several stops of 1.6 the one whose register counts, without one the earliest."""
    order = current.field_order.get("stopped")
    if order is None or current.stopped_at is None or report.order != order:
        return order is None or report.order > order
    register = current.meters.get(TOTAL)
    is_metered = register is not None and register.end is not None and register.end.order == order
    if (said := end_reading(report)) is None:
        return not is_metered and report.at < current.stopped_at
    return not is_metered or end_counts(register, said, current.rated_power_w)


def _comes_after_the_end(current: Transaction, report: Report) -> bool:
    """By the station's own order, or by ours where it has not told the end."""
    return current.ended and report.order > current.field_order.get("stopped", -inf)


def _place_changes(current: Transaction, report: Report, field_order: dict[str, int]) -> dict[str, Any]:
    """The EVSE changes by what is newer in the transaction's own sequence, in 1.6, which has none, never (§6.45)."""
    changes: dict[str, Any] = {}
    for name in ("evse_id", "connector_id"):
        value = getattr(report, name)
        may_change = report.seq_no is not None or name not in field_order
        if value is not None and may_change and report.order > field_order.get(name, -inf):
            changes[name] = value
            field_order[name] = report.order
    if report.seq_no is not None and current.evse_id and report.evse_id and current.evse_id != report.evse_id:
        changes |= {} if current.moved else {"moved": True}
    return changes


def _detail_changes(
    current: Transaction, report: Report, no_readings: Mapping[str, float], field_order: dict[str, int]
) -> dict[str, Any]:
    """The latest that was told counts; of what is no reading the highest, for each of them says the same."""
    told = {name: value for name, value in report.details.items() if report.order > field_order.get(name, -inf)}
    field_order.update(dict.fromkeys(told, report.order))
    told |= {name: wh for name, wh in no_readings.items() if wh > current.details.get(name, -inf)}
    return {"details": {**current.details, **told}} if told else {}


def _card_changes(
    cards: Cards, report: Report, field_order: dict[str, int], authorization: str | None
) -> dict[str, Any]:
    """Who pays is whom the transaction is for; the last that ends the authorization is kept beside it."""
    assert report.id_token is not None, "a card was presented"
    changes: dict[str, Any] = {}
    card = Card(report.order, report.id_token, report.id_token_type, authorization, report.ends_authorization)
    if (after := with_card(cards, card)) is not cards:
        paying = payer(after) or card
        changes |= {"cards": after, "id_token": paying.id_token, "id_token_type": paying.type}
        changes["authorization"] = paying.authorization
        field_order["id_token"] = paying.order
    if report.ends_authorization and report.order > field_order.get("stop_id_token", -inf):
        changes["stop_id_token"] = report.id_token
        field_order["stop_id_token"] = report.order
    return changes
