"""Sessions of every version, and the frames that stations send in the tests of the gateway."""

import json
from typing import Any

from services.gateway.ocppj.actions import Complete, Drop, Forward, Send, SessionAction, Waiting
from services.gateway.ocppj.dialects import DIALECTS
from services.gateway.ocppj.limits import Limits
from services.gateway.ocppj.session import Peer, Session
from services.ocpp.sealing import Sealing
from voltbus.v1.bus_pb2 import Command, Refusal, Reply

# Of JSON: frames of 1.5 are those of 1.6.
VERSIONS = tuple(name for name, dialect in DIALECTS.items() if dialect.version.subprotocol)
WALL = 1_780_000_000.0
NOW = (5_000.0, WALL)
"""The two clocks: monotonic and wall."""
SEALING = Sealing(b"key")
LIMITS = Limits(call_seconds=30, command_seconds=30, queue=3)

# A valid payload of one action that waits for a service, and of one that the gateway acknowledges.
BOOT: dict[str, dict[str, Any]] = {
    "1.6": {"chargePointVendor": "V", "chargePointModel": "M"},
    "2.0.1": {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}},
}
STATUS: dict[str, dict[str, Any]] = {
    "1.6": {"connectorId": 1, "errorCode": "NoError", "status": "Available"},
    "2.0.1": {
        "timestamp": "2026-06-01T12:00:00Z",
        "connectorStatus": "Available",
        "evseId": 1,
        "connectorId": 1,
    },
}
AUTHORIZE: dict[str, dict[str, Any]] = {
    "1.6": {"idTag": "CARD"},
    "2.0.1": {"idToken": {"idToken": "CARD", "type": "ISO14443"}},
}
ACCEPTED: dict[str, dict[str, Any]] = {
    "1.6": {"idTagInfo": {"status": "Accepted"}},
    "2.0.1": {"idTokenInfo": {"status": "Accepted"}},
}
# What is the same in 2.1.
for words in (BOOT, STATUS, AUTHORIZE, ACCEPTED):
    words["2.1"] = words["2.0.1"]


def session(version: str, limits: Limits = LIMITS, quarantined: bool = False, strict: bool = False) -> Session:
    peer = Peer(station_id="CP1", connection_id="nonce-1", slot=3, quarantined=quarantined)
    return Session(peer, DIALECTS[version], limits, sealing=SEALING, strict=strict)


def later(seconds: float) -> tuple[float, float]:
    """So long after NOW."""
    return NOW[0] + seconds, WALL + seconds


def frame(*parts: Any) -> bytes:
    return json.dumps(parts).encode()


def call(message_id: str, action: str, payload: Any) -> bytes:
    return frame(2, message_id, action, payload)


def boot(version: str, message_id: str = "boot") -> bytes:
    return call(message_id, "BootNotification", BOOT[version])


def status(version: str, message_id: str = "status") -> bytes:
    return call(message_id, "StatusNotification", STATUS[version])


def authorize(version: str, message_id: str = "auth") -> bytes:
    return call(message_id, "Authorize", AUTHORIZE[version])


def booted(verdict: str, message_id: str = "boot") -> Reply:
    payload = {"status": verdict, "currentTime": "2026-06-01T12:00:00Z", "interval": 300}
    return Reply(message_id=message_id, action="BootNotification", payload=json.dumps(payload).encode())


def answer(version: str, message_id: str = "auth") -> Reply:
    return Reply(message_id=message_id, action="Authorize", payload=json.dumps(ACCEPTED[version]).encode())


def refusal(message_id: str, code: str, description: str = "") -> Reply:
    return Reply(message_id=message_id, refusal=Refusal(code=code, description=description))


def command(
    command_id: str = "c1", action: str = "ClearCache", payload: Any = None, expires: float = WALL + 60
) -> Command:
    made = Command(id=command_id, service="auth", action=action, payload=json.dumps(payload or {}).encode())
    made.expires_at.FromMicroseconds(int(expires * 1e6))
    return made


def sends(actions: list[SessionAction]) -> list[Send]:
    return [action for action in actions if isinstance(action, Send)]


def sent(actions: list[SessionAction]) -> list[Any]:
    """The frames that go to the station."""
    return [json.loads(send.frame) for send in sends(actions)]


def forwarded(actions: list[SessionAction]) -> list[Forward]:
    return [action for action in actions if isinstance(action, Forward)]


def completed(actions: list[SessionAction]) -> list[Complete]:
    return [action for action in actions if isinstance(action, Complete)]


def waiting(actions: list[SessionAction]) -> list[tuple[int, bool]]:
    """What is said of the queue: its bytes, and whether it is full."""
    return [(action.size, action.full) for action in actions if isinstance(action, Waiting)]


def dropped(actions: list[SessionAction]) -> list[str]:
    """Why things were dropped."""
    return [action.reason.value for action in actions if isinstance(action, Drop)]
