"""Which events somebody wants."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from services.common.kafka.cloud_events import CloudEvent
from services.common.kafka.events import AssignmentOf
from services.common.kafka.published_events import published


@dataclass(frozen=True, slots=True)
class EventFilter:
    """What an event must be to fit; empty: whatever.

    types: names without their package. stations, groups, locations: it is about one of them. transaction_ids: as
    stations call them. within: it is about a station of one of these groups, and of nothing else; None: whatever.
    """

    types: frozenset[str] = frozenset()
    stations: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    transaction_ids: frozenset[str] = frozenset()
    locations: frozenset[str] = frozenset()
    within: frozenset[str] | None = None

    @property
    def asks_for_assignment(self) -> bool:
        return bool(self.groups or self.locations) or self.within is not None

    def fits(self, event: CloudEvent, assignment_of: AssignmentOf) -> bool:
        """Whether an event fits. It is decoded only if its headers and its key do not tell."""
        if self.types and event.type not in self.types:
            return False
        if self.stations and self.stations.isdisjoint(event.stations):
            return False
        if self.transaction_ids and event.transaction_id not in self.transaction_ids:
            return False
        if not self.asks_for_assignment:
            return True
        if self.within is not None and not event.of_one_station:
            return False
        groups, locations = _assignments(event, assignment_of)
        if self.within is not None and self.within.isdisjoint(groups):
            return False
        if self.groups and self.groups.isdisjoint(groups):
            return False
        return not self.locations or not self.locations.isdisjoint(locations)


def _assignments(event: CloudEvent, assignment_of: AssignmentOf) -> tuple[Collection[str], Collection[str]]:
    """Groups and locations that the event says; where it says none, those of its stations now."""
    if (said := event.assignment) is not None:
        groups, location_id = said
        return groups, (location_id,)
    now = [assignment_of(station) for station in event.stations]
    return {group for groups, _ in now for group in groups}, {location_id for _, location_id in now}


def type_names(service: str) -> Sequence[str]:
    """The names of the events of a service, without their package."""
    return sorted(event.__name__ for event in published(service))


def known_types(service: str, given: Collection[str]) -> Mapping[str, str | None]:
    """By what was given, in any case, with or without its package: the name of the event, None if there is none."""
    names = {name.casefold(): name for name in type_names(service)}
    return {one: names.get(one.casefold().removeprefix("voltbus.v1.")) for one in given}
