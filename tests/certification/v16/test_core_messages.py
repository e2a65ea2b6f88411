"""Core profile, what stations say: idTags, boots, heartbeats, vendors' own messages, meter values, states."""

from functools import partial
from typing import Any

from tests.certification.marks import missing
from tests.certification.operator import Operator
from tests.certification.states import Token, admitted
from tests.certification.station import MODEL, VENDOR, Station, now
from tests.certification.v16.states import (
    ACCEPTED,
    NOBODYS,
    Session,
    boot,
    booted,
    commanded,
    connector,
    sampled,
    shown_of_station,
)

MEASURANDS = (
    ("Energy.Active.Export.Register", "kWh"),
    ("Energy.Active.Import.Register", "Wh"),
    ("Energy.Reactive.Export.Register", "varh"),
    ("Energy.Reactive.Import.Register", "kvarh"),
    ("Energy.Active.Export.Interval", "Wh"),
    ("Energy.Active.Import.Interval", "kWh"),
    ("Energy.Reactive.Export.Interval", "varh"),
    ("Energy.Reactive.Import.Interval", "kvarh"),
    ("Power.Active.Export", "W"),
    ("Power.Active.Import", "kW"),
    ("Power.Offered", "VA"),
    ("Power.Reactive.Export", "var"),
    ("Power.Reactive.Import", "kvar"),
    ("Power.Factor", "Percent"),
    ("Current.Import", "A"),
    ("Current.Export", "A"),
    ("Current.Offered", "A"),
    ("Voltage", "V"),
    ("Frequency", "Hertz"),
    ("Temperature", "K"),
    ("Temperature", "Fahrenheit"),
    ("SoC", "Percent"),
    ("RPM", "Percent"),
)
PHASES = ("L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1")
PLACES = ("Body", "Cable", "EV", "Inlet", "Outlet")
CONTEXTS = (
    "Interruption.Begin",
    "Interruption.End",
    "Other",
    "Sample.Clock",
    "Sample.Periodic",
    "Transaction.Begin",
    "Transaction.End",
    "Trigger",
)
ERRORS = (
    "ConnectorLockFailure",
    "EVCommunicationError",
    "GroundFailure",
    "HighTemperature",
    "InternalError",
    "LocalListConflict",
    "OtherError",
    "OverCurrentFailure",
    "OverVoltage",
    "PowerMeterFailure",
    "PowerSwitchFailure",
    "ReaderFailure",
    "ResetFailure",
    "UnderVoltage",
    "WeakSignal",
)
REASONS = {"Blocked": "blocked", "Expired": "expired", "Invalid": "unknown_token"}


async def verdict(station: Station, id_tag: str) -> Any:
    """What the station is told of an idTag."""
    return (await station.call("Authorize", {"idTag": id_tag}))["idTagInfo"]


async def refused(station: Station, operator: Operator, id_tag: str, status: str) -> None:
    """The idTag may not charge, and the operator sees why."""
    assert (await verdict(station, id_tag))["status"] == status
    page = await operator.until("auth", "/v1/decisions", lambda page: bool(page["items"]), station_id=station.id)
    [seen] = page["items"]
    assert (seen["id_token"], seen["rule"]) == (id_tag, REASONS[status])


async def test_16_authorize_accepted(station: Station, token: Token) -> None:
    """An idTag is accepted, in whatever case it is written (§4.1, §7.28)."""
    await booted(station)
    assert await verdict(station, token.id) == ACCEPTED
    assert await verdict(station, token.id.lower()) == ACCEPTED


async def test_16_authorize_parent(station: Station, operator: Operator) -> None:
    """Of an idTag that has a parent the station is told it (§3.10, §4.1)."""
    await admitted(operator, f"{station.id}-CHILD", group_id=f"{station.id}-PARENT")
    await booted(station)
    assert await verdict(station, f"{station.id}-CHILD") == ACCEPTED | {"parentIdTag": f"{station.id}-PARENT"}


async def test_16_authorize_expiry(station: Station, operator: Operator) -> None:
    """Of an idTag that is going to expire the station is told when (§7.27)."""
    await admitted(operator, f"{station.id}-EXPIRES", expires_at="2036-01-01T00:00:00Z")
    await booted(station)
    info = await verdict(station, f"{station.id}-EXPIRES")
    assert info == ACCEPTED | {"expiryDate": "2036-01-01T00:00:00.000Z"}


async def test_16_authorize_blocked(station: Station, operator: Operator) -> None:
    """An idTag is blocked (§4.1, §7.2)."""
    await admitted(operator, f"{station.id}-BLOCKED", status="Blocked")
    await booted(station)
    await refused(station, operator, f"{station.id}-BLOCKED", "Blocked")


async def test_16_authorize_expired(station: Station, operator: Operator) -> None:
    """An idTag has expired (§4.1, §7.2)."""
    await admitted(operator, f"{station.id}-EXPIRED", expires_at="2020-01-01T00:00:00Z")
    await booted(station)
    await refused(station, operator, f"{station.id}-EXPIRED", "Expired")


async def test_16_authorize_invalid(station: Station, operator: Operator) -> None:
    """Nobody has registered an idTag (§4.1, §7.2)."""
    await booted(station)
    await refused(station, operator, NOBODYS, "Invalid")


async def test_16_boot_accepted(station: Station, operator: Operator) -> None:
    """A station boots, is accepted, and is shown with all that it says it is (§4.2)."""
    identity = {
        "chargePointVendor": VENDOR,
        "chargePointModel": MODEL,
        "chargePointSerialNumber": "SN-1",
        "firmwareVersion": "1.0",
        "iccid": "8931000000000000001",
        "imsi": "204040000000001",
        "meterType": "Meter",
        "meterSerialNumber": "M-1",
    }
    answer = await station.call("BootNotification", identity)
    assert (answer["status"], answer["interval"] > 0) == ("Accepted", True)
    seen = await operator.station(station.id, lambda seen: seen["boot_status"] == "Accepted")
    names = ("vendor", "model", "serial_number", "firmware_version", "iccid", "imsi", "meter_type")
    assert [seen[name] for name in (*names, "meter_serial_number")] == list(identity.values())
    assert (seen["version"], seen["online"]) == ("1.6", True)
    await operator.event(station.id, "StationBooted")


async def test_16_boot_pending(station: Station, operator: Operator) -> None:
    """A station is let wait, read and configured meanwhile, and accepted when it boots again (§4.2)."""
    await operator.boot_verdict(station.id, "Pending")
    assert (await boot(station))["status"] == "Pending"
    await operator.station(station.id, lambda seen: seen["boot_status"] == "Pending")
    answer = {"configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}]}
    await commanded(station, operator, "GetConfiguration", {"key": ["HeartbeatInterval"]}, answer)
    await operator.boot_verdict(station.id, "Accepted")
    await booted(station)


async def test_16_boot_rejected(station: Station, operator: Operator) -> None:
    """A station is rejected: it is not heard, and nothing is sent to it (§4.2, 1.6-J errata 3.10)."""
    await operator.boot_verdict(station.id, "Rejected")
    answer = await boot(station)
    assert (answer["status"], answer["interval"] >= 0) == ("Rejected", True)
    assert await station.refused("Heartbeat") == "SecurityError"
    command = await operator.act("auth", station.id, "clear-cache", {})
    assert (await command.ended())["status"] == "undeliverable"


async def test_16_boot_again(station: Station, operator: Operator) -> None:
    """A station boots again and again: it waits, is rejected, waits, and is accepted at last (§4.2)."""
    for status in ("Pending", "Pending", "Rejected", "Pending", "Accepted"):
        await operator.boot_verdict(station.id, status)
        assert (await boot(station))["status"] == status
    path = f"/v1/stations/{station.id}/boots"
    page = await operator.until("firmware", path, lambda page: len(page["items"]) == 5)
    assert [one["status"] for one in page["items"]] == ["Accepted", "Pending", "Rejected", "Pending", "Pending"]
    await station.call("Heartbeat")


async def test_16_pending_requests(station: Station, operator: Operator) -> None:
    """What a station says while it waits is refused, and what it was asked for is not (§4.2, 1.6-J errata 3.10)."""
    await operator.boot_verdict(station.id, "Pending")
    assert (await boot(station))["status"] == "Pending"
    assert await station.refused("Authorize", {"idTag": NOBODYS}) == "SecurityError"
    command = await operator.trigger(station.id, "status", evse_id=1)
    wanted = {"requestedMessage": "StatusNotification", "connectorId": 1}
    assert await station.expects("TriggerMessage", ACCEPTED) == wanted
    await command.answered("accepted")
    await connector(station, 1, "Faulted")
    await operator.connector(station.id, "Faulted")


async def test_16_pending_remote_start(station: Station, token: Token, operator: Operator) -> None:
    """No session is started or stopped remotely while a station waits (§4.2)."""
    await operator.boot_verdict(station.id, "Pending")
    assert (await boot(station))["status"] == "Pending"
    start = await operator.command(station.id, "RemoteStartTransaction", {"idTag": token.id})
    stop = await operator.command(station.id, "RemoteStopTransaction", {"transactionId": 1})
    for command in (start, stop):
        assert (await command.ended())["status"] == "undeliverable"


async def test_16_reconnected(station: Station, operator: Operator) -> None:
    """An accepted station that has only lost its connection goes on without a boot (1.6-J §5.4)."""
    await booted(station)
    await station.reconnect()
    await connector(station, 1, "Preparing")
    await operator.connector(station.id, "Preparing")


@missing("a station that has never booted is told to boot first")
async def test_16_before_boot(station: Station) -> None:
    """What a new station says before its first boot is refused (§4.2, 1.6-J errata 3.10)."""
    assert await station.refused("Authorize", {"idTag": NOBODYS}) == "SecurityError"


async def test_16_heartbeat(station: Station, operator: Operator) -> None:
    """A heartbeat is answered with the time (§4.6)."""
    await booted(station)
    before = now()
    assert before <= (await station.call("Heartbeat"))["currentTime"] <= now()
    await operator.station(station.id, lambda seen: seen["last_seen_at"] >= before[:-1])


async def test_16_data_transfer_unknown_vendor(station: Station, operator: Operator) -> None:
    """A vendor's own message that nobody knows is told to be so, without data, and kept (§4.3)."""
    await booted(station)
    told = {"vendorId": "com.example", "messageId": "Coffee", "data": "black"}
    assert await station.call("DataTransfer", told) == {"status": "UnknownVendorId"}
    assert await operator.reported("firmware", station.id, "DataTransfer") == [told]


async def test_16_meter_values_of_transaction(station: Station, session: Session, operator: Operator) -> None:
    """Meter values of a transaction: periodic, by the clock, with units and phases (§4.7, §3.16)."""
    await booted(station)
    await session.charging()
    power = {"value": "3.7", "measurand": "Power.Active.Import", "unit": "kW", "phase": "L1"}
    value = sampled(1500, context="Sample.Periodic")
    value["sampledValue"].append(power)
    await session.measures(value)
    await session.measures(sampled(2000, context="Sample.Clock"))
    first, second = await operator.samples(session.transaction_id, lambda seen: len(seen) == 2, of=station.id)
    readings = {one["measurand"]: one for one in first["readings"]}
    assert readings["Energy.Active.Import.Register"]["value"] == 1500
    watts = readings["Power.Active.Import"]
    assert (watts["value"], watts["unit"], watts["phase"]) == (3700, "W", "L1")
    assert [(one["value"], one["context"]) for one in second["readings"]] == [(2000, "Sample.Clock")]
    await operator.transaction(session.transaction_id, lambda seen: seen["energy_wh"] == 1000, of=station.id)
    await operator.event(station.id, "TransactionUpdated", lambda told: bool(told.meter_values))


async def test_16_meter_values_measurands(station: Station, session: Session, operator: Operator) -> None:
    """Each measurand, phase, location and context, in each unit that there is (§7.30 to §7.35, §7.45)."""
    await booted(station)
    await session.charging()
    told = [{"value": "5", "measurand": word, "unit": unit} for word, unit in MEASURANDS]
    told += [{"value": "230", "measurand": "Voltage", "unit": "V", "phase": phase} for phase in PHASES]
    told += [{"value": "5", "measurand": "Current.Import", "unit": "A", "location": place} for place in PLACES]
    told += [{"value": "5", "measurand": "SoC", "unit": "Percent", "context": context} for context in CONTEXTS]
    await session.measures({"timestamp": now(), "sampledValue": told})
    [seen] = await operator.samples(session.transaction_id, lambda seen: len(seen) == 1, of=station.id)
    readings = seen["readings"]
    assert len(readings) == len(told)
    assert {one["measurand"] for one in readings} == {word for word, _ in MEASURANDS}
    assert {one["phase"] for one in readings} == {None, *PHASES}
    assert {one["location"] for one in readings} == {*PLACES}
    assert {one["context"] for one in readings} == {*CONTEXTS}


async def test_16_meter_values_celsius(station: Station, session: Session, operator: Operator) -> None:
    """A temperature in either spelling of its unit (1.6-J errata 2.1)."""
    await booted(station)
    await session.charging()
    for word in ("Celcius", "Celsius"):
        reading = {"value": "21.5", "measurand": "Temperature", "unit": word}
        await session.measures({"timestamp": now(), "sampledValue": [reading]})
    found = await operator.samples(session.transaction_id, lambda seen: len(seen) == 2, of=station.id)
    assert [one["readings"][0]["value"] for one in found] == [21.5, 21.5]


async def test_16_meter_values_outside(station: Station, operator: Operator) -> None:
    """Meter values of idle connectors and of the main meter (§4.7, §3.16.2)."""
    await booted(station)
    for connector_id in (0, 1):
        value = sampled(1000 + connector_id, context="Sample.Clock")
        await station.call("MeterValues", {"connectorId": connector_id, "meterValue": [value]})
    path = f"/v1/stations/{station.id}/samples"
    page = await operator.until("transactions", path, lambda page: len(page["items"]) == 2)
    assert sorted((one["evse_id"], one["readings"][0]["value"]) for one in page["items"]) == [(0, 1000), (1, 1001)]
    await operator.event(station.id, "MeterValuesRecorded", lambda told: told.evse_id == 1)


async def test_16_meter_values_main_meter(station: Station, session: Session, operator: Operator) -> None:
    """The main meter names a transaction, which it is not of (errata 3.16)."""
    await booted(station)
    await session.charging()
    told = {"connectorId": 0, "transactionId": session.number, "meterValue": [sampled(90000)]}
    await station.call("MeterValues", told)
    path = f"/v1/stations/{station.id}/samples"
    page = await operator.until("transactions", path, lambda page: len(page["items"]) == 1)
    assert page["items"][0]["transaction_id"] == session.transaction_id
    assert await operator.samples(session.transaction_id, lambda _: True, of=station.id) == []


async def test_16_meter_values_unknown_transaction(station: Station, operator: Operator) -> None:
    """Meter values of a transaction that nobody knows are answered, and kept (§4.7, errata 3.18)."""
    await booted(station)
    for number in (-1, 999_999_999):
        told = {"connectorId": 1, "transactionId": number, "meterValue": [sampled(1000)]}
        assert await station.call("MeterValues", told) == {}
    path = f"/v1/stations/{station.id}/samples"
    page = await operator.until("transactions", path, lambda page: len(page["items"]) == 2)
    assert {one["transaction_id"] for one in page["items"]} == {"-1", "999999999"}


async def test_16_meter_values_signed(station: Station, session: Session, operator: Operator) -> None:
    """A signed value is kept as it is (§7.43, §7.49)."""
    await booted(station)
    await session.charging()
    signed = sampled(0, format="SignedData") | {"timestamp": now()}
    signed["sampledValue"][0]["value"] = "OCMF|{}|{}"
    await session.measures(signed)
    [seen] = await operator.samples(session.transaction_id, lambda seen: len(seen) == 1, of=station.id)
    assert [one["signed"] for one in seen["readings"]] == ["OCMF|{}|{}"]


async def test_16_status_of_connector(station: Station, operator: Operator) -> None:
    """Each state that a connector can be in (§4.9, §7.7)."""
    await booted(station)
    words = ("Preparing", "Charging", "SuspendedEVSE", "SuspendedEV", "Finishing", "Reserved", "Unavailable")
    for word in (*words, "Available"):
        await connector(station, 1, word)
        await operator.connector(station.id, word)
        await operator.event(station.id, "ConnectorStatusChanged", partial(says, word))


def says(word: str, told: Any) -> bool:
    return bool(told.reported_status == word)


async def test_16_status_faulted(station: Station, operator: Operator) -> None:
    """A connector fails, and tells why (§4.9, §7.6)."""
    await booted(station)
    why = {"info": "wet", "vendorId": "com.example", "vendorErrorCode": "E42"}
    await connector(station, 2, "Faulted", errorCode="GroundFailure", **why)
    seen = await operator.connector(station.id, "Faulted", 2)
    [shown] = [one for evse in seen["evses"] if evse["evse_id"] == 2 for one in evse["connectors"]]
    assert (shown["error_code"], shown["info"], shown["vendor_error_code"]) == ("GroundFailure", "wet", "E42")


async def test_16_status_errors(station: Station, operator: Operator) -> None:
    """Each error that a connector can have, also one that it goes on with (§4.9, §7.6)."""
    await booted(station)
    for code in ERRORS:
        await connector(station, 1, "Charging", errorCode=code)
        await operator.station(station.id, partial(has_error, code))


def has_error(code: str, shown: Any) -> bool:
    """Of the first connector."""
    return any(one["error_code"] == code for evse in shown["evses"] for one in evse["connectors"])


async def test_16_status_of_station(station: Station, operator: Operator) -> None:
    """The station itself is unavailable (§4.9, §3.8)."""
    await booted(station)
    await connector(station, 0, "Unavailable")
    await shown_of_station(station, operator, "Unavailable")
