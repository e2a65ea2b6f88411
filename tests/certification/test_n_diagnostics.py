"""N, diagnostics: monitors and what they tell, logs, and what a station knows of a customer."""

from typing import Any

from tests.certification.certificates import hash_data, root
from tests.certification.marks import missing
from tests.certification.operator import Command, Operator
from tests.certification.states import ACCEPTED, Token, booted, notify
from tests.certification.station import Payload, Station, now

WHOLE, EVSE = {"name": "ChargingStation"}, {"name": "EVSE", "evse": {"id": 1}}
POWER, AVAILABILITY = {"name": "Power"}, {"name": "AvailabilityState"}
CLEARED_AT_ONCE = "MonitoringCtrlr.ItemsPerMessage(ClearVariableMonitoring)"
REPORT: dict[str, Any] = {"report": True, "clear": False}
CLEAR = REPORT | {"clear": True}
DATA = ("in the cache until 2026-12-31", "three sessions since 2026-01-01")
DELTA = {"value": 1, "type": "Delta", "severity": 8}


def of(component: Payload, variable: Payload) -> dict[str, Any]:
    return {"component": component, "variable": variable}


def monitors(component: Payload, variable: Payload, kind: str, id: int = 1) -> dict[str, Any]:
    """A variable and its monitor, as a report has them."""
    monitor = {"id": id, "transaction": False, "value": 1.0, "type": kind, "severity": 8}
    return of(component, variable) | {"variableMonitoring": [monitor]}


async def limit_read(station: Station, operator: Operator, items: int) -> None:
    """The operator reads how many monitors the station clears at once."""
    await operator.refresh(station.id, names=[CLEARED_AT_ONCE])
    variable = of({"name": "MonitoringCtrlr"}, {"name": "ItemsPerMessage", "instance": "ClearVariableMonitoring"})
    result = variable | {"attributeStatus": "Accepted", "attributeValue": str(items)}
    asked = await station.expects("GetVariables", {"getVariableResult": [result]})
    assert [{name: one[name] for name in variable} for one in asked["getVariableData"]] == [variable]
    await operator.settings(station.id, {CLEARED_AT_ONCE: str(items)})


async def report_asked(station: Station, operator: Operator, request_id: int, status: str, **limits: Any) -> Any:
    """The operator asks for a report of monitors, and the station says status to it; the command."""
    payload = {"requestId": request_id} | limits
    command = await operator.command(station.id, "GetMonitoringReport", payload)
    assert await station.expects("GetMonitoringReport", {"status": status}) == payload
    return await command.answered("accepted" if status == "Accepted" else "refused")


async def report_shown(station: Station, operator: Operator, request_id: int, *found: Payload) -> None:
    """The station reports monitors, a message each, and the operator sees all of them."""
    for number, monitor in enumerate(found):
        part = {"requestId": request_id, "seqNo": number, "generatedAt": now(), "monitor": [monitor]}
        await station.call("NotifyMonitoringReport", part | {"tbc": number < len(found) - 1})
    kept = await operator.reported("firmware", station.id, "NotifyMonitoringReport", len(found))
    assert {part["requestId"] for part in kept} == {request_id}
    assert [monitor for part in kept for monitor in part["monitor"]] == [*found]


async def test_tc_n_01(station: Station, operator: Operator) -> None:
    """Monitors of a kind are reported, or there are none (N02.FR.05, FR.10)."""
    await booted(station)
    await limit_read(station, operator, 2)
    refused = await report_asked(station, operator, 1, "EmptyResultSet", monitoringCriteria=["DeltaMonitoring"])
    assert refused["response"] == {"status": "EmptyResultSet"}
    await report_asked(station, operator, 2, "Accepted", monitoringCriteria=["ThresholdMonitoring"])
    upper, lower = monitors(WHOLE, POWER, "UpperThreshold"), monitors(EVSE, POWER, "LowerThreshold", 2)
    await report_shown(station, operator, 2, upper, lower)


async def test_tc_n_02(station: Station, operator: Operator) -> None:
    """The monitors of a variable are reported, or there are none (N02.FR.05, FR.10)."""
    await booted(station)
    await limit_read(station, operator, 2)
    await report_asked(station, operator, 1, "EmptyResultSet", componentVariable=[of(WHOLE, POWER)])
    await report_asked(station, operator, 2, "Accepted", componentVariable=[of(EVSE, AVAILABILITY)])
    await report_shown(station, operator, 2, monitors(EVSE, AVAILABILITY, "Delta"))


async def test_tc_n_03(station: Station, operator: Operator) -> None:
    """The monitors of a kind and of a variable are reported, or there are none (N02.FR.05, FR.10)."""
    await booted(station)
    await limit_read(station, operator, 2)
    delta = {"monitoringCriteria": ["DeltaMonitoring"], "componentVariable": [of(EVSE, AVAILABILITY)]}
    await report_asked(station, operator, 1, "EmptyResultSet", **delta)
    threshold = {"monitoringCriteria": ["ThresholdMonitoring"], "componentVariable": [of(WHOLE, POWER)]}
    await report_asked(station, operator, 2, "Accepted", **threshold)
    await report_shown(station, operator, 2, monitors(WHOLE, POWER, "UpperThreshold"))


async def test_tc_n_60(station: Station, operator: Operator) -> None:
    """The monitors of a kind and of several variables are reported, or there are none (N02.FR.05, FR.10).

    As its steps and its end say; the criteria of its tool validations are the other way round.
    """
    await booted(station)
    await limit_read(station, operator, 2)
    power = {"monitoringCriteria": ["ThresholdMonitoring"], "componentVariable": [of(WHOLE, POWER), of(EVSE, POWER)]}
    await report_asked(station, operator, 1, "EmptyResultSet", **power)
    both = [of(WHOLE, AVAILABILITY), of(EVSE, AVAILABILITY)]
    await report_asked(station, operator, 2, "Accepted", monitoringCriteria=["DeltaMonitoring"], componentVariable=both)
    found = monitors(WHOLE, AVAILABILITY, "Delta"), monitors(EVSE, AVAILABILITY, "Delta", 2)
    await report_shown(station, operator, 2, *found)


async def test_tc_n_05(station: Station, operator: Operator) -> None:
    """Each base of monitors is set (N03.FR.03, FR.04, FR.05)."""
    await booted(station)
    for base in ("All", "FactoryDefault", "HardWiredOnly"):
        command = await operator.command(station.id, "SetMonitoringBase", {"monitoringBase": base})
        assert await station.expects("SetMonitoringBase", ACCEPTED) == {"monitoringBase": base}
        await command.answered("accepted")


async def monitors_set(station: Station, operator: Operator, *components: Payload) -> None:
    """The operator sets monitors on the availability of these, and the station takes them."""
    wanted = [DELTA | of(component, AVAILABILITY) for component in components]
    command = await operator.command(station.id, "SetVariableMonitoring", {"setMonitoringData": wanted})
    named = [{name: one[name] for name in ("type", "severity", "component", "variable")} for one in wanted]
    results = [one | {"status": "Accepted", "id": id} for id, one in enumerate(named, 1)]
    asked = await station.expects("SetVariableMonitoring", {"setMonitoringResult": results})
    assert asked == {"setMonitoringData": wanted}
    assert (await command.answered())["response"] == {"setMonitoringResult": results}


async def test_tc_n_08(station: Station, operator: Operator) -> None:
    """A monitor is set (N04.FR.01, FR.02, FR.17)."""
    await booted(station)
    await monitors_set(station, operator, EVSE)


async def test_tc_n_09(station: Station, operator: Operator) -> None:
    """Monitors of several variables are set (N04.FR.01, FR.02, FR.17)."""
    await booted(station)
    await monitors_set(station, operator, EVSE, WHOLE)


async def level_set(station: Station, operator: Operator, status: str, effect: str) -> None:
    """The operator sets the severity from which a station tells, which says status to it."""
    await booted(station)
    command = await operator.command(station.id, "SetMonitoringLevel", {"severity": 4})
    assert await station.expects("SetMonitoringLevel", {"status": status}) == {"severity": 4}
    assert (await command.answered(effect))["response"] == {"status": status}


async def test_tc_n_16(station: Station, operator: Operator) -> None:
    """The severity from which a station tells is set (N05.FR.01)."""
    await level_set(station, operator, "Accepted", "accepted")


async def test_tc_n_17(station: Station, operator: Operator) -> None:
    """The severity from which a station is to tell is refused (N05.FR.02)."""
    await level_set(station, operator, "Rejected", "refused")


def cleared(asked: Any, status: str = "Accepted") -> dict[str, Any]:
    """The answer to a ClearVariableMonitoring."""
    return {"clearMonitoringResult": [{"status": status, "id": id} for id in asked["id"]]}


async def test_tc_n_18(station: Station, operator: Operator) -> None:
    """More monitors are cleared than a station takes in a message (N06.FR.04)."""
    await booted(station)
    await limit_read(station, operator, 2)
    ids = [1, 2, 3, 4, 5]
    command = await operator.command(station.id, "ClearVariableMonitoring", {"id": ids})
    done: list[int] = []
    while len(done) < len(ids):
        asked = await station.expects("ClearVariableMonitoring", cleared)
        assert len(asked["id"]) <= 2
        done += asked["id"]
    assert done == ids
    ended = await command.answered()
    assert ended["response"] == cleared({"id": ids})
    assert ended["parts"] == {"count": 3, "items": 5, "sent": 5, "answered": 5, "results": 5}


async def events_shown(station: Station, operator: Operator, *events: Payload) -> None:
    """The station tells events of its power, each is answered with nothing, and the operator sees all of them."""
    await booted(station)
    for event in events:
        assert await notify(station, WHOLE, "Power", "", eventNotificationType="CustomMonitor", **event) == {}
    kept = await operator.reported("firmware", station.id, "NotifyEvent", station.evses + len(events))
    seen = [part["eventData"][0] for part in kept[station.evses :]]
    assert [{name: one[name] for name in event} for one, event in zip(seen, events, strict=True)] == [*events]


def alert(trigger: str, value: str, **more: Any) -> dict[str, Any]:
    """An event of a monitor."""
    return {"trigger": trigger, "actualValue": value, "variableMonitoringId": 1} | more


async def test_tc_n_21(station: Station, operator: Operator) -> None:
    """Events of a threshold, each answered with nothing (N07.FR.03)."""
    await events_shown(station, operator, *(alert("Alerting", value) for value in ("22001", "22002", "22003")))


async def test_tc_n_24(station: Station, operator: Operator) -> None:
    """Events that come again and again, each answered with nothing (N08.FR.02)."""
    await events_shown(station, operator, *(alert("Periodic", value) for value in ("11000", "11000", "11001")))


async def log_asked(station: Station, operator: Operator, kind: str, status: str, request_id: int = 1) -> Command:
    """The operator asks for a log, and the station says status to it."""
    payload = {"logType": kind, "requestId": request_id, "log": {"remoteLocation": "https://files.example/logs"}}
    command = await operator.command(station.id, "GetLog", payload)
    assert await station.expects("GetLog", {"status": status}) == payload
    return command


async def uploads(station: Station, *said: tuple[int, str]) -> None:
    """The station tells how far it is with its uploads, by their numbers."""
    for request_id, status in said:
        await station.call("LogStatusNotification", {"status": status, "requestId": request_id})


async def uploads_shown(station: Station, operator: Operator, *said: tuple[int, str]) -> None:
    """The operator sees that the station has told all that."""
    kept = await operator.reported("firmware", station.id, "LogStatusNotification", len(said))
    assert [(one["requestId"], one["status"]) for one in kept] == [*said]


async def log_uploaded(station: Station, operator: Operator, kind: str) -> None:
    """The operator asks for a log, and the station uploads it."""
    await booted(station)
    await (await log_asked(station, operator, kind, "Accepted")).answered("accepted")
    said = (1, "Uploading"), (1, "Uploaded")
    await uploads(station, *said)
    await uploads_shown(station, operator, *said)


async def test_tc_n_25(station: Station, operator: Operator) -> None:
    """A station uploads its diagnostics (N01.FR.01, FR.04, FR.08, FR.09)."""
    await log_uploaded(station, operator, "DiagnosticsLog")


async def customer_asked(station: Station, operator: Operator, status: str = "Accepted", **about: Any) -> None:
    """The operator asks what a station knows of a customer, or to forget it; the station says status to it."""
    command = await operator.command(station.id, "CustomerInformation", {"requestId": 1} | about)
    assert await station.expects("CustomerInformation", {"status": status}) == {"requestId": 1} | about
    await command.answered("accepted" if status == "Accepted" else "refused")


async def customer_shown(station: Station, operator: Operator, *data: str) -> None:
    """The station tells of the customer, in as many messages, and the operator sees all of it."""
    for number, text in enumerate(data):
        part = {"requestId": 1, "seqNo": number, "generatedAt": now(), "tbc": number < len(data) - 1}
        assert await station.call("NotifyCustomerInformation", part | {"data": text}) == {}
    kept = await operator.reported("auth", station.id, "NotifyCustomerInformation", len(data))
    assert [(part["requestId"], part["data"]) for part in kept] == [(1, text) for text in data]


async def test_tc_n_27(station: Station, operator: Operator, token: Token) -> None:
    """A station tells what it knows of a driver (N09.FR.01, FR.04)."""
    await booted(station)
    await customer_asked(station, operator, **REPORT, idToken=token.payload)
    await customer_shown(station, operator, *DATA)


async def test_tc_n_28(station: Station, operator: Operator, token: Token) -> None:
    """A station knows nothing of a driver (N09.FR.01, FR.04, FR.06)."""
    await booted(station)
    await customer_asked(station, operator, **REPORT, idToken=token.payload)
    await customer_shown(station, operator, "no data")


async def test_tc_n_29(station: Station, operator: Operator, token: Token) -> None:
    """A station does not tell what it knows of a driver (N09.FR.01, FR.03, FR.04)."""
    await booted(station)
    await customer_asked(station, operator, "Rejected", **REPORT, idToken=token.payload)


async def test_tc_n_30(station: Station, operator: Operator, token: Token) -> None:
    """A station tells what it knew of a driver, and forgets it (N10.FR.03, FR.08)."""
    await booted(station)
    await customer_asked(station, operator, **CLEAR, idToken=token.payload)
    await customer_shown(station, operator, *DATA)


async def test_tc_n_31(station: Station, operator: Operator, token: Token) -> None:
    """A station has nothing of a driver to forget (N10.FR.04, FR.08)."""
    await booted(station)
    await customer_asked(station, operator, **CLEAR, idToken=token.payload)
    await customer_shown(station, operator, "no data")


async def test_tc_n_32(station: Station, operator: Operator, token: Token) -> None:
    """A station forgets a driver, and tells no more than that (N10.FR.06, FR.08)."""
    await booted(station)
    await customer_asked(station, operator, report=False, clear=True, idToken=token.payload)
    await customer_shown(station, operator, "cleared")


async def test_tc_n_62(station: Station, operator: Operator) -> None:
    """A station forgets a customer, by its identifier (N10.FR.08)."""
    await booted(station)
    await customer_asked(station, operator, **CLEAR, customerIdentifier="OpenChargeAlliance")
    await customer_shown(station, operator, *DATA)


async def test_tc_n_63(station: Station, operator: Operator) -> None:
    """A station forgets a customer, by the hashes of its certificate (N10.FR.08, FR.09)."""
    await booted(station)
    await customer_asked(station, operator, **CLEAR, customerCertificate=hash_data(root("Customer")))
    await customer_shown(station, operator, *DATA)


async def test_tc_n_34(station: Station, operator: Operator) -> None:
    """A station has no log to upload (N01.FR.05)."""
    await booted(station)
    await (await log_asked(station, operator, "DiagnosticsLog", "Rejected")).answered("refused")


async def test_tc_n_35(station: Station, operator: Operator) -> None:
    """A station uploads its security log (N01.FR.01, FR.03, FR.08, FR.09)."""
    await log_uploaded(station, operator, "SecurityLog")


async def test_tc_n_36(station: Station, operator: Operator) -> None:
    """A second log is asked for, and the station gives up the first (N01.FR.07, FR.12, FR.20)."""
    await booted(station)
    await (await log_asked(station, operator, "DiagnosticsLog", "Accepted")).answered("accepted")
    await uploads(station, (1, "Uploading"))
    second = await log_asked(station, operator, "DiagnosticsLog", "AcceptedCanceled", request_id=2)
    assert (await second.answered("accepted"))["response"] == {"status": "AcceptedCanceled"}
    further = (1, "AcceptedCanceled"), (2, "Uploading"), (2, "Uploaded")
    await uploads(station, *further)
    await uploads_shown(station, operator, (1, "Uploading"), *further)


async def test_tc_n_44(station: Station, operator: Operator) -> None:
    """A monitor cannot be cleared (N06.FR.03)."""
    await booted(station)
    command = await operator.command(station.id, "ClearVariableMonitoring", {"id": [1]})
    asked = await station.expects("ClearVariableMonitoring", lambda asked: cleared(asked, "Rejected"))
    assert asked == {"id": [1]}
    assert (await command.answered())["response"] == cleared(asked, "Rejected")


@missing("local lists are changed when a customer is cleared")
async def test_tc_n_46(station: Station, operator: Operator, token: Token) -> None:
    """A driver whom a station has forgotten is taken out of its local list (N10.FR.02, FR.08, D01.FR.01)."""
    await booted(station)
    on_list = {"idToken": token.payload, "idTokenInfo": ACCEPTED}
    full = {"versionNumber": 1, "updateType": "Full", "localAuthorizationList": [on_list]}
    command = await operator.command(station.id, "SendLocalList", full)
    await station.expects("SendLocalList", ACCEPTED)
    await command.answered("accepted")
    await customer_asked(station, operator, **CLEAR, idToken=token.payload)
    await customer_shown(station, operator, *DATA)
    asked = await station.expects("SendLocalList", ACCEPTED)
    assert (asked["updateType"], asked["versionNumber"] > 1) == ("Differential", True)
    assert [one["idToken"] for one in asked["localAuthorizationList"]] == [token.payload]


async def test_tc_n_47(station: Station, operator: Operator) -> None:
    """All monitors are reported (N02.FR.01)."""
    await booted(station)
    await report_asked(station, operator, 1, "Accepted")
    found = monitors(WHOLE, POWER, "UpperThreshold"), monitors(EVSE, AVAILABILITY, "Delta", 2)
    await report_shown(station, operator, 1, *found)


async def test_tc_n_48(station: Station, operator: Operator) -> None:
    """An event of a variable that can only be written, which has no value (N07.FR.03, FR.10)."""
    await events_shown(station, operator, alert("Delta", ""))


async def test_tc_n_49(station: Station, operator: Operator) -> None:
    """A threshold is passed no more after a reboot (N07.FR.03, FR.14)."""
    await events_shown(station, operator, alert("Alerting", "11000", cleared=True))


async def test_tc_n_50(station: Station, operator: Operator) -> None:
    """An event that comes because its time has come (N08.FR.02, FR.05)."""
    await events_shown(station, operator, alert("Periodic", "11000"))
