"""Every message of both versions there and back: read, decided and said as its schema has it."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from services.common.calls.call import Call, Refused
from services.common.process.errors import Unprocessable
from services.firmware.dialects import BY_VERSION, DIALECTS
from services.firmware.domain.context import Context
from services.firmware.domain.decide import decide
from services.firmware.domain.messages import (
    Boot,
    BootVerdict,
    Command,
    CurrentTime,
    DataTransferResult,
    Envelope,
    Notification,
    ReportConnectorStates,
    ReportConnectorStatus,
)
from services.firmware.domain.rules import Rules
from services.firmware.domain.station import BootStatus, Identity, Place, Station
from services.ocpp.services import FIRMWARE
from services.ocpp.versions import VERSIONS
from tests.contract.examples import full, minimal
from tests.unit.common.calls import NOW, call
from tests.unit.firmware.tables import START

READ = {version: dialect.read for version, dialect in BY_VERSION.items()}
ALL = [(version, action) for version, table in READ.items() for action in table]
TIME = "2026-03-01T12:00:00.000Z"


def read(asked: Call) -> Command:
    command = DIALECTS.read(asked)
    assert not isinstance(command, Refused)
    return command


@pytest.mark.parametrize("example", [minimal, full])
@pytest.mark.parametrize(("version", "action"), ALL)
def test_there_and_back(version: str, action: str, example: Callable[[Any], Any]) -> None:
    schemas = VERSIONS[version].schemas
    payload = example(schemas.request_document(action))
    asked = call(action, payload, version)
    context = Context(Envelope(asked.id, "CP1", "c1", version, NOW), Rules(), NOW)
    written = DIALECTS.write(asked, decide(Station("CP1"), read(asked), context).reply)
    if action in schemas.sends:
        assert written == {}
    else:
        schemas.check_response(action, written)


@pytest.mark.parametrize("version", READ)
def test_all_that_is_routed_here_is_read_here(version: str) -> None:
    assert {action for action, owner in VERSIONS[version].from_station.items() if owner == FIRMWARE} == set(
        READ[version]
    )


def test_a_boot_of_16() -> None:
    payload = {
        "chargePointVendor": "V",
        "chargePointModel": "M",
        "chargePointSerialNumber": "S",
        "chargeBoxSerialNumber": "B",
        "firmwareVersion": "F",
        "iccid": "I",
        "imsi": "J",
        "meterType": "T",
        "meterSerialNumber": "N",
    }
    assert read(call("BootNotification", payload)) == Boot(Identity("V", "M", "S", "F", "I", "J", "T", "N"))
    del payload["chargePointSerialNumber"]
    boot = read(call("BootNotification", payload))
    assert isinstance(boot, Boot)
    assert boot.identity.serial_number == "B"


def test_a_boot_of_201() -> None:
    """B01.FR.09."""
    station = {"vendorName": "V", "model": "M", "serialNumber": "S", "modem": {"iccid": "I"}}
    boot = read(call("BootNotification", {"reason": "Watchdog", "chargingStation": station}, "2.0.1"))
    assert boot == Boot(Identity("V", "M", "S", iccid="I"), "Watchdog")


@pytest.mark.parametrize(("connector", "place"), [(0, Place(0, 0)), (1, Place(1, 1)), (7, Place(7, 7))])
def test_connectors_of_16(connector: int, place: Place) -> None:
    """1.6 §4.9: connector 0 is the station itself."""
    payload = {"connectorId": connector, "status": "Available", "errorCode": "NoError", "timestamp": TIME}
    assert read(call("StatusNotification", payload)) == ReportConnectorStatus(place, "Available", "NoError", at=START)


def test_connectors_of_201() -> None:
    payload = {"timestamp": TIME, "connectorStatus": "Occupied", "evseId": 2, "connectorId": 1}
    assert read(call("StatusNotification", payload, "2.0.1")) == ReportConnectorStatus(
        Place(2, 1), "Occupied", at=START
    )


@pytest.mark.parametrize(
    ("evse", "connector", "place"),
    [(2, 0, Place(2, 0)), (0, 0, Place(0, 0)), (0, 1, Place(0, 0))],
)
def test_connector_0_of_201_is_the_evse_and_evse_0_the_station(evse: int, connector: int, place: Place) -> None:
    payload = {"timestamp": TIME, "connectorStatus": "Faulted", "evseId": evse, "connectorId": connector}
    command = read(call("StatusNotification", payload, "2.0.1"))
    assert isinstance(command, ReportConnectorStatus)
    assert command.place == place


def state(component: Any, status: Any = "Unavailable", **more: Any) -> dict[str, Any]:
    """An item of eventData."""
    variable = {"name": "AvailabilityState"}
    return {"component": component, "variable": variable, "actualValue": status, "timestamp": TIME} | more


@pytest.mark.parametrize(
    ("component", "place"),
    [
        ({"name": "Connector", "evse": {"id": 2, "connectorId": 1}}, Place(2, 1)),
        ({"name": "Connector", "evse": {"id": 2.0, "connectorId": 3.0}}, Place(2, 3)),
        ({"name": "Connector", "evse": {"id": 2}}, Place(2, 1)),
        ({"name": "EVSE", "evse": {"id": 2}}, Place(2, 0)),
        ({"name": "ChargingStation"}, Place(0, 0)),
    ],
)
def test_a_notify_event_tells_the_status_of_a_connector_an_evse_or_the_station(component: Any, place: Place) -> None:
    """G01.FR.03 to FR.07, H01.FR.20, FR.23; part 2 §2.13.2."""
    payload = {"generatedAt": TIME, "seqNo": 0, "eventData": [{"eventId": 1}, state(component)]}
    assert read(call("NotifyEvent", payload, "2.0.1")) == ReportConnectorStates(
        ((1, ReportConnectorStatus(place, "Unavailable", at=START)),), START
    )


@pytest.mark.parametrize(
    "event",
    [
        state({"name": "Connector", "evse": {"id": 2}}, variable={"name": "Problem"}),
        state({"name": "Connector"}),
        state({"name": "Connector", "evse": {"id": 0, "connectorId": 1}}),
        state({"name": "Connector", "evse": {"id": "two"}}),
        state({"name": "Connector", "evse": {"id": 2, "connectorId": 2**40}}),
        state({"name": "EVSE", "evse": {"id": -1}}),
        state({"name": "ConnectorHolster", "evse": {"id": 2, "connectorId": 1}}),
        state({"name": "ChargingStation"}, "Tired"),
        state({"name": "ChargingStation"}, None),
        state({"name": ["ChargingStation"]}),
        "broken",
    ],
)
def test_whatever_else_a_notify_event_tells_is_kept_as_it_came(event: Any) -> None:
    assert isinstance(read(call("NotifyEvent", {"seqNo": 0, "eventData": [event]}, "2.0.1")), Notification)


def test_events_are_told_in_the_order_of_their_times() -> None:
    """Whatever their order in the message; what has no time comes last."""
    component = {"name": "ChargingStation"}
    events = [
        state(component, "Faulted", timestamp="soon"),
        state(component, "Available", timestamp="2026-03-01T12:00:02Z"),
        state(component, "Occupied", timestamp="2026-03-01T12:00:01Z"),
    ]
    command = read(call("NotifyEvent", {"generatedAt": "now", "seqNo": 0, "eventData": events}, "2.0.1"))
    assert isinstance(command, ReportConnectorStates)
    assert [(number, one.status) for number, one in command.reports] == [
        (2, "Occupied"),
        (1, "Available"),
        (0, "Faulted"),
    ]
    assert command.generated_at is None


def test_what_a_station_puts_beside_a_status_is_kept() -> None:
    payload = {"timestamp": TIME, "connectorStatus": "Occupied", "evseId": 2, "connectorId": 1}
    custom = {"vendorId": "org.example", "bay": "dirty"}
    command = read(call("StatusNotification", payload | {"customData": custom}, "2.0.1"))
    assert isinstance(command, ReportConnectorStatus)
    assert orjson.loads(command.custom_data or "") == custom


def test_a_connector_may_be_written_as_10() -> None:
    """JSON Schema draft 6, which 2.0.1 uses, takes 1.0 for an integer; a database does not."""
    payload = {"timestamp": TIME, "connectorStatus": "Occupied", "evseId": 2.0, "connectorId": 1.0}
    VERSIONS["2.0.1"].schemas.check_request("StatusNotification", payload)
    command = read(call("StatusNotification", payload, "2.0.1"))
    assert isinstance(command, ReportConnectorStatus)
    assert [type(number) for number in (command.place.evse_id, command.place.connector_id)] == [int, int]


@pytest.mark.parametrize("time", ["", "soon", "2026-02-30T00:00:00Z"])
def test_a_time_that_is_none_costs_no_status(time: str) -> None:
    payload = {"timestamp": time, "connectorStatus": "Occupied", "evseId": 2, "connectorId": 1}
    command = read(call("StatusNotification", payload, "2.0.1"))
    assert isinstance(command, ReportConnectorStatus)
    assert (command.status, command.at) == ("Occupied", None)


@pytest.mark.parametrize("number", [-1, 2**31])
def test_a_connector_that_cannot_be(number: int) -> None:
    payload = {"connectorId": number, "status": "Available", "errorCode": "NoError"}
    with pytest.raises(Unprocessable):
        read(call("StatusNotification", payload))


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (BootVerdict(BootStatus.ACCEPTED, 30, NOW), {"status": "Accepted", "interval": 30, "currentTime": TIME}),
        (DataTransferResult("UnknownVendorId"), {"status": "UnknownVendorId"}),
        (DataTransferResult("Accepted", "x"), {"status": "Accepted", "data": "x"}),
        (CurrentTime(NOW), {"currentTime": TIME}),
    ],
)
@pytest.mark.parametrize("version", READ)
def test_words(version: str, reply: object, said: object) -> None:
    assert DIALECTS.write(call("BootNotification", {}, version), reply) == said


@pytest.mark.parametrize(("version", "status"), [("1.5", "Rejected"), ("1.6", "Pending"), ("2.0.1", "Pending")])
def test_who_waits_for_acceptance_is_rejected_where_there_is_no_other_word(version: str, status: str) -> None:
    """RegistrationStatus of 1.5 has two values."""
    reply = BootVerdict(BootStatus.PENDING, 30, NOW)
    assert DIALECTS.write(call("BootNotification", {}, version), reply)["status"] == status
