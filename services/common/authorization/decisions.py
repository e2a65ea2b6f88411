"""What was decided about idTokens, kept for a while: the table `recorded_decision` of auth and of transactions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import asyncpg

from services.common.postgres.database import Connection
from services.common.postgres.partitions import Unit
from services.common.postgres.retention import TimeTable
from services.ocpp.id_tokens import KEY_CODE, Authorization, IdToken, TokenInfo

# Of a key code nothing is kept by which it could be used (C04.FR.04).
HIDDEN = "…"
KEPT = TimeTable(table="recorded_decision", setting="decision_days", key="decided_at", unit=Unit.WEEK, ahead=8)


class Ruling(NamedTuple):
    """One decision. call_id: of the message that asked for it. decided_at: when that was received.

    token_key: by which it is found, whatever its case. rule: a Rule. transaction_id: of the transaction that it is
    about, ours. The fields are columns, in their order.
    """

    call_id: str
    decided_at: datetime
    station_id: str
    action: str
    token_key: str
    id_token: str
    id_token_type: str | None
    status: str
    rule: str
    transaction_id: int | None = None


@dataclass(frozen=True, slots=True)
class DecisionFilter:
    """Which decisions; None: any. accepted: whether the idToken was. before: time and call that a page ended with."""

    station_id: str | None = None
    token_key: str | None = None
    accepted: bool | None = None
    rule: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: tuple[datetime, str] | None = None


COLUMNS = {
    "call_id": "text",
    "decided_at": "timestamptz",
    "station_id": "text",
    "action": "text",
    "token_key": "text",
    "id_token": "text",
    "id_token_type": "text",
    "status": "text",
    "rule": "text",
    "transaction_id": "bigint",
}
assert tuple(COLUMNS) == Ruling._fields
NAMES = ", ".join(COLUMNS)
# Of a call that is read again it is there already.
SAVE = f"""
insert into recorded_decision ({NAMES}) select {NAMES}
from unnest({", ".join(f"${n}::{kind}[]" for n, kind in enumerate(COLUMNS.values(), 1))}) as d ({NAMES})
on conflict do nothing
returning call_id"""
PAGE = f"""
select {NAMES} from recorded_decision
where station_id is not null
    and ($1::text is null or station_id = $1)
    and ($2::text is null or token_key = $2)
    and ($3::boolean is null or (status = 'Accepted') = $3)
    and ($4::text is null or rule = $4)
    and ($5::timestamptz is null or decided_at >= $5)
    and ($6::timestamptz is null or decided_at < $6)
    and ($7::timestamptz is null or decided_at <= $7 and (decided_at, call_id) < ($7, $8))
order by decided_at desc, call_id desc
limit $9"""


def ruling(
    call_id: str,
    station_id: str,
    action: str,
    token: IdToken,
    info: TokenInfo,
    at: datetime,
    transaction_id: int | None = None,
) -> Ruling:
    """What is kept of a verdict."""
    secret = token.type == KEY_CODE
    text = HIDDEN if secret else _storable(token.value)
    key = "" if secret else _storable(token.key)
    kind = token.type and _storable(token.type)
    return Ruling(call_id, at, station_id, action, key, text, kind, info.status.value, info.rule, transaction_id)


async def save(db: Connection, decisions: Sequence[Ruling]) -> set[str]:
    """Keeps decisions; the calls of those that are new."""
    if not decisions:
        return set()
    return {row["call_id"] for row in await db.fetch(SAVE, *_columns(decisions))}


async def page(db: Connection, wanted: DecisionFilter, limit: int) -> list[asyncpg.Record]:
    """Newest first."""
    w = wanted
    filters = (w.station_id, w.token_key, w.accepted, w.rule, w.since, w.until)
    return await db.fetch(PAGE, *filters, *(w.before or (None, None)), limit)


def is_accepted(status: str) -> bool:
    return status == Authorization.ACCEPTED


def _storable(text: str) -> str:
    """Postgres holds no NUL."""
    return text.replace("\0", "\ufffd")


def _columns(rows: Iterable[Ruling]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
