"""Transactions and their meter values as rows: which columns there are, and a Transaction there and back."""

from collections.abc import Callable
from datetime import datetime
from hashlib import blake2b
from operator import attrgetter, itemgetter
from typing import Any

import asyncpg
import orjson

from services.transactions.domain.messages import MeterValue, Report
from services.transactions.domain.register import Mark, Register
from services.transactions.domain.transaction import Transaction

# The fields of Transaction that are columns of their own, in its order, and what only merging needs to know.
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
    "offline": "boolean",
    "occurrence": "integer",
    "details": "jsonb",
    "state": "jsonb",
    "revision": "integer",
}
# What is made of the fields, for whoever queries the table.
DERIVED = {
    "meter_start_wh": "double precision",
    "meter_stop_wh": "double precision",
    "energy_wh": "double precision",
    "register_jumped_back": "boolean",
}
WRITTEN = COLUMNS | DERIVED
PLAIN = tuple(COLUMNS)[:-3]
FIXED = ("id", "station_id", "key", "occurrence", "transaction_id")
# What a meter value changes.
METERED = {name: WRITTEN[name] for name in ("id", "updated_at", "state", "revision", *DERIVED)}
# A meter value of a transaction, and what makes it that one and no other.
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
Sample = tuple[int, datetime, datetime, int | None, int, str | None, str]
SampleKey = tuple[int, datetime, int]

PLAIN_OF = attrgetter(*PLAIN)
sample_key: Callable[[Sample], SampleKey] = itemgetter(*map(list(SAMPLE).index, SAMPLE_KEY))


def write(one: Transaction) -> tuple[Any, ...]:
    """WRITTEN of a transaction, its revision one higher."""
    details = orjson.dumps(dict(one.details)).decode() if one.details else "{}"
    return (*PLAIN_OF(one), details, _state(one), one.revision + 1, *_derived(one))


def write_metered(one: Transaction) -> tuple[Any, ...]:
    """METERED of a transaction, its revision one higher."""
    return one.id, one.updated_at, _state(one), one.revision + 1, *_derived(one)


def write_sample(transaction_id: int, value: MeterValue, report: Report) -> Sample:
    """SAMPLE of a meter value that a report brings."""
    return transaction_id, value.taken_at, report.received_at, report.seq_no, *content(value)


def content(value: MeterValue, where: tuple[Any, ...] = ()) -> tuple[int, str | None, str]:
    """digest, said and readings of a meter value."""
    readings = orjson.dumps(value.readings)
    named = readings + repr(where).encode() if where else readings
    digest = int.from_bytes(blake2b(named, digest_size=8).digest(), signed=True)
    return digest, value.said, readings.decode()


def _derived(one: Transaction) -> tuple[Any, ...]:
    return one.meter_start_wh, one.meter_stop_wh, one.energy_wh, one.register_jumped_back


def _state(one: Transaction) -> str:
    register = one.register
    marks = register and (tuple(register.first), tuple(register.last), register.low, register.high)
    return orjson.dumps({"register": marks, "seen": one.seen, "told": one.told}).decode()


def read(row: "asyncpg.Record") -> Transaction:
    """A row of the table transaction, its columns as in COLUMNS."""
    *plain, details, written, revision = row
    state = orjson.loads(written)
    marks = state["register"]
    register = marks and Register(Mark(*marks[0]), Mark(*marks[1]), marks[2], marks[3])
    kept = orjson.loads(details) if details != "{}" else {}
    seen = tuple([(low, high) for low, high in state["seen"]])
    return Transaction(*(*plain, kept, register, seen, state["told"], revision))
