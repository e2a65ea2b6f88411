"""Keeps what other services say of stations, a batch of records at a time; the newest word of each counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from services.common.kafka.bus import Record
from services.common.postgres import outbox
from services.common.postgres.announcer import Announcer
from services.common.postgres.database import Connection, Database
from services.common.process.clock import Clock
from services.firmware import metrics, security_events_store
from services.firmware.announcements import certificates_refused, event_record
from services.firmware.domain.refusals import RefusalReport
from services.firmware.domain.security_events import SecurityEventReported, of_report
from services.firmware.domain.sessions import Session, apply_all
from services.firmware.listing import inbound, refused, store
from services.firmware.listing.inbound import Location, LocationRemoved, Read, Registration, Unregistered
from services.ocpp.topics import Topics

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ListKeeper:
    """read: by topic, as it is called on this broker. announcer: of certificates that were refused."""

    database: Database
    read: Mapping[str, Read]
    clock: Clock
    announcer: Announcer

    @classmethod
    def of(cls, database: Database, topics: Topics, clock: Clock, announcer: Announcer) -> "ListKeeper":
        return cls(
            database,
            {
                topics.registrations: inbound.registration,
                topics.locations: inbound.location,
                topics.events["transactions"]: inbound.session,
                topics.refusals: inbound.refusals,
            },
            clock,
            announcer,
        )

    async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        """All of a batch in one transaction. Raises Unprocessable where one of them cannot be read."""
        said = [one for record in records if (one := self.read[record.topic](record))]
        if said:
            registrations = [one for one in said if isinstance(one, Registration | Unregistered)]
            stations = {one.station_id: one for one in registrations}
            locations = {one.location_id: one for one in said if isinstance(one, Location | LocationRemoved)}
            sessions = [one for one in said if isinstance(one, Session)]
            reports = [one for one in said if isinstance(one, RefusalReport)]
            async with self.database.transaction() as db:
                await store.save_registrations(db, _only(Registration, stations))
                await store.remove_registrations(db, {one.station_id: None for one in _only(Unregistered, stations)})
                await store.keep_unregistered(db, registrations, self.clock())
                await store.save_locations(db, _only(Location, locations))
                await store.remove_locations(db, {one.location_id: None for one in _only(LocationRemoved, locations)})
                noticed = await self._announce(db, await refused.save(db, reports, self.clock()))
                if sessions:
                    known = await store.load_sessions(db, {one.station_id for one in sessions})
                    await store.save_sessions(db, known, apply_all(known, sessions))
            metrics.count_security_events(noticed)
            if reports:
                self.announcer.wake()
        return []

    async def _announce(self, db: Connection, reports: Sequence[RefusalReport]) -> Sequence[SecurityEventReported]:
        """A report is told once, whatever becomes of this. The security events that it makes."""
        records = [
            self.announcer.events.record(event, event.station_id, f"{one.gateway} {one.at} {event.fault}", one.at)
            for one in reports
            for event in certificates_refused(one)
        ]
        events = [event for one in reports for event in of_report(one)]
        noticed = await security_events_store.save(db, await security_events_store.of_registered(db, events))
        records += [event_record(self.announcer.events, event) for event in noticed]
        if records:
            await outbox.add(db, records)
        return noticed


def _only(kind: type[T], said: Mapping[str, object]) -> list[T]:
    return [one for one in said.values() if isinstance(one, kind)]
