"""The demo charger in OCPP 2.0.1."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from services.local.station.facts import (
    Answer,
    Call,
    Payload,
    Reading,
    RemoteStart,
    RemoteStop,
    Reset,
    Send,
    stamp,
)

_ACCEPTED: Payload = {"status": "Accepted"}
_REJECTED: Payload = {"status": "Rejected"}
_NOT_SUPPORTED: Payload = {"status": "NotSupported"}
_REPLIES: dict[str, Payload] = {
    "CancelReservation": _REJECTED,
    "CertificateSigned": _ACCEPTED,
    "ChangeAvailability": _ACCEPTED,
    "ClearCache": _ACCEPTED,
    "ClearChargingProfile": {"status": "Unknown"},
    "ClearDisplayMessage": {"status": "Unknown"},
    "CostUpdated": {},
    "CustomerInformation": _REJECTED,
    "DataTransfer": {"status": "UnknownVendorId"},
    "DeleteCertificate": {"status": "NotFound"},
    "GetBaseReport": _NOT_SUPPORTED,
    "GetChargingProfiles": {"status": "NoProfiles"},
    "GetCompositeSchedule": _REJECTED,
    "GetDisplayMessages": {"status": "Unknown"},
    "GetInstalledCertificateIds": {"status": "NotFound"},
    "GetLocalListVersion": {"versionNumber": 0},
    "GetLog": _REJECTED,
    "GetMonitoringReport": _NOT_SUPPORTED,
    "GetReport": {"status": "EmptyResultSet"},
    "InstallCertificate": _REJECTED,
    "ReserveNow": _REJECTED,
    "SendLocalList": _ACCEPTED,
    "SetChargingProfile": _ACCEPTED,
    "SetDisplayMessage": {"status": "Rejected"},
    "SetMonitoringBase": _NOT_SUPPORTED,
    "SetMonitoringLevel": _REJECTED,
    "SetNetworkProfile": _REJECTED,
    "UnlockConnector": {"status": "UnlockFailed"},
    "UpdateFirmware": _REJECTED,
}


class V201:
    """One EVSE with one connector; counts the events of its transaction."""

    subprotocol = "ocpp2.0.1"

    def __init__(self) -> None:
        self._transaction: str | None = None
        self._sequence = 0

    def boot(self) -> Call:
        station = {
            "vendorName": "Voltbus",
            "model": "Demo 75",
            "serialNumber": "DEMO-75-0001",
            "firmwareVersion": "1.0.0",
        }
        return "BootNotification", {"reason": "PowerUp", "chargingStation": station}

    def booted(self, response: Mapping[str, Any]) -> tuple[str, int]:
        return response["status"], response["interval"]

    def heartbeat(self) -> Call:
        return "Heartbeat", {}

    def status(self, at: datetime, *, occupied: bool) -> list[Call]:
        return [_status("Occupied" if occupied else "Available", at)]

    def charging(self, at: datetime) -> list[Call]:  # noqa: ARG002
        return []  # the TransactionEvent says it

    def authorize(self, id_token: str) -> Call:
        return "Authorize", {"idToken": _token(id_token)}

    def authorized(self, response: Mapping[str, Any]) -> str:
        return str(response.get("idTokenInfo", {}).get("status", ""))

    def start(self, id_token: str, reading: Reading, remote: RemoteStart | None) -> Call:
        self._transaction, self._sequence = str(uuid.uuid4()), 0
        info: Payload = {"chargingState": "Charging"}
        info |= {"remoteStartId": remote.request_id} if remote else {}
        reason = "RemoteStart" if remote else "Authorized"
        return self._event("Started", reason, reading, "Transaction.Begin", info, idToken=_token(id_token))

    def started(self, response: Mapping[str, Any]) -> None:
        pass

    def sample(self, reading: Reading) -> Call:
        info = {"chargingState": "Charging"}
        return self._event("Updated", "MeterValuePeriodic", reading, "Sample.Periodic", info)

    def stop(self, id_token: str, reading: Reading, *, remote: bool) -> Call:
        info = {"chargingState": "Idle", "stoppedReason": "Remote" if remote else "Local"}
        reason = "RemoteStop" if remote else "StopAuthorized"
        token = {} if remote else {"idToken": _token(id_token)}
        call = self._event("Ended", reason, reading, "Transaction.End", info, **token)
        self._transaction = None
        return call

    def answer(self, action: str, payload: Mapping[str, Any]) -> Answer | None:
        match action:
            case "RequestStartTransaction":
                return self._remote_start(payload)
            case "RequestStopTransaction":
                known = payload["transactionId"] == self._transaction
                return Answer(_ACCEPTED, RemoteStop()) if known else Answer(_REJECTED)
            case "Reset":
                return Answer(_ACCEPTED, Reset())
            case "TriggerMessage":
                return self._trigger(payload["requestedMessage"])
            case "GetTransactionStatus":
                return Answer({"ongoingIndicator": self._transaction is not None, "messagesInQueue": False})
            case "GetVariables":
                return Answer({"getVariableResult": _unknown(payload["getVariableData"])})
            case "SetVariables":
                return Answer({"setVariableResult": _unknown(payload["setVariableData"])})
            case "SetVariableMonitoring":
                return Answer({"setMonitoringResult": _unmonitored(payload["setMonitoringData"])})
            case "ClearVariableMonitoring":
                results = [{"id": number, "status": "NotFound"} for number in payload["id"]]
                return Answer({"clearMonitoringResult": results})
        return Answer(_REPLIES[action]) if action in _REPLIES else None

    def _remote_start(self, payload: Mapping[str, Any]) -> Answer:
        if self._transaction is not None:
            return Answer(_REJECTED)
        return Answer(_ACCEPTED, RemoteStart(payload["idToken"]["idToken"], payload["remoteStartId"]))

    def _trigger(self, message: str) -> Answer:
        state = "Available" if self._transaction is None else "Occupied"
        calls = {
            "BootNotification": ("BootNotification", self.boot()[1] | {"reason": "Triggered"}),
            "Heartbeat": self.heartbeat(),
            "StatusNotification": _status(state, datetime.now(UTC)),
        }
        if message not in calls:
            return Answer({"status": "NotImplemented"})
        return Answer(_ACCEPTED, Send((calls[message],)))

    def _event(self, kind: str, reason: str, reading: Reading, context: str, info: Payload, **more: Payload) -> Call:
        sequence, self._sequence = self._sequence, self._sequence + 1
        return "TransactionEvent", {
            "eventType": kind,
            "timestamp": stamp(reading.at),
            "triggerReason": reason,
            "seqNo": sequence,
            "transactionInfo": {"transactionId": self._transaction, **info},
            "evse": {"id": 1, "connectorId": 1},
            "meterValue": [{"timestamp": stamp(reading.at), "sampledValue": _sampled(reading, context)}],
            **more,
        }


def _token(id_token: str) -> Payload:
    return {"idToken": id_token, "type": "ISO14443"}


def _status(status: str, at: datetime) -> Call:
    return "StatusNotification", {
        "timestamp": stamp(at),
        "connectorStatus": status,
        "evseId": 1,
        "connectorId": 1,
    }


def _sampled(reading: Reading, context: str) -> list[Payload]:
    values = [
        ("Energy.Active.Import.Register", reading.energy_wh, "Wh"),
        ("Power.Active.Import", reading.power_w, "W"),
        ("Current.Import", reading.current_a, "A"),
        ("Voltage", reading.volts, "V"),
        ("SoC", reading.soc, "Percent"),
    ]
    return [
        {"measurand": measurand, "value": value, "context": context, "unitOfMeasure": {"unit": unit}}
        for measurand, value, unit in values
    ]


def _unknown(asked: list[Payload]) -> list[Payload]:
    return [
        {
            "attributeStatus": "UnknownComponent",
            "component": item["component"],
            "variable": item["variable"],
        }
        for item in asked
    ]


def _unmonitored(asked: list[Payload]) -> list[Payload]:
    kept = ("type", "severity", "component", "variable")
    return [{name: item[name] for name in kept} | {"status": "UnknownComponent"} for item in asked]
