"""What sessions are seen to draw where no limit of theirs is confirmed: as much is set aside for their EVSE."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from services.smartcharging.domain.allocate import Key
from services.smartcharging.domain.plan import in_tenths
from services.smartcharging.domain.presence import Presence
from services.smartcharging.domain.sessions import TrackedSession
from services.smartcharging.domain.site import Site

# Stations tell what is drawn each quarter of an hour at least. Who has ended, and is silent for longer, draws nothing.
SILENCE = timedelta(minutes=35)


class SeenDraws(NamedTuple):
    """currents: by station and EVSE, in tenths of an ampere. until: when the first of them is over unless it is seen
    again."""

    currents: Mapping[Key, int]
    until: datetime | None


def seen_draws(
    site: Site, stations: Mapping[str, Presence], sessions: Iterable[TrackedSession], now: datetime
) -> SeenDraws:
    """sessions: of its stations, that have not ended, or draw on after it. A station that is away may draw for ever."""
    members = {member.station_id: member for member in site.members}
    currents: dict[Key, int] = {}
    ends: list[datetime] = []
    for one in sessions:
        is_over = one.ended_at is not None and one.draws_on_at is None
        if is_over or not one.draws or one.unit is None or not members[one.station_id].covers(one.evse_id):
            continue
        station = stations.get(one.station_id, Presence(one.station_id))
        if one.draws_on_at and station.connected:
            over_at = max(one.draws_on_at, station.connected_at or one.draws_on_at) + SILENCE
            if over_at <= now:
                continue
            ends.append(over_at)
        member, key = members[one.station_id], (one.station_id, one.evse_id)
        current = min(in_tenths(site, member, one.unit, one.draws[-1]), member.maximum)
        currents[key] = max(currents.get(key, 0), current)
    return SeenDraws(currents, min(ends, default=None))
