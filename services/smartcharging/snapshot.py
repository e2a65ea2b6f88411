"""A site as the tables have it: loaded for a look, and written back."""

from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg
import orjson

from services.common.postgres.database import Connection
from services.smartcharging import store
from services.smartcharging.domain.allocate import Key
from services.smartcharging.domain.applied_limit import Fate, Hold
from services.smartcharging.domain.draw_monitor import Watch
from services.smartcharging.domain.plan import Drawn, Outlook, in_tenths
from services.smartcharging.domain.presence import Presence
from services.smartcharging.domain.site_state import Charging, Point, Situation
from services.smartcharging.remote import fate
from services.smartcharging.rows import Row, hold_row, read_drawn, read_hold, read_session, read_site

Kept = Mapping[tuple[str, int, int], tuple[Hold, Watch]]


@dataclass(frozen=True, slots=True)
class Board:
    """situation, fates, drawn: what a look needs. kept: the holds as they are in the table. over: as it was told."""

    situation: Situation
    fates: Mapping[str, Fate]
    drawn: Mapping[Key, Drawn]
    kept: Kept
    over: bool

    def measured(self, point: Point) -> int | None:
        """The last sample of a session; None where there was none."""
        drawn = self.drawn.get(point.key)
        return in_tenths(self.situation.site, point.member, drawn, drawn.values[-1]) if drawn else None


async def load(db: Connection, row: asyncpg.Record) -> Board:
    """row: of the site."""
    site = read_site(row, await db.fetch(store.MEMBERS, row["site_id"]))
    names = [member.station_id for member in site.members]
    holds = await db.fetch(store.HOLDS, names)
    kept = {(hold["station_id"], hold["evse_id"], hold["session_id"]): read_hold(hold) for hold in holds}
    members = {member.station_id: member for member in site.members}
    sessions = await db.fetch(store.SESSIONS, names)
    sessions = [one for one in sessions if members[one["station_id"]].covers(one["evse_id"])]
    situation = Situation(
        site,
        await _stations(db, names),
        {(station, evse): hold for (station, evse, number), (hold, _) in kept.items() if number == 0},
        {(one["station_id"], one["evse_id"]): _charging(one, kept) for one in sessions},
    )
    drawn = {(one["station_id"], one["evse_id"]): told for one in sessions if (told := read_drawn(one))}
    return Board(situation, _fates(holds), drawn, kept, row["over_committed"])


async def save(db: Connection, board: Board, outlook: Outlook) -> None:
    """What the look has changed."""
    situation = outlook.situation
    after: dict[tuple[str, int, int], tuple[Hold, Watch]] = {}
    for (station, evse), hold in situation.defaults.items():
        after[station, evse, 0] = hold, Watch()
    for (station, evse), one in situation.charging.items():
        after[station, evse, one.session.id] = one.hold, one.watch
    rows: list[Row] = [hold_row(*key, *what) for key, what in after.items() if board.kept.get(key) != what]
    await store.save_holds(db, rows)
    names = [member.station_id for member in situation.site.members]
    if any(key not in after for key in board.kept):
        await store.drop_holds(db, names, [one.session.id for one in situation.charging.values()])
    await store.looked(db, situation.site.site_id, outlook.again, outlook.shares.over)


async def _stations(db: Connection, names: list[str]) -> dict[str, Presence]:
    known = await store.load_stations(db, names)
    return {name: known.get(name, Presence(name)) for name in names}


def _charging(row: asyncpg.Record, kept: Kept) -> Charging:
    hold, watch = kept.get((row["station_id"], row["evse_id"], row["id"]), (Hold(), Watch()))
    return Charging(read_session(row), hold, watch)


def _fates(holds: list[asyncpg.Record]) -> dict[str, Fate]:
    return {
        hold["command_id"]: fate(store.end_of(hold), orjson.loads(hold["response"]) if hold["response"] else None)
        for hold in holds
        if hold["command_id"]
    }
