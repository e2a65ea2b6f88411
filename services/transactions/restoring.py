"""A schema that was restored to an earlier state: what is read again gets the numbers that it had.

Others know them: stations of 1.6 have our number as their transactionId, and the end of a session is told by number
and revision. By another number it would be billed twice; where a revision is used again, a change would be passed over.
So what was told since then is read first, from the events (table `told`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.common.kafka.bus import Record
from services.common.kafka.cloud_events import attributes_of
from services.common.kafka.events import Events, event_name, read_event
from services.common.postgres.database import Connection
from services.transactions.announcements import TransactionMessage
from services.transactions.domain.messages import NAMED, Report
from voltbus.v1 import events_pb2 as pb

# Of numbers that were given out and whose events were never published: as many as processes fetch ahead, and more.
UNTOLD = 10_000

KINDS: Mapping[str, type[TransactionMessage]] = {
    kind.DESCRIPTOR.name: kind
    for kind in (pb.TransactionStarted, pb.TransactionUpdated, pb.TransactionEnded, pb.TransactionRevised)
}
# Those whose ids are made of the call that they tell of.
OF_CALLS = frozenset({"TransactionStarted", "TransactionUpdated"})

TOLD = ("id", "event_id", "station_id", "key", "revision", "status", "review", "energy_wh")
# A sequence that goes back would give numbers that others have.
ADVANCE = "select setval('transaction_id', greatest(last_value, $1) + $2) from transaction_id"
IS_ANY = "select exists (select from told)"
FIND = """
select c.call_id, t.id
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
    as c (call_id, started, updated, station_id, key)
cross join lateral (
    select id, 0 as rank from told where event_id in (c.started, c.updated)
    union all
    select id, 1 from told where station_id = c.station_id and key = c.key) t
where not exists (select from transaction x where x.id = t.id)
order by t.rank, t.id"""
# The next revision of each is none that was told.
RAISE_REVISIONS = """
update transaction t set end_revision = o.revision, revision = t.revision + 1, stored_at = clock_timestamp()
from told o
where o.id = t.id and o.revision > greatest(t.end_revision, (t.stopped_at is not null)::integer)"""
DIFFERENCES = """
select o.id, o.station_id, t.id is null as missing,
    o.status as told_status, o.review as told_review, o.energy_wh as told_energy_wh,
    case when t.stopped_at is null then 'active' else 'ended' end as status, t.review, t.energy_wh
from told o left join transaction t on t.id = o.id
where t.id is null
    or o.status <> case when t.stopped_at is null then 'active' else 'ended' end
    or o.status = 'ended' and (o.review, o.energy_wh) is distinct from (t.review, t.energy_wh)
order by o.id"""
FORGET = "delete from told"
# What is not there may be yet, when more is read again.
FORGET_FOUND = "delete from told o using transaction t where t.id = o.id"


class Told(NamedTuple):
    """What others were told of one transaction. The fields are the columns of the table."""

    id: int
    event_id: str
    station_id: str
    key: str | None
    revision: int
    status: str
    review: str
    energy_wh: float | None


class Difference(NamedTuple):
    """A transaction that is not as it was told. now: empty where it is not there."""

    id: int
    station_id: str
    told: str
    now: str


def fold(told: dict[int, Told], record: Record) -> None:
    """Takes in an event, in the order of its partition; the state is that of the highest revision.

    What is read again is told again, behind what was told since.
    """
    kind = KINDS.get(event_name(record))
    if kind is None:
        return
    one = read_event(record, kind).transaction
    first = told.get(one.id) or Told(
        id=one.id,
        event_id=attributes_of(record).get("id", ""),
        station_id=one.station_id,
        key=None if kind.DESCRIPTOR.name in OF_CALLS else f"{NAMED}{one.transaction_id.lower()}",
        revision=0,
        status="",
        review="",
        energy_wh=None,
    )
    revision = max(one.revision, int(kind is pb.TransactionEnded))
    if revision < first.revision:
        return
    told[one.id] = first._replace(
        revision=revision,
        status="ended" if one.status == pb.TRANSACTION_STATUS_ENDED else "active",
        review=pb.Review.Name(one.review).removeprefix("REVIEW_").lower(),
        energy_wh=one.energy_wh if one.HasField("energy_wh") else None,
    )


async def keep(db: Connection, told: Mapping[int, Told]) -> None:
    """Keeps what was told, and sees to it that no number of it is given out again. Within the caller's transaction."""
    await db.execute(FORGET)
    await db.copy_records_to_table("told", records=told.values(), columns=TOLD)
    await db.fetchval(ADVANCE, max(told, default=0), UNTOLD)


async def settle(db: Connection, *, give_up: bool = False) -> list[Difference]:
    """When all is read again: revisions go on behind those that were told; what is otherwise than it was told.

    What is not there is told again when this is asked again, unless it is given up.
    """
    await db.execute(RAISE_REVISIONS)
    differences = [
        Difference(
            row["id"],
            row["station_id"],
            _said(row["told_status"], row["told_review"], row["told_energy_wh"]),
            "" if row["missing"] else _said(row["status"], row["review"], row["energy_wh"]),
        )
        for row in await db.fetch(DIFFERENCES)
    ]
    await db.execute(FORGET if give_up else FORGET_FOUND)
    return differences


def _said(status: str, review: str, energy_wh: float | None) -> str:
    energy = "no energy" if energy_wh is None else f"{energy_wh:g} Wh"
    return f"{status}, review {review}, {energy}" if status == "ended" else status


@dataclass(slots=True)
class Renumbering:
    """Finds the numbers that transactions had, while they are read again. events: by whose ids they are known."""

    events: Events
    # Whether there may be any: a service is restored while it does not run.
    _any: bool = field(default=True, init=False)

    async def numbers(self, db: Connection, starting: Sequence[Report]) -> dict[str, int]:
        """By the call of a report that starts a transaction, where that had a number."""
        if not self._any or not starting:
            return {}
        self._any = await db.fetchval(IS_ANY)
        if not self._any:
            return {}
        columns = [list(column) for column in zip(*map(self._row, starting), strict=True)]
        found, used = dict[str, int](), set[int]()
        for call_id, number in await db.fetch(FIND, *columns):
            if call_id not in found and number not in used:
                found[call_id] = number
                used.add(number)
        return found

    def _row(self, report: Report) -> tuple[str | None, ...]:
        about = report.station_id, report.call_id
        ids = (self.events.id(kind, *about) for kind in (pb.TransactionStarted, pb.TransactionUpdated))
        return (report.call_id, *ids, report.station_id, report.key)
