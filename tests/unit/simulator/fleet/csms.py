"""A CSMS and a clock of one's own for a simulated fleet: everything it says is checked, answered, and written down."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from services.ocpp.schemas import Schemas
from services.ocpp.versions import BY_SUBPROTOCOL, VERSIONS
from voltbus.simulator.fleet.activity import Activity
from voltbus.simulator.fleet.fleet import Fleet, FleetPlan, build
from voltbus.simulator.fleet.machine import Machine

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
STEP = timedelta(milliseconds=250)
Said = tuple[datetime, str, str, dict[str, Any]]


@dataclass
class Csms:
    """Runs a fleet. refused: idTokens that may not charge. answers: to a CALL instead of the usual one."""

    plan: FleetPlan
    answers: Callable[[Machine, str, dict[str, Any]], dict[str, Any] | None] = lambda *_: None
    now: datetime = BEGIN
    said: list[Said] = field(default_factory=list)
    told: list[Activity] = field(default_factory=list)
    started_by_app: list[tuple[str, int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)
        self.fleet: Fleet = build(self.plan, lambda: self.now, self.told.append)
        for machine in self.fleet.machines:
            machine.app = partial(self._ask, machine)
        self.fleet.begin()
        self.refused = {driver.id_token for driver in self.fleet.drivers if driver.status != "Accepted"}

    def run(self, seconds: float) -> None:
        """Lets so much time pass."""
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:
            self.now += STEP
            for machine in self.fleet.due():
                machine.advance()
            for machine in self.fleet.machines:
                self._serve(machine)

    def close(self) -> None:
        """All sessions end, and everything is heard that still waits."""
        for machine in self.fleet.machines:
            machine.stop()
            self._serve(machine)

    def command(self, machine: Machine, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """The CSMS asks something; what it hears is checked."""
        schemas = schemas_of(machine)
        schemas.check_request(action, payload)
        response = machine.on_call(action, payload)
        assert response is not None
        schemas.check_response(action, response)
        return response

    def of(self, station_id: str, *actions: str) -> list[dict[str, Any]]:
        """What a station said, of these actions."""
        return [payload for _, who, action, payload in self.said if who == station_id and action in actions]

    def _serve(self, machine: Machine) -> None:
        if machine.linked and not machine.wants_link:
            machine.on_disconnected()
        elif machine.wants_link and not machine.linked:
            machine.on_connected()
        while queued := machine.next():
            assert queued.call is not None
            action, payload = queued.call
            schemas_of(machine).check_request(action, payload)
            self.said.append((self.now, machine.charger.id, action, payload))
            machine.on_response(queued, self.answers(machine, action, payload) or self._answer(action, payload))

    def _ask(self, machine: Machine, outlet: int, id_token: str) -> None:
        self.started_by_app.append((machine.charger.id, outlet, id_token))
        if machine.online:
            self.command(machine, *start(machine, outlet, id_token, next(self._numbers)))

    def _answer(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        token = payload.get("idTag") or payload.get("idToken", {}).get("idToken", "")
        verdict = {"status": "Blocked" if token in self.refused else "Accepted"}
        match action:
            case "BootNotification":
                return {"status": "Accepted", "interval": 60, "currentTime": "2026-03-01T12:00:00Z"}
            case "Authorize":
                return {"idTagInfo": verdict, "idTokenInfo": verdict}
            case "StartTransaction":
                return {"transactionId": next(self._numbers), "idTagInfo": verdict}
            case "TransactionEvent" if token:
                return {"idTokenInfo": verdict}
        return {}


def schemas_of(machine: Machine) -> Schemas:
    dialect = machine.dialect
    return (VERSIONS[dialect.soap] if dialect.soap else BY_SUBPROTOCOL[dialect.subprotocol]).schemas


def start(machine: Machine, outlet: int, id_token: str, number: int) -> tuple[str, dict[str, Any]]:
    """A remote start in the words of the station's version."""
    if machine.dialect.subprotocol in ("ocpp1.5", "ocpp1.6"):
        return "RemoteStartTransaction", {"idTag": id_token, "connectorId": outlet}
    token = {"idToken": id_token, "type": "ISO14443"}
    return "RequestStartTransaction", {"idToken": token, "evseId": outlet, "remoteStartId": number}
