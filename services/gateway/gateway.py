"""The gateway put together: who comes in, which connection is a station's, what happens in time and at the end."""

import asyncio
import contextlib
import itertools
import secrets

import structlog

from services.common.calls.connection_ids import connection_id
from services.common.kafka.bus import Bus
from services.common.kafka.table import CompactedTable
from services.gateway import stations
from services.gateway.cluster.directory import Directory, Route
from services.gateway.cluster.routing import Routing
from services.gateway.cluster.slots import SlotLost, Slots
from services.gateway.connection import Connection
from services.gateway.drain import drain
from services.gateway.ocppj.dialects import DIALECTS
from services.gateway.ocppj.limits import Limits
from services.gateway.ocppj.session import Peer, Session
from services.gateway.outbound import REPLACED, Delivery
from services.gateway.pressure.admission import Admission
from services.gateway.pressure.producer import Producer
from services.gateway.pressure.stall_guard import Wake
from services.gateway.records import Records
from services.gateway.registry import Registry
from services.gateway.settings import Settings
from services.gateway.transport import handshake
from services.gateway.transport.deflate import Deflate
from services.gateway.transport.handshake import Refused, Request
from services.gateway.transport.listener import Listener
from services.gateway.transport.websocket import Now
from services.ocpp import topics
from voltbus.v1.state_pb2 import Station

BY_POLICY = 1008
TICK = 1.0
# Connections that are looked at in one go.
PIECE = 500
# How long the end waits for a Kafka or a Redis that does not answer.
FLUSH_SECONDS = 5.0
BUSY = Refused(503, "not ready: try again", {"Retry-After": "5"})

log = structlog.get_logger()


class Gateway:
    """Its parts are public: app.py runs them, tests look at them. now: the clock, in seconds since 1970."""

    def __init__(self, settings: Settings, bus: Bus, directory: Directory, now: Now) -> None:
        self.settings = settings
        self.now = now
        # Makes connection ids unique for all time, and this process the owner of its slot.
        self.nonce = secrets.token_hex(6)
        self._numbers = itertools.count(1)
        self._key = settings.password_key.get_secret_value().encode()
        self._limits = Limits(settings.call_timeout, settings.command_timeout, settings.call_queue)
        self._draining = False
        self.registry = Registry()
        self.records = Records(settings.topic)
        self.producer = Producer(bus, settings.unacknowledged)
        self.admission = Admission(bus, self.records.calls.items(), settings.behind)
        self.routing = Routing(directory, settings.route_ttl / 3, self._replaced, self._outdated)
        first = settings.instance % settings.slots
        self.slots = Slots(directory, self.nonce, settings.slots, settings.slot_ttl, first, self.routing.restore)
        self.wake = Wake(self.slots, max(settings.slot_ttl / 2, 2 * TICK))
        self.stations = CompactedTable[Station](
            bus, settings.topic(topics.STATIONS.name), stations.decode, self._changed
        )
        self.outbound = Delivery(bus, self.registry, self.producer, self.records, self.slots, self.nonce, self.now)
        self.listener = Listener(settings, self)

    async def position(self) -> None:
        """Before the listener opens: replies to its first connections must not be missed."""
        await self.outbound.open()

    def knock(self, request: Request, deflate: Deflate | None) -> Refused | tuple[Connection, str] | None:
        """Answers from memory alone, so that a storm of reconnections costs nobody else anything."""
        if self._draining or self.wake.doubtful() or not self.stations.ready():
            return BUSY
        station_id = handshake.identity(request.path)
        if station_id is None:
            return Refused(404, "connect to /ocpp/{station_id}", {})
        station = self.stations.get(station_id)
        verdict = handshake.decide(request, station_id, station, self.settings.unknown_stations, self._key)
        if isinstance(verdict, Refused):
            log.info("refused", station_id=station_id, status=verdict.status)
            return verdict
        if verdict.version is None:
            log.info("no common subprotocol", station_id=station_id)
            return None
        named = connection_id(self.nonce, next(self._numbers))
        peer = Peer(station_id, named, self.slots.slot, verdict.quarantined)
        session = Session(peer, DIALECTS[verdict.version.name], self._limits)
        registered = None if station is None else station.password_hash
        return Connection(self, peer, session, deflate, registered), verdict.version.subprotocol

    def joined(self, connection: Connection) -> None:
        """A station is on a new connection; the one it had before ends."""
        if before := self.registry.of_station(connection.peer.station_id):
            before.close(REPLACED, "replaced by a newer connection")
        self.registry.add(connection)
        peer = connection.peer
        self.routing.add(Route(peer.station_id, peer.slot, peer.connection_id, connection.version, self.now()))

    def left(self, connection: Connection) -> None:
        """A connection ended."""
        self.registry.remove(connection)
        self.routing.remove(connection.peer.connection_id)

    async def tick(self) -> None:
        """Time passes for all connections, until cancelled."""
        while True:
            await asyncio.sleep(TICK)
            self.wake.tick(self.now())
            for number, connection in enumerate(self.registry):
                if number % PIECE == PIECE - 1:
                    await asyncio.sleep(0)
                if not connection.over:
                    connection.tick(self.now())

    async def keep_slot(self) -> None:
        """Renews the lease until cancelled. Raises SlotLost: then nobody is served any more, for it is another's."""
        try:
            await self.slots.run()
        except SlotLost:
            self._draining = True
            for connection in [*self.registry]:
                connection.leave(at_once=True)
            raise

    async def drain(self) -> None:
        """No new connections; what is under way is answered; the rest leaves in waves; nothing of ours stays behind."""
        self._draining = True
        await self.listener.close()
        log.info("draining", connections=len(self.registry))
        await drain(self.registry, self.settings.drain_seconds)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(self.producer.flush(), self.routing.flush()), FLUSH_SECONDS)

    def _replaced(self, route: Route) -> None:
        """A station came to us from another gateway, which may not have noticed."""
        if route.slot != self.slots.slot:
            reason = "replaced by a newer connection"
            self.producer.add(self.records.close(route.station_id, route.connection_id, route.slot, reason))

    def _outdated(self, route: Route) -> None:
        """Another gateway has a newer connection of a station that we still hold."""
        if connection := self.registry.get(route.connection_id):
            connection.close(REPLACED, "replaced by a newer connection")

    def _changed(self, station_id: str, station: Station | None) -> None:
        connection = self.registry.of_station(station_id)
        policy = self.settings.unknown_stations
        if connection and stations.must_leave(connection.registered, station, policy):
            connection.close(BY_POLICY, "the registration of this station has changed")
