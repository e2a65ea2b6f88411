"""One session from start to stop, as a station tells it and as others see it, in each version."""

from typing import Any

from services.common.kafka.bus import Record
from tests.integration.transactions.running import System, token
from voltbus.v1 import events_pb2 as pb
from voltbus.v1.state_pb2 import Registration

START = {"connectorId": 1, "idTag": "CAFE01", "timestamp": "2026-03-01T10:00:00Z", "meterStart": 1000}


def stop(number: int, **more: Any) -> dict[str, Any]:
    told = {"transactionId": number, "timestamp": "2026-03-01T11:00:00Z", "meterStop": 8500, "idTag": "CAFE01"}
    return told | more


def metered(number: int | None, wh: str, at: str = "2026-03-01T10:30:00Z") -> dict[str, Any]:
    values = [
        {
            "timestamp": at,
            "sampledValue": [{"value": wh}, {"value": "7.4", "measurand": "Power.Active.Import", "unit": "kW"}],
        }
    ]
    return {"connectorId": 1, "meterValue": values} | ({} if number is None else {"transactionId": number})


async def test_a_session_of_1_6(system: System, station: str) -> None:
    """1.6 §4.7, §4.8, §4.10."""
    known = Registration(station_id=station, groups=["vienna", "level 2"], location_id="garage")
    registration = Record("registrations", station.encode(), known.SerializeToString())
    await system.bus.publish([token("cafe01", group_id="FAMILY"), registration])
    begun = await system.ask(station, "StartTransaction", START)
    assert begun["idTagInfo"] == {"status": "Accepted", "parentIdTag": "FAMILY"}
    number = begun["transactionId"]
    await system.tell(station, "MeterValues", metered(number, "4000"))
    ended = await system.ask(station, "StopTransaction", stop(number))
    assert ended == {"idTagInfo": {"status": "Accepted", "parentIdTag": "FAMILY"}}
    events = await system.until(lambda: len(e := system.events(station)) == 3 and e)
    assert [type(e) for e in events] == [pb.TransactionStarted, pb.TransactionUpdated, pb.TransactionEnded]
    assert events[1].transaction.energy_wh == 3000
    assert events[1].meter_values[0].readings[1].value == 7400
    assert events[2].transaction.energy_wh == 7500
    assert events[2].transaction.stop_reason == "Local"
    for told in (event.transaction for event in events):
        assert (told.groups, told.location_id, told.version) == (["vienna", "level 2"], "garage", "1.6")


async def test_a_session_of_2_0_1(system: System, station: str) -> None:
    """E01.FR.12, C09.FR.12, E06.FR.09, E07."""
    await system.bus.publish([token("beef02", group_id="FLEET")])

    def told(kind: str, seq_no: int, trigger: str, **more: Any) -> dict[str, Any]:
        return {
            "eventType": kind,
            "timestamp": f"2026-03-01T10:0{seq_no}:00Z",
            "triggerReason": trigger,
            "seqNo": seq_no,
            "transactionInfo": {"transactionId": "tx-1"},
        } | more

    def at(wh: float, context: str) -> list[dict[str, Any]]:
        sampled = {"value": wh / 1000, "context": context, "unitOfMeasure": {"unit": "kWh"}}
        return [{"timestamp": "2026-03-01T10:00:00Z", "sampledValue": [sampled]}]

    driver = {"idToken": "BEEF02", "type": "ISO14443"}
    verdict = {"status": "Accepted", "groupIdToken": {"idToken": "FLEET", "type": "Central"}}
    started = told("Started", 0, "Authorized", idToken=driver, meterValue=at(1000, "Transaction.Begin"))
    assert await system.ask(station, "TransactionEvent", started, "2.0.1") == {"idTokenInfo": verdict}
    plugged = told("Updated", 1, "CablePluggedIn", evse={"id": 1, "connectorId": 2})
    assert await system.ask(station, "TransactionEvent", plugged, "2.0.1") == {}
    ended = told("Ended", 2, "StopAuthorized", idToken=driver, meterValue=at(4321, "Transaction.End"))
    assert await system.ask(station, "TransactionEvent", ended, "2.0.1") == {"idTokenInfo": verdict}
    events = await system.until(lambda: len(e := system.events(station)) == 3 and e)
    last = events[2].transaction
    assert (last.evse_id, last.connector_id, last.transaction_id) == (1, 2, "tx-1")
    assert (last.energy_wh, last.stop_reason, last.status) == (3321, "Local", pb.TRANSACTION_STATUS_ENDED)
