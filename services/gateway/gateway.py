"""The gateway put together: who is admitted, the one connection of a station, time-outs, shutdown."""

import asyncio
import contextlib
import itertools
import secrets
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog

from services.common.calls.connection_ids import connection_id
from services.common.kafka.bus import Bus
from services.common.kafka.table import CompactedTable
from services.common.process.tracing import Tracing
from services.gateway import credentials, metrics, strangers
from services.gateway.cluster.directory import Directory, Route
from services.gateway.cluster.routing import Routing
from services.gateway.cluster.slot_lease import SlotLease, SlotLost
from services.gateway.connection import Connection, GatewayContext
from services.gateway.drain import drain
from services.gateway.ocppj.dialects import DIALECTS
from services.gateway.ocppj.limits import Limits
from services.gateway.ocppj.session import Peer, Session
from services.gateway.outbound import OutboundDelivery
from services.gateway.pressure.admission import AdmissionControl
from services.gateway.pressure.memory import Memory
from services.gateway.pressure.pace import Paces, Rates
from services.gateway.pressure.producer import Producer
from services.gateway.pressure.stall_guard import StallGuard
from services.gateway.pressure.turns import Turns
from services.gateway.records import Records
from services.gateway.refusals import Refusals
from services.gateway.registry import Registry
from services.gateway.rivals import Rivals
from services.gateway.settings import Settings
from services.gateway.throttle import Throttle
from services.gateway.timing import DEFAULT_TIMING, SYSTEM_CLOCKS, Clocks, Timing
from services.gateway.transport import handshake, profiles
from services.gateway.transport.client_certificate import ClientCertificate
from services.gateway.transport.handshake import Admitted, Refused, Request
from services.gateway.transport.profiles import Trust
from services.gateway.transport.transport import CloseCode
from services.ocpp import topics
from services.ocpp.refusals import RefusalReason
from services.ocpp.sealing import Sealing
from services.ocpp.services import AUTH
from services.ocpp.versions import VERSIONS, Version
from voltbus.v1.bus_pb2 import OUTCOME_CONFIRMED, OUTCOME_SECURED, Outcome, RefusedHandshakes, Result
from voltbus.v1.credentials_pb2 import Credentials, Revocation

# Connections whose time-outs are checked in one go.
TICK_BATCH = 500
# Of VOLTBUS_PASSWORD_KEY, VOLTBUS_PASSWORD_KEY_BEFORE.
PASSWORD_KEYS = tuple(map(metrics.PASSWORDS.labels, ("current", "before")))
AMBIGUOUS = Refused(404, "several stations have this id in other capitals: connect with one that is registered", {})
NO_ID = f"an id has 1 to {handshake.MAX_STATION_ID_LENGTH} characters that can be seen, no slash and no colon"
UNUSABLE = Refused(404, NO_ID, {}, RefusalReason.UNUSABLE_ID)
CHANGED = "the registration of this station has changed"
NOT_READY = Refused(503, "not ready: try again", {"Retry-After": "5"})

log = structlog.get_logger()


class Gateway:
    """Knows connections, not what carries them: listeners come to `admit`.

    Its parts are public: app.py runs them, tests look at them.
    """

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        directory: Directory,
        *,
        clocks: Clocks = SYSTEM_CLOCKS,
        timing: Timing = DEFAULT_TIMING,
        tracing: Tracing | None = None,
    ) -> None:
        self.settings, self._clocks, self._timing, self.tracing = settings, clocks, timing, tracing
        # Makes connection ids unique for all time, and this process the owner of its slot.
        self.nonce = secrets.token_hex(6)
        self._numbers = itertools.count(1)
        self._keys = settings.password_keys
        self._sealing = Sealing(*self._keys)
        self._limits = Limits(
            settings.call_timeout, settings.command_timeout, settings.call_queue, settings.call_queue_size
        )
        self._draining = False
        self.registry = Registry()
        self.memory, self.turns = Memory(settings.waiting_size), Turns()
        self._paces = Paces(Rates.of(settings))
        self.records = Records(settings.topic, frames=settings.frame_log != "off")
        self._refusals, self._throttle = Refusals(), Throttle()
        self.producer = Producer(
            bus, settings.unacknowledged, settings.unacknowledged_size, monotonic=clocks.monotonic, timing=timing
        )
        self.admission = AdmissionControl(
            bus, self.records.calls.items(), limit=settings.behind, monotonic=clocks.monotonic, timing=timing
        )
        self.routing = Routing(
            directory,
            renewal=settings.route_ttl / 3,
            retry=timing.route_retry,
            on_replaced=self._close_elsewhere,
            on_outdated=self._close_outdated,
        )
        self.lease = SlotLease(
            directory,
            owner=self.nonce,
            count=settings.slots,
            partitions=partial(bus.partitions_of, self.records.outbound),
            ttl=settings.slot_ttl,
            first=settings.instance % settings.slots,
            on_redis_reset=self.routing.restore,
            monotonic=clocks.monotonic,
        )
        self.rivals = Rivals(
            settings,
            self.registry,
            directory,
            monotonic=clocks.monotonic,
            timing=timing,
            on_elsewhere=self._probe_elsewhere,
        )
        self.stall_guard = StallGuard(self.lease, max(settings.slot_ttl / 2, 2 * timing.tick))
        self.credentials = credentials.RegisteredStations(
            bus, settings.topic(topics.CREDENTIALS.name), credentials.decode, on_change=self._station_changed
        )
        self.revocations = CompactedTable(
            bus, settings.topic(topics.REVOCATIONS.name), Revocation.FromString, on_change=self._revoked
        )
        self._trust = Trust(frozenset(name.lower() for name in settings.cpo_names), self.revocations.__contains__)
        self.outbound = OutboundDelivery(
            bus,
            self.registry,
            producer=self.producer,
            records=self.records,
            lease=self.lease,
            nonce=self.nonce,
            wall=clocks.wall,
        )
        self._context = GatewayContext(
            settings=settings,
            monotonic=clocks.monotonic,
            wall=clocks.wall,
            records=self.records,
            producer=self.producer,
            admission=self.admission,
            memory=self.memory,
            stall_guard=self.stall_guard,
            tracing=tracing,
            on_opened=self._opened,
            on_closed=self._closed,
            on_finished=self._finished,
            on_contradicted=self._contradicted,
            on_listens=self._listens,
        )

    def admit(self, request: Request) -> Refused | tuple[Connection, str] | None:
        """Answers from memory alone, so that a storm of reconnections slows nobody else down.

        A refusal; or the connection, to be opened, and its subprotocol (may be empty); None: no version is shared.
        """
        verdict = self.verify(request, VERSIONS.get(self.settings.without_subprotocol))
        if isinstance(verdict, Refused):
            return verdict
        if verdict.version is None:
            strangers.log.info("no common subprotocol", station_id=verdict.station_id, remote=request.remote_address)
            self._refused(verdict.station_id, RefusalReason.NO_SUBPROTOCOL, request)
            return None
        if held_off := self.held_off(verdict, request):
            return held_off
        return self.connect(verdict, verdict.version, request), verdict.subprotocol

    def verify(self, request: Request, unnamed: Version | None) -> Refused | Admitted:
        """Whether who asks may come in. unnamed: what is spoken with a station that offers no subprotocol."""
        if self._draining or self.stall_guard.lease_uncertain(self._clocks.monotonic()) or not self._tables_ready():
            return NOT_READY
        if (said := handshake.station_id_of(request.path)) is None:
            if unusable := handshake.unusable_id_of(request.path):
                self._refused(unusable, RefusalReason.UNUSABLE_ID, request)
                return UNUSABLE
            return Refused(404, "connect to /ocpp/{station_id}", {})
        if (station_id := self._station_id(said)) is None:
            self._refused(said, RefusalReason.AMBIGUOUS_ID, request)
            return AMBIGUOUS
        station = self.credentials.get(station_id)
        verdict = handshake.decide(
            request,
            station_id,
            station,
            policy=self.settings.unknown_stations,
            keys=self._keys,
            unnamed=unnamed,
            trust=self._trust,
            now=datetime.fromtimestamp(self._clocks.wall(), UTC),
        )
        return self._refuse(verdict, station_id, request) if isinstance(verdict, Refused) else verdict

    def held_off(self, admitted: Admitted, request: Request) -> Refused | None:
        """Why a station that may come in has to wait with another connection; None: it need not."""
        refused = self.rivals.refusal(admitted.station_id, request.remote_address)
        return self._refuse(refused, admitted.station_id, request) if refused else None

    def connect(self, admitted: Admitted, version: Version, request: Request) -> Connection:
        """The connection of a station that was let in, to be opened."""
        if admitted.key:
            PASSWORD_KEYS[self._keys.index(admitted.key)].inc()
        if admitted.quarantined:
            self._refused(admitted.station_id, RefusalReason.QUARANTINED, request)
        peer = Peer(
            station_id=admitted.station_id,
            connection_id=connection_id(self.nonce, next(self._numbers)),
            slot=self.lease.slot,
            quarantined=admitted.quarantined,
            certificate_expired=admitted.security.expired,
        )
        strict = credentials.is_strict(self.credentials.get(admitted.station_id), self.settings.reading)
        session = Session(peer, DIALECTS[version.name], self._limits, sealing=self._sealing, strict=strict)
        before = self.registry.of_station(admitted.station_id)
        return Connection(
            self._context,
            peer,
            session,
            registered=self.registered(admitted),
            confirms=admitted.change.command_id if admitted.change else "",
            pace=(before and before.pace) or self._paces.take(admitted.station_id, self._clocks.monotonic()),
            security=admitted.security,
            silence=self.settings.soap_silence if request.soap else 0.0,
        )

    def registered(self, admitted: Admitted) -> bytes | None:
        """The password hash under which it is let in; None: nobody has registered it."""
        station = self.credentials.get(admitted.station_id)
        return None if station is None else (admitted.change or station).password_hash

    def fault_of_host(self, station_id: str, certificate: ClientCertificate, host: str) -> str | None:
        """Why what a host shows that is called does not say that it is the station; None: it does."""
        return profiles.fault_of_host(certificate, host, station_id, self.credentials.get(station_id), self._trust)

    async def tick(self) -> None:
        """Checks the time-outs of all connections, until cancelled."""
        while True:
            await asyncio.sleep(self._timing.tick)
            self.stall_guard.tick(self._clocks.monotonic())
            self.memory.wake_all()
            self._tell_refusals()
            self._paces.forget(self._clocks.monotonic())
            self.rivals.forget()
            await self._tick_connections()

    async def keep_lease(self) -> None:
        """Renews the lease until cancelled. Raises SlotLost: then nobody is served any more."""
        try:
            await self.lease.run()
        except SlotLost:
            self._draining = True
            for connection in self.registry:
                connection.go_away()
            self.stall_guard.slot_lost(self._clocks.monotonic())
            raise

    @property
    def longest_drain(self) -> float:
        """Seconds that a drain is given: for its connections, and twice as long as for what is flushed."""
        return self.settings.drain_seconds + 2 * self._timing.flush_timeout

    async def drain(self) -> None:
        """No new connections; those without CALLs under way are closed in waves; records and routes are flushed."""
        self._draining = True
        log.info("draining", connections=len(self.registry))
        await drain(self.registry, self.settings.drain_seconds, self._timing.drain_wave)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timing.flush_timeout):
                await self.turns.idle()
                await asyncio.gather(self.producer.flush(), self.routing.flush())

    async def _tick_connections(self) -> None:
        for number, connection in enumerate(self.registry):
            if number % TICK_BATCH == TICK_BATCH - 1:
                await asyncio.sleep(0)
            if not connection.transport.over:
                connection.tick(self._clocks.monotonic())

    def _station_id(self, said: str) -> str | None:
        """The id of a station that says it in any case: as it is registered, or as it is here unregistered.

        None: several are registered that differ in case alone, and none as it was said.
        """
        spellings = self.credentials.spellings(said)
        if not spellings:
            here = self.registry.unregistered(said)
            return here.peer.station_id if here else said
        return said if said in spellings else spellings[0] if len(spellings) == 1 else None

    def _refuse(self, verdict: Refused, station_id: str, request: Request) -> Refused:
        """The answer, which is another one after too many wrong passwords."""
        if verdict.status == handshake.UNAUTHORIZED:
            now = self._clocks.monotonic()
            if wait := self._throttle.failed(station_id, request.remote_address, now):
                verdict = handshake.too_many(wait)
        if verdict.reason is not RefusalReason.TOO_MANY_WRONG_PASSWORDS:
            remote = request.remote_address
            strangers.log.info("refused", station_id=station_id, status=verdict.status, remote=remote)
        if verdict.reason:
            self._refused(station_id, verdict.reason, request)
        return verdict

    def _refused(self, station_id: str, reason: RefusalReason, request: Request) -> None:
        self._note_refusal(station_id, reason, request.remote_address, ",".join(request.subprotocols))

    def _note_refusal(self, station_id: str, reason: RefusalReason, remote_address: str, offered: str = "") -> None:
        metrics.REFUSED_HANDSHAKES.labels(reason).inc()
        self._refusals.add(station_id, reason, remote_address, offered, self._clocks.wall())

    def _tables_ready(self) -> bool:
        """Whether all is known that stations are let in by."""
        return self.credentials.ready() and self.revocations.ready()

    def _tell_refusals(self) -> None:
        if handshakes := self._refusals.take(self._clocks.monotonic()):
            told = RefusedHandshakes(gateway=self.nonce, handshakes=handshakes)
            told.at.FromMicroseconds(int(self._clocks.wall() * 1e6))
            self.producer.add(self.records.refusals(told))

    def _opened(self, connection: Connection) -> None:
        """A station is on a new connection; the one it had before ends."""
        peer = connection.peer
        if before := self.registry.of_station(peer.station_id):
            before.replace(connection.remote_address)
        self.registry.add(connection)
        self.routing.add(
            Route(
                station_id=peer.station_id,
                slot=peer.slot,
                connection_id=peer.connection_id,
                version=connection.version,
                since=self._clocks.wall(),
                silence=connection.silence,
            )
        )
        if connection.confirms:
            self._confirm(connection)
        registered = self.credentials.get(peer.station_id)
        if registered and connection.security.profile > max(registered.security_profile, profiles.PASSWORD):
            self._tell(connection, OUTCOME_SECURED, security_profile=connection.security.profile)

    def _confirm(self, connection: Connection) -> None:
        """The station is here with the password that it was asked to take: auth need not know it from its answer."""
        self._tell(connection, OUTCOME_CONFIRMED, command_id=connection.confirms)

    def _tell(self, connection: Connection, outcome: Outcome, **more: Any) -> None:
        """Tells auth."""
        result = Result(
            station_id=connection.peer.station_id,
            connection_id=connection.peer.connection_id,
            version=connection.version,
            outcome=outcome,
            **more,
        )
        result.at.FromMicroseconds(int(self._clocks.wall() * 1e6))
        if record := self.records.result(AUTH, result):
            self.producer.add(record)

    def _closed(self, connection: Connection) -> None:
        self.registry.remove(connection)
        self.routing.remove(connection.peer.connection_id)

    def _listens(self, connection: Connection, address: str, reached: bool | None) -> None:
        self.routing.listens(connection.peer.connection_id, address, reached)

    def _contradicted(self, connection: Connection) -> None:
        self._note_refusal(
            connection.peer.station_id, RefusalReason.OTHER_SERIAL_NUMBER, connection.transport.remote_address
        )

    def _revoked(self, key: str, revocation: Revocation | None) -> None:
        for connection in self.registry if revocation is not None else ():
            certificate = connection.security.certificate
            if certificate and key in certificate.revocable_by:
                connection.close(CloseCode.POLICY_VIOLATION, "the certificate of this station is revoked")

    def _finished(self, connection: Connection) -> None:
        """Nothing more comes of it."""
        self.registry.forget(connection)
        self.rivals.finished(connection)
        station_id = connection.peer.station_id
        if connection.pace is not None and self.registry.of_station(station_id) is None:
            self._paces.keep(station_id, connection.pace, self._clocks.monotonic())

    def _close_elsewhere(self, route: Route) -> None:
        """A station reconnected here from another gateway, which may not have noticed."""
        if route.slot != self.lease.slot:
            newer = self.registry.of_station(route.station_id)
            address = newer.remote_address if newer else ""
            self.producer.add(self.records.close(route.station_id, route.connection_id, route.slot, address))

    def _probe_elsewhere(self, route: Route) -> None:
        """Another device wants the id of a connection on another gateway."""
        self.producer.add(self.records.probe(route.station_id, route.connection_id, route.slot))

    def _close_outdated(self, route: Route) -> None:
        """Another gateway has a newer connection of a station that is still connected here."""
        if connection := self.registry.get(route.connection_id):
            connection.replace("")

    def _must_reconnect(self, connection: Connection, station: Credentials | None) -> bool:
        security = connection.security
        if station is not None and not profiles.may_stay(security, connection.peer.station_id, station):
            return True
        if station is not None and connection.registered is not None and security.profile == profiles.CERTIFICATE:
            # It did not come by a password.
            return False
        return credentials.must_reconnect(connection.registered, station, self.settings.unknown_stations)

    def _station_changed(self, station_id: str, station: Credentials | None) -> None:
        if connection := self.registry.of_station(station_id):
            connection.read_strictly(credentials.is_strict(station, self.settings.reading))
            if self._must_reconnect(connection, station):
                connection.close(CloseCode.POLICY_VIOLATION, CHANGED)
            elif station is not None:
                connection.registered = credentials.registered_now(connection.registered, station)
        stranger = self.registry.unregistered(station_id) if station is not None else None
        if stranger and stranger.peer.station_id != station_id:
            # It comes back under the id that is registered.
            stranger.close(CloseCode.POLICY_VIOLATION, CHANGED)
