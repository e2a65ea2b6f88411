"""Which events somebody wants."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from services.common.kafka.cloud_events import CloudEvent
from services.common.kafka.published_events import published

GroupsOf = Callable[[str], Collection[str]]
"""The groups of a station, as they are now. Raises Unavailable while that is not known."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """What an event must be to fit; empty: whatever.

    types: names without their package. stations, groups: it is about one of them. transaction_ids: as stations call
    them.
    """

    types: frozenset[str] = frozenset()
    stations: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    transaction_ids: frozenset[str] = frozenset()

    def fits(self, event: CloudEvent, groups_of: GroupsOf) -> bool:
        """Whether an event fits. It is decoded only if its headers and its key do not tell."""
        if self.types and event.type not in self.types:
            return False
        if self.stations and self.stations.isdisjoint(event.stations):
            return False
        if self.transaction_ids and event.transaction_id not in self.transaction_ids:
            return False
        return not self.groups or not self.groups.isdisjoint(_groups(event, groups_of))


def _groups(event: CloudEvent, groups_of: GroupsOf) -> Collection[str]:
    """Those that the event says; else those that its stations are in now."""
    if (said := event.groups) is not None:
        return said
    return {group for station in event.stations for group in groups_of(station)}


def type_names(service: str) -> Sequence[str]:
    """The names of the events of a service, without their package."""
    return sorted(event.__name__ for event in published(service))


def known_types(service: str, given: Collection[str]) -> Mapping[str, str | None]:
    """By what was given, in any case, with or without its package: the name of the event, None if there is none."""
    names = {name.casefold(): name for name in type_names(service)}
    return {one: names.get(one.casefold().removeprefix("voltbus.v1.")) for one in given}
