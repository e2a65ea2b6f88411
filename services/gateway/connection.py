"""One station's connection: the pure session between its WebSocket and Kafka. It does what the session says."""

import random
from collections.abc import Sequence
from functools import partial
from typing import Protocol

import structlog

from services.gateway import metrics
from services.gateway.ocppj.actions import Action, Complete, Drop, Forward, Kind, Send
from services.gateway.ocppj.session import Peer, Session
from services.gateway.pressure.admission import Admission
from services.gateway.pressure.producer import Producer
from services.gateway.pressure.stall_guard import Wake
from services.gateway.records import Records
from services.gateway.settings import Settings
from services.gateway.transport.deflate import Deflate
from services.gateway.transport.websocket import Now, WebSocket
from voltbus.v1.bus_pb2 import (
    CONNECTION_STATE_ALIVE,
    CONNECTION_STATE_CONNECTED,
    CONNECTION_STATE_DISCONNECTED,
    Command,
    ConnectionChange,
    ConnectionState,
    Outcome,
    Reply,
)

GOING_AWAY = 1001

log = structlog.get_logger()


class Hub(Protocol):
    """What the connections of a gateway share."""

    settings: Settings
    producer: Producer
    admission: Admission
    records: Records
    wake: Wake
    now: Now

    def joined(self, connection: "Connection") -> None: ...

    def left(self, connection: "Connection") -> None: ...


class Connection(WebSocket):
    """registered: the password hash under which the station was let in; None: nobody had registered it."""

    __slots__ = ("_alive_at", "_hub", "_leaving", "_remote", "_session", "peer", "registered", "version")

    def __init__(
        self, hub: Hub, peer: Peer, session: Session, deflate: Deflate | None, registered: bytes | None
    ) -> None:
        super().__init__(hub.now, hub.settings.message_size, deflate)
        self._hub, self._session = hub, session
        self.peer, self.version, self.registered = peer, session.version, registered
        # Spread, so that connections that came together do not all report together.
        self._alive_at = self.heard + hub.settings.alive_interval * random.uniform(0.5, 1)
        self._remote, self._leaving = "", False

    def opened(self) -> None:
        address = self.transport.underlying_transport.get_extra_info("peername")
        self._remote = str(address[0]) if address else ""
        metrics.CONNECTIONS.labels(self.version).inc()
        self._hub.joined(self)
        self._report(CONNECTION_STATE_CONNECTED, self.heard)
        log.info("connected", version=self.version, remote=self._remote, **self._who)

    def message(self, data: bytes, now: float) -> None:
        if self._hub.wake.doubtful():
            return self._hub.wake.hold(self, data)
        self._perform(self._session.received(data, now))
        if self._hub.producer.full:
            self._hub.producer.hold(self)
        return None

    def ended(self) -> None:
        now = self._hub.now()
        metrics.CONNECTIONS.labels(self.version).dec()
        self._hub.left(self)
        self._perform(self._session.closed(now))
        self._report(CONNECTION_STATE_DISCONNECTED, now)
        log.info("disconnected", **self._who)

    def reply(self, reply: Reply) -> None:
        """A service has decided about a CALL."""
        self._perform(self._session.reply(reply, self._hub.now()))

    def command(self, command: Command) -> None:
        """A service wants something of the station."""
        self._perform(self._session.command(command, self._hub.now()))

    def leave(self, at_once: bool = False) -> None:
        """Closes as soon as nothing is under way."""
        if at_once or not self._session.busy:
            self.close(GOING_AWAY, "the gateway goes down")
        self._leaving = True

    def tick(self, now: float) -> None:
        """About once a second."""
        if self._session.busy:
            self._perform(self._session.tick(now))
        if now >= self._alive_at:
            self._alive_at = now + self._hub.settings.alive_interval
            self._report(CONNECTION_STATE_ALIVE, now)
        self.watch(now, self._hub.settings.ping_interval, self._hub.settings.pong_timeout)

    @property
    def _who(self) -> dict[str, str]:
        return {"station_id": self.peer.station_id, "connection_id": self.peer.connection_id}

    def _perform(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Send():
                    self._send(action)
                case Forward():
                    self._forward(action)
                case Complete():
                    self._complete(action)
                case Drop():
                    self._drop(action)
        if self._leaving and not self._session.busy:
            self.leave()

    def _send(self, action: Send) -> None:
        if not self.over:
            self.send(action.frame)
        metrics.FRAMES.count(("out", action.kind, self.version, action.action))
        if action.took is not None:
            metrics.LATENCY.observe((action.action, self.version), action.took)

    def _forward(self, action: Forward) -> None:
        call = action.call
        metrics.FRAMES.count(("in", Kind.CALL, self.version, call.action))
        done = partial(self._acknowledged, call.message_id) if action.acknowledge else None
        self._hub.producer.add(self._hub.records.call(action.service, call, done))
        self._hub.admission.passed(action.service, self)

    def _acknowledged(self, message_id: str) -> None:
        if not self.over:
            self._perform(self._session.acknowledged(message_id, self._hub.now()))

    def _complete(self, action: Complete) -> None:
        result = action.result
        metrics.RESULTS.labels(Outcome.Name(result.outcome), self.version).inc()
        if record := self._hub.records.result(action.service, result):
            self._hub.producer.add(record)

    def _drop(self, action: Drop) -> None:
        metrics.DROPPED.labels(action.reason).inc()
        log.info("dropped", reason=action.reason, message_id=action.message_id, about=action.about, **self._who)

    def _report(self, state: ConnectionState, now: float) -> None:
        change = ConnectionChange(
            station_id=self.peer.station_id,
            connection_id=self.peer.connection_id,
            slot=self.peer.slot,
            version=self.version,
            state=state,
            remote_address=self._remote,
            quarantined=self.peer.quarantined,
        )
        change.at.FromMicroseconds(int(now * 1e6))
        change.last_seen_at.FromMicroseconds(int(self.heard * 1e6))
        self._hub.producer.add(self._hub.records.change(change))
