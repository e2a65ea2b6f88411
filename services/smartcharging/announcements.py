"""Events of the domain as they are published: one message of events.proto each."""

from collections.abc import Iterator
from datetime import datetime

from google.protobuf.message import Message

from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.smartcharging.domain.loads import amperes
from services.smartcharging.domain.plan import SitePlan
from services.smartcharging.domain.share import Shares
from services.smartcharging.domain.site import Site
from services.smartcharging.domain.site_state import ActiveSession, Preferences
from services.smartcharging.snapshot import SiteSnapshot
from voltbus.v1 import events_pb2 as wire


def site_changed(events: Events, site: Site, removed: bool, at: datetime) -> Record:
    """SiteChanged, keyed by the site."""
    changed = wire.SiteChanged(
        site_id=site.site_id,
        limit=site.limit.value,
        unit=site.limit.unit,
        phases=site.phases,
        station_ids=[member.station_id for member in site.members],
        removed=removed,
        at=at,
        author=site.author or "",
    )
    return events.record(changed, site.site_id, f"{removed}/{at.isoformat()}", at)


def preferences_changed(
    site_id: str,
    station_id: str,
    session_id: int,
    transaction_id: str,
    preferences: Preferences,
    at: datetime,
    author: str | None,
) -> Message:
    """SessionPreferencesChanged. session_id: ours; transaction_id: the station's."""
    minimum, maximum = preferences.minimum, preferences.maximum
    return wire.SessionPreferencesChanged(
        site_id=site_id,
        station_id=station_id,
        transaction=wire.TransactionRef(id=session_id, transaction_id=transaction_id),
        priority=preferences.priority,
        minimum_a=None if minimum is None else amperes(minimum),
        maximum_a=None if maximum is None else amperes(maximum),
        at=at,
        author=author or "",
    )


def stored_profile_changed(name: str, at: datetime, author: str | None) -> Message:
    return wire.StoredProfileChanged(name=name, at=at, author=author or "")


def stored_profile_removed(name: str, at: datetime, author: str | None) -> Message:
    return wire.StoredProfileRemoved(name=name, at=at, author=author or "")


def announce(events: Events, before: SiteSnapshot, plan: SitePlan, at: datetime) -> Iterator[Record]:
    """What a plan has changed: shares that were confirmed, keyed by the station; whether the limit can be held."""
    for key, active in plan.state.sessions.items():
        known = before.state.sessions[key].applied
        if active.applied.held is not None and active.applied.held != known.held:
            yield _share_changed(events, before.state.site, active, known.command_id or "", at)
    if plan.shares.over_committed != before.over_committed:
        yield _over_committed(events, before.state.site, plan.shares, at)


def _share_changed(events: Events, site: Site, active: ActiveSession, command_id: str, at: datetime) -> Record:
    session, held = active.session, active.applied.held or 0
    changed = wire.ShareChanged(
        site_id=site.site_id,
        station_id=session.station_id,
        evse_id=session.evse_id,
        transaction=wire.TransactionRef(id=session.id, transaction_id=session.transaction_id),
        granted_a=amperes(held),
        paused=not held,
        command_id=command_id,
        at=at,
    )
    return events.record(changed, session.station_id, command_id, at)


def _over_committed(events: Events, site: Site, shares: Shares, at: datetime) -> Record:
    loads = [
        wire.SiteLoad(name=name, limit_a=amperes(current), set_aside_a=amperes(shares.set_aside.get(name, 0)))
        for name, current in shares.capacity.items()
    ]
    changed = wire.SiteOverCommitted(site_id=site.site_id, over_committed=shares.over_committed, loads=loads, at=at)
    return events.record(changed, site.site_id, at.isoformat(), at)
