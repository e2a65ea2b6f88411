"""One station's connection: the pure session between its transport and Kafka. It does what the session returns."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import orjson
import structlog

from services.common.kafka.bus import Header
from services.common.kafka.traced import headers_of
from services.common.process.sparing import Sparing
from services.common.process.tracing import Tracing
from services.gateway import metrics
from services.gateway.deviations import Deviations
from services.gateway.frame_notes import FrameNotes
from services.gateway.ocppj.actions import (
    Complete,
    Drop,
    Forward,
    MessageType,
    Reason,
    Refuse,
    Send,
    SessionAction,
    Waiting,
)
from services.gateway.ocppj.dialects import DIALECTS
from services.gateway.ocppj.session import Peer, Session
from services.gateway.pressure.admission import AdmissionControl
from services.gateway.pressure.hold import Hold
from services.gateway.pressure.memory import Memory
from services.gateway.pressure.pace import Pace
from services.gateway.pressure.producer import Producer
from services.gateway.pressure.stall_guard import StallGuard
from services.gateway.records import Records, replaced
from services.gateway.settings import Settings
from services.gateway.timing import Seconds
from services.gateway.traces import ConnectionTraces, begin_call, begin_command
from services.gateway.transport.profiles import UNSECURED, Security, contradicts, told
from services.gateway.transport.transport import CloseCode, Transport
from services.ocpp.deviations import Deviation, Told
from voltbus.v1.bus_pb2 import (
    CONNECTION_STATE_ALIVE,
    CONNECTION_STATE_CONNECTED,
    CONNECTION_STATE_DISCONNECTED,
    Call,
    Command,
    ConnectionChange,
    ConnectionSecurity,
    ConnectionState,
    Frame,
    Outcome,
    RefusedMessage,
    Reply,
)

# Of a refused message, so many bytes are kept.
LONGEST_FRAME, LONGEST_ACTION = 8192, 50
# Of one kind of dropped frames, so many lines are logged at once; then one each so many seconds.
LINES_AT_ONCE, LINE_EVERY = 5, 60.0
# Taken once: an attribute of an enumeration takes longer than the rest of a line of the hot path.
SEND = MessageType.SEND
BOOT = "BootNotification"

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class GatewayContext:
    """What the connections of a gateway share. on_opened, on_closed, on_finished: called by each connection once.

    on_contradicted: its station says another serial number than its certificate. on_listens: see CallingReceiver.
    """

    settings: Settings
    monotonic: Seconds
    wall: Seconds
    records: Records
    producer: Producer
    admission: AdmissionControl
    memory: Memory
    stall_guard: StallGuard
    tracing: Tracing | None
    on_opened: Callable[["Connection"], None]
    on_closed: Callable[["Connection"], None]
    on_finished: Callable[["Connection"], None]
    on_contradicted: Callable[["Connection"], None]
    on_listens: Callable[["Connection", str, bool | None], None]


class Connection:
    """A Receiver. registered: the password hash under which the station was let in; None: nobody had registered it.

    confirms: the command that gave the station the password which it came with; empty: it had it before.
    pace: how fast the station has sent so far. replaced_at, replaced_by: when the station opened a newer one, and where
    that comes from; None: it has not. silence: seconds after which its station counts as gone, where it speaks SOAP.
    transport: from `opened` on. Times are seconds of the monotonic clock; the wall clock is for records alone.
    """

    __slots__ = (
        "_alive_at",
        "_context",
        "_deviations",
        "_draining",
        "_lines",
        "_notes",
        "_session",
        "_traces",
        "_waiting",
        "confirms",
        "pace",
        "peer",
        "registered",
        "remote_address",
        "replaced_at",
        "replaced_by",
        "security",
        "silence",
        "transport",
        "version",
    )

    transport: Transport

    def __init__(
        self,
        context: GatewayContext,
        peer: Peer,
        session: Session,
        *,
        registered: bytes | None,
        confirms: str = "",
        pace: Pace | None = None,
        security: Security = UNSECURED,
        silence: float = 0.0,
    ) -> None:
        self._context, self._session, self.pace = context, session, pace
        self.peer, self.version, self.registered, self.confirms = peer, session.version, registered, confirms
        self.security, self.silence = security, silence
        self._draining = False
        # Bytes of CALLs in the session that wait for the one before them.
        self._waiting = 0
        self._deviations: Deviations | None = None
        self._notes: FrameNotes | None = None
        self._lines: Sparing | None = None
        self._traces: ConnectionTraces | None = None
        self.remote_address = self.replaced_by = ""
        self.replaced_at: float | None = None

    @property
    def occupied(self) -> bool:
        """Whether a CALL would have to wait."""
        return self._session.occupied

    def opened(self, transport: Transport) -> None:
        context = self._context
        now = context.monotonic()
        self.transport, self.remote_address = transport, transport.remote_address
        # Spread, so that connections that opened together do not all report together.
        self._alive_at = now + context.settings.alive_interval * random.uniform(0.5, 1)
        metrics.CONNECTIONS.labels(self.version).inc()
        context.on_opened(self)
        self._report(CONNECTION_STATE_CONNECTED, now, security=told(self.security))
        log.info("connected", version=self.version, remote=self.remote_address, **self._ids)

    def message(self, frame: bytes, now: float, waited: float = 0.0, deviations: tuple[Told, ...] = ()) -> None:
        context = self._context
        if context.stall_guard.lease_uncertain(now):
            came = now - waited
            return context.stall_guard.hold(self.transport, lambda at: self.message(frame, at, at - came, deviations))
        self._perform(self._session.received(frame, now, context.wall(), waited, deviations))
        if context.producer.full():
            context.producer.hold(self.transport)
        return None

    def oversized(self, head: bytes, size: int, now: float) -> None:
        self._perform(self._session.oversized(head, size, now, self._context.wall()))

    def closed(self, reason: str) -> None:
        context = self._context
        metrics.CONNECTIONS.labels(self.version).dec()
        context.on_closed(self)
        now = context.monotonic()
        if self._traces is not None:
            self._traces.closed(context.wall())
        self._perform(self._session.closed(now, context.wall()))
        self._report(CONNECTION_STATE_DISCONNECTED, now, reason=reason)
        left_out = self._lines.rest() if self._lines else {}
        log.info("disconnected", reason=reason, **self._ids, **left_out)

    def finished(self) -> None:
        self._context.on_finished(self)

    def reply(self, reply: Reply) -> None:
        """A service has answered a CALL."""
        context = self._context
        self._perform(self._session.reply(reply, context.monotonic(), context.wall()))

    def command(self, command: Command, traceparent: str | None = None) -> None:
        """A service sends the station a command. traceparent: where it is traced."""
        context = self._context
        if context.tracing is not None and traceparent is not None:
            self._trace_command(context.tracing, command, traceparent)
        self._perform(self._session.command(command, context.monotonic(), context.wall()))

    def unsent(self, message_id: str) -> None:
        """The transport could not reach the station with a command: it waits until `heard`, or until it expires."""
        self._perform(self._session.unsent(message_id))

    def unsayable(self, message_id: str, reason: str) -> None:
        """The transport cannot carry a command."""
        context = self._context
        self._perform(self._session.unsayable(message_id, context.monotonic(), context.wall(), reason))

    def unusable(self, message_id: str, document: bytes, reason: str) -> None:
        """The station has answered a command with what is no message."""
        context = self._context
        self._perform(self._session.garbled(message_id, document, reason, context.monotonic(), context.wall()))

    def unread(self, document: bytes, reason: str) -> None:
        """The station has sent what is no message, to the transport that would make one of it."""
        self._drop(Drop(Reason.MALFORMED, "", reason, document))

    def listens(self, address: str, reached: bool | None) -> None:
        """Where the station is called, and whether it could be."""
        self._context.on_listens(self, address, reached)

    def heard(self) -> None:
        """The station can be reached again."""
        context = self._context
        self._perform(self._session.heard(context.monotonic(), context.wall()))

    def read_strictly(self, strict: bool) -> None:
        """Whether what breaks its schema is refused from now on."""
        self._session.strict = strict

    @property
    def outlived(self) -> bool:
        """Whether the station was heard on it after it was replaced."""
        return self.replaced_at is not None and self.transport.last_seen > self.replaced_at

    def replace(self, by: str) -> None:
        """The station has a newer connection. by: where it comes from; empty: not known."""
        if not self.transport.over:
            if not self.transport.hung_up:
                self.replaced_at, self.replaced_by = self._context.monotonic(), by
            self.close(CloseCode.REPLACED, replaced(by))

    def probe(self) -> bool:
        """Asks the station whether it is alive: it soon ends if not. Whether it was heard since it was asked before."""
        return self.transport.probe(self._context.monotonic())

    def close(self, code: CloseCode, reason: str) -> None:
        self.transport.close(code, reason)

    def drain(self) -> None:
        """Closes as soon as nothing is under way."""
        self._draining = True
        if not self._session.busy:
            self.go_away()

    def go_away(self) -> None:
        """Closes whatever is under way."""
        self.close(CloseCode.GOING_AWAY, "the gateway goes down")

    def tick(self, now: float) -> None:
        """About once a second."""
        if self._session.busy:
            self._perform(self._session.tick(now, self._context.wall()))
        settings = self._context.settings
        if now >= self._alive_at:
            self._alive_at = now + settings.alive_interval
            self._report(CONNECTION_STATE_ALIVE, now)
        self.transport.keep_alive(now, settings.ping_interval, settings.pong_timeout)

    @property
    def _ids(self) -> dict[str, str]:
        return {"station_id": self.peer.station_id, "connection_id": self.peer.connection_id}

    def _perform(self, actions: Sequence[SessionAction]) -> None:
        for action in actions:
            # By type: a pattern of match takes several times as long.
            if type(action) is Send:
                self._send(action)
            elif type(action) is Forward:
                self._forward(action)
            elif type(action) is Complete:
                self._complete(action)
            elif type(action) is Refuse:
                self._refuse(action)
            elif type(action) is Drop:
                self._drop(action)
            elif type(action) is Waiting:
                self._wait(action)
        if self._draining and not self._session.busy:
            self.go_away()

    def _send(self, action: Send) -> None:
        if self.transport.over:
            return
        self.transport.send(action.frame)
        metrics.FRAMES.count(("out", action.message_type, self.version, action.action))
        if action.latency is not None:
            metrics.LATENCY.observe((action.action, self.version), action.latency)
        if self._traces is not None:
            self._traces.sent(action, self._context.wall())

    def _forward(self, action: Forward) -> None:
        context, call = self._context, action.call
        if self.security.certificate is not None and call.action == BOOT and self._is_of_another(call):
            return
        metrics.FRAMES.count(("in", action.message_type, self.version, call.action))
        if action.deviations:
            self._tolerate(call.action, action.deviations)
        on_acknowledged = partial(self._acknowledged, call.message_id) if action.acknowledge else None
        headers = () if context.tracing is None else self._trace_call(context.tracing, action)
        # Nobody sends it again but we.
        resend = action.message_type is SEND
        context.producer.add(context.records.call(action.service, call, on_acknowledged, headers, resend=resend))
        context.admission.forwarded(action.service, self.transport)

    def _is_of_another(self, call: Call) -> bool:
        """Whether the serial number of a boot is not that of the certificate; the connection then ends (B01.FR.12)."""
        certificate = self.security.certificate
        said = DIALECTS[self.version].serial_numbers_of(orjson.loads(call.payload))
        if certificate is None or not contradicts(certificate, self.peer.station_id, said):
            return False
        self._context.on_contradicted(self)
        self.close(CloseCode.POLICY_VIOLATION, "the serial number is not that of the certificate")
        return True

    def _acknowledged(self, message_id: str) -> None:
        if not self.transport.over:
            context = self._context
            self._perform(self._session.acknowledged(message_id, context.monotonic(), context.wall()))

    def _complete(self, action: Complete) -> None:
        result = action.result
        metrics.RESULTS.labels(Outcome.Name(result.outcome), self.version).inc()
        if action.deviations:
            self._tolerate(result.action, action.deviations)
        span = None if self._traces is None else self._traces.completed(result, self._context.wall())
        if record := self._context.records.result(action.service, result, headers_of(span)):
            self._context.producer.add(record)

    def _trace_call(self, tracing: Tracing, action: Forward) -> tuple[Header, ...]:
        span = begin_call(tracing, action.call)
        if span is not None:
            self._traces = self._traces or ConnectionTraces()
            self._traces.forwarded(action, span, self._context.wall(), self.transport.over)
        return headers_of(span)

    def _trace_command(self, tracing: Tracing, command: Command, traceparent: str) -> None:
        wall = self._context.wall()
        span = begin_command(tracing, command, self.peer.station_id, self.version, traceparent, wall)
        if span is not None:
            self._traces = self._traces or ConnectionTraces()
            self._traces.delivered(command, span)

    def _wait(self, action: Waiting) -> None:
        self._context.memory.add(action.size - self._waiting)
        self._waiting = action.size
        if action.full:
            self.transport.pause(Hold.CALLS)
        else:
            self.transport.resume(Hold.CALLS)

    def _tolerate(self, action: str, deviations: Sequence[Told]) -> None:
        for deviation in deviations:
            metrics.TOLERATED.labels(deviation.deviation).inc(deviation.times)
        self._count(action, deviations)

    def _count(self, action: str, deviations: Sequence[Told]) -> Deviations:
        if self._deviations is None:
            self._deviations = Deviations()
        if self._deviations.add(action, deviations):
            # What is new is told with the next tick.
            self._alive_at = 0
        return self._deviations

    def _refuse(self, action: Refuse) -> None:
        metrics.REFUSED.labels(action.code, self.version).inc()
        self._note(action)
        if not action.deviates:
            return
        known = action.action[:LONGEST_ACTION]
        if self._count(known, [Told(Deviation.REFUSED, "", 1)]).keeps_refused():
            refused = RefusedMessage(
                message_id=action.message_id,
                action=known,
                code=action.code,
                description=action.description,
                frame=action.frame[:LONGEST_FRAME].decode(errors="replace"),
            )
            self._report(CONNECTION_STATE_ALIVE, self._context.monotonic(), refused)

    def _drop(self, action: Drop) -> None:
        metrics.DROPPED.labels(action.reason).inc()
        self._note(action)
        trace_id = self._traces and self._traces.dropped(action, self._context.wall())
        if self._lines is None:
            self._lines = Sparing(LINES_AT_ONCE, LINE_EVERY)
        if (left_out := self._lines.admit(action.reason, self._context.monotonic())) is None:
            return
        ids = self._ids | {"trace_id": trace_id} if trace_id else self._ids
        what = {"reason": action.reason, "message_id": action.message_id, "detail": action.detail}
        log.info("dropped", **what, **ids, **left_out)

    def _note(self, action: Refuse | Drop) -> None:
        if self._notes is None:
            self._notes = FrameNotes()
        self._publish(self._notes.note(action))

    def _publish(self, frame: Frame | None) -> None:
        if frame is None:
            return
        frame.station_id, frame.connection_id = self.peer.station_id, self.peer.connection_id
        frame.version = self.version
        frame.at.FromMicroseconds(int(self._context.wall() * 1e6))
        if record := self._context.records.frame(frame):
            self._context.producer.add(record)

    def _report(
        self,
        state: ConnectionState,
        now: float,
        refused: RefusedMessage | None = None,
        reason: str = "",
        security: ConnectionSecurity | None = None,
    ) -> None:
        if self._notes is not None and refused is None:
            self._publish(self._notes.renew())
        change = ConnectionChange(
            station_id=self.peer.station_id,
            connection_id=self.peer.connection_id,
            slot=self.peer.slot,
            version=self.version,
            state=state,
            remote_address=self.remote_address,
            quarantined=self.peer.quarantined,
            refused=refused,
            reason=reason,
            security=security,
            deviations=self._deviations.take() if self._deviations and not refused else None,
        )
        wall = self._context.wall()
        change.at.FromMicroseconds(int(wall * 1e6))
        change.last_seen_at.FromMicroseconds(int((wall - (now - self.transport.last_seen)) * 1e6))
        self._context.producer.add(self._context.records.change(change))
