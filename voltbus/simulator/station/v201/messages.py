"""What a station says in OCPP 2.0.1."""

from typing import Any

from voltbus.simulator.station.charger import Charger, Outlet
from voltbus.simulator.station.types import Call, Payload, Reading, Session, stamp

# What made a session end, by its reason; everything else is an abnormal condition.
_TRIGGERS = {
    "Local": "StopAuthorized",
    "Remote": "RemoteStop",
    "EVDisconnected": "EVCommunicationLost",
    "StoppedByEV": "ChargingStateChanged",
    "DeAuthorized": "Deauthorized",
    "ImmediateReset": "ResetCommand",
}


def boot(charger: Charger, reason: str) -> Call:
    station = {
        "vendorName": charger.make.vendor,
        "model": charger.make.model,
        "serialNumber": charger.serial,
        "firmwareVersion": charger.firmware,
    }
    return "BootNotification", {"reason": reason, "chargingStation": station}


def status(charger: Charger, number: int) -> Call:
    """G01."""
    return "StatusNotification", {
        "timestamp": stamp(charger.clock()),
        "connectorStatus": state(charger, number),
        "evseId": number,
        "connectorId": 1,
    }


def state(charger: Charger, number: int) -> str:
    """A ConnectorStatusEnumType."""
    outlet = _outlet(charger, number)
    if outlet.fault:
        return "Faulted"
    if outlet.session or outlet.plugged:
        return "Occupied"
    if not (outlet.operative and charger.operative):
        return "Unavailable"
    return "Reserved" if outlet.reservation else "Available"


def problem(charger: Charger, number: int, event: int, cleared: bool) -> Call:
    """N07: a hard-wired alarm of the EVSE, or that it is over."""
    outlet, now = charger.outlet(number), stamp(charger.clock())
    data = {
        "eventId": event,
        "timestamp": now,
        "trigger": "Alerting",
        "actualValue": "false" if cleared else "true",
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": "EVSE", "evse": {"id": number}},
        "variable": {"name": "Problem"},
        "cleared": cleared,
    }
    data |= {"techCode": outlet.fault} if outlet and outlet.fault else {}
    return "NotifyEvent", {"generatedAt": now, "seqNo": 0, "eventData": [data]}


def started(session: Session, reading: Reading, offline: bool) -> Call:
    info: Payload = {"remoteStartId": session.remote_start_id} if session.remote_start_id is not None else {}
    more: Payload = {"idToken": token(session), "evse": {"id": session.outlet, "connectorId": 1}}
    more |= {"reservationId": session.reservation_id} if session.reservation_id is not None else {}
    trigger = "RemoteStart" if info else "Authorized"
    return event("Started", session, reading, trigger, "Transaction.Begin", offline, info, more)


def updated(session: Session, reading: Reading, trigger: str, context: str, offline: bool) -> Call:
    return event("Updated", session, reading, trigger, context, offline, {}, {})


def ended(session: Session, reading: Reading, reason: str, offline: bool) -> Call:
    """E06; the token is named by the driver who ends it with a card."""
    more: Payload = {"idToken": token(session)} if reason == "Local" else {}
    trigger = _TRIGGERS.get(reason, "AbnormalCondition")
    info = {"stoppedReason": reason, "chargingState": "Idle" if reason == "EVDisconnected" else "EVConnected"}
    return event("Ended", session, reading, trigger, "Transaction.End", offline, info, more)


def event(
    kind: str,
    session: Session,
    reading: Reading,
    trigger: str,
    context: str,
    offline: bool,
    info: Payload,
    more: Payload,
) -> Call:
    """One TransactionEvent; it takes the next number of its session."""
    number, session.sequence = session.sequence, session.sequence + 1
    more = more | ({"offline": True} if offline else {})
    return "TransactionEvent", {
        "eventType": kind,
        "timestamp": stamp(reading.at),
        "triggerReason": trigger,
        "seqNo": number,
        "transactionInfo": {"transactionId": session.name, "chargingState": reading.state, **info},
        "meterValue": [meter_value(reading, context)],
        **more,
    }


def token(session: Session) -> Payload:
    return {"idToken": session.id_token, "type": session.token_type}


def meter_value(reading: Reading, context: str) -> Payload:
    values: list[tuple[str, Any, str]] = [
        ("Energy.Active.Import.Register", reading.energy_wh, "Wh"),
        ("Power.Active.Import", reading.power_w, "W"),
        ("Current.Import", reading.current_a, "A"),
        ("Voltage", reading.volts, "V"),
        ("SoC", reading.soc, "Percent"),
    ]
    sampled = [
        {"measurand": measurand, "value": value, "context": context, "unitOfMeasure": {"unit": unit}}
        for measurand, value, unit in values
        if value is not None
    ]
    return {"timestamp": stamp(reading.at), "sampledValue": sampled}


def triggered_values(charger: Charger, number: int) -> Call:
    """A reading that was asked for."""
    outlet = _outlet(charger, number)
    return "MeterValues", {"evseId": number, "meterValue": [meter_value(outlet.reading(charger.clock()), "Trigger")]}


def triggered_event(charger: Charger, number: int) -> list[Call]:
    """The session of an outlet, as it is now; nothing where none goes on."""
    outlet = _outlet(charger, number)
    if outlet.session is None:
        return []
    return [updated(outlet.session, outlet.reading(charger.clock()), "Trigger", "Trigger", offline=False)]


def task(charger: Charger, name: str, action: str) -> Call:
    """What was last said of an update or an upload; Idle where none goes on (L01.FR.25, L01.FR.26)."""
    return charger.tasks.get(name, (action, {"status": "Idle"}))


def sign_certificate(charger: Charger, organization: str) -> Call:
    """A02: for a new key. organization: whose station it is."""
    csr = charger.certificates.request(organization, charger.serial)
    return "SignCertificate", {"csr": csr, "certificateType": "ChargingStationCertificate"}


def _outlet(charger: Charger, number: int) -> Outlet:
    outlet = charger.outlet(number)
    assert outlet is not None, "things are said of outlets that there are"
    return outlet
