"""A station in OCPP 1.6 with its security extension."""

from collections.abc import Mapping
from typing import Any

from voltbus.simulator.station.charger import Charger
from voltbus.simulator.station.types import Answer, Call, Reading, Session, security_event
from voltbus.simulator.station.v16 import messages
from voltbus.simulator.station.v16.commands import ANSWERS
from voltbus.simulator.station.v16.configuration import HEARTBEAT_INTERVAL, SAMPLE_INTERVAL, keys

# Reasons that 1.6 does not have, by their nearest.
_REASONS = {"ImmediateReset": "HardReset", "StoppedByEV": "EVDisconnected", "GroundFault": "Other", "Timeout": "Other"}


class V16:
    """Speaks for a charger."""

    subprotocol = "ocpp1.6"
    soap = ""

    def __init__(self, charger: Charger, sample_seconds: int = 120) -> None:
        self.charger = charger
        charger.variables.add(keys(charger, sample_seconds))

    @property
    def sample_seconds(self) -> int:
        return self.charger.variables.number(SAMPLE_INTERVAL)

    @property
    def heartbeat_seconds(self) -> int:
        return self.charger.variables.number(HEARTBEAT_INTERVAL)

    def boot(self, reason: str) -> Call:  # noqa: ARG002
        return messages.boot(self.charger)

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
        return [messages.status(self.charger, outlet)]

    def fault(self, outlet: int, cleared: bool) -> list[Call]:  # noqa: ARG002
        return []  # the status says it

    def alarms(self) -> list[Call]:
        return []

    def security(self, kind: str) -> list[Call]:
        return [security_event(kind, self.charger.clock())]

    def expired(self, reservation_id: int) -> list[Call]:  # noqa: ARG002
        return []

    def authorize(self, id_token: str) -> Call:
        return "Authorize", {"idTag": id_token}

    def authorized(self, response: Mapping[str, Any]) -> str:
        return str(response.get("idTagInfo", {}).get("status", ""))

    def begun(self, session: Session, reading: Reading, offline: bool = False) -> Call:  # noqa: ARG002
        return messages.start(session, reading)

    def started(self, session: Session, response: Mapping[str, Any]) -> str:
        session.number = response["transactionId"]
        return self.authorized(response)

    def sampled(self, session: Session, reading: Reading, offline: bool = False) -> Call | None:  # noqa: ARG002
        return messages.meter_values(session, reading) if session.number is not None else None

    def changed(self, session: Session, reading: Reading, offline: bool = False) -> Call | None:  # noqa: ARG002
        return None

    def ended(self, session: Session, reading: Reading, reason: str, offline: bool = False) -> Call | None:  # noqa: ARG002
        if session.number is None:
            return None
        return messages.stop(session, reading, _REASONS.get(reason, reason))

    def answer(self, action: str, payload: Mapping[str, Any]) -> Answer | None:
        answer = ANSWERS.get(action)
        return answer(self.charger, payload) if answer else None
