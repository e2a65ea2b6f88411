"""firmware from call to answer, event and REST."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from services.common.kafka.bus import Record
from services.firmware.dialects import BY_VERSION
from services.firmware.settings import Settings
from services.ocpp.versions import VERSIONS
from tests.clients.events import enum_word
from tests.contract.examples import full
from tests.integration.common.running import START, Running
from voltbus.v1.bus_pb2 import (
    CONNECTION_STATE_ALIVE,
    CONNECTION_STATE_CONNECTED,
    CONNECTION_STATE_DISCONNECTED,
    ConnectionChange,
    ConnectionSecurity,
    ShownCertificate,
)

BOOT_16 = {
    "chargePointVendor": "Volta",
    "chargePointModel": "One",
    "chargePointSerialNumber": "S-1",
    "firmwareVersion": "1.2.3",
    "iccid": "8944",
    "imsi": "2620",
    "meterType": "M",
    "meterSerialNumber": "MS-1",
}
BOOT_201 = {
    "reason": "PowerUp",
    "chargingStation": {"vendorName": "Volta", "model": "Two", "serialNumber": "S-2", "firmwareVersion": "2.0"},
}
TIME = "2026-03-01T12:00:00.000Z"
FOLDED = {"BootNotification", "Heartbeat", "StatusNotification"}
KEPT = [
    *(("1.6", action) for action in sorted(BY_VERSION["1.6"].read.keys() - FOLDED)),
    *(("2.0.1", action) for action in sorted(BY_VERSION["2.0.1"].read.keys() - FOLDED)),
    *(("2.1", action) for action in sorted(BY_VERSION["2.1"].read.keys() - BY_VERSION["2.0.1"].read.keys())),
]


def status(connector: int = 1, word: str = "Available", error: str = "NoError") -> dict[str, object]:
    return {"connectorId": connector, "status": word, "errorCode": error}


async def test_where_a_station_that_speaks_soap_is_called_is_shown(firmware: Running, settings: Settings) -> None:
    """Nobody could see which address it had given, and whether it could be called there."""
    await firmware.ask(firmware.call("BootNotification", BOOT_16))
    assert (await firmware.get("/v1/stations/CP1"))["callback"] is None
    told = {"silence": 900.0, "address": "http://10.1.2.3:8080/", "reached": False}
    async with Redis.from_url(settings.redis_url) as redis:
        await redis.set("soap:CP1", json.dumps(told))
        shown = (await firmware.get("/v1/stations/CP1"))["callback"]
        await redis.delete("soap:CP1")
    assert shown == {"address": "http://10.1.2.3:8080/", "reached": False}


async def test_a_16_station_boots(firmware: Running) -> None:
    """B01.FR.02, 1.6 §4.2: accepted, told the time in UTC and an interval above zero."""
    call = firmware.call("BootNotification", BOOT_16)
    assert await firmware.ask(call) == {"status": "Accepted", "interval": 300, "currentTime": TIME}
    [event] = firmware.announced("StationBooted")
    assert (event.station_id, event.version, event.vendor, event.model) == ("CP1", "1.6", "Volta", "One")
    assert (event.serial_number, event.firmware_version, enum_word(event)) == ("S-1", "1.2.3", "accepted")
    shown = await firmware.get("/v1/stations/CP1")
    expected = {
        "version": "1.6",
        "vendor": "Volta",
        "model": "One",
        "serial_number": "S-1",
        "firmware_version": "1.2.3",
        "iccid": "8944",
        "imsi": "2620",
        "meter_type": "M",
        "meter_serial_number": "MS-1",
        "boot_status": "Accepted",
        "online": True,
        "quarantined": False,
    }
    assert shown | expected == shown


async def test_a_201_station_boots(firmware: Running) -> None:
    call = firmware.call("BootNotification", BOOT_201, version="2.0.1")
    assert await firmware.ask(call) == {"status": "Accepted", "interval": 300, "currentTime": TIME}
    [event] = firmware.announced("StationBooted")
    assert (event.version, event.model, event.reason) == ("2.0.1", "Two", "PowerUp")
    [boot] = (await firmware.get("/v1/stations/CP1/boots"))["items"]
    assert (boot["payload"], boot["status"], boot["interval"]) == (BOOT_201, "Accepted", 300)


async def test_an_order_decides_about_the_next_boot(firmware: Running) -> None:
    """B02, B03: pending and rejected by order, for a station that was never here too."""
    order = {"status": "Pending", "interval": 7}
    answer = await firmware.http.put("/v1/stations/NEW/boot", json=order)
    assert (answer.status_code, answer.json()["boot_order"], answer.json()["online"]) == (200, "Pending", False)
    pending = await firmware.ask(firmware.call("BootNotification", BOOT_16, "NEW"))
    assert (pending["status"], pending["interval"]) == ("Pending", 7)
    await firmware.http.put("/v1/stations/NEW/boot", json={"status": "Rejected"})
    rejected = await firmware.ask(firmware.call("BootNotification", BOOT_16, "NEW"))
    assert (rejected["status"], rejected["interval"]) == ("Rejected", 30)
    await firmware.http.delete("/v1/stations/NEW/boot")
    accepted = await firmware.ask(firmware.call("BootNotification", BOOT_16, "NEW"))
    assert (accepted["status"], accepted["interval"]) == ("Accepted", 300)
    assert len((await firmware.get("/v1/stations/NEW/boots", limit=2))["items"]) == 2


@pytest.mark.parametrize("body", [{"status": "Maybe"}, {"status": "Pending", "interval": 0}, {}])
async def test_an_impossible_order_is_refused(firmware: Running, body: dict[str, object]) -> None:
    answer = await firmware.http.put("/v1/stations/CP1/boot", json=body)
    assert answer.status_code == 422
    await firmware.get("/v1/stations/CP1", status=404)


async def test_a_quarantined_station_waits_and_is_seen(firmware: Running) -> None:
    await firmware.http.put("/v1/stations/CP1/boot", json={"status": "Accepted"})
    call = firmware.call("BootNotification", BOOT_16, quarantined=True)
    assert (await firmware.ask(call))["status"] == "Pending"
    [shown] = (await firmware.get("/v1/stations", quarantined=True))["items"]
    assert (shown["station_id"], shown["boot_status"]) == ("CP1", "Pending")


async def test_a_boot_that_is_read_again_is_answered_as_the_first_time(firmware: Running) -> None:
    call = firmware.call("BootNotification", BOOT_16)
    first = await firmware.ask(call)
    await firmware.http.put("/v1/stations/CP1/boot", json={"status": "Rejected"})
    await firmware.restart(commit=False)
    await firmware.settled()
    answers = [json.loads(reply.reply.payload) for reply in firmware.replies()]
    assert answers == [first, first]
    assert len(firmware.announced("StationBooted")) == 1
    assert len((await firmware.get("/v1/stations/CP1/boots"))["items"]) == 1
    assert (await firmware.get("/v1/stations/CP1"))["boot_status"] == "Accepted"


async def test_connectors_of_16(firmware: Running) -> None:
    """1.6 §4.9; connector 0 is the station itself, connector n is shown as EVSE n, connector n."""
    await firmware.put(
        firmware.call("StatusNotification", status(0)),
        firmware.call("StatusNotification", status(1)),
        firmware.call("StatusNotification", status(2, "Faulted", "GroundFailure") | {"vendorErrorCode": "E7"}),
    )
    firmware.time.passes(5)
    await firmware.put(firmware.call("StatusNotification", status(1, "Charging")))
    assert not firmware.replies()
    shown = await firmware.get("/v1/stations/CP1")
    assert (shown["station_status"]["status"], shown["version"], shown["online"]) == ("Available", "1.6", True)
    [one, two] = shown["evses"]
    assert (one["evse_id"], one["connectors"][0]["connector_id"]) == (1, 1)
    assert (one["connectors"][0]["status"], one["connectors"][0]["since"]) == ("Charging", "2026-03-01T12:00:05Z")
    assert (two["connectors"][0]["error_code"], two["connectors"][0]["vendor_error_code"]) == ("GroundFailure", "E7")
    changes = [
        (e.evse_id, e.connector_id, e.reported_status, enum_word(e))
        for e in firmware.announced("ConnectorStatusChanged")
    ]
    assert sorted(changes) == [
        (0, 0, "Available", "available"),
        (1, 1, "Available", "available"),
        (1, 1, "Charging", "occupied"),
        (2, 2, "Faulted", "faulted"),
    ]


async def test_connectors_of_201(firmware: Running) -> None:
    """G01.FR.01."""
    for connector, word in ((1, "Occupied"), (2, "Available")):
        payload = {"timestamp": TIME, "connectorStatus": word, "evseId": 1, "connectorId": connector}
        await firmware.put(firmware.call("StatusNotification", payload, version="2.0.1"))
    [evse] = (await firmware.get("/v1/stations/CP1"))["evses"]
    assert [(c["connector_id"], c["status"]) for c in evse["connectors"]] == [(1, "Occupied"), (2, "Available")]


async def test_custom_data_of_a_status_is_shown(firmware: Running) -> None:
    payload = {"timestamp": TIME, "connectorStatus": "Occupied", "evseId": 1, "connectorId": 1}
    custom = {"vendorId": "org.example", "bay": "dirty\0"}
    for more, shown in (({}, None), ({"customData": custom}, custom)):
        await firmware.put(firmware.call("StatusNotification", payload | more, version="2.0.1"))
        [evse] = (await firmware.get("/v1/stations/CP1"))["evses"]
        assert evse["connectors"][0]["custom_data"] == shown


async def test_a_status_told_again_is_no_change(firmware: Running) -> None:
    for _ in range(3):
        firmware.time.passes(1)
        await firmware.put(firmware.call("StatusNotification", status()))
    assert len(firmware.announced("ConnectorStatusChanged")) == 1
    [evse] = (await firmware.get("/v1/stations/CP1"))["evses"]
    assert evse["connectors"][0]["at"] > evse["connectors"][0]["since"]


async def test_clocks_that_lie_do_not_decide(firmware: Running) -> None:
    """1.6 §4.9 rule 4: stations report in order; what their clocks say is kept beside."""
    for year, word in ((2099, "Preparing"), (1970, "Charging")):
        firmware.time.passes(1)
        payload = status(1, word) | {"timestamp": f"{year}-01-01T00:00:00Z"}
        await firmware.put(firmware.call("StatusNotification", payload))
    [evse] = (await firmware.get("/v1/stations/CP1"))["evses"]
    shown = evse["connectors"][0]
    assert (shown["status"], shown["reported_at"]) == ("Charging", "1970-01-01T00:00:00Z")
    payload = status(1, "Finishing") | {"timestamp": "the day before yesterday"}
    await firmware.put(firmware.call("StatusNotification", payload))
    [evse] = (await firmware.get("/v1/stations/CP1"))["evses"]
    assert (evse["connectors"][0]["status"], evse["connectors"][0]["reported_at"]) == ("Finishing", None)


async def test_what_is_read_again_changes_nothing(firmware: Running) -> None:
    for second, word in enumerate(("Available", "Preparing", "Charging")):
        await firmware.put(
            firmware.call("StatusNotification", status(1, word), received_at=START + timedelta(seconds=second))
        )
    event = {"type": "TamperDetectionActivated", "timestamp": "2026-03-01T12:00:00Z"}
    await firmware.put(firmware.call("SecurityEventNotification", event))
    assert len(firmware.announced("SecurityEventReported")) == 1
    firmware.time.passes(10)
    before = (await firmware.get("/v1/stations/CP1"), len(firmware.announced()))
    await firmware.restart(commit=False)
    await firmware.settled()
    assert (await firmware.get("/v1/stations/CP1"), len(firmware.announced())) == before


@pytest.mark.parametrize(("version", "action"), KEPT)
async def test_everything_else_is_kept_announced_and_answered(firmware: Running, version: str, action: str) -> None:
    schemas = VERSIONS[version].schemas
    payload = full(schemas.request_document(action))
    call = firmware.call(action, payload, version=version, answered=action in schemas.sends)
    await (firmware.put(call) if call.answered else firmware.ask(call))
    [event] = firmware.announced("MessageRecorded")
    assert (event.action, event.payload.encode()) == (action, call.payload)
    [shown] = (await firmware.get("/v1/stations/CP1/messages", action=action))["items"]
    assert (shown["payload"], shown["message_id"]) == (payload, call.message_id)


async def test_a_transfer_of_an_unknown_vendor(firmware: Running) -> None:
    """P01.FR.05, 1.6 §4.3."""
    for version in ("1.6", "2.0.1"):
        call = firmware.call("DataTransfer", {"vendorId": "org.nobody", "data": "x"}, version=version)
        assert await firmware.ask(call) == {"status": "UnknownVendorId"}


async def test_firmware_status(firmware: Running) -> None:
    await firmware.put(firmware.call("FirmwareStatusNotification", {"status": "Downloading"}))
    firmware.time.passes(1)
    await firmware.put(firmware.call("SignedFirmwareStatusNotification", {"status": "Installed"}))
    shown = await firmware.get("/v1/stations/CP1")
    assert (shown["firmware_status"], shown["firmware_status_at"]) == ("Installed", "2026-03-01T12:00:01Z")


async def test_a_heartbeat_proves_liveness_and_gets_no_second_answer(firmware: Running) -> None:
    """G02.FR.04."""
    await firmware.put(firmware.call("Heartbeat", {}))
    firmware.time.passes(60)
    await firmware.put(firmware.call("Heartbeat", {}))
    shown = await firmware.get("/v1/stations/CP1")
    assert (shown["online"], shown["last_seen_at"]) == (True, "2026-03-01T12:01:00Z")
    assert not firmware.replies()
    assert [e.DESCRIPTOR.name for e in firmware.announced()] == ["StationConnected"]


async def test_a_heartbeat_that_nobody_answered(firmware: Running) -> None:
    """G02.FR.03."""
    call = firmware.call("Heartbeat", {}, answered=False)
    assert await firmware.ask(call) == {"currentTime": TIME}


async def test_connections(firmware: Running) -> None:
    await firmware.put(firmware.change(CONNECTION_STATE_CONNECTED, version="2.0.1"))
    shown = await firmware.get("/v1/stations/CP1")
    assert (shown["online"], shown["version"], shown["remote_address"]) == (True, "2.0.1", "10.0.0.7")
    assert shown["connected_at"] == "2026-03-01T12:00:00Z"
    firmware.time.passes(60)
    await firmware.put(firmware.change(CONNECTION_STATE_ALIVE, last_seen_at=START + timedelta(seconds=40)))
    assert (await firmware.get("/v1/stations/CP1"))["last_seen_at"] == "2026-03-01T12:00:40Z"
    firmware.time.passes(60)
    await firmware.put(firmware.change(CONNECTION_STATE_DISCONNECTED))
    shown = await firmware.get("/v1/stations/CP1")
    assert (shown["online"], shown["disconnected_at"]) == (False, "2026-03-01T12:02:00Z")
    assert [e.DESCRIPTOR.name for e in firmware.announced()] == ["StationConnected", "StationDisconnected"]


async def test_how_a_station_was_let_in(firmware: Running) -> None:
    """Of its newest connection, however late the word of an older one comes; until its gateway says it, nothing."""
    shown = ShownCertificate(subject="CN=CP1,O=Example", issuer="CN=CA", serial_number="1F")
    shown.not_after.FromDatetime(datetime.now(UTC).replace(microsecond=0) + timedelta(days=29))
    tls = {"tls_version": "TLSv1.3", "tls_cipher": "TLS_AES_256_GCM_SHA384"}
    opened = ConnectionSecurity(profile=3, certificate=shown, **tls)
    older = firmware.change(CONNECTION_STATE_CONNECTED, connection_id="CP1-0", security=ConnectionSecurity(profile=1))
    await firmware.put(firmware.change(CONNECTION_STATE_CONNECTED, "CP2"))
    firmware.time.passes(1)
    await firmware.put(firmware.change(CONNECTION_STATE_CONNECTED, connection_id="CP1-1", security=opened), older)
    expected = {
        "profile": 3,
        **tls,
        "certificate": {
            "subject": "CN=CP1,O=Example",
            "issuer": "CN=CA",
            "serial_number": "1F",
            "not_after": shown.not_after.ToJsonString(),
        },
    }
    assert (await firmware.get("/v1/stations/CP1"))["security"] == expected
    assert (await firmware.get("/v1/stations/CP2"))["security"] is None
    told: dict[str, Any] = {e.station_id: e for e in firmware.announced()}
    assert told["CP1"].security_profile == 3
    assert not told["CP2"].HasField("security_profile")
    for days, found in ((28, []), (30, ["CP1"])):
        within = {"certificate_ends_within": days}
        listed = await firmware.get("/v1/stations", query=within)
        assert [one["station_id"] for one in listed["items"]] == found
        assert (await firmware.get("/v1/stations/summary", query=within))["count"] == len(found)
    await firmware.get("/v1/stations", query={"certificate_ends_within": -1}, status=422)
    firmware.time.passes(1)
    unproven = ConnectionSecurity(profile=0)
    newer = firmware.change(CONNECTION_STATE_CONNECTED, connection_id="CP1-2", security=unproven)
    await firmware.put(newer, older)
    nothing = {"profile": 0, "tls_version": None, "tls_cipher": None, "certificate": None}
    assert (await firmware.get("/v1/stations/CP1"))["security"] == nothing


async def test_an_older_connection_takes_nobody_offline(firmware: Running) -> None:
    await firmware.put(firmware.change(CONNECTION_STATE_CONNECTED))
    firmware.time.passes(1)
    await firmware.put(firmware.change(CONNECTION_STATE_CONNECTED, connection_id="CP1-b"))
    firmware.time.passes(1)
    await firmware.put(firmware.change(CONNECTION_STATE_DISCONNECTED))
    assert (await firmware.get("/v1/stations/CP1"))["online"] is True
    assert [e.DESCRIPTOR.name for e in firmware.announced()] == ["StationConnected"]


async def test_the_last_words_of_a_connection_bring_nobody_back(firmware: Running) -> None:
    """A call that is read after the end of its connection, for the two come by different topics."""
    call = firmware.call("StatusNotification", status())
    await firmware.put(firmware.change(CONNECTION_STATE_CONNECTED))
    firmware.time.passes(1)
    await firmware.put(firmware.change(CONNECTION_STATE_DISCONNECTED), call)
    shown = await firmware.get("/v1/stations/CP1")
    assert (shown["online"], shown["evses"][0]["connectors"][0]["status"]) == (False, "Available")


async def test_a_bad_record_does_not_poison_its_batch(firmware: Running) -> None:
    good = [firmware.call("StatusNotification", status(), station_id=f"CP{n}") for n in range(5)]
    impossible = firmware.call("StatusNotification", status(2**40), station_id="CP9")
    nonsense = Record("ocpp.connections", b"CP1", b"\xff nonsense")
    stateless = Record("ocpp.connections", b"CP1", ConnectionChange(station_id="CP1").SerializeToString())
    await firmware.put(*good[:2], nonsense, impossible, *good[2:], stateless)
    reasons = sorted(dict(record.headers)["dead-reason"].decode() for record in firmware.dead())
    assert len(reasons) == 3, reasons
    assert len((await firmware.get("/v1/stations"))["items"]) == 5


async def test_texts_that_postgres_cannot_hold(firmware: Running) -> None:
    call = firmware.call("BootNotification", BOOT_16 | {"chargePointVendor": "A\0B"})
    assert (await firmware.ask(call))["status"] == "Accepted"
    assert (await firmware.get("/v1/stations/CP1"))["vendor"] == "A\ufffdB"


async def test_lists_are_paged_and_filtered(firmware: Running) -> None:
    await firmware.put(*(firmware.call("BootNotification", BOOT_16, station_id=f"CP{n}") for n in range(5)))
    await firmware.put(firmware.call("BootNotification", BOOT_201, station_id="CQ", version="2.0.1"))
    await firmware.put(firmware.change(CONNECTION_STATE_DISCONNECTED, "CP0"))
    first = await firmware.get("/v1/stations", limit=4)
    second = await firmware.get("/v1/stations", limit=4, cursor=first["next"])
    ids = [item["station_id"] for item in first["items"] + second["items"]]
    assert (ids, second["next"]) == (["CP0", "CP1", "CP2", "CP3", "CP4", "CQ"], None)
    for query, count in (
        ({"online": False}, 1),
        ({"version": "2.0.1"}, 1),
        ({"vendor": "Volta"}, 6),
        ({"model": "One"}, 5),
        ({"model": "One", "online": True}, 4),
        ({"status": "Accepted"}, 6),
        ({"status": "Pending"}, 0),
        ({"quarantined": False}, 6),
    ):
        assert len((await firmware.get("/v1/stations", query=query))["items"]) == count, query
    await firmware.get("/v1/stations", status=422, cursor="?")


async def test_rest_is_closed(firmware: Running) -> None:
    nobody = {"Authorization": ""}
    assert (await firmware.http.get("/v1/stations", headers=nobody)).status_code == 401
    assert (await firmware.http.get("/v1/stations/CP1/messages", headers=nobody)).status_code == 401
    assert (await firmware.http.put("/v1/stations/CP1/boot", json={}, headers=nobody)).status_code == 401
