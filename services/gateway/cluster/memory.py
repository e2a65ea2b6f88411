"""The Directory in memory, for tests: passes the same contract tests as the one in Redis."""

from collections.abc import Sequence

from services.common.process.errors import Unavailable
from services.gateway.cluster.directory import Directory, Renewal, Route


class MemoryDirectory(Directory):
    """Nothing expires. `broken` makes every call raise Unavailable."""

    def __init__(self) -> None:
        self.slots: dict[int, str] = {}
        self.routes: dict[str, Route] = {}
        self.broken = False

    async def claim(self, slot: int, owner: str) -> bool:
        self._check_available()
        return self.slots.setdefault(slot, owner) == owner

    async def renew(self, slot: int, owner: str) -> Renewal:
        self._check_available()
        if slot not in self.slots:
            self.slots[slot] = owner
            return Renewal.RETAKEN
        return Renewal.KEPT if self.slots[slot] == owner else Renewal.LOST

    async def release(self, slot: int, owner: str) -> None:
        self._check_available()
        if self.slots.get(slot) == owner:
            del self.slots[slot]

    async def register(self, routes: Sequence[Route]) -> list[Route | None]:
        self._check_available()
        return [self._register(route) for route in routes]

    async def remove(self, routes: Sequence[Route]) -> None:
        self._check_available()
        for route in routes:
            if self.routes.get(route.station_id) == route:
                del self.routes[route.station_id]

    async def find(self, station_id: str) -> Route | None:
        self._check_available()
        return self.routes.get(station_id)

    async def ready(self) -> bool:
        return not self.broken

    def _register(self, route: Route) -> Route | None:
        other = self.routes.get(route.station_id)
        if other is None or other.since <= route.since:
            self.routes[route.station_id] = route
        return other if other != route else None

    def _check_available(self) -> None:
        if self.broken:
            raise Unavailable("the directory in memory is set to be broken")
