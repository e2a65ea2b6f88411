"""What stations want signed: its SQL."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.auth.domain.certificate_requests import CertificateRequest, RefusedBy, RequestState
from services.auth.domain.chains import Issued
from services.auth.domain.signing_requests import Purpose, Subject
from services.common.postgres.database import Connection

COLUMNS = (
    *("id", "station_id", "purpose", "csr_hash", "csr", "organization", "common_name", "request_id", "state", "reason"),
    *("refused_by", "author", "asked_at", "told_at", "changed_at", "due_at", "tries", "command_id", "serial_number"),
    *("issuer", "fingerprint", "chain", "begins_at", "ends_at"),
)
KEPT = ("id", "station_id", "purpose", "csr_hash", "asked_at")
SAVE = f"""
insert into certificate_request ({", ".join(COLUMNS)}) values ({", ".join(f"${n}" for n in range(1, len(COLUMNS) + 1))})
on conflict (id) do update set {", ".join(f"{one} = excluded.{one}" for one in COLUMNS if one not in KEPT)}"""
# In the order of their ids, so that two who want several wait for each other, and never each for the other.
LOCK_STATIONS = "select * from certificate_request where station_id = any($1::text[]) order by id for update"
LOCK_COMMANDS = "select * from certificate_request where command_id = any($1::text[]) order by id for update"
LOCK = "select * from certificate_request where id = $1 for update"
TAKE = "select * from certificate_request where id = $1 and due_at <= $2 for update skip locked"
DUE = "select id from certificate_request where due_at <= $1 order by due_at limit $2"
# Of what was refused before anybody else was asked, the last ones of each station are enough.
MOST_REFUSED = 20
FORGET = f"""
delete from certificate_request where id in (
    select id from (
        select id, row_number() over (partition by station_id order by told_at desc) as place
        from certificate_request where station_id = any($1::text[]) and state = 'refused' and refused_by = 'csms') as r
    where place > {MOST_REFUSED})"""
# While the station has it to answer, it is called sent.
SHOWN = """
select r.*, case when r.state = 'signed' and c.status = 'sent' then 'sent' else r.state end as shown_state
from certificate_request r left join command c on c.id = r.command_id"""
ONE = f"select * from ({SHOWN}) as r where id = $1"
PAGE = f"""
select * from ({SHOWN}) as r
where ($1::text is null or station_id = $1)
    and ($2::text is null or shown_state = $2)
    and ($3::bigint is null or number < $3)
order by number desc limit $4"""
ISSUED_PAGE = f"""
select * from ({SHOWN}) as r
where ends_at is not null
    and ($1::text is null or station_id = $1)
    and ($2::timestamptz is null or ends_at < $2)
    and ($3::timestamptz is null or (ends_at, number) > ($3, $4))
order by ends_at, number limit $5"""
RENEWS = """
select exists (select from certificate_request where station_id = $1 and purpose = $2 and common_name is not distinct
    from $3 and state = 'installed' and ends_at > $4)"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A request as REST has it. number: newer ones have higher. renewal_asked_at: when a newer certificate was."""

    request: CertificateRequest
    state: RequestState
    number: int
    renewal_asked_at: datetime | None = None


async def lock_stations(db: Connection, station_ids: Collection[str]) -> dict[str, list[CertificateRequest]]:
    """By station, held until the commit."""
    found: dict[str, list[CertificateRequest]] = {one: [] for one in station_ids}
    for row in await db.fetch(LOCK_STATIONS, sorted(station_ids)):
        found[row["station_id"]].append(_request(row))
    return found


async def lock_commands(db: Connection, command_ids: Collection[str]) -> list[CertificateRequest]:
    """Those that were sent by these, held until the commit."""
    return [_request(row) for row in await db.fetch(LOCK_COMMANDS, list(command_ids))] if command_ids else []


async def lock(db: Connection, id_: str) -> CertificateRequest | None:
    """Held until the commit."""
    row = await db.fetchrow(LOCK, id_)
    return _request(row) if row else None


async def take(db: Connection, id_: str, now: datetime) -> CertificateRequest | None:
    """The same, if something is to be done for it and nobody else does."""
    row = await db.fetchrow(TAKE, id_, now)
    return _request(row) if row else None


async def due(db: Connection, now: datetime, limit: int) -> list[str]:
    """Their ids."""
    return [row["id"] for row in await db.fetch(DUE, now, limit)]


async def save(db: Connection, requests: Iterable[CertificateRequest]) -> None:
    if rows := [_row(one) for one in requests]:
        await db.executemany(SAVE, rows)


async def forget(db: Connection, station_ids: Collection[str]) -> None:
    """What is more than enough of these stations."""
    await db.execute(FORGET, list(station_ids))


async def one(db: Connection, id_: str) -> Shown | None:
    row = await db.fetchrow(ONE, id_)
    return _shown(row) if row else None


async def page(
    db: Connection, station_id: str | None, state: str | None, before: int | None, limit: int
) -> list[Shown]:
    """Newest first. before: a number."""
    return [_shown(row) for row in await db.fetch(PAGE, station_id, state, before, limit)]


async def issued_page(
    db: Connection, station_id: str | None, ends_before: datetime | None, after: tuple[datetime, int] | None, limit: int
) -> list[Shown]:
    """Those that were signed, what ends first before others. after: the end and number of one."""
    return [_shown(row) for row in await db.fetch(ISSUED_PAGE, station_id, ends_before, *(after or (None, 0)), limit)]


async def renews(db: Connection, request: CertificateRequest, now: datetime) -> bool:
    """Whether the station has a certificate of the same subject, which is still valid."""
    name = request.subject and request.subject.common_name
    return bool(await db.fetchval(RENEWS, request.station_id, request.purpose.value, name, now))


def _shown(row: asyncpg.Record) -> Shown:
    return Shown(_request(row), RequestState(row["shown_state"]), row["number"], row["renewal_asked_at"])


def _request(row: asyncpg.Record) -> CertificateRequest:
    organization, chain = row["organization"], row["chain"]
    return CertificateRequest(
        id=row["id"],
        station_id=row["station_id"],
        purpose=Purpose(row["purpose"]),
        csr_hash=row["csr_hash"],
        csr=row["csr"],
        subject=Subject(organization, row["common_name"]) if organization else None,
        request_id=row["request_id"],
        state=RequestState(row["state"]),
        reason=row["reason"],
        refused_by=RefusedBy(row["refused_by"]) if row["refused_by"] else None,
        author=row["author"],
        asked_at=row["asked_at"],
        told_at=row["told_at"],
        changed_at=row["changed_at"],
        due_at=row["due_at"],
        tries=row["tries"],
        command_id=row["command_id"],
        issued=Issued(**{name: row[name] for name in Issued.__slots__}) if chain else None,
    )


def _row(request: CertificateRequest) -> Sequence[object]:
    subject, issued = request.subject, request.issued
    said = {
        **{name: getattr(request, name) for name in COLUMNS if hasattr(request, name)},
        "organization": subject and subject.organization,
        "common_name": subject and subject.common_name,
        **{name: issued and getattr(issued, name) for name in Issued.__slots__},
    }
    return [said[name] for name in COLUMNS]
