"""All SQL of webhooks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from services.common.kafka.cloud_events import CloudEvent
from services.common.postgres.database import Connection
from services.common.push.filters import EventFilter
from services.common.push.positions import Positions
from services.common.push.webhooks.delivery import Delivery, DeliveryStatus, Health
from services.common.push.webhooks.webhook import Replaced, Webhook

COLUMNS = (
    *("webhook_id", "url", "types", "stations", "groups", "secret", "previous_secret", "previous_until", "enabled"),
    *("disabled_because", "created_at", "changed_at", "failures", "next_at", "error", "delivered_at", "lost"),
    *("locations", "earlier_secrets", "earlier_until", "author"),
)
_VALUES = ", ".join(f"${number}" for number in range(1, len(COLUMNS) + 1))
_REPLACED = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])
SAVE = f"""
insert into webhook ({", ".join(COLUMNS)}) values ({_VALUES}) on conflict (webhook_id) do update set {_REPLACED}"""
# For whoever enables one, which may be the first.
ALONE = "lock table webhook_position in share row exclusive mode"
FIND = "select * from webhook where webhook_id = $1"
ENABLED = "select * from webhook where enabled order by webhook_id"
ANY_ENABLED = "select exists (select from webhook where enabled)"
COUNT = "select count(*) from webhook"
PAGE = "select * from webhook where webhook_id > $1 order by webhook_id limit $2"
REMOVE = "delete from webhook where webhook_id = $1 returning true"
# Unless it was changed meanwhile.
DISABLE = "update webhook set enabled = false, disabled_because = $2 where webhook_id = $1 and changed_at = $3"
LOST = "update webhook set lost = lost + $1 where enabled"
# Time that it was disabled does not count.
BEGIN_AGAIN = "update webhook_delivery set since = $2, next_at = null where webhook_id = $1 and status <> 'dead'"

POSITIONS = "select partition, next_offset from webhook_position"
SAVE_POSITIONS = """
insert into webhook_position select * from unnest($1::integer[], $2::bigint[])
on conflict (partition) do update set next_offset = excluded.next_offset"""

# A webhook that was removed meanwhile gets nothing, and an event that waits already is not added again.
ADD = """
insert into webhook_delivery (webhook_id, event_id, type, subject, body, since)
select given.webhook_id, given.event_id, given.type, given.subject, given.body, $6
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[])
    with ordinality as given (webhook_id, event_id, type, subject, body, place)
join webhook on webhook.webhook_id = given.webhook_id
order by given.place
for key share of webhook
on conflict (webhook_id, event_id) do nothing"""
# Nothing of a subject before the one of it that is to be tried again later, and of each only some of the oldest: one
# with a long queue holds up no other. Beyond a thousand nobody looks.
DUE = """
select * from (
    select oldest.*, row_number() over (partition by subject order by number) as place
    from (
        select * from webhook_delivery as one
        where webhook_id = $1 and status <> 'dead' and not exists (
            select from webhook_delivery as earlier
            where earlier.webhook_id = $1 and earlier.subject = one.subject and earlier.status = 'retrying'
                and earlier.number <= one.number and earlier.next_at > $2
        )
        order by number limit 1000) as oldest) as placed
where place <= 8
order by number limit $3"""
NEXT_TRY = "select min(next_at) from webhook_delivery where webhook_id = $1 and status = 'retrying' and next_at > $2"
DELIVERED = "delete from webhook_delivery where number = any($1::bigint[])"
TRIED = """
update webhook_delivery as kept
set status = tried.status, attempts = tried.attempts, next_at = tried.next_at, error = tried.error
from unnest($1::bigint[], $2::text[], $3::integer[], $4::timestamptz[], $5::text[])
    as tried (number, status, attempts, next_at, error)
where kept.number = tried.number"""
HEALTH = """
update webhook set failures = $2, next_at = $3, error = $4, delivered_at = coalesce($5, delivered_at)
where webhook_id = $1 and changed_at = $6"""
EXPIRE = """
update webhook_delivery set status = 'dead', next_at = null, error = coalesce(error, $3)
where webhook_id = $1 and status <> 'dead' and since <= $2"""
PURGE = "delete from webhook_delivery where status = 'dead' and since < $1"

# Of each status, for those of a page.
COUNTS = """
select webhook_id, count(*) filter (where status <> 'dead') as waiting, count(*) filter (where status = 'dead') as dead,
    min(since) filter (where status <> 'dead') as oldest
from webhook_delivery where webhook_id = any($1::text[]) group by webhook_id"""
LIST = """
select number, event_id, type, subject, since, status, attempts, next_at, error from webhook_delivery
where webhook_id = $1 and number > $2 and ($3::text is null or status = $3) order by number limit $4"""
FIND_DELIVERY = "select * from webhook_delivery where webhook_id = $1 and event_id = $2"
_AGAIN = "set status = 'pending', attempts = 0, since = $2, next_at = null, error = null"
RESEND = f"update webhook_delivery {_AGAIN} where webhook_id = $1 and event_id = $3 and status = 'dead'"
RESEND_ALL = f"update webhook_delivery {_AGAIN} where webhook_id = $1 and status = 'dead'"


@dataclass(frozen=True, slots=True)
class Count:
    """Deliveries of a webhook. oldest: from when the time of the oldest that waits counts."""

    waiting: int = 0
    dead: int = 0
    oldest: datetime | None = None


async def save(db: Connection, webhook: Webhook) -> None:
    wanted, newest, earlier = webhook.filter, next(iter(webhook.replaced), None), webhook.replaced[1:]
    keys = (webhook.secret, newest and newest.secret, newest and newest.until)
    await db.execute(
        SAVE,
        *(webhook.id, webhook.url, sorted(wanted.types), sorted(wanted.stations), sorted(wanted.groups), *keys),
        *(webhook.enabled, webhook.disabled_because, webhook.created_at, webhook.changed_at),
        *(webhook.health.failures, webhook.health.next_at, webhook.error, webhook.delivered_at, webhook.lost),
        *(sorted(wanted.locations), [one.secret for one in earlier], [one.until for one in earlier], webhook.author),
    )


async def find(db: Connection, webhook_id: str) -> Webhook | None:
    row = await db.fetchrow(FIND, webhook_id)
    return _webhook(row) if row else None


async def enabled(db: Connection) -> Sequence[Webhook]:
    return [_webhook(row) for row in await db.fetch(ENABLED)]


async def page(db: Connection, after: str, limit: int) -> Sequence[Webhook]:
    return [_webhook(row) for row in await db.fetch(PAGE, after, limit)]


async def positions(db: Connection) -> Positions:
    """Empty before there was a webhook."""
    return {row["partition"]: row["next_offset"] for row in await db.fetch(POSITIONS)}


async def save_positions(db: Connection, positions: Positions) -> None:
    await db.execute(SAVE_POSITIONS, list(positions), list(positions.values()))


async def add(db: Connection, wanted: Sequence[tuple[str, CloudEvent]], at: datetime) -> None:
    """Deliveries that are to be made. wanted: of each the webhook and the event, in order."""
    events = [event for _, event in wanted]
    await db.execute(
        ADD,
        [webhook_id for webhook_id, _ in wanted],
        [event.id for event in events],
        [event.type for event in events],
        [event.subject for event in events],
        [event.body for event in events],
        at,
    )


async def due(db: Connection, webhook_id: str, now: datetime, limit: int) -> Sequence[Delivery]:
    """What may be sent now, in order."""
    return [_delivery(row) for row in await db.fetch(DUE, webhook_id, now, limit)]


async def tried(db: Connection, delivered: Sequence[int], others: Sequence[Delivery]) -> None:
    """delivered: their numbers."""
    await db.execute(DELIVERED, delivered)
    await db.execute(
        TRIED,
        [one.number for one in others],
        [one.status.value for one in others],
        [one.attempts for one in others],
        [one.next_at for one in others],
        [one.error for one in others],
    )


async def save_health(
    db: Connection, webhook: Webhook, health: Health, error: str | None, delivered_at: datetime | None
) -> None:
    """Unless it was changed meanwhile: then it begins anew."""
    await db.execute(HEALTH, webhook.id, health.failures, health.next_at, error, delivered_at, webhook.changed_at)


async def counts(db: Connection, webhook_ids: Collection[str]) -> Mapping[str, Count]:
    rows = await db.fetch(COUNTS, list(webhook_ids))
    found = {row["webhook_id"]: Count(row["waiting"], row["dead"], row["oldest"]) for row in rows}
    return {name: found.get(name, Count()) for name in webhook_ids}


async def list_deliveries(
    db: Connection, webhook_id: str, after: int, status: DeliveryStatus | None, limit: int
) -> Sequence[Mapping[str, Any]]:
    return [dict(row) for row in await db.fetch(LIST, webhook_id, after, status, limit)]


async def find_delivery(db: Connection, webhook_id: str, event_id: str) -> Mapping[str, Any] | None:
    row = await db.fetchrow(FIND_DELIVERY, webhook_id, event_id)
    return dict(row) if row else None


async def resend(db: Connection, webhook_id: str, now: datetime, event_id: str | None = None) -> int:
    """Makes dead ones pending; how many."""
    given = (webhook_id, now) if event_id is None else (webhook_id, now, event_id)
    done: str = await db.execute(RESEND_ALL if event_id is None else RESEND, *given)
    return int(done.rpartition(" ")[2])


def _webhook(row: asyncpg.Record) -> Webhook:
    wanted = {name: frozenset(row[name]) for name in ("types", "stations", "groups", "locations")}
    newest = [Replaced(row["previous_secret"], row["previous_until"])] if row["previous_secret"] is not None else []
    earlier = map(Replaced, row["earlier_secrets"], row["earlier_until"])
    return Webhook(
        id=row["webhook_id"],
        url=row["url"],
        filter=EventFilter(**wanted),
        secret=row["secret"],
        created_at=row["created_at"],
        changed_at=row["changed_at"],
        replaced=(*newest, *earlier),
        enabled=row["enabled"],
        disabled_because=row["disabled_because"],
        health=Health(row["failures"], row["next_at"]),
        error=row["error"],
        delivered_at=row["delivered_at"],
        lost=row["lost"],
        author=row["author"],
    )


def _delivery(row: asyncpg.Record) -> Delivery:
    return Delivery(
        number=row["number"],
        event_id=row["event_id"],
        subject=row["subject"],
        body=row["body"],
        since=row["since"],
        status=DeliveryStatus(row["status"]),
        attempts=row["attempts"],
        next_at=row["next_at"],
        error=row["error"],
    )
