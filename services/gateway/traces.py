"""Spans of one connection that have not ended: of the CALL of its station that is outstanding, and of commands."""

from services.common.process.tracing import Span, Tracing
from services.gateway.ocppj.actions import Drop, Forward, MessageType, Reason, Send
from voltbus.v1.bus_pb2 import OUTCOME_ANSWERED, Call, Command, Outcome, Result


class ConnectionTraces:
    """Made with the first of a connection. Moments are those of the clock of records, in seconds since 1970."""

    __slots__ = ("_call", "_commands")

    def __init__(self) -> None:
        self._call: tuple[str, Span] | None = None
        self._commands: dict[str, Span] = {}

    def forwarded(self, action: Forward, span: Span, wall: float, over: bool) -> None:
        """A CALL of the station goes to its service. over: its answer has nowhere to go."""
        call = action.call
        if call.answered and not action.acknowledge and not over:
            # A heartbeat has its answer already, and a SEND gets none.
            span.end(wall)
            return
        self._call = call.message_id, span
        if over:
            self.closed(wall)

    def delivered(self, command: Command, span: Span) -> None:
        """A command has come, and may have to wait."""
        self._commands[command.id] = span

    def sent(self, action: Send, wall: float) -> None:
        """A frame was written to the socket."""
        if action.message_type is MessageType.CALL:
            if span := self._commands.get(action.message_id):
                span.note("sent", wall)
        elif action.message_type is not MessageType.RESULT_ERROR and (span := self._of_call(action.message_id)):
            if action.message_type is MessageType.ERROR:
                span.fail("CALLERROR")
            self._end_call(span, wall)

    def dropped(self, action: Drop, wall: float) -> str:
        """The id of the trace that what was dropped belongs to; empty where there is none."""
        if span := self._of_call(action.message_id):
            if action.reason is Reason.UNANSWERED:
                span.fail("unanswered")
                self._end_call(span, wall)
            return span.trace_id
        return ""

    def completed(self, result: Result, wall: float) -> Span | None:
        """A command has its outcome, of which its service is told."""
        span = self._commands.pop(result.command_id, None)
        if span:
            span.set({"voltbus.outcome": Outcome.Name(result.outcome)})
            if result.outcome != OUTCOME_ANSWERED:
                span.fail(Outcome.Name(result.outcome))
            span.end(wall)
        return span

    def closed(self, wall: float) -> None:
        """The CALL that is outstanding gets no answer."""
        if self._call:
            self._call[1].fail("the connection was closed")
            self._end_call(self._call[1], wall)

    def _of_call(self, message_id: str) -> Span | None:
        return self._call[1] if self._call and self._call[0] == message_id else None

    def _end_call(self, span: Span, wall: float) -> None:
        span.end(wall)
        self._call = None


def begin_call(tracing: Tracing, call: Call) -> Span | None:
    """Since it came. The share decides."""
    if not tracing.chosen():
        return None
    came = call.received_at.seconds + call.received_at.nanos / 1e9
    told = _told(call.station_id, call.version, call.action) | {"voltbus.message.id": call.message_id}
    return tracing.start(f"frame {call.action}", "server", told, came)


def begin_command(
    tracing: Tracing, command: Command, station_id: str, version: str, traceparent: str, wall: float
) -> Span | None:
    told = _told(station_id, version, command.action) | {"voltbus.command.id": command.id}
    return tracing.start(f"call {command.action}", "client", told, wall, traceparent)


def _told(station_id: str, version: str, action: str) -> dict[str, str | int]:
    return {"voltbus.station.id": station_id, "voltbus.ocpp.version": version, "voltbus.ocpp.action": action}
