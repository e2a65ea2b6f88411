"""Certificates that end soon: their stations are asked for a new signing request, a bounded number at a time (A02)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from services.auth.domain.signing_requests import Purpose
from services.auth.remote import RENEW
from services.auth.store import Store
from services.common.commands.routes import Routes
from services.common.commands.service import CommandRequest, CommandService
from services.common.postgres.database import Connection
from services.common.postgres.measures import Measure, Read
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable
from services.common.process.leader_gauge import Labels, LeaderGauge

# Seconds between turns; rows that are looked at together.
EVERY_SECONDS, AT_ONCE = 30.0, 500
# A station that was asked has so long to send a signing request, before another is asked in its place; and is asked
# again after so long, if it has sent none. A certificate that ended before that is not worth asking for.
PATIENCE, AGAIN, TOO_LATE = timedelta(minutes=10), timedelta(days=1), timedelta(days=90)

# One process at a time.
ALONE = "select pg_try_advisory_xact_lock(hashtext('certificate renewal'))"
# Not what has a successor, of the same SECC if it is for vehicles; nor what is under way, or revoked.
ENDING = """
from certificate_request r
where state = 'installed' and ends_at > $1 and ends_at < $2
    and not exists (
        select from certificate_request n
        where n.station_id = r.station_id and n.purpose = r.purpose and n.id <> r.id
            and (r.purpose in ('ChargingStationCertificate', 'CombinedCertificate')
                or n.common_name is not distinct from r.common_name)
            and (n.state in ('asked', 'waiting', 'signed') or (n.state = 'installed' and n.ends_at > r.ends_at)))
    and not exists (
        select from revocation v
        where v.fingerprint = r.fingerprint or (v.serial_number = r.serial_number and v.issuer = r.issuer))"""
DUE = f"""
select id, number, station_id, purpose, ends_at {ENDING}
    and (renewal_asked_at is null or renewal_asked_at < $3) and (ends_at, number) > ($4, $5)
order by ends_at, number limit {AT_ONCE}"""
UNDER_WAY = """
select count(*) from certificate_request r
where renewal_asked_at > $1 and not exists (
    select from certificate_request n where n.station_id = r.station_id and n.told_at >= r.renewal_asked_at)"""
ASKED = "update certificate_request set renewal_asked_at = $2 where id = any($1::text[])"
COUNT = f"""
select count(*) filter (where ends_at > $4), count(*) filter (where ends_at > $3 and ends_at <= $4),
    count(*) filter (where ends_at <= $3) {ENDING}"""

ENDING_GAUGE = LeaderGauge(
    "voltbus_station_certificates_ending",
    "certificates that stations have installed and that are to be renewed: soon (they end within "
    "VOLTBUS_CERTIFICATE_RENEW_DAYS), late (within a quarter of that), or ended (they did so within 90 days)",
    ["end"],
    known=[("soon",), ("late",), ("ended",)],
)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CertificateRenewal:
    """before: how long before its end one is renewed. most: stations that are asked at a time."""

    store: Store
    command_service: CommandService
    routes: Routes
    clock: Clock
    before: timedelta
    most: int

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.ask()
            except Unavailable as error:
                log.warning("certificates wait to be renewed", reason=str(error))

    async def ask(self) -> None:
        """Asks stations that are connected, those whose certificates end first before others. Raises Unavailable."""
        now = self.clock()
        async with self.store.unit_of_work() as work:
            if not await work.db.fetchval(ALONE):
                return
            room = self.most - await work.db.fetchval(UNDER_WAY, now - PATIENCE)
            chosen = await self._connected(work.db, now, room) if room > 0 else {}
            await work.db.execute(ASKED, list(chosen), now)
            await self.command_service.add(work.db, list(chosen.values()))
        if chosen:
            self.command_service.notify_changed()
            self.command_service.nudge()
            log.info("stations are asked to renew their certificates", stations=len(chosen))

    async def _connected(self, db: Connection, now: datetime, room: int) -> dict[str, CommandRequest]:
        """What stations are asked, by the id of what is to be renewed."""
        chosen, after = dict[str, CommandRequest](), (now - TOO_LATE, 0)
        while len(chosen) < room:
            rows = await db.fetch(DUE, now - TOO_LATE, now + self.before, now - AGAIN, *after)
            if not rows:
                break
            connected = await self.routes.find(list({row["station_id"] for row in rows}))
            for row in [row for row in rows if row["station_id"] in connected][: room - len(chosen)]:
                payload = {"purpose": Purpose(row["purpose"]).value}
                chosen[row["id"]] = CommandRequest(row["station_id"], RENEW, payload)
            after = rows[-1]["ends_at"], rows[-1]["number"]
        return chosen


def ending(before: timedelta) -> Measure:
    """How many are to be renewed. before: see CertificateRenewal."""
    return Measure(ENDING_GAUGE, _counted(before), interval=60)


def _counted(before: timedelta) -> Read:
    async def read(db: Connection, now: datetime) -> Mapping[Labels, float]:
        row = await db.fetchrow(COUNT, now - TOO_LATE, now + before, now, now + before / 4)
        assert row is not None, "it counts"
        return {("soon",): float(row[0]), ("late",): float(row[1]), ("ended",): float(row[2])}

    return read
