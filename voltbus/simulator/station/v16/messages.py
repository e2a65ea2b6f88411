"""What a station says in OCPP 1.6."""

from voltbus.simulator.station.charger import Charger
from voltbus.simulator.station.types import Call, Payload, Reading, Session, stamp

_STATES = {"EVConnected": "Preparing", "Idle": "Finishing"}


def boot(charger: Charger) -> Call:
    return "BootNotification", {
        "chargePointVendor": charger.make.vendor,
        "chargePointModel": charger.make.model,
        "chargePointSerialNumber": charger.serial,
        "firmwareVersion": charger.firmware,
    }


def status(charger: Charger, number: int) -> Call:
    """1.6 §4.9; connector 0 is only Available or Unavailable, or Faulted."""
    outlet = charger.outlet(number)
    return "StatusNotification", {
        "connectorId": number,
        "errorCode": (outlet.fault if outlet else None) or "NoError",
        "status": state(charger, number),
        "timestamp": stamp(charger.clock()),
    }


def state(charger: Charger, number: int) -> str:
    """The status of a connector, or of the whole station."""
    outlet = charger.outlet(number)
    if outlet is None:
        return "Available" if charger.operative else "Unavailable"
    if outlet.fault:
        return "Faulted"
    if outlet.session:
        return _STATES.get(outlet.session.state, outlet.session.state)
    if not (outlet.operative and charger.operative):
        return "Unavailable"
    if outlet.plugged:
        return "Finishing" if outlet.finishing else "Preparing"
    if outlet.held:
        return "Preparing"
    return "Reserved" if outlet.reservation else "Available"


def start(session: Session, reading: Reading) -> Call:
    reserved = {} if session.reservation_id is None else {"reservationId": session.reservation_id}
    return "StartTransaction", {
        "connectorId": session.outlet,
        "idTag": session.id_token,
        "meterStart": reading.energy_wh,
        "timestamp": stamp(reading.at),
        **reserved,
    }


def meter_values(session: Session, reading: Reading, context: str = "Sample.Periodic") -> Call:
    return "MeterValues", {
        "connectorId": session.outlet,
        "transactionId": session.number,
        "meterValue": [meter_value(reading, context)],
    }


def triggered_values(charger: Charger, number: int) -> Call:
    """A reading that was asked for, of the session if one goes on."""
    outlet = charger.outlet(number)
    assert outlet is not None, "only asked for outlets that there are"
    reading = outlet.reading(charger.clock())
    session = outlet.session
    going = {} if session is None or session.number is None else {"transactionId": session.number}
    return "MeterValues", {"connectorId": number, **going, "meterValue": [meter_value(reading, "Trigger")]}


def task(charger: Charger, name: str, action: str) -> Call:
    """What was last said of an update or an upload; Idle where none goes on."""
    return charger.tasks.get(name, (action, {"status": "Idle"}))


def sign_certificate(charger: Charger, organization: str) -> Call:
    """A02: for a new key. organization: whose station it is."""
    return "SignCertificate", {"csr": charger.certificates.request(organization, charger.serial)}


def stop(session: Session, reading: Reading, reason: str) -> Call:
    return "StopTransaction", {
        "transactionId": session.number,
        "idTag": session.id_token,
        "meterStop": reading.energy_wh,
        "timestamp": stamp(reading.at),
        "reason": reason,
    }


def meter_value(reading: Reading, context: str) -> Payload:
    values = [
        ("Energy.Active.Import.Register", reading.energy_wh, "Wh"),
        ("Power.Active.Import", reading.power_w, "W"),
        ("Current.Import", reading.current_a, "A"),
        ("Voltage", reading.volts, "V"),
        ("SoC", reading.soc, "Percent"),
    ]
    sampled = [
        {"measurand": measurand, "value": str(value), "unit": unit, "context": context}
        for measurand, value, unit in values
        if value is not None
    ]
    return {"timestamp": stamp(reading.at), "sampledValue": sampled}
