"""A transaction, and how reports of a station are merged into it.

Reports come late, twice, out of order, and leave out what was sent before. So every field has a merge rule that gives
the same result for any order: the earliest or the latest by the station's own order, the lowest, any.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from math import inf
from operator import attrgetter
from typing import Any

import msgspec
from msgspec.structs import replace

from services.transactions.domain import sequence_numbers
from services.transactions.domain.cards import Card, Cards, payer, with_card
from services.transactions.domain.doubts import Doubt, doubts_of_times
from services.transactions.domain.messages import NOTHING, UNREADABLE, Report, ReportKind
from services.transactions.domain.register import Rank, Register, RegisterReading, add_readings

_more_than_metered = attrgetter(
    *("field_order", "started_at", "ended_by", "superseded_by", "end_revision", "offline", "command_id", "cards")
)


class EndedBy(StrEnum):
    """How it came about that a transaction counts as ended; EndedBy of events.proto says what each means."""

    STATION = "station"
    SUPERSEDED = "superseded"
    JOINED = "joined"
    AVAILABLE = "available"
    ASKED = "asked"
    OPERATOR = "operator"


class Transaction(msgspec.Struct, frozen=True):
    """One transaction of one station.

    id: ours, and transactionId in 1.6. key: see Report. transaction_id: as the station knows it. started_at,
    stopped_at: by its clock; …_received_at: when we received the report. ended_by: an EndedBy, or what another version
    calls it. superseded_by: the transaction that its EVSE has in its place, as far as we know. occurrence: among those
    of the same key. sequence: the sequence numbers that have arrived. field_order: by field, the order of the report it
    is from. cards: that were presented, in order; id_token is whose it is of them. moved: several EVSEs were named.
    start_message: of a start of 1.6, its connection and message id.
    end_revision: the last revision of its end that was told; 0 where it goes on, and in rows of before there were any.
    row_revision: how often it was saved. A struct, for it is created anew with every meter value, and dataclasses are
    slow.
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
    ended_by: str | None = None
    superseded_by: int | None = None
    offline: bool = False
    occurrence: int = 1
    end_revision: int = 0
    details: Mapping[str, Any] = NOTHING
    register: Register | None = None
    sequence: sequence_numbers.Ranges = ()
    field_order: Mapping[str, int] = NOTHING
    cards: Cards = ()
    moved: bool = False
    start_message: tuple[str, str] | None = None
    row_revision: int = 0

    @property
    def ended(self) -> bool:
        return self.stopped_at is not None

    @property
    def status(self) -> str:
        return "ended" if self.ended else "active"

    @property
    def complete(self) -> bool:
        """Whether all reports from the first to the last have arrived (2.0.1 part 2, E §1.3.2)."""
        return self.field_order.keys() >= {"started", "stopped"} and len(self.sequence) <= 1

    @property
    def revision(self) -> int:
        """What was told last: 0 while it goes on, 1 with its end, one more with each later change."""
        return self.end_revision or int(self.ended)

    @property
    def doubts(self) -> list[Doubt]:
        """What cannot be right of it."""
        stopped = (self.stopped_at, self.stopped_received_at) if self.stopped_at and self.stopped_received_at else None
        started = (self.started_at, self.started_received_at)
        return list(doubts_of_times(started, stopped, UNREADABLE in self.details))

    @property
    def id_tokens(self) -> list[dict[str, Any]]:
        """All that were presented, in order, each with the verdict on it then."""
        return [{"id_token": one.id_token, "type": one.type, "authorization": one.authorization} for one in self.cards]

    @property
    def missing_seq_nos(self) -> list[int]:
        """The sequence numbers between the first and the last that have not arrived, the first thousand of them."""
        return sequence_numbers.missing(self.sequence)

    @property
    def meter_start_wh(self) -> float | None:
        return self.register.begin_wh if self.register else None

    @property
    def meter_stop_wh(self) -> float | None:
        return self.register.end_wh(self.ended) if self.register else None

    @property
    def energy_wh(self) -> float | None:
        """Delivered so far, and in total once it has ended; None if unknown."""
        return self.register.energy_wh(self.ended) if self.register else None

    @property
    def register_jumped_back(self) -> bool:
        return self.register is not None and self.register.jumped_back(self.ended)


def new_transaction(report: Report, number: int) -> Transaction:
    """A transaction as it begins here, with whichever of its reports came first."""
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
    current: Transaction, report: Report, authorization: str | None = None, command_id: str | None = None
) -> Transaction:
    """With one more report; the same object if that adds nothing.

    authorization: the verdict on the report's idToken. command_id: of the remote start that it comes from.
    """
    changes: dict[str, Any] = {}
    field_order = dict(current.field_order)
    if report.kind == ReportKind.STARTED and report.order < field_order.get("started", inf):
        changes |= {"started_at": report.at, "started_received_at": report.received_at}
        changes["start_message"] = report.message
        field_order["started"] = report.order
    elif "started" not in field_order and report.at < current.started_at:
        changes["started_at"] = report.at
    if report.kind == ReportKind.ENDED and report.order > field_order.get("stopped", -inf):
        changes |= {"stopped_at": report.at, "stopped_received_at": report.received_at}
        changes |= {"stop_reason": report.stop_reason, "ended_by": EndedBy.STATION}
        field_order["stopped"] = report.order
    if report.id_token is not None:
        changes |= _card_changes(current.cards, report, field_order, authorization)
    if report.evse_id is not None:
        changes |= _place_changes(current, report, field_order)
    for name in ("charging_state", "reservation_id", "remote_start_id"):
        value = getattr(report, name)
        settled = name == "charging_state" and _comes_after_the_end(current, report)
        if value is not None and report.order > field_order.get(name, -inf) and not settled:
            changes[name] = value
            field_order[name] = report.order
    for name, value in report.details.items():
        if report.order > field_order.get(name, -inf):
            changes["details"] = {**changes.get("details", current.details), name: value}
            field_order[name] = report.order
    if command_id and not current.command_id:
        changes["command_id"] = command_id
    if report.offline and not current.offline:
        changes["offline"] = True
    if report.seq_no is not None:
        sequence = sequence_numbers.add(current.sequence, report.seq_no)
        if sequence is not current.sequence:
            changes["sequence"] = sequence
    register = add_readings(current.register, register_readings(report))
    if register is not current.register:
        changes["register"] = register
    if not changes:
        return current
    if report.received_at > current.updated_at:
        changes["updated_at"] = report.received_at
    return replace(current, field_order=field_order, **changes)


def touch(current: Transaction, report: Report) -> Transaction:
    """With a report that changes nothing but brings new meter values: written again, as by any other change."""
    return replace(current, updated_at=max(current.updated_at, report.received_at))


def metered_only(before: Transaction, after: Transaction) -> bool:
    """Whether the two differ in nothing but meter values and the sequence numbers of their reports."""
    return _more_than_metered(before) == _more_than_metered(after)


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


def register_readings(report: Report) -> list[RegisterReading]:
    """The readings of the energy register in a report."""
    found = [
        RegisterReading(value.rank, report.order, index, value.wh)
        for index, value in enumerate(report.meter_values)
        if value.wh is not None
    ]
    if report.begin_wh is not None:
        found.append(RegisterReading(Rank.MESSAGE_BEGIN, report.order, 0, report.begin_wh))
    if report.end_wh is not None:
        found.append(RegisterReading(Rank.MESSAGE_END, report.order, 0, report.end_wh))
    return found
