"""A transaction, and how it takes in what a station reports about it.

Reports come late, twice, out of order, and leave out what was said before. So every field has a rule by which it is
merged that gives the same for any order: the earliest or the latest by the station's own order, the lowest, any.
"""

from collections.abc import Mapping
from datetime import datetime
from math import inf
from typing import Any

import msgspec
from msgspec.structs import replace

from services.transactions.domain import sequence
from services.transactions.domain.messages import EMPTY, Kind, Report
from services.transactions.domain.register import Mark, Register, Standing, read


class Transaction(msgspec.Struct, frozen=True):
    """One transaction of one station.

    id: ours, and transactionId in 1.6. key: see Report. transaction_id: as the station knows it. started_at,
    stopped_at: as its clock said; …_received_at: when we heard. occurrence: among those of the same key.
    told: by field, the order of the report it is from.
    revision: how often it was saved. A struct, for it is made anew with every meter value, and dataclasses are slow.
    """

    id: int
    station_id: str
    key: str
    transaction_id: str
    started_at: datetime
    started_received_at: datetime
    updated_at: datetime
    stopped_at: datetime | None = None
    stopped_received_at: datetime | None = None
    evse_id: int | None = None
    connector_id: int | None = None
    id_token: str | None = None
    id_token_type: str | None = None
    authorization: str | None = None
    stop_id_token: str | None = None
    reservation_id: int | None = None
    remote_start_id: int | None = None
    command_id: str | None = None
    charging_state: str | None = None
    stop_reason: str | None = None
    offline: bool = False
    occurrence: int = 1
    details: Mapping[str, Any] = EMPTY
    register: Register | None = None
    seen: sequence.Ranges = ()
    told: Mapping[str, int] = EMPTY
    revision: int = 0

    @property
    def ended(self) -> bool:
        return self.stopped_at is not None

    @property
    def status(self) -> str:
        return "ended" if self.ended else "active"

    @property
    def complete(self) -> bool:
        """Whether all reports from the first to the last have arrived (2.0.1 part 2, E §1.3.2)."""
        return self.told.keys() >= {"started", "stopped"} and len(self.seen) <= 1

    @property
    def meter_start_wh(self) -> float | None:
        return self.register.begin_wh if self.register else None

    @property
    def meter_stop_wh(self) -> float | None:
        return self.register.end_wh(self.ended) if self.register else None

    @property
    def energy_wh(self) -> float | None:
        """Delivered so far, and in all once it has ended; None where it cannot be told."""
        return self.register.energy_wh(self.ended) if self.register else None

    @property
    def register_jumped_back(self) -> bool:
        return self.register is not None and self.register.jumped_back(self.ended)


def first(report: Report, number: int) -> Transaction:
    """A transaction that we hear of for the first time, by whichever of its reports came first."""
    return Transaction(
        id=number,
        station_id=report.station_id,
        key=report.key or "",
        transaction_id=report.transaction_id or str(number),
        started_at=report.at,
        started_received_at=report.received_at,
        updated_at=report.received_at,
    )


def merge(
    known: Transaction, report: Report, authorization: str | None = None, command_id: str | None = None
) -> Transaction:
    """With one more report; the same object where that says nothing new.

    authorization: the verdict on the report's idToken. command_id: of the remote start that it comes from.
    """
    changes: dict[str, Any] = {}
    told = dict(known.told)
    if report.kind == Kind.STARTED and report.order < told.get("started", inf):
        changes |= {"started_at": report.at, "started_received_at": report.received_at}
        told["started"] = report.order
    elif "started" not in told and report.at < known.started_at:
        changes["started_at"] = report.at
    if report.kind == Kind.ENDED and report.order > told.get("stopped", -inf):
        changes |= {"stopped_at": report.at, "stopped_received_at": report.received_at}
        changes["stop_reason"] = report.stop_reason
        told["stopped"] = report.order
    if report.id_token is not None:
        changes |= _token(report, told, authorization)
    for name in ("evse_id", "connector_id", "charging_state", "reservation_id", "remote_start_id"):
        value = getattr(report, name)
        if value is not None and report.order > told.get(name, -inf):
            changes[name] = value
            told[name] = report.order
    for name, value in report.details.items():
        if report.order > told.get(name, -inf):
            changes["details"] = {**changes.get("details", known.details), name: value}
            told[name] = report.order
    if command_id and not known.command_id:
        changes["command_id"] = command_id
    if report.offline and not known.offline:
        changes["offline"] = True
    if report.seq_no is not None and (seen := sequence.add(known.seen, report.seq_no)) is not known.seen:
        changes["seen"] = seen
    register = read(known.register, marks(report))
    if register is not known.register:
        changes["register"] = register
    if not changes:
        return known
    if report.received_at > known.updated_at:
        changes["updated_at"] = report.received_at
    return replace(known, told=told, **changes)


def noted(known: Transaction, report: Report) -> Transaction:
    """With a report that says nothing new of it but brings new meter values: written again, as by any other change."""
    return replace(known, updated_at=max(known.updated_at, report.received_at))


def only_metered(before: Transaction, after: Transaction) -> bool:
    """Whether nothing was told between the two but meter values and the sequence numbers of their reports."""
    told = before.told == after.told and before.started_at == after.started_at
    return told and before.offline == after.offline and before.command_id == after.command_id


def _token(report: Report, told: dict[str, int], authorization: str | None) -> dict[str, Any]:
    """The first idToken is whom the transaction is for; the last that ends the authorization is kept beside it."""
    changes: dict[str, Any] = {}
    if report.order < told.get("id_token", inf):
        changes |= {"id_token": report.id_token, "id_token_type": report.id_token_type}
        changes["authorization"] = authorization
        told["id_token"] = report.order
    if report.ends_authorization and report.order > told.get("stop_id_token", -inf):
        changes["stop_id_token"] = report.id_token
        told["stop_id_token"] = report.order
    return changes


def marks(report: Report) -> list[Mark]:
    """What a report says of the energy register."""
    found = [
        Mark(value.standing, report.order, index, value.wh)
        for index, value in enumerate(report.meter_values)
        if value.wh is not None
    ]
    if report.begin_wh is not None:
        found.append(Mark(Standing.MESSAGE_BEGIN, report.order, 0, report.begin_wh))
    if report.end_wh is not None:
        found.append(Mark(Standing.MESSAGE_END, report.order, 0, report.end_wh))
    return found
