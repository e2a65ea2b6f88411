"""Transactions as rows: which columns there are, and a Transaction there and back."""

from operator import attrgetter
from typing import Any

import asyncpg
import orjson

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


PLAIN_OF = attrgetter(*PLAIN)


def write(one: Transaction) -> tuple[Any, ...]:
    """WRITTEN of a transaction, its revision one higher."""
    details = orjson.dumps(dict(one.details)).decode() if one.details else "{}"
    return (*PLAIN_OF(one), details, _state(one), one.revision + 1, *_derived(one))


def write_metered(one: Transaction) -> tuple[Any, ...]:
    """METERED of a transaction, its revision one higher."""
    return one.id, one.updated_at, _state(one), one.revision + 1, *_derived(one)


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
