"""What a charger says during one charging session, as payloads: 1.6 and 2.0.1 with the same story."""

import itertools
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeAlias

Message: TypeAlias = tuple[str, dict[str, Any]]
STEP = timedelta(minutes=5)


class Session(Protocol):
    """Each method gives one message: action and payload. meter: the register in Wh. Time moves on with each."""

    protocol: str
    version: str
    connector_status: str
    transaction_id: int | str | None

    def boot(self) -> Message: ...

    def status(self) -> Message: ...

    def authorize(self) -> Message: ...

    def start(self, meter: int) -> Message: ...

    def started(self, reply: Mapping[str, Any]) -> str:
        """Takes note of the answer to start(); the verdict on the idToken in it."""

    def meter(self, meter: int) -> Message: ...

    def stop(self, meter: int) -> Message: ...


class _Clock:
    """An hour ago, and five minutes more with each look."""

    def __init__(self) -> None:
        began = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
        self._steps = (began + STEP * count for count in itertools.count())

    def __call__(self) -> str:
        return next(self._steps).isoformat().replace("+00:00", "Z")


class Session16(Session):
    """connectorId 1; what the station is told as transactionId is used from then on."""

    protocol, version, connector_status = "ocpp1.6", "1.6", "Preparing"

    def __init__(self, id_token: str) -> None:
        self._id_token, self._clock = id_token, _Clock()
        self.transaction_id: int | None = None

    def boot(self) -> Message:
        return "BootNotification", {"chargePointVendor": "Example", "chargePointModel": "One"}

    def status(self) -> Message:
        return "StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": self.connector_status}

    def authorize(self) -> Message:
        return "Authorize", {"idTag": self._id_token}

    def start(self, meter: int) -> Message:
        about = {"connectorId": 1, "idTag": self._id_token}
        return "StartTransaction", about | {"meterStart": meter, "timestamp": self._clock()}

    def started(self, reply: Mapping[str, Any]) -> str:
        self.transaction_id = reply["transactionId"]
        return str(reply["idTagInfo"]["status"])

    def meter(self, meter: int) -> Message:
        value = {"timestamp": self._clock(), "sampledValue": [{"value": str(meter)}]}
        return "MeterValues", {"connectorId": 1, "transactionId": self.transaction_id, "meterValue": [value]}

    def stop(self, meter: int) -> Message:
        about = {"transactionId": self.transaction_id, "idTag": self._id_token}
        return "StopTransaction", about | {"meterStop": meter, "timestamp": self._clock(), "reason": "Local"}


class Session201(Session):
    """EVSE 1, connector 1; the station chooses the transactionId and counts its events."""

    protocol, version, connector_status = "ocpp2.0.1", "2.0.1", "Occupied"

    def __init__(self, id_token: str) -> None:
        self._id_token, self._clock = id_token, _Clock()
        self._numbers = itertools.count()
        self.transaction_id = str(uuid.uuid4())

    def boot(self) -> Message:
        station = {"vendorName": "Example", "model": "Two"}
        return "BootNotification", {"reason": "PowerUp", "chargingStation": station}

    def status(self) -> Message:
        where = {"evseId": 1, "connectorId": 1}
        return "StatusNotification", where | {"timestamp": self._clock(), "connectorStatus": self.connector_status}

    def authorize(self) -> Message:
        return "Authorize", {"idToken": self._token}

    def start(self, meter: int) -> Message:
        where = {"evse": {"id": 1, "connectorId": 1}, "idToken": self._token}
        return self._event("Started", "Authorized", "Transaction.Begin", meter, "Charging", where)

    def started(self, reply: Mapping[str, Any]) -> str:
        return str(reply["idTokenInfo"]["status"])

    def meter(self, meter: int) -> Message:
        return self._event("Updated", "MeterValuePeriodic", "Sample.Periodic", meter, "Charging", {})

    def stop(self, meter: int) -> Message:
        stopping = {"idToken": self._token}
        message = self._event("Ended", "StopAuthorized", "Transaction.End", meter, "EVConnected", stopping)
        message[1]["transactionInfo"]["stoppedReason"] = "Local"
        return message

    @property
    def _token(self) -> dict[str, str]:
        return {"idToken": self._id_token, "type": "ISO14443"}

    def _event(self, kind: str, reason: str, context: str, meter: int, state: str, more: Mapping[str, Any]) -> Message:
        now = self._clock()
        value = {"timestamp": now, "sampledValue": [{"value": meter, "context": context}]}
        return "TransactionEvent", {
            "eventType": kind,
            "timestamp": now,
            "triggerReason": reason,
            "seqNo": next(self._numbers),
            "transactionInfo": {"transactionId": self.transaction_id, "chargingState": state},
            "meterValue": [value],
            **more,
        }


SESSIONS: Mapping[str, Callable[[str], Session]] = {"1.6": Session16, "2.0.1": Session201}
"""By version; given an idToken."""
