"""A transaction: what stations have reported of it, and what follows from that alone."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import replace

from services.ocpp.id_tokens import Authorization, token_key
from services.transactions.domain import sequence_numbers
from services.transactions.domain.cards import Cards
from services.transactions.domain.doubts import Doubt, doubts_of_times
from services.transactions.domain.energy import NO_METERS, EnergySource, Meters
from services.transactions.domain.energy_readings import TOTAL
from services.transactions.domain.limits import LimitStatus, TransactionLimit
from services.transactions.domain.limits import status as status_of_limit
from services.transactions.domain.messages import FREE_VEND, LOOKS_LIKE, MAY_BE_TWO, NOTHING, UNREADABLE, Report
from services.transactions.domain.register import MAX_POWER_W
from services.transactions.domain.review import CLEAR, Judgement, Review

# Groups and location.
Assignment = tuple[Sequence[str], str]
UNASSIGNED: Assignment = ((), "")

# Among the details: what the station says of its limits (2.1 E16), in its words.
TRANSACTION_LIMIT = "transaction_limit"

# 1.6 §7.31, J02.FR.16: a register only rises.
JUMPED_BACK = frozenset({Doubt.REGISTER_FELL, Doubt.ODD_READING})


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
    is from. groups, location_id: of its station, as that was registered when its first report came; groups are None in
    rows of before that was kept. cards: that were presented, in order; id_token is whose it is of them. moved: several
    EVSEs were named. start_message: of a start of 1.6, its connection and message id. rated_power_w: what its EVSE can
    deliver, as far as that was known when its first report came. limit: what an operator allows it.
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
    energy_wh: float | None = None
    energy_source: str = EnergySource.NONE
    review: str = Review.NONE
    groups: Sequence[str] | None = None
    location_id: str | None = None
    details: Mapping[str, Any] = NOTHING
    energy_doubts: tuple[Doubt, ...] = ()
    meters: Meters = NO_METERS
    judgement: Judgement | None = None
    sequence: sequence_numbers.Ranges = ()
    field_order: Mapping[str, int] = NOTHING
    cards: Cards = ()
    moved: bool = False
    start_message: tuple[str, str] | None = None
    rated_power_w: float = MAX_POWER_W
    limit: TransactionLimit | None = None
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
        """What cannot be right of it: its times, its energy, that it is another at all."""
        return self.doubts_of(self.energy_doubts)

    def doubts_of(self, energy_doubts: Sequence[Doubt]) -> list[Doubt]:
        """The same, if these were those of its energy."""
        found = [*energy_doubts]
        stopped = (self.stopped_at, self.stopped_received_at) if self.stopped_at and self.stopped_received_at else None
        if times := doubts_of_times((self.started_at, self.started_received_at), stopped, UNREADABLE in self.details):
            found = [*times, *found]
        if LOOKS_LIKE in self.details or MAY_BE_TWO in self.details:
            found.append(Doubt.TOLD_AGAIN)
        return found

    @property
    def id_tokens(self) -> list[dict[str, Any]]:
        """All that were presented, in order, each with the verdict on it then."""
        return [{"id_token": one.id_token, "type": one.type, "authorization": one.authorization} for one in self.cards]

    @property
    def free_vend(self) -> str | None:
        """On whose account whoever came could charge; empty: on nobody's; None where an idToken was asked for."""
        account = self.details.get(FREE_VEND)
        return account if isinstance(account, str) else None

    @property
    def limit_status(self) -> LimitStatus | None:
        """What its station makes of the limit that an operator has set."""
        if self.limit is None:
            return None
        reported, reported_in = self.details.get(TRANSACTION_LIMIT), self.field_order.get(TRANSACTION_LIMIT)
        return status_of_limit(self.limit, reported, reported_in)

    @property
    def payer(self) -> str | None:
        """Whose it is, however that is written."""
        return None if self.id_token is None else token_key(self.id_token)

    @property
    def billable(self) -> bool:
        """Whether it is to be billed: it has ended, is neither held nor void, and there is somebody who pays."""
        is_paid = self.authorization == Authorization.ACCEPTED or bool(self.free_vend)
        return self.ended and self.review in CLEAR and is_paid

    @property
    def missing_seq_nos(self) -> list[int]:
        """The sequence numbers between the first and the last that have not arrived, the first thousand of them."""
        return sequence_numbers.missing(self.sequence)

    @property
    def meter_start_wh(self) -> float | None:
        register = self.meters.get(TOTAL)
        return register.first.wh if register else None

    @property
    def meter_stop_wh(self) -> float | None:
        """The register at the end; None before it, and if there is only one reading."""
        register = self.meters.get(TOTAL)
        if register is None or not self.ended:
            return None
        last = register.end or register.last
        return None if last[:4] == register.first[:4] else last.wh

    @property
    def register_jumped_back(self) -> bool:
        return not JUMPED_BACK.isdisjoint(self.energy_doubts)


def new_transaction(
    report: Report,
    number: int,
    rated_power_w: float = MAX_POWER_W,
    free_vend: str | None = None,
    assignment: Assignment = UNASSIGNED,
) -> Transaction:
    """A transaction as it begins here, with whichever of its reports came first. free_vend: see FREE_VEND."""
    groups, location_id = assignment
    return Transaction(
        id=number,
        station_id=report.station_id,
        key=report.key or "",
        transaction_id=report.transaction_id or str(number),
        started_at=report.at,
        started_received_at=report.received_at,
        updated_at=report.received_at,
        groups=groups,
        location_id=location_id or None,
        rated_power_w=rated_power_w,
        details=NOTHING if free_vend is None else {FREE_VEND: free_vend},
    )


def touch(current: Transaction, report: Report) -> Transaction:
    """Written again, for a report changes it, or brings new meter values."""
    return replace(current, updated_at=max(current.updated_at, report.received_at))
