"""Local lists: their SQL."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta

import asyncpg
import orjson

from services.auth import rows
from services.auth.domain.list_progress import ListProgress, Step, Trouble
from services.auth.domain.local_lists import LONGEST_LIST, Entries, ListRule, ListWords
from services.common.desired.group_store import GroupDocument, GroupStore
from services.common.postgres.database import Connection
from services.ocpp.id_tokens import CENTRAL, Token, token_key

LISTS = GroupStore("local_list")

# Of idTokens as they were and as they will be; one that names a token group concerns all that are in it.
TOKENS_CHANGED = f"""
with before as (select group_id, type from token where key = any($1::text[]))
insert into local_list_change (station_group, changed_at)
select station_group, $3 from local_list
where content::jsonb -> 'keys' ?| $1::text[]
    or content::jsonb -> 'token_groups' ?| ($2::text[] || array(select group_id from before where group_id is not null))
    or $4 or exists (select from before where type = '{CENTRAL}')"""
GATHERED = """
select station_group from local_list
where coalesce(checked_at, '-infinity') < $2 or station_group in (
    select station_group from local_list_change group by station_group having min(changed_at) <= $1)
order by station_group"""
LOCK_LIST = "select fingerprint from local_list where station_group = $1 for update"
CHECKED = "update local_list set fingerprint = $2, checked_at = $3 where station_group = $1"
FORGET_CHANGES = "delete from local_list_change where station_group = $1 and changed_at <= $2"

# Only members of groups that have a list. What is waited for goes on (see list_progress.due).
DUE = """
insert into local_list_progress as p (station_id, step, due_at, changed_at)
select station_id, 'due', $2, $2 from station where {which} order by station_id
on conflict (station_id) do update set step = 'due', due_at = excluded.due_at
where p.step in ('idle', 'due') and ($3 or p.trouble is distinct from 'unsupported')"""
MEMBERS_DUE = DUE.format(which="groups @> array[$1::text]")
LISTED = "groups && array(select station_group from local_list)"
STATIONS_DUE = DUE.format(which=f"station_id = any($1::text[]) and {LISTED}")
# See list_progress.returned.
RETURNED = f"""
insert into local_list_progress (station_id, step, due_at, changed_at)
select station_id, 'due', $2, $2 from station where station_id = any($1::text[]) and {LISTED} order by station_id
on conflict (station_id) do update set
    step = 'due', due_at = excluded.due_at, confirmed = false, command_id = null, failures = 0"""

COLUMNS = tuple(field.name for field in fields(ListProgress))
NAMES = ", ".join(COLUMNS)
CLAIM = f"""
select {NAMES} from local_list_progress where step = 'due' and due_at <= $1
order by due_at limit $2 for update skip locked"""
WAITING = "select count(*) from local_list_progress where step in ('asked', 'sent')"
LOCK = f"select {NAMES} from local_list_progress where station_id = any($1::text[]) order by station_id for update"
READ = f"select {NAMES} from local_list_progress where station_id = any($1::text[])"
SAVE = f"""
update local_list_progress set ({", ".join(COLUMNS[1:])}) = ({", ".join(f"${n + 2}" for n in range(len(COLUMNS) - 1))})
where station_id = $1"""

MEMBERS = """
select station_id, groups from station where groups @> array[$1::text] and station_id > $2
order by station_id limit $3"""
COUNT_MEMBERS = "select count(*) from station where groups @> array[$1::text]"
MEMBER_IDS = "select station_id from station where groups @> array[$1::text]"
GROUPS = "select station_id, groups from station where station_id = any($1::text[])"
TOKENS = f"""
select {", ".join(rows.TOKEN)} from token where group_id = any($1::text[]) or key = any($2::text[])
order by key limit {LONGEST_LIST + 1}"""
GROUP_TOKENS = f"select {', '.join(rows.TOKEN)} from token where key = any($1::text[]) and type = '{CENTRAL}'"

CONTENTS = "select fingerprint, entries from local_list_content where fingerprint = any($1::text[])"
KEEP = """
insert into local_list_content (fingerprint, entries, used_at) values ($1, $2, $3)
on conflict (fingerprint) do update set used_at = excluded.used_at"""
# What was used just now may be about to be named.
FORGET_CONTENTS = """
delete from local_list_content c where used_at < $1
    and not exists (select from local_list_progress p where p.known = c.fingerprint or p.sent = c.fingerprint)"""

WITHDRAW = """
insert into local_list_withdrawal (station_id, key, at) values ($1, $2, $3)
on conflict (station_id, key) do update set at = excluded.at"""
WITHDRAWN = """
select w.station_id, w.key from local_list_withdrawal w join token t on t.key = w.key
where w.station_id = any($1::text[]) and t.changed_at <= w.at"""
LIST_AGAIN = """
delete from local_list_withdrawal
where station_id in (select station_id from station where groups @> array[$1::text])"""
REMOVE = (
    "delete from local_list_progress where station_id = $1",
    "delete from local_list_withdrawal where station_id = $1",
)


def content(rule: ListRule) -> dict[str, list[str]]:
    """A rule as it is kept. keys: of the idTokens that are named."""
    return {"token_groups": [*rule.token_groups], "id_tokens": [*rule.id_tokens], "keys": sorted(rule.keys)}


def rule_of(document: GroupDocument) -> ListRule:
    return ListRule(tuple(document.content["token_groups"]), tuple(document.content["id_tokens"]))


async def tokens_changed(db: Connection, tokens: Sequence[Token], at: datetime) -> None:
    """Before idTokens are written or removed: the lists that they are in, or will be, are to be checked."""
    if tokens:
        keys, groups = [token_key(one.id_token) for one in tokens], [one.group_id for one in tokens if one.group_id]
        await db.execute(TOKENS_CHANGED, keys, groups, at, any(one.type == CENTRAL for one in tokens))


async def gathered(db: Connection, changed_before: datetime, checked_before: datetime) -> list[str]:
    """Groups whose lists are to be checked: changed so long ago, or not checked for so long."""
    return [row["station_group"] for row in await db.fetch(GATHERED, changed_before, checked_before)]


async def lock_list(db: Connection, group: str) -> tuple[GroupDocument, str | None] | None:
    """The list of a group, and the fingerprint that it had; None where there is none."""
    row = await db.fetchrow(LOCK_LIST, group)
    found = await LISTS.load(db, [group])
    return (found[group], row["fingerprint"]) if row and group in found else None


async def checked(db: Connection, group: str, fingerprint: str, at: datetime) -> None:
    await db.execute(CHECKED, group, fingerprint, at)


async def forget_changes(db: Connection, group: str, at: datetime) -> None:
    """Those of until then."""
    await db.execute(FORGET_CHANGES, group, at)


async def members_due(db: Connection, group: str, at: datetime, *, all_: bool) -> None:
    """Its stations are to be looked at. all_: those that have no lists, too."""
    await db.execute(MEMBERS_DUE, group, at, all_)


async def stations_due(db: Connection, station_ids: Sequence[str], at: datetime) -> None:
    """Of these, the ones whose groups have a list."""
    await db.execute(STATIONS_DUE, station_ids, at, True)


async def returned(db: Connection, station_ids: Collection[str], at: datetime) -> None:
    """They are back, or have booted: their versions are read from then on."""
    await db.execute(RETURNED, list(station_ids), at)


async def claim(db: Connection, now: datetime, limit: int) -> list[ListProgress]:
    """What is due, held until the commit; what another process has in hand is left to it."""
    return [_progress(row) for row in await db.fetch(CLAIM, now, limit)]


async def waiting(db: Connection) -> int:
    """How many stations are asked something now."""
    return int(await db.fetchval(WAITING))


async def lock(db: Connection, station_ids: Collection[str]) -> dict[str, ListProgress]:
    return {row["station_id"]: _progress(row) for row in await db.fetch(LOCK, list(station_ids))}


async def read(db: Connection, station_ids: Collection[str]) -> dict[str, ListProgress]:
    return {row["station_id"]: _progress(row) for row in await db.fetch(READ, list(station_ids))}


async def save(db: Connection, progress: Iterable[ListProgress]) -> None:
    if found := [tuple(getattr(one, name) for name in COLUMNS) for one in progress]:
        await db.executemany(SAVE, found)


async def members(db: Connection, group: str, after: str, limit: int) -> dict[str, tuple[str, ...]]:
    """The next stations of a group by id, each with its groups in order."""
    found = await db.fetch(MEMBERS, group, after, limit)
    return {row["station_id"]: tuple(row["groups"]) for row in found}


async def count_members(db: Connection, group: str) -> int:
    return int(await db.fetchval(COUNT_MEMBERS, group))


async def member_ids(db: Connection, group: str) -> list[str]:
    return [row["station_id"] for row in await db.fetch(MEMBER_IDS, group)]


async def groups_of(db: Connection, station_ids: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Of those that are registered, in order."""
    return {row["station_id"]: tuple(row["groups"]) for row in await db.fetch(GROUPS, list(station_ids))}


async def tokens(db: Connection, rule: ListRule) -> dict[str, Token]:
    """Those that a rule is about, by key, and those that their token groups are called by."""
    found = [rows.token(row) for row in await db.fetch(TOKENS, list(rule.token_groups), list(rule.keys))]
    named = {token_key(one.group_id) for one in found if one.group_id}
    groups = [rows.token(row) for row in await db.fetch(GROUP_TOKENS, list(named))] if named else []
    return {token_key(one.id_token): one for one in (*groups, *found)}


async def contents(
    db: Connection, progress: Iterable[ListProgress], words: Mapping[str, ListWords]
) -> dict[str, Entries]:
    """What stations are known to have, by fingerprint. words: by version."""
    wanted = {one.known: words[one.ocpp_version or ""] for one in progress if one.known}
    found = await db.fetch(CONTENTS, list(wanted)) if wanted else []
    return {
        name: {wanted[name].key(entry): entry for entry in orjson.loads(row["entries"])}
        for row in found
        for name in [row["fingerprint"]]
    }


async def keep(db: Connection, new: Mapping[str, Entries], now: datetime) -> None:
    """Contents by their fingerprints."""
    await db.executemany(KEEP, [(name, _written(entries), now) for name, entries in sorted(new.items())])


async def forget_contents(db: Connection, now: datetime) -> None:
    """Those that nobody has any more."""
    await db.execute(FORGET_CONTENTS, now - timedelta(hours=1))


async def withdraw(db: Connection, withdrawn: Iterable[tuple[str, str, datetime]]) -> None:
    """Station, key of an idToken, and when it was to be forgotten there."""
    await db.executemany(WITHDRAW, list(withdrawn))


async def withdrawn(db: Connection, station_ids: Collection[str]) -> dict[str, set[str]]:
    """Keys of idTokens that stations are not sent, by station."""
    found: dict[str, set[str]] = {}
    for row in await db.fetch(WITHDRAWN, list(station_ids)):
        found.setdefault(row["station_id"], set()).add(row["key"])
    return found


async def list_again(db: Connection, group: str) -> None:
    """What was withdrawn from stations of a group is sent to them again."""
    await db.execute(LIST_AGAIN, group)


async def remove(db: Connection, station_id: str) -> None:
    """A station that is removed has none."""
    for statement in REMOVE:
        await db.execute(statement, station_id)


def _written(entries: Entries) -> str:
    return orjson.dumps([entries[key] for key in sorted(entries)]).decode()


def _progress(row: asyncpg.Record) -> ListProgress:
    said = {name: row[name] for name in COLUMNS}
    said["step"], said["trouble"] = Step(row["step"]), Trouble(row["trouble"]) if row["trouble"] else None
    return ListProgress(**said)
