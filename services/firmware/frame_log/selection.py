"""Whose frames are kept. Pure."""

from collections.abc import Callable, Collection, Set
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Selection:
    """everyone: all of every station. station_ids, groups: all of these stations, and of those in these groups.

    Of others, what fails is kept, and when they came and went. groups_of: the groups of a station.
    """

    everyone: bool
    station_ids: Set[str] = frozenset()
    groups: Set[str] = frozenset()
    groups_of: Callable[[str], Collection[str]] = lambda _: ()

    @property
    def any_whole(self) -> bool:
        """Whether there may be a station all of whose frames are kept."""
        return self.everyone or bool(self.station_ids) or bool(self.groups)

    def whole(self, station_id: str) -> bool:
        """Whether all frames of a station are kept."""
        if self.everyone or station_id in self.station_ids:
            return True
        return bool(self.groups) and any(group in self.groups for group in self.groups_of(station_id))
