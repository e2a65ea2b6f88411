"""Transactions and their meter values as rows: the columns, and a Transaction to and from its row."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from operator import attrgetter, itemgetter
from typing import Any

import asyncpg
import orjson
from msgspec.structs import replace

from services.transactions.domain.cards import Card, Cards
from services.transactions.domain.doubts import Doubt
from services.transactions.domain.energy import EnergySource
from services.transactions.domain.energy_readings import energy_readings
from services.transactions.domain.limits import Amount, TransactionLimit
from services.transactions.domain.messages import MeterValue, Report, StationSamples
from services.transactions.domain.metering import PastValue
from services.transactions.domain.orphans import OrphanStop
from services.transactions.domain.register import MAX_POWER_W
from services.transactions.domain.review import Judgement, ReviewAction
from services.transactions.domain.revisions import Revision
from services.transactions.domain.transaction import EndedBy, Transaction
from services.transactions.meter_rows import read_meters, saved_meters, with_register_of_before

# The fields of Transaction that are columns, in its order, and `state`, which only merging needs.
COLUMNS = {
    "id": "bigint",
    "station_id": "text",
    "key": "text",
    "transaction_id": "text",
    "started_at": "timestamptz",
    "started_received_at": "timestamptz",
    "updated_at": "timestamptz",
    "stopped_at": "timestamptz",
    "stopped_received_at": "timestamptz",
    "evse_id": "integer",
    "connector_id": "integer",
    "id_token": "text",
    "id_token_type": "text",
    "authorization": "text",
    "stop_id_token": "text",
    "reservation_id": "bigint",
    "remote_start_id": "bigint",
    "command_id": "text",
    "charging_state": "text",
    "stop_reason": "text",
    "ended_by": "text",
    "superseded_by": "bigint",
    "offline": "boolean",
    "occurrence": "integer",
    "end_revision": "integer",
    "energy_wh": "double precision",
    "energy_source": "text",
    "review": "text",
    "groups": "text[]",
    "location_id": "text",
    "details": "jsonb",
    "state": "jsonb",
    "revision": "integer",
}
# Computed from the fields, for whoever queries the table.
DERIVED = {
    "meter_start_wh": "double precision",
    "meter_stop_wh": "double precision",
    "register_jumped_back": "boolean",
    "doubts": "jsonb",
}
WRITTEN = COLUMNS | DERIVED
PLAIN_COLUMNS = tuple(name for name in COLUMNS if name not in ("details", "state", "revision"))
IMMUTABLE = ("id", "station_id", "key", "occurrence", "transaction_id", "groups", "location_id")
# What a meter value changes.
METERED = {
    name: WRITTEN[name]
    for name in ("id", "updated_at", "energy_wh", "meter_start_wh", "meter_stop_wh", "state", "revision")
}
# A meter value of a transaction, and what identifies it.
SAMPLE = {
    "transaction_id": "bigint",
    "taken_at": "timestamptz",
    "received_at": "timestamptz",
    "seq_no": "bigint",
    "digest": "bigint",
    "said": "text",
    "readings": "jsonb",
}
SAMPLE_KEY = {name: SAMPLE[name] for name in ("transaction_id", "taken_at", "digest")}
SampleRow = tuple[int, datetime, datetime, int | None, int, str | None, str]
SampleKey = tuple[int, datetime, int]
# A meter value of a station that belongs to no transaction, and what identifies it.
STATION_SAMPLE = {
    "station_id": "text",
    "taken_at": "timestamptz",
    "received_at": "timestamptz",
    "evse_id": "integer",
    "connector_id": "integer",
    "transaction_id": "text",
    "digest": "bigint",
    "said": "text",
    "readings": "jsonb",
}
STATION_SAMPLE_KEY = ("station_id", "taken_at", "digest")
# The fields of OrphanStop that are columns.
ORPHAN_STOP = {
    "call_id": "text",
    "station_id": "text",
    "transaction_id": "text",
    "id_token": "text",
    "meter_stop_wh": "double precision",
    "stopped_at": "timestamptz",
    "received_at": "timestamptz",
    "stop_reason": "text",
    "joined_id": "bigint",
}

REVISION = {
    "transaction_id": "bigint",
    "revision": "integer",
    "reason": "text",
    "at": "timestamptz",
    "changes": "jsonb",
    "author": "text",
    "note": "text",
    "request": "text",
    "idempotency_key": "text",
}

# Of a judgement, from where on it is what was known when it was made, beyond the energy.
KNOWN = Judgement._fields.index("doubts")

# Rows are made and read by position: that of a field is that of its column.
assert Transaction.__struct_fields__ == (
    *PLAIN_COLUMNS,
    "details",
    "energy_doubts",
    "meters",
    "judgement",
    "sequence",
    "field_order",
    "cards",
    "moved",
    "start_message",
    "rated_power_w",
    "limit",
    "row_revision",
)
assert tuple(COLUMNS) == (*PLAIN_COLUMNS, "details", "state", "revision")

GROUPS = PLAIN_COLUMNS.index("groups")
CARD = slice(PLAIN_COLUMNS.index("id_token"), PLAIN_COLUMNS.index("authorization") + 1)
plain_fields = attrgetter(*PLAIN_COLUMNS)
_beside_meters = attrgetter(
    *(name for name in (*PLAIN_COLUMNS, "details") if name not in (*METERED, *IMMUTABLE)), "energy_doubts"
)
sample_key: Callable[[SampleRow], SampleKey] = itemgetter(*map(list(SAMPLE).index, SAMPLE_KEY))
station_sample_key: Callable[[tuple[Any, ...]], tuple[Any, ...]] = itemgetter(
    *map(list(STATION_SAMPLE).index, STATION_SAMPLE_KEY)
)
orphan_stop_row: Callable[[OrphanStop], tuple[Any, ...]] = attrgetter(*ORPHAN_STOP)


def transaction_row(one: Transaction) -> tuple[Any, ...]:
    """WRITTEN of a transaction, its row revision one higher."""
    details = orjson.dumps(dict(one.details)).decode() if one.details else "{}"
    return (*plain_fields(one), details, _state(one), one.row_revision + 1, *_derived(one))


def metered_row(one: Transaction) -> tuple[Any, ...]:
    """METERED of a transaction, its row revision one higher."""
    meters = one.meter_start_wh, one.meter_stop_wh
    return one.id, one.updated_at, one.energy_wh, *meters, _state(one), one.row_revision + 1


def metered_only(before: Transaction, after: Transaction) -> bool:
    """Whether METERED is all that a transaction has otherwise than before."""
    return before.stopped_at == after.stopped_at and _beside_meters(before) == _beside_meters(after)


def sample_row(transaction_id: int, value: MeterValue, report: Report) -> SampleRow:
    """SAMPLE of a meter value that a report brings."""
    return transaction_id, value.taken_at, report.received_at, report.seq_no, *sample_content(value)


def station_sample_row(samples: StationSamples, value: MeterValue) -> tuple[Any, ...]:
    """STATION_SAMPLE of one of a station's meter values."""
    origin = (samples.evse_id, samples.connector_id, samples.transaction_id)
    return samples.station_id, value.taken_at, samples.received_at, *origin, *sample_content(value, origin)


def sample_content(value: MeterValue, identity: tuple[Any, ...] = ()) -> tuple[int, str | None, str]:
    """digest, said and readings of a meter value. identity: what else identifies it, besides its readings."""
    readings = orjson.dumps(value.readings)
    hashed = readings + repr(identity).encode() if identity else readings
    digest = int.from_bytes(blake2b(hashed, digest_size=8).digest(), signed=True)
    return digest, value.raw_timestamp, readings.decode()


def past_value(row: "asyncpg.Record") -> PastValue:
    """A meter value that is stored, of its readings those that say energy."""
    readings = orjson.loads(row["readings"] or "[]")
    value = MeterValue(row["taken_at"], readings, energy_readings(readings))
    return PastValue(row["seq_no"] or 0, row["received_at"], value)


def revision_row(one: Revision) -> tuple[Any, ...]:
    """REVISION of a revision."""
    changes = orjson.dumps([change._asdict() for change in one.changes]).decode() if one.changes else "[]"
    audit = one.audit or (None, None, None, None)
    return one.transaction_id, one.number, one.reason.value, one.at, changes, *audit


def _derived(one: Transaction) -> tuple[Any, ...]:
    doubts = one.doubts
    written = orjson.dumps(doubts).decode() if doubts else "[]"
    return one.meter_start_wh, one.meter_stop_wh, one.register_jumped_back, written


def _state(one: Transaction) -> str:
    # The keys are those of rows that exist: they stay, whatever the fields are called.
    state: dict[str, Any] = {"meters": saved_meters(one.meters), "seen": one.sequence, "told": one.field_order}
    if one.cards and (len(one.cards) > 1 or _differs(one.cards[0], one)):
        state["cards"] = [tuple(card) for card in one.cards]
    if one.start_message:
        state["start"] = one.start_message
    if one.moved:
        state["moved"] = True
    if one.rated_power_w != MAX_POWER_W:
        state["power"] = one.rated_power_w
    if limit := one.limit:
        state["limit"] = (dict(limit.wanted), limit.author, limit.told, limit.said, dict(limit.before))
    if one.energy_doubts:
        state["doubts"] = one.energy_doubts
    if one.judgement:
        # The version before reads the judgement as it knows it, and passes over what was known.
        state["judgement"], state["known"] = one.judgement[:KNOWN], one.judgement[KNOWN:]
    return orjson.dumps(state).decode()


def read_transaction(row: "asyncpg.Record") -> Transaction:
    """A row of the table transaction, its columns as in COLUMNS."""
    *plain, details, state_json, revision = row
    if (groups := plain[GROUPS]) is not None:
        plain[GROUPS] = tuple(groups)
    state = orjson.loads(state_json)
    detail_fields = orjson.loads(details) if details != "{}" else {}
    doubts = tuple(map(Doubt, state["doubts"])) if "doubts" in state else ()
    meters = read_meters(state.get("meters", {}))
    sequence = tuple([(low, high) for low, high in state["seen"]])
    saved = state.get("cards")
    cards = tuple([Card(*card) for card in saved]) if saved else _only_card(state["told"], *plain[CARD])
    moved, start = state.get("moved", False), tuple(state["start"]) if "start" in state else None
    power = state.get("power", MAX_POWER_W)
    limit = _limit(*state["limit"]) if "limit" in state else None
    merged = (detail_fields, doubts, meters, None, sequence, state["told"], cards, moved, start, power, limit, revision)
    one = Transaction(*(*plain, *merged))
    if "judgement" in state:
        one = replace(one, judgement=_judgement(one, *state["judgement"], *state.get("known", ())))
    if one.ended and one.ended_by is None:
        # Of before there was the column: then only stations ended transactions.
        one = replace(one, ended_by=EndedBy.STATION)
    return one if "meters" in state else _with_meters(one, state["register"])


def _limit(
    wanted: dict[str, Amount], author: str | None, told: int | None, said: list[str], before: dict[str, Amount]
) -> TransactionLimit:
    return TransactionLimit(wanted, author, told, tuple(said), before)


def _judgement(
    one: Transaction,
    action: str,
    energy_wh: float | None,
    measured_wh: float | None,
    other_wh: float | None = None,
    doubts: Iterable[str] | None = None,
    payer: str | None = None,
    of_guess: bool | None = None,
) -> Judgement:
    """doubts, of_guess: None in rows of before they and the payer were kept; then what is so by now counts as known."""
    known = one.doubts if doubts is None else map(Doubt, doubts)
    if of_guess is None:
        payer, of_guess = one.payer, one.ended_by != EndedBy.STATION
    return Judgement(ReviewAction(action), energy_wh, measured_wh, other_wh, tuple(known), payer, of_guess)


def _with_meters(one: Transaction, register: list[Any] | None) -> Transaction:
    """Of before there were several meters."""
    source = EnergySource.NONE if one.energy_wh is None else EnergySource.REGISTER
    one = replace(one, energy_source=source)
    return with_register_of_before(one, register) if register else one


def _only_card(told: Mapping[str, int], id_token: str | None, kind: str | None, verdict: str | None) -> Cards:
    """The one that the columns tell of, which mostly is all there is. told: the field order."""
    return () if id_token is None else (Card(told["id_token"], id_token, kind, verdict, _ends(told)),)


def _ends(told: Mapping[str, int]) -> bool:
    return told.get("stop_id_token") == told["id_token"]


def _differs(card: Card, one: Transaction) -> bool:
    """Whether a card is other than what the columns tell of it."""
    told = one.field_order
    return card != (told["id_token"], one.id_token, one.id_token_type, one.authorization, _ends(told))
