"""A station in OCPP 2.0.1."""

from collections.abc import Callable, Mapping
from typing import Any

from voltbus.simulator.station.charger import Charger
from voltbus.simulator.station.types import Answer, Call, Reading, Session, security_event, stamp
from voltbus.simulator.station.v201 import messages
from voltbus.simulator.station.v201.commands import ANSWERS
from voltbus.simulator.station.v201.model import HEARTBEAT_INTERVAL, SAMPLE_INTERVAL, variables
from voltbus.simulator.station.v201.monitors import MonitorWatch

AnswerTo = Callable[[Charger, Mapping[str, Any]], Answer]


class V201:
    """Speaks for a charger."""

    subprotocol = "ocpp2.0.1"
    soap = ""
    answers: Mapping[str, AnswerTo] = ANSWERS

    def __init__(self, charger: Charger, sample_seconds: int = 120) -> None:
        self.charger = charger
        charger.variables.add(variables(charger, sample_seconds))
        self.events, self.watch = 0, MonitorWatch()

    @property
    def sample_seconds(self) -> int:
        return self.charger.variables.number(SAMPLE_INTERVAL)

    @property
    def heartbeat_seconds(self) -> int:
        return self.charger.variables.number(HEARTBEAT_INTERVAL)

    def boot(self, reason: str) -> Call:
        return messages.boot(self.charger, reason)

    def booted(self, response: Mapping[str, Any]) -> tuple[str, int]:
        status, interval = response["status"], response["interval"]
        if status == "Accepted" and interval:
            self.charger.variables.set(HEARTBEAT_INTERVAL, str(interval))
        return status, interval

    def heartbeat(self) -> Call:
        return "Heartbeat", {}

    def state(self, outlet: int) -> str:
        return messages.state(self.charger, outlet)

    def status(self, outlet: int) -> list[Call]:
        return [messages.status(self.charger, outlet)] if outlet else []

    def fault(self, outlet: int, cleared: bool) -> list[Call]:
        self.events += 1
        return [messages.problem(self.charger, outlet, self.events, cleared)]

    def alarms(self) -> list[Call]:
        events = []
        for event in self.watch.look(self.charger):
            self.events += 1
            events.append({"eventId": self.events, **event})
        at = stamp(self.charger.clock())
        return [("NotifyEvent", {"generatedAt": at, "seqNo": 0, "eventData": events})] if events else []

    def security(self, kind: str) -> list[Call]:
        return [security_event(kind, self.charger.clock())]

    def expired(self, reservation_id: int) -> list[Call]:
        status = {"reservationId": reservation_id, "reservationUpdateStatus": "Expired"}
        return [("ReservationStatusUpdate", status)]

    def authorize(self, id_token: str) -> Call:
        return "Authorize", {"idToken": {"idToken": id_token, "type": "ISO14443"}}

    def authorized(self, response: Mapping[str, Any]) -> str:
        return str(response.get("idTokenInfo", {}).get("status", ""))

    def begun(self, session: Session, reading: Reading, offline: bool = False) -> Call:
        return messages.started(session, reading, offline)

    def started(self, session: Session, response: Mapping[str, Any]) -> str:  # noqa: ARG002
        return self.authorized(response)

    def sampled(self, session: Session, reading: Reading, offline: bool = False) -> Call | None:
        return messages.updated(session, reading, "MeterValuePeriodic", "Sample.Periodic", offline)

    def changed(self, session: Session, reading: Reading, offline: bool = False) -> Call | None:
        return messages.updated(session, reading, "ChargingStateChanged", "Other", offline)

    def ended(self, session: Session, reading: Reading, reason: str, offline: bool = False) -> Call | None:
        return messages.ended(session, reading, reason, offline)

    def answer(self, action: str, payload: Mapping[str, Any]) -> Answer | None:
        answer = self.answers.get(action)
        return answer(self.charger, payload) if answer else None
