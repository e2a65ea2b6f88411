"""What a 2.0.1 station answers to its CSMS, one small function an action."""

from collections.abc import Callable, Mapping
from typing import Any

from services.ocpp.timestamps import read_time
from voltbus.simulator.station import requests
from voltbus.simulator.station.certificates import read_chain
from voltbus.simulator.station.charger import Charger, Reservation
from voltbus.simulator.station.profiles import Purpose
from voltbus.simulator.station.types import (
    Answer,
    Call,
    Payload,
    Perform,
    RemoteStart,
    RemoteStop,
    Reset,
    Step,
    send,
    stamp,
)
from voltbus.simulator.station.v201 import charging, displays, messages, model, reports

Request = Mapping[str, Any]


def answer(status: str, *calls: Call) -> Answer:
    """A status, and what is said afterwards."""
    return Answer({"status": status}, send(*calls) if calls else None)


def remote_start(charger: Charger, payload: Request) -> Answer:
    """F01, F02; a profile that comes with it must be a TxProfile (F01.FR.09)."""
    token = payload["idToken"]
    outlet = requests.find_outlet(charger, payload.get("evseId"), token["idToken"])
    if outlet is None:
        return answer("Rejected")
    if written := payload.get("chargingProfile"):
        profile = charging.profile(written, outlet.number)
        if profile.purpose is not Purpose.SESSION or profile.transaction is not None:
            return answer("Rejected")
        charger.keep(profile)
    outlet.held = True
    effect = RemoteStart(token["idToken"], payload["remoteStartId"], outlet.number, token["type"])
    return Answer({"status": "Accepted"}, effect)


def remote_stop(charger: Charger, payload: Request) -> Answer:
    """F03."""
    for session in charger.sessions():
        if session.name == payload["transactionId"]:
            return Answer({"status": "Accepted"}, RemoteStop(session.outlet))
    return answer("Rejected")


def reset(charger: Charger, payload: Request) -> Answer:
    """B11, B12; single EVSEs cannot be reset (B11.FR.09). OnIdle waits for sessions (B12.FR.01)."""
    if "evseId" in payload:
        return answer("Rejected")
    idle = payload["type"] == "OnIdle"
    waits = idle and any(True for _ in charger.sessions())
    return Answer({"status": "Scheduled" if waits else "Accepted"}, Reset(idle, hard=not idle))


def change_availability(charger: Charger, payload: Request) -> Answer:
    """G03, G04."""
    number = payload.get("evse", {}).get("id", 0)
    return answer(requests.availability(charger, number, payload["operationalStatus"] == "Operative"))


def unlock(charger: Charger, payload: Request) -> Answer:
    """F05: not while somebody charges (F05.FR.02)."""
    outlet = charger.outlet(payload["evseId"])
    if outlet is None or payload["connectorId"] != 1:
        return answer("UnknownConnector")
    return answer("OngoingAuthorizedTransaction" if outlet.session else "Unlocked")


def clear_cache(charger: Charger, _: Request) -> Answer:
    charger.cache.clear()
    return answer("Accepted")


def local_list(charger: Charger, payload: Request) -> Answer:
    """D01; entries without idTokenInfo are taken out (D01.FR.17)."""
    entries = {
        entry["idToken"]["idToken"]: entry["idTokenInfo"]["status"] if "idTokenInfo" in entry else None
        for entry in payload.get("localAuthorizationList", [])
    }
    return answer(requests.update_list(charger, payload["versionNumber"], payload["updateType"] == "Full", entries))


def list_version(charger: Charger, _: Request) -> Answer:
    return Answer({"versionNumber": charger.list_version})


def reserve(charger: Charger, payload: Request) -> Answer:
    wanted = Reservation(payload["id"], payload["idToken"]["idToken"], read_time(payload["expiryDateTime"]))
    return answer(requests.reserve(charger, payload.get("evseId"), wanted))


def cancel_reservation(charger: Charger, payload: Request) -> Answer:
    return answer("Accepted" if requests.cancel(charger, payload["reservationId"]) else "Rejected")


def trigger(charger: Charger, payload: Request) -> Answer:
    """F06; a status is one of a connector (F06.FR.13)."""
    wanted, evse = payload["requestedMessage"], payload.get("evse", {})
    make = _TRIGGERED.get(wanted)
    if make is None:
        return answer("NotImplemented")
    places = [outlet.number for outlet in charger.places(evse.get("id"))]
    if not places or (wanted == "StatusNotification" and "connectorId" not in evse):
        return answer("Rejected")
    calls = make(charger, places)
    return answer("Accepted", *calls) if calls else answer("Rejected")


def transaction_status(charger: Charger, payload: Request) -> Answer:
    """E14; without a transaction only what waits is told (E14.FR.06)."""
    if "transactionId" not in payload:
        return Answer({"messagesInQueue": charger.queued})
    going = payload["transactionId"] in [session.name for session in charger.sessions()]
    return Answer({"ongoingIndicator": going, "messagesInQueue": charger.queued})


def update_firmware(charger: Charger, payload: Request) -> Answer:
    """L01, L02: with a signing certificate its signature is verified, without one there is none."""
    firmware, number = payload["firmware"], payload["requestId"]
    signed = "signingCertificate" in firmware
    if signed and not read_chain(firmware["signingCertificate"]):
        return answer("InvalidCertificate")
    said = [
        (status, ("FirmwareStatusNotification", {"status": status, "requestId": number}))
        for status in _UPDATE
        if signed or status != "SignatureVerified"
    ]
    retrieve = read_time(firmware["retrieveDateTime"])
    install = read_time(firmware["installDateTime"]) if "installDateTime" in firmware else None
    status = "AcceptedCanceled" if "firmware" in charger.tasks else "Accepted"
    return Answer({"status": status}, requests.update(charger, said, firmware["location"], retrieve, install))


def get_log(charger: Charger, payload: Request) -> Answer:
    """N01."""
    number = payload["requestId"]
    said = [("LogStatusNotification", {"status": status, "requestId": number}) for status in ("Uploading", "Uploaded")]
    steps = tuple(Step(call, charger.patience) for call in said)
    status = "AcceptedCanceled" if "log" in charger.tasks else "Accepted"
    return Answer({"status": status, "filename": f"{payload['logType']}-{charger.serial}.log"}, Perform(steps, "log"))


def certificate_signed(charger: Charger, payload: Request) -> Answer:
    """A02.FR.06: only what belongs to the key that was asked for."""
    return answer("Accepted" if charger.certificates.signed(payload["certificateChain"]) else "Rejected")


def install_certificate(charger: Charger, payload: Request) -> Answer:
    """M05."""
    done = charger.certificates.install(payload["certificateType"], payload["certificate"])
    return answer("Accepted" if done else "Rejected")


def installed_certificates(charger: Charger, payload: Request) -> Answer:
    """M03."""
    kinds = payload.get("certificateType")
    found = [
        {"certificateType": one.use, "certificateHashData": one.hashes}
        for one in charger.certificates.installed
        if kinds is None or one.use in kinds
    ]
    return Answer({"status": "Accepted", "certificateHashDataChain": found}) if found else answer("NotFound")


def delete_certificate(charger: Charger, payload: Request) -> Answer:
    """M04."""
    return answer("Accepted" if charger.certificates.remove(payload["certificateHashData"]) else "NotFound")


def customer_information(charger: Charger, payload: Request) -> Answer:
    """N09, N10: what is kept of a customer is the status of the token, in the local list and in the cache."""
    token = payload.get("idToken", {}).get("idToken", "").lower()
    if not ({"idToken", "customerCertificate", "customerIdentifier"} & payload.keys()):
        return answer("Invalid")
    places = {"local list": charger.local_list, "cache": charger.cache}
    lines = [f"{place}: {kept[token]}" for place, kept in places.items() if token in kept]
    if payload["clear"]:
        for kept in places.values():
            kept.pop(token, None)
    head: Payload = {"requestId": payload["requestId"], "seqNo": 0, "generatedAt": stamp(charger.clock())}
    return answer("Accepted", ("NotifyCustomerInformation", {**head, "data": "\n".join(lines)[:512]}))


def network_profile(charger: Charger, payload: Request) -> Answer:
    """B09; a lower security profile than that of now is refused (B09.FR.04)."""
    known = str(payload["configurationSlot"]) in model.SLOTS
    lower = payload["connectionData"]["securityProfile"] < charger.variables.number(model.SECURITY_PROFILE)
    if not known or lower:
        return answer("Rejected")
    charger.networks[payload["configurationSlot"]] = payload["connectionData"]
    return answer("Accepted")


_UPDATE = ("Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting", "Installed")

_TRIGGERED: dict[str, Callable[[Charger, list[int]], list[Call]]] = {
    "BootNotification": lambda charger, _: [messages.boot(charger, "Triggered")],
    "FirmwareStatusNotification": lambda charger, _: [messages.task(charger, "firmware", "FirmwareStatusNotification")],
    "Heartbeat": lambda _, __: [("Heartbeat", {})],
    "LogStatusNotification": lambda charger, _: [messages.task(charger, "log", "LogStatusNotification")],
    "MeterValues": lambda charger, places: [messages.triggered_values(charger, place) for place in places],
    "SignChargingStationCertificate": lambda charger, _: [
        messages.sign_certificate(charger, charger.variables.get(model.ORGANIZATION_NAME))
    ],
    "StatusNotification": lambda charger, places: [messages.status(charger, place) for place in places],
    "TransactionEvent": lambda charger, places: [
        call for place in places for call in messages.triggered_event(charger, place)
    ],
}

ANSWERS: dict[str, Callable[[Charger, Request], Answer]] = {
    "CancelReservation": cancel_reservation,
    "CertificateSigned": certificate_signed,
    "ChangeAvailability": change_availability,
    "ClearCache": clear_cache,
    "ClearChargingProfile": charging.clear_profile,
    "ClearDisplayMessage": displays.clear_message,
    "ClearVariableMonitoring": reports.clear_monitors,
    "CostUpdated": lambda _, __: Answer(),
    "CustomerInformation": customer_information,
    "DataTransfer": lambda _, __: answer("UnknownVendorId"),
    "DeleteCertificate": delete_certificate,
    "GetBaseReport": reports.base_report,
    "GetChargingProfiles": charging.get_profiles,
    "GetCompositeSchedule": charging.composite_schedule,
    "GetDisplayMessages": displays.get_messages,
    "GetInstalledCertificateIds": installed_certificates,
    "GetLocalListVersion": list_version,
    "GetLog": get_log,
    "GetMonitoringReport": reports.monitoring_report,
    "GetReport": reports.report,
    "GetTransactionStatus": transaction_status,
    "GetVariables": reports.get_variables,
    "InstallCertificate": install_certificate,
    "PublishFirmware": lambda _, __: answer("Rejected"),  # only local controllers publish
    "RequestStartTransaction": remote_start,
    "RequestStopTransaction": remote_stop,
    "ReserveNow": reserve,
    "Reset": reset,
    "SendLocalList": local_list,
    "SetChargingProfile": charging.set_profile,
    "SetDisplayMessage": displays.set_message,
    "SetMonitoringBase": reports.monitoring_base,
    "SetMonitoringLevel": reports.monitoring_level,
    "SetNetworkProfile": network_profile,
    "SetVariableMonitoring": reports.set_monitors,
    "SetVariables": reports.set_variables,
    "TriggerMessage": trigger,
    "UnlockConnector": unlock,
    "UnpublishFirmware": lambda _, __: answer("NoFirmware"),
    "UpdateFirmware": update_firmware,
}
