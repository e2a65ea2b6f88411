"""What a 1.6 station answers to its central system, one small function an action."""

from collections.abc import Callable, Mapping
from typing import Any

from services.ocpp.timestamps import read_time
from voltbus.simulator.station import requests
from voltbus.simulator.station.certificates import read_chain
from voltbus.simulator.station.charger import Charger, Reservation
from voltbus.simulator.station.types import Answer, Call, Perform, RemoteStart, RemoteStop, Reset, Step, send
from voltbus.simulator.station.v16 import charging, messages
from voltbus.simulator.station.v16.configuration import AUTHORIZATION_KEY, CPO_NAME
from voltbus.simulator.station.variables import READ_ONLY, WRITE_ONLY

Request = Mapping[str, Any]


def answer(status: str, *calls: Call) -> Answer:
    """A status, and what is said afterwards."""
    return Answer({"status": status}, send(*calls) if calls else None)


def remote_start(charger: Charger, payload: Request) -> Answer:
    """1.6 §5.11; a profile that comes with it must be a TxProfile."""
    outlet = requests.find_outlet(charger, payload.get("connectorId"), payload["idTag"])
    if outlet is None:
        return answer("Rejected")
    if written := payload.get("chargingProfile"):
        if written["chargingProfilePurpose"] != "TxProfile":
            return answer("Rejected")
        charger.keep(charging.profile(written, outlet.number, transaction=None))
    outlet.held = True
    return Answer({"status": "Accepted"}, RemoteStart(payload["idTag"], None, outlet.number))


def remote_stop(charger: Charger, payload: Request) -> Answer:
    for session in charger.sessions():
        if session.number == payload["transactionId"]:
            return Answer({"status": "Accepted"}, RemoteStop(session.outlet))
    return answer("Rejected")


def reset(_: Charger, payload: Request) -> Answer:
    return Answer({"status": "Accepted"}, Reset(hard=payload["type"] == "Hard"))


def change_availability(charger: Charger, payload: Request) -> Answer:
    """1.6 §5.2; that of the whole station is told here, that of a connector like any change of it."""
    number = payload["connectorId"]
    status = requests.availability(charger, number, payload["type"] == "Operative")
    return answer(status, *([messages.status(charger, 0)] if number == 0 and status == "Accepted" else []))


def unlock(charger: Charger, payload: Request) -> Answer:
    """1.6 §5.18: a session ends first."""
    outlet = charger.outlet(payload["connectorId"])
    if outlet is None:
        return answer("NotSupported")
    return Answer({"status": "Unlocked"}, RemoteStop(outlet.number, unlock=True) if outlet.session else None)


def get_configuration(charger: Charger, payload: Request) -> Answer:
    """Keys that can only be written have no value here (security whitepaper, A00.FR.505)."""
    known = {str(key).lower(): str(key) for key in charger.variables.known}
    asked = payload.get("key") or list(known.values())
    found, unknown = [], []
    for name in asked:
        if (key := known.get(name.lower())) is None:
            unknown.append(name)
            continue
        access = charger.variables.known[key].access
        value = {} if access == WRITE_ONLY else {"value": charger.variables.get(key)}
        found.append({"key": key, "readonly": access == READ_ONLY, **value})
    return Answer({"configurationKey": found, "unknownKey": unknown})


def change_configuration(charger: Charger, payload: Request) -> Answer:
    known = {str(key).lower(): key for key in charger.variables.known}
    if (key := known.get(payload["key"].lower())) is None:
        return answer("NotSupported")
    status = charger.variables.set(key, payload["value"])
    if key == AUTHORIZATION_KEY and status == "Accepted":
        charger.password = payload["value"]
    return answer(status)


def clear_cache(charger: Charger, _: Request) -> Answer:
    charger.cache.clear()
    return answer("Accepted")


def local_list(charger: Charger, payload: Request) -> Answer:
    """Entries without idTagInfo are taken out (1.6 §5.15)."""
    entries = {
        entry["idTag"]: entry["idTagInfo"]["status"] if "idTagInfo" in entry else None
        for entry in payload.get("localAuthorizationList", [])
    }
    return answer(requests.update_list(charger, payload["listVersion"], payload["updateType"] == "Full", entries))


def list_version(charger: Charger, _: Request) -> Answer:
    return Answer({"listVersion": charger.list_version})


def reserve(charger: Charger, payload: Request) -> Answer:
    wanted = Reservation(payload["reservationId"], payload["idTag"], read_time(payload["expiryDate"]))
    return answer(requests.reserve(charger, payload["connectorId"], wanted))


def cancel_reservation(charger: Charger, payload: Request) -> Answer:
    return answer("Accepted" if requests.cancel(charger, payload["reservationId"]) else "Rejected")


def trigger(charger: Charger, payload: Request) -> Answer:
    """1.6 §5.17; the security extension's message knows the last two as well."""
    places = [outlet.number for outlet in charger.places(payload.get("connectorId"))]
    if not places:
        return answer("Rejected")
    calls = _TRIGGERED.get(payload["requestedMessage"])
    return answer("Accepted", *calls(charger, places)) if calls else answer("NotImplemented")


def update_firmware(charger: Charger, payload: Request) -> Answer:
    """1.6 §6.19: Downloading, Downloaded, Installing, Installed."""
    said = [(status, ("FirmwareStatusNotification", {"status": status})) for status in _UPDATE]
    retrieve = read_time(payload["retrieveDate"])
    return Answer({}, requests.update(charger, said, payload["location"], retrieve, None))


def signed_update_firmware(charger: Charger, payload: Request) -> Answer:
    """L01 for 1.6: what is signed with no certificate is not installed."""
    firmware, number = payload["firmware"], payload["requestId"]
    if not read_chain(firmware["signingCertificate"]):
        return answer("InvalidCertificate")
    said = [
        (status, ("SignedFirmwareStatusNotification", {"status": status, "requestId": number}))
        for status in _SIGNED_UPDATE
    ]
    retrieve = read_time(firmware["retrieveDateTime"])
    install = read_time(firmware["installDateTime"]) if "installDateTime" in firmware else None
    status = "AcceptedCanceled" if "firmware" in charger.tasks else "Accepted"
    return Answer({"status": status}, requests.update(charger, said, firmware["location"], retrieve, install))


def get_diagnostics(charger: Charger, _: Request) -> Answer:
    steps = [Step(("DiagnosticsStatusNotification", {"status": status}), charger.patience) for status in _UPLOAD]
    return Answer({"fileName": f"{charger.serial}.log"}, Perform(tuple(steps), "log"))


def get_log(charger: Charger, payload: Request) -> Answer:
    """N01 for 1.6."""
    status = "AcceptedCanceled" if "log" in charger.tasks else "Accepted"
    said = [{"status": status, "requestId": payload["requestId"]} for status in _UPLOAD]
    steps = tuple(Step(("LogStatusNotification", one), charger.patience) for one in said)
    return Answer({"status": status, "filename": f"{payload['logType']}-{charger.serial}.log"}, Perform(steps, "log"))


def certificate_signed(charger: Charger, payload: Request) -> Answer:
    """A02.FR.06: only what belongs to the key that was asked for."""
    return answer("Accepted" if charger.certificates.signed(payload["certificateChain"]) else "Rejected")


def install_certificate(charger: Charger, payload: Request) -> Answer:
    done = charger.certificates.install(payload["certificateType"], payload["certificate"])
    return answer("Accepted" if done else "Rejected")


def installed_certificates(charger: Charger, payload: Request) -> Answer:
    found = [one.hashes for one in charger.certificates.installed if one.use == payload["certificateType"]]
    return Answer({"status": "Accepted", "certificateHashData": found}) if found else answer("NotFound")


def delete_certificate(charger: Charger, payload: Request) -> Answer:
    return answer("Accepted" if charger.certificates.remove(payload["certificateHashData"]) else "NotFound")


def data_transfer(_: Charger, __: Request) -> Answer:
    return answer("UnknownVendorId")


_UPDATE = ("Downloading", "Downloaded", "Installing", "Installed")
_SIGNED_UPDATE = ("Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting", "Installed")
_UPLOAD = ("Uploading", "Uploaded")

_TRIGGERED: dict[str, Callable[[Charger, list[int]], list[Call]]] = {
    "BootNotification": lambda charger, _: [messages.boot(charger)],
    "Heartbeat": lambda _, __: [("Heartbeat", {})],
    "StatusNotification": lambda charger, places: [messages.status(charger, place) for place in places],
    "MeterValues": lambda charger, places: [messages.triggered_values(charger, place) for place in places],
    "FirmwareStatusNotification": lambda charger, _: [messages.task(charger, "firmware", "FirmwareStatusNotification")],
    "DiagnosticsStatusNotification": lambda charger, _: [
        messages.task(charger, "log", "DiagnosticsStatusNotification")
    ],
    "LogStatusNotification": lambda charger, _: [messages.task(charger, "log", "LogStatusNotification")],
    "SignChargePointCertificate": lambda charger, _: [
        messages.sign_certificate(charger, charger.variables.get(CPO_NAME))
    ],
}

ANSWERS: dict[str, Callable[[Charger, Request], Answer]] = {
    "CancelReservation": cancel_reservation,
    "CertificateSigned": certificate_signed,
    "ChangeAvailability": change_availability,
    "ChangeConfiguration": change_configuration,
    "ClearCache": clear_cache,
    "ClearChargingProfile": charging.clear_profile,
    "DataTransfer": data_transfer,
    "DeleteCertificate": delete_certificate,
    "ExtendedTriggerMessage": trigger,
    "GetCompositeSchedule": charging.composite_schedule,
    "GetConfiguration": get_configuration,
    "GetDiagnostics": get_diagnostics,
    "GetInstalledCertificateIds": installed_certificates,
    "GetLocalListVersion": list_version,
    "GetLog": get_log,
    "InstallCertificate": install_certificate,
    "RemoteStartTransaction": remote_start,
    "RemoteStopTransaction": remote_stop,
    "ReserveNow": reserve,
    "Reset": reset,
    "SendLocalList": local_list,
    "SetChargingProfile": charging.set_profile,
    "SignedUpdateFirmware": signed_update_firmware,
    "TriggerMessage": trigger,
    "UnlockConnector": unlock,
    "UpdateFirmware": update_firmware,
}
