"""What the REST API shows: energy in Wh, power in W, times in UTC."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import asyncpg
import orjson
from pydantic import BaseModel, Field

from services.transactions.dialects.meter import CONTEXT, LOCATION
from services.transactions.domain.doubts import Doubt
from services.transactions.domain.limits import LimitStatus
from services.transactions.domain.revisions import RevisionReason
from services.transactions.domain.transaction import Transaction


class CardView(BaseModel):
    """An idToken that was presented, and the verdict on it then."""

    id_token: str
    type: str | None
    authorization: str | None


class FreeVendView(BaseModel):
    """Whoever came could charge."""

    account: str | None = Field(description="on whose account; null: on nobody's")


class LimitView(BaseModel):
    """What an operator allows a transaction at most (OCPP 2.1 E16)."""

    cost: str | None = Field(None, description="in the currency of its tariff")
    energy_wh: float | None = None
    time_s: int | None = Field(None, description="from its start")
    soc: int | None = Field(None, description="state of charge in percent")
    author: str | None = Field(description="who set it: the subject of the bearer token")
    status: LimitStatus = Field(
        description="waiting: for a message of the station; told: in the answer to one; confirmed: by the station's "
        "own word, see `transaction_limit` in details; within: the station has one of its own that is not above it"
    )


class TransactionView(BaseModel):
    """A charging transaction as far as its station has reported it."""

    id: int = Field(description="unique here; transactionId of OCPP 1.6")
    station_id: str
    evse_id: int | None = Field(description="of OCPP 1.6: its connector")
    connector_id: int | None
    transaction_id: str = Field(description="as the station knows it")
    id_token: str | None
    id_token_type: str | None = Field(description="of OCPP 2.x")
    authorization: str | None = Field(description="the verdict on the idToken when it was presented")
    id_tokens: list[CardView] = Field(description="all that were presented, in order; id_token is the first accepted")
    free_vend: FreeVendView | None = Field(description="its station was free-vend when it began")
    stop_id_token: str | None = Field(description="who ended the authorization, if the station said so")
    status: Literal["active", "ended"]
    charging_state: str | None = Field(description="of OCPP 2.x")
    started_at: datetime = Field(description="by the station's clock")
    started_received_at: datetime = Field(description="when its start was received")
    stopped_at: datetime | None
    stopped_received_at: datetime | None
    updated_at: datetime = Field(description="when something new was last received")
    energy_wh: float | None = Field(description="so far, or in all; null if unknown")
    energy_source: str = Field(
        description="register: as begin and end were told; samples: from its first to its last reading; phases: the "
        "registers of phases; intervals: added up; steps: of a register that fell or leapt; operator; none"
    )
    meter_start_wh: float | None
    meter_stop_wh: float | None
    register_jumped_back: bool = Field(description="the energy register did: look before billing")
    doubts: list[Doubt] = Field(
        description="what cannot be right of it. clock: the station's was wrong, or its time unreadable; "
        "stop_before_start: it ended before it began; register_fell: not by rounding; register_leapt: by more than can "
        "be delivered; register_wrapped: at the end of its bits; odd_reading: some do not fit the others; "
        "unusable_reading: begin or end is none; unit_mislabelled: kWh and Wh; meters_disagree: the register stands "
        "still; no_energy: nothing tells it; review_contradicted: what came after a review says otherwise; "
        "told_again: it began just like one that has ended (`looks_like` in details), and its clock does not tell "
        "which, or what was told of it may be of two of one transactionId (`may_be_two`)"
    )
    review: str = Field(
        description="none: nothing of it is doubtful, or it goes on; held: not to be billed before an operator has "
        "decided; released: with this energy; void: not at all, unless decided again"
    )
    stop_reason: str | None
    ended_by: str | None = Field(
        description="how it came to count as ended: station, superseded, joined, available, asked, operator"
    )
    superseded_by: int | None = Field(description="the transaction that its EVSE has in its place: our id")
    offline: bool = Field(description="some of it was reported after the station had been offline")
    complete: bool = Field(description="everything from start to stop has arrived")
    missing_seq_nos: list[int] = Field(description="of OCPP 2.x: events that have not arrived")
    reservation_id: int | None
    remote_start_id: int | None
    command_id: str | None = Field(description="the remote start that it came from")
    limit: LimitView | None = Field(description="what an operator allows it at most; of OCPP 2.1")
    details: dict[str, Any] = Field(description="what else the station reported of it")
    revision: int = Field(description="0 while it goes on, 1 when its end was told, one more with each later change")
    groups: list[str] = Field(
        description="of its station when its first report was received, in order: they stay when the station is moved"
    )
    location_id: str | None = Field(description="where its station was then")
    billable: bool = Field(
        description="it is to be billed: it has ended, is neither held nor void, and its idToken was accepted or its "
        "free-vend station has an account; what is billable now may not be so later, see updated_after"
    )


class ReadingView(BaseModel):
    """One value in its base unit."""

    measurand: str
    value: float | None = Field(None, description="null if the station sent no number")
    unit: str
    context: str = CONTEXT
    location: str = LOCATION
    phase: str | None = None
    signed: Any = Field(None, description="what was signed, or no number, as the station sent it")
    custom_data: Any = None


class SampleView(BaseModel):
    """All values of one moment."""

    taken_at: datetime = Field(description="by the station's clock")
    received_at: datetime
    seq_no: int | None = Field(None, description="of the event that brought it (OCPP 2.x)")
    said: str | None = Field(None, description="the station's time, if it could not be parsed")
    readings: list[ReadingView]


class StationSampleView(SampleView):
    """Values that belong to no transaction."""

    evse_id: int | None
    connector_id: int | None
    transaction_id: str | None = Field(description="what the station named, unknown here")


class ChangeView(BaseModel):
    """A field of the transaction, and what it was and became."""

    field: str
    before: Any
    after: Any


class RevisionView(BaseModel):
    """What was told of an ended transaction: its end, and what changed later."""

    revision: int = Field(description="1: its end")
    reason: RevisionReason = Field(
        description="late_end: its station told, or told anew, how it ended; late_report: it told something else of "
        "it; reviewed: an operator has decided; goes_on: it had ended by a guess, and its station shows that it goes on"
    )
    at: datetime
    changes: list[ChangeView] = Field(description="none of the first, of which the transaction itself tells all")
    author: str | None = Field(description="who decided it, where an operator did: the subject of the bearer token")
    note: str | None = Field(description="why the operator did")


class OrphanView(BaseModel):
    """A stop that names no transaction of ours."""

    id: int
    station_id: str
    transaction_id: str = Field(description="what the station named")
    id_token: str | None
    meter_stop_wh: float | None
    stopped_at: datetime
    received_at: datetime
    stop_reason: str | None
    joined_id: int | None = Field(description="our transaction that was meant, by all evidence, and has ended by it")


# Of a TransactionView, what is not as it is in a Transaction.
OTHERWISE = {"details", "free_vend", "groups", "limit"}


def transaction(one: Transaction) -> TransactionView:
    own = {name: getattr(one, name) for name in set(TransactionView.model_fields) - OTHERWISE}
    free_vend = None if one.free_vend is None else FreeVendView(account=one.free_vend or None)
    return TransactionView(
        **own, details=dict(one.details), free_vend=free_vend, groups=[*(one.groups or ())], limit=_limit(one)
    )


def _limit(one: Transaction) -> LimitView | None:
    if one.limit is None or one.limit_status is None:
        return None
    wanted: Mapping[str, Any] = one.limit.wanted
    return LimitView(**wanted, author=one.limit.author, status=one.limit_status)


def sample(row: asyncpg.Record) -> SampleView:
    return SampleView(**_read(row))


def station_sample(row: asyncpg.Record) -> StationSampleView:
    return StationSampleView(**_read(row))


def revision(row: asyncpg.Record) -> RevisionView:
    return RevisionView(**dict(row) | {"changes": orjson.loads(row["changes"])})


def orphan(row: asyncpg.Record) -> OrphanView:
    return OrphanView(**dict(row))


def _read(row: asyncpg.Record) -> dict[str, Any]:
    return dict(row) | {"readings": orjson.loads(row["readings"])}
