"""The demo charger in OCPP 1.6."""

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
_REPLIES: dict[str, Payload] = {
    "CancelReservation": {"status": "Rejected"},
    "CertificateSigned": _ACCEPTED,
    "ChangeAvailability": _ACCEPTED,
    "ChangeConfiguration": _ACCEPTED,
    "ClearCache": _ACCEPTED,
    "ClearChargingProfile": {"status": "Unknown"},
    "DataTransfer": {"status": "UnknownVendorId"},
    "DeleteCertificate": {"status": "NotFound"},
    "GetCompositeSchedule": {"status": "Rejected"},
    "GetDiagnostics": {},
    "GetInstalledCertificateIds": {"status": "NotFound"},
    "GetLocalListVersion": {"listVersion": 0},
    "GetLog": {"status": "Rejected"},
    "InstallCertificate": {"status": "Rejected"},
    "ReserveNow": {"status": "Rejected"},
    "SendLocalList": _ACCEPTED,
    "SetChargingProfile": _ACCEPTED,
    "SignedUpdateFirmware": {"status": "Rejected"},
    "UnlockConnector": {"status": "NotSupported"},
    "UpdateFirmware": {},
}
_CONFIGURATION = {
    "AuthorizeRemoteTxRequests": "false",
    "HeartbeatInterval": "300",
    "MeterValueSampleInterval": "120",
    "NumberOfConnectors": "1",
    "SupportedFeatureProfiles": "Core,RemoteTrigger,SmartCharging",
}


class V16:
    """One connector; remembers the transaction id that the CSMS gave."""

    subprotocol = "ocpp1.6"

    def __init__(self) -> None:
        self._transaction: int | None = None

    def boot(self) -> Call:
        return "BootNotification", {
            "chargePointVendor": "Voltbus",
            "chargePointModel": "Demo 75",
            "chargePointSerialNumber": "DEMO-75-0001",
            "firmwareVersion": "1.0.0",
        }

    def booted(self, response: Mapping[str, Any]) -> tuple[str, int]:
        return response["status"], response["interval"]

    def heartbeat(self) -> Call:
        return "Heartbeat", {}

    def status(self, at: datetime, *, occupied: bool) -> list[Call]:
        whole = _status(0, "Available", at)
        return [_status(1, "Preparing", at)] if occupied else [whole, _status(1, "Available", at)]

    def charging(self, at: datetime) -> list[Call]:
        return [_status(1, "Charging", at)]

    def authorize(self, id_token: str) -> Call:
        return "Authorize", {"idTag": id_token}

    def authorized(self, response: Mapping[str, Any]) -> str:
        return str(response.get("idTagInfo", {}).get("status", ""))

    def start(self, id_token: str, reading: Reading, remote: RemoteStart | None) -> Call:  # noqa: ARG002
        return "StartTransaction", {
            "connectorId": 1,
            "idTag": id_token,
            "meterStart": reading.energy_wh,
            "timestamp": stamp(reading.at),
        }

    def started(self, response: Mapping[str, Any]) -> None:
        self._transaction = response["transactionId"]

    def sample(self, reading: Reading) -> Call:
        values = [{"timestamp": stamp(reading.at), "sampledValue": _sampled(reading)}]
        return "MeterValues", {"connectorId": 1, "transactionId": self._transaction, "meterValue": values}

    def stop(self, id_token: str, reading: Reading, *, remote: bool) -> Call:
        transaction, self._transaction = self._transaction, None
        return "StopTransaction", {
            "transactionId": transaction,
            "idTag": id_token,
            "meterStop": reading.energy_wh,
            "timestamp": stamp(reading.at),
            "reason": "Remote" if remote else "Local",
        }

    def answer(self, action: str, payload: Mapping[str, Any]) -> Answer | None:
        match action:
            case "RemoteStartTransaction":
                return self._remote_start(payload["idTag"])
            case "RemoteStopTransaction":
                known = payload["transactionId"] == self._transaction
                return Answer(_ACCEPTED, RemoteStop()) if known else Answer({"status": "Rejected"})
            case "Reset":
                return Answer(_ACCEPTED, Reset())
            case "TriggerMessage" | "ExtendedTriggerMessage":
                return self._trigger(payload["requestedMessage"])
            case "GetConfiguration":
                return Answer(_configuration(payload.get("key", [])))
        return Answer(_REPLIES[action]) if action in _REPLIES else None

    def _remote_start(self, id_token: str) -> Answer:
        if self._transaction is not None:
            return Answer({"status": "Rejected"})
        return Answer(_ACCEPTED, RemoteStart(id_token))

    def _trigger(self, message: str) -> Answer:
        now = datetime.now(UTC)
        state = "Available" if self._transaction is None else "Charging"
        calls = {
            "BootNotification": self.boot(),
            "Heartbeat": self.heartbeat(),
            "StatusNotification": _status(1, state, now),
        }
        if message not in calls:
            return Answer({"status": "NotImplemented"})
        return Answer(_ACCEPTED, Send((calls[message],)))


def _status(connector: int, status: str, at: datetime) -> Call:
    return "StatusNotification", {
        "connectorId": connector,
        "errorCode": "NoError",
        "status": status,
        "timestamp": stamp(at),
    }


def _sampled(reading: Reading) -> list[Payload]:
    values = [
        ("Energy.Active.Import.Register", reading.energy_wh, "Wh"),
        ("Power.Active.Import", reading.power_w, "W"),
        ("Current.Import", reading.current_a, "A"),
        ("Voltage", reading.volts, "V"),
        ("SoC", reading.soc, "Percent"),
    ]
    return [{"measurand": measurand, "value": str(value), "unit": unit} for measurand, value, unit in values]


def _configuration(keys: list[str]) -> Payload:
    wanted = keys or list(_CONFIGURATION)
    known = [{"key": key, "readonly": True, "value": _CONFIGURATION[key]} for key in wanted if key in _CONFIGURATION]
    return {"configurationKey": known, "unknownKey": [key for key in wanted if key not in _CONFIGURATION]}
