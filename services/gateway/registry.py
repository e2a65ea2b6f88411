"""The connections of this gateway, by their own id and by station: the newest of a station is the one."""

import asyncio
from collections.abc import Iterator

from services.gateway.connection import Connection
from services.ocpp.station_ids import station_key


class Registry:
    """Finds and counts what is open. A connection that is closing is only remembered, until nothing more comes of it.

    empty: set while there is no connection, not even one that is closing.
    """

    def __init__(self) -> None:
        self._by_id: dict[str, Connection] = {}
        self._by_station: dict[str, Connection] = {}
        # By what spellings of an id have in common.
        self._unregistered: dict[str, Connection] = {}
        self._closing: set[Connection] = set()
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

    def unregistered(self, station_id: str) -> Connection | None:
        """That of a station that was let in although nobody had registered it, in whatever case it said this id."""
        return self._unregistered.get(station_key(station_id))

    def add(self, connection: Connection) -> None:
        """The connection that the station had before stays known by its id until it is removed."""
        self._by_id[connection.peer.connection_id] = connection
        self._by_station[connection.peer.station_id] = connection
        if connection.registered is None:
            self._unregistered[station_key(connection.peer.station_id)] = connection
        self.empty.clear()

    def remove(self, connection: Connection) -> None:
        """Nothing can be sent on it any more. An old connection never takes a new one with it."""
        self._by_id.pop(connection.peer.connection_id, None)
        if self._by_station.get(connection.peer.station_id) is connection:
            del self._by_station[connection.peer.station_id]
        key = station_key(connection.peer.station_id)
        if self._unregistered.get(key) is connection:
            del self._unregistered[key]
        self._closing.add(connection)

    def forget(self, connection: Connection) -> None:
        """Nothing more comes of it."""
        self._closing.discard(connection)
        if not self._by_id and not self._closing:
            self.empty.set()
