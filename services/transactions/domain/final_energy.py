"""The energy of a transaction that has ended: what all its meter values say, or an operator has decided."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from services.transactions.domain.doubts import Doubt
from services.transactions.domain.energy import Bounds, Energy, EnergySource, are_settled, energy_at_end
from services.transactions.domain.energy_readings import TOTAL
from services.transactions.domain.messages import UPDATED, Report
from services.transactions.domain.metering import (
    UNREADABLE_ENERGY,
    UNUSABLE,
    MeterReading,
    PastValue,
    all_readings,
    settled,
    with_readings,
)
from services.transactions.domain.moments import milliseconds
from services.transactions.domain.review import Review
from services.transactions.domain.transaction import EndedBy, Transaction

# Details without which only begin and end make the energy certain.
UNREADABLE = frozenset({*UNUSABLE.values(), UNREADABLE_ENERGY})


def needs_past(one: Transaction, report: Report) -> bool:
    """Whether a report leaves it unsettled."""
    tells = report.kind != UPDATED or bool(report.meter_values)
    return tells and is_unsettled(one)


def is_unsettled(one: Transaction) -> bool:
    """Whether it has ended, and its energy is an estimate."""
    return one.ended and not are_settled(one.meters, bounds_of(one))


def bounds_of(one: Transaction) -> Bounds:
    """What bounds its energy."""
    began = (one.started_at, one.started_received_at)
    order = one.field_order.get("stopped")
    if one.stopped_at is None or (order is None and one.ended_by != EndedBy.SUPERSEDED):
        return Bounds(one.rated_power_w, began)
    return Bounds(one.rated_power_w, began, order if one.sequence else None, milliseconds(one.stopped_at))


def at_end(one: Transaction, past: Sequence[PastValue] | None) -> Transaction:
    """With the energy that it has in the end. past: all its meter values; None where they are not at hand."""
    return metered_at_end(one, (), past)


def metered_at_end(one: Transaction, readings: Sequence[MeterReading], past: Sequence[PastValue] | None) -> Transaction:
    """The same, with readings of the newest report."""
    bounds = bounds_of(one)
    counted = [(name, reading) for name, reading in readings if not bounds.exclude(reading)]
    meters = with_readings(one.meters, counted, one.rated_power_w) if counted else one.meters
    if past is not None:
        meters = settled(meters, all_readings(meters, past, counted), bounds)
    return _with_review(one if meters is one.meters else replace(one, meters=meters), bounds)


def with_review(one: Transaction) -> Transaction:
    """With the energy that counts: what its meters say, or what an operator has decided; and whether it is held."""
    return _with_review(one, bounds_of(one))


def _with_review(one: Transaction, bounds: Bounds) -> Transaction:
    measured = _measured_energy(one, bounds)
    energy, review = measured, Review.NONE
    if one.judgement:
        energy, review = one.judgement.on(measured, other_energy_wh(one), one.payer)
    doubts = one.doubts_of(energy.doubts)
    if doubts and (one.judgement is None or one.judgement.is_open_to(doubts)):
        review = Review.HELD
    changes = energy_changes(one, energy)
    if review != one.review:
        changes["review"] = review
    return replace(one, **changes) if changes else one


def measured_energy(one: Transaction) -> Energy:
    """What the meters say of a transaction that has ended."""
    return _measured_energy(one, bounds_of(one))


def _measured_energy(one: Transaction, bounds: Bounds) -> Energy:
    energy = energy_at_end(one.meters, bounds)
    if energy.source != EnergySource.REGISTER and not one.details.keys().isdisjoint(UNREADABLE):
        return energy.doubting(Doubt.UNUSABLE_READING)
    return energy


def other_energy_wh(one: Transaction) -> float | None:
    """By another word of its end, which does not count; None where there is none."""
    register = one.meters.get(TOTAL)
    return register.other_end.wh - register.first.wh if register and register.other_end else None


def energy_changes(one: Transaction, energy: Energy) -> dict[str, Any]:
    """The fields that are not as they were."""
    changes: dict[str, Any] = {} if energy.wh == one.energy_wh else {"energy_wh": energy.wh}
    if energy.source != one.energy_source:
        changes["energy_source"] = energy.source
    if energy.doubts != one.energy_doubts:
        changes["energy_doubts"] = energy.doubts
    return changes
