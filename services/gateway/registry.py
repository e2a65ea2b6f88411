"""The open connections of this gateway, by their own id and by station: the newest of a station is the one."""

import asyncio
from collections.abc import Iterator

from services.gateway.connection import Connection


class Registry:
    """Holds what is open; a connection that is closing is no longer in it."""

    def __init__(self) -> None:
        self._by_id: dict[str, Connection] = {}
        self._by_station: dict[str, Connection] = {}
        self.empty = asyncio.Event()
        self.empty.set()

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Connection]:
        """A snapshot: connections may come and go meanwhile."""
        return iter(list(self._by_id.values()))

    def get(self, connection_id: str) -> Connection | None:
        return self._by_id.get(connection_id)

    def of_station(self, station_id: str) -> Connection | None:
        return self._by_station.get(station_id)

    def add(self, connection: Connection) -> None:
        """The connection that the station had before stays known by its id until it is removed."""
        self._by_id[connection.peer.connection_id] = connection
        self._by_station[connection.peer.station_id] = connection
        self.empty.clear()

    def remove(self, connection: Connection) -> None:
        """An old connection never takes a new one with it."""
        self._by_id.pop(connection.peer.connection_id, None)
        if self._by_station.get(connection.peer.station_id) is connection:
            del self._by_station[connection.peer.station_id]
        if not self._by_id:
            self.empty.set()
