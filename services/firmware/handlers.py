"""A batch of calls and connection changes: read, load, decide in order, save, announce, answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias, TypeGuard

import structlog
from msgspec import Struct
from msgspec.structs import replace

from services.common.calls import message_log
from services.common.calls.batch import BatchShell
from services.common.calls.call import Call, Refused
from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.postgres import outbox
from services.common.postgres.database import Connection, Database
from services.firmware import (
    connections,
    deviations_store,
    history_store,
    metrics,
    security_events_store,
    security_store,
    store,
)
from services.firmware.announcements import event_record, published_identity
from services.firmware.configuration.capabilities import inventory_records
from services.firmware.configuration.projection import SettingsProjection
from services.firmware.domain import deviations
from services.firmware.domain.connectors import MOST_PLACES
from services.firmware.domain.context import Context
from services.firmware.domain.decide import decide, repeat
from services.firmware.domain.deviations import Deviations, DeviationsReported
from services.firmware.domain.messages import (
    KEPT,
    Boot,
    BootVerdict,
    Command,
    ConnectionAlive,
    ConnectionClosed,
    ConnectionOpened,
    ConnectionUpdate,
    Decision,
    Envelope,
    Event,
    ReportConnectorStates,
    ReportConnectorStatus,
    ReportSettings,
    StationConnected,
    StationDeviates,
)
from services.firmware.domain.presence import message_received
from services.firmware.domain.rules import Rules
from services.firmware.domain.security_events import SecurityEventReported
from services.firmware.domain.station import Connector, Place, Station
from services.firmware.domain.uptime import GRACE

log = structlog.get_logger()

Content: TypeAlias = Command | ConnectionUpdate | Refused


class BatchItem(Struct, frozen=True):
    """One record of a batch. call: None for the word of a gateway."""

    envelope: Envelope
    content: Content
    call: Call | None = None


@dataclass(slots=True)
class LoadedStations:
    """What a batch stands on. before: stations that were known. after: all, as they are decided about.

    connectors: those that were known. verdicts: on boots that are read again.
    """

    before: Mapping[str, Station]
    after: dict[str, Station]
    connectors: Mapping[str, Mapping[Place, Connector]]
    verdicts: dict[str, BootVerdict]


@dataclass(frozen=True, slots=True)
class Handler:
    """Handles batches. inventory: the topic of what stations are."""

    database: Database
    shell: BatchShell[Command]
    projection: SettingsProjection
    events: Events
    rules: Rules
    inventory: str

    async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        """Everything of a batch in one transaction; then the replies that stations wait for."""
        batch = self.shell.read(records, other=connections.read)
        items, now = [_item(call, content) for call, content in batch.items], batch.now
        async with self.database.transaction() as db:
            loaded = await _load(db, items, now)
            decisions = [self._decide(loaded, item, now) for item in items]
            await _save(db, loaded, items, decisions)
            opened = [(i.envelope, i.content) for i in items if isinstance(i.content, ConnectionOpened)]
            await security_store.save(db, opened)
            await _keep_history(db, decisions)
            concluded = await self.shell.conclude(db, batch)
            changed = [*await self._changed(db, loaded, now), *await self._project(db, items, decisions)]
            changed += await self._deviations(db, loaded, items)
            announced, noticed = await self._announce(db, items, decisions, changed)
            await message_log.save_deviating(db, batch.deviating)
        if announced or concluded:
            self.shell.notify_changed()
        metrics.count_security_events(noticed)
        _log(items, decisions)
        return self.shell.settle(batch, _replies(items, decisions))

    def _decide(self, loaded: LoadedStations, item: BatchItem, now: datetime) -> Decision:
        station, context = loaded.after[item.envelope.station_id], Context(item.envelope, self.rules, now)
        if verdict := loaded.verdicts.get(item.envelope.id):
            decision = repeat(station, verdict, context)
        elif isinstance(item.content, Refused):
            decision = message_received(station, context)
        else:
            decision = decide(station, item.content, context)
        loaded.after[station.station_id] = decision.station
        return decision

    async def _changed(self, db: Connection, loaded: LoadedStations, now: datetime) -> list[Record]:
        """What stations are, where that is not what they were."""
        pairs = ((loaded.before.get(name) or Station(name), after) for name, after in loaded.after.items())
        changed = [after for before, after in pairs if published_identity(after) != published_identity(before)]
        return await inventory_records(db, self.inventory, changed, now)

    async def _project(self, db: Connection, items: Sequence[BatchItem], decisions: Sequence[Decision]) -> list[Record]:
        """What the batch says of configuration."""
        await self.projection.apply_events(db, [event for decision in decisions for event in decision.events])
        parts = [(item.envelope, item.content.part) for item in items if isinstance(item.content, ReportSettings)]
        return await self.projection.apply_reports(db, parts)

    async def _deviations(self, db: Connection, loaded: LoadedStations, items: Sequence[BatchItem]) -> list[Record]:
        """Keeps what gateways say of messages that deviate or were refused; what is to be announced of it."""
        updates = [(i.envelope, i.content) for i in items if isinstance(i.content, ConnectionAlive | ConnectionClosed)]
        reports = [
            DeviationsReported(envelope.station_id, update.deviations, envelope.at)
            for envelope, update in updates
            if update.deviations
        ]
        refused = [update.refused for _, update in updates if isinstance(update, ConnectionAlive) and update.refused]
        await deviations_store.save_refused(db, refused)
        known = await deviations_store.load(db, {one.station_id for one in reports})
        changed = deviations.report_all(known, reports)
        due = {name: one for name, one in changed.items() if deviations.is_due(one)}
        await deviations_store.save(db, (changed | {n: deviations.announced(one) for n, one in due.items()}).values())
        return [event_record(self.events, _deviates(loaded.after[name], one)) for name, one in due.items()]

    async def _announce(
        self, db: Connection, items: Sequence[BatchItem], decisions: Sequence[Decision], changed: Sequence[Record]
    ) -> tuple[bool, Sequence[SecurityEventReported]]:
        """Whether there was anything to tell, and the security events that are new."""
        pairs = list(zip(items, decisions, strict=True))
        kept = [item.call for item, d in pairs if item.call and (isinstance(item.content, KEPT) or d.refused)]
        new = await message_log.save(db, kept)
        # What was kept before is read again: what it says was announced then.
        unread = {call.id for call in new}
        reported = [one for i, d in pairs if i.envelope.id in unread for one in d.events if _of_security(one)]
        noticed = await security_events_store.save(db, reported)
        others = [event for decision in decisions for event in decision.events if not _of_security(event)]
        records = [event_record(self.events, event) for event in (*others, *reported)]
        records += [*changed, *(message_log.event(self.events, call) for call in new)]
        await outbox.add(db, records)
        return bool(records), noticed


def _of_security(event: Event) -> TypeGuard[SecurityEventReported]:
    return isinstance(event, SecurityEventReported)


def _item(call: Call | None, content: Any) -> BatchItem:
    if call is None:
        return BatchItem(*content)
    envelope = Envelope(
        call.id,
        call.station_id,
        call.connection_id,
        call.version,
        call.received_at,
        call.quarantined,
        call.certificate_expired,
    )
    return BatchItem(envelope, content, call)


async def _load(db: Connection, items: Sequence[BatchItem], now: datetime) -> LoadedStations:
    names = {item.envelope.station_id for item in items}
    before = await store.load_stations(db, names)
    after = {name: before.get(name) or Station(name) for name in names}
    wanted = {(item.envelope.station_id, place) for item in items for place in _places(item.content)}
    boots = [item.envelope for item in items if isinstance(item.content, Boot)]
    known = await store.load_connectors(
        db, {station_id for station_id, _ in wanted} | {envelope.station_id for envelope in boots}
    )
    for station_id, connectors in known.items():
        after[station_id] = replace(after[station_id], connectors=connectors)
    with_new = {station_id for station_id, place in wanted if place not in known.get(station_id, ())}
    for station_id, count in (await store.count_connectors(db, with_new)).items():
        after[station_id] = replace(after[station_id], places=count)
    verdicts = await store.load_verdicts(db, boots, now)
    return LoadedStations(before, after, known, verdicts)


def _places(content: Content) -> list[Place]:
    """Those that a message is about."""
    if isinstance(content, ReportConnectorStates):
        return [report.place for _, report in content.reports]
    return [content.place] if isinstance(content, ReportConnectorStatus) else []


async def _save(
    db: Connection, loaded: LoadedStations, items: Sequence[BatchItem], decisions: Sequence[Decision]
) -> None:
    await store.save_stations(db, loaded.before, loaded.after.values())
    await store.save_connectors(db, loaded.connectors, loaded.after.values())
    pairs = zip(items, decisions, strict=True)
    boots = [(item.call, d.reply) for item, d in pairs if item.call and isinstance(d.reply, BootVerdict)]
    await store.save_boots(db, boots)


async def _keep_history(db: Connection, decisions: Sequence[Decision]) -> None:
    await history_store.save(db, [record for decision in decisions for record in decision.recorded])
    connected = [event for decision in decisions for event in decision.events if isinstance(event, StationConnected)]
    periods = [(event.station_id, *event.away) for event in connected if event.away]
    await history_store.save_offline(db, [one for one in periods if one[2] - one[1] > GRACE])


def _deviates(station: Station, known: Deviations) -> StationDeviates:
    """Told once a day: the day and the station are what makes it this event and no other."""
    assert known.heard_at is not None, "only after a report"
    cause = f"{station.station_id}/deviates/{known.heard_at.date().isoformat()}"
    return StationDeviates(station, known.untold, known.heard_at, cause)


def _log(items: Sequence[BatchItem], decisions: Sequence[Decision]) -> None:
    for item, decision in zip(items, decisions, strict=True):
        if decision.refused:
            metrics.REFUSED_STATUSES.inc(decision.refused)
            log.warning("a status of one connector too many", station_id=item.envelope.station_id, most=MOST_PLACES)
        if item.call and isinstance(decision.reply, BootVerdict):
            who = {"station_id": item.call.station_id, "message_id": item.call.message_id}
            log.info("booted", status=decision.reply.status, quarantined=item.call.quarantined, **who)


def _replies(items: Sequence[BatchItem], decisions: Sequence[Decision]) -> list[object | Refused]:
    """To each call, in order."""
    return [
        item.content if isinstance(item.content, Refused) else decision.reply
        for item, decision in zip(items, decisions, strict=True)
        if item.call
    ]
