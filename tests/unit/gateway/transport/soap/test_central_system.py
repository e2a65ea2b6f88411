"""Stations that speak SOAP: from a request over HTTP to Kafka and back."""

import asyncio
import gzip
import json
import socket
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from math import inf
from typing import Any

import httpx
import pytest

from services.gateway import metrics
from services.gateway.timing import Timing
from services.gateway.transport.soap.central_system import LONG
from services.gateway.transport.soap.station import SoapStation
from services.ocpp.passwords import keyed
from services.ocpp.refusals import RefusalReason
from services.ocpp.soap.envelope import SOAP_11
from services.ocpp.soap.spellings import Spelling
from tests.patience import GIVE_UP
from tests.unit.gateway.running import QUICK, Running, running, until
from tests.unit.gateway.soap import asked, payload, post, said
from voltbus.v1.bus_pb2 import CONNECTION_STATE_CONNECTED, CONNECTION_STATE_DISCONNECTED, Frame, RefusedHandshakes

AUTHORIZE = "<o:authorizeRequest><o:idTag>TAG</o:idTag></o:authorizeRequest>"
BOOT = (
    "<o:bootNotificationRequest><o:chargePointVendor>V</o:chargePointVendor><o:chargePointModel>M</o:chargePointModel>"
    "</o:bootNotificationRequest>"
)
STATUS = (
    "<o:statusNotificationRequest><o:connectorId>1</o:connectorId><o:status>Occupied</o:status>"
    "<o:errorCode>Mode3Error</o:errorCode></o:statusNotificationRequest>"
)


@pytest.fixture
async def one() -> AsyncIterator[Running]:
    async with running(timing=QUICK) as started:
        yield started


def fault(response: httpx.Response) -> tuple[int, str, str]:
    found = said(response).fault
    assert found is not None
    return response.status_code, found.code, found.sub_code


@pytest.mark.parametrize("version", ["1.5", "1.6"])
async def test_a_request_goes_to_its_service_and_is_answered_in_the_same_response(one: Running, version: str) -> None:
    """OCPP-S 1.6 §3.2."""
    asking = asyncio.create_task(post(one.soap, asked(AUTHORIZE, version=version)))
    call = await one.call("auth")
    assert (call.station_id, call.version, call.action, call.payload) == (
        "CP1",
        version,
        "Authorize",
        b'{"idTag":"TAG"}',
    )
    await one.reply(call, {"idTagInfo": {"status": "Accepted"}})
    response = await asking
    assert payload(response, "Authorize", version) == {"idTagInfo": {"status": "Accepted"}}
    assert said(response).relates_to == "urn:uuid:6f7cd6a0-0000-4000-8000-000000000001"
    assert call.message_id == "6f7cd6a0-0000-4000-8000-000000000001"


async def test_what_1_5_says_otherwise_is_in_the_words_of_1_6(one: Running) -> None:
    assert payload(await post(one.soap, asked(STATUS)), "StatusNotification") == {}
    call = await one.call("firmware")
    assert call.payload == b'{"connectorId":1,"status":"Occupied","errorCode":"EVCommunicationError"}'
    assert not call.HasField("tolerated")


@pytest.mark.parametrize(("interval", "told"), [(60, 60), (899, 899), (900, 450), (3600, 450)])
async def test_a_station_is_not_told_to_be_silent_until_it_counts_as_gone(
    one: Running, interval: int, told: int
) -> None:
    """An order of 3600 s was taken without a word, and the station was offline most of the time."""
    asking = asyncio.create_task(post(one.soap, asked(BOOT)))
    call = await one.call("firmware")
    now = "2026-03-01T12:00:00.000Z"
    await one.reply(call, {"status": "Accepted", "interval": interval, "currentTime": now})
    assert payload(await asking, "BootNotification")["interval"] == told


async def test_its_route_says_that_it_speaks_soap(one: Running) -> None:
    await post(one.soap, asked())
    [route] = one.gateway.routing._live.values()
    assert route.silence == one.gateway.settings.soap_silence


@pytest.mark.parametrize("is_long", [True, False])
async def test_of_a_long_message_parsing_and_reading_were_one_turn(
    one: Running, monkeypatch: pytest.MonkeyPatch, is_long: bool
) -> None:
    order: list[str] = []
    heard, read_request = SoapStation.heard, Spelling.read_request

    def parsed(station: SoapStation, *said: Any) -> None:
        heard(station, *said)
        asyncio.get_running_loop().call_soon(order.append, "others")

    def read(spelling: Spelling, *said: Any) -> dict[str, Any]:
        order.append("read")
        return read_request(spelling, *said)

    monkeypatch.setattr(SoapStation, "heard", parsed)
    monkeypatch.setattr(Spelling, "read_request", read)
    heartbeat = f"<o:heartbeatRequest><o:a>{'x' * LONG * is_long}</o:a></o:heartbeatRequest>"
    assert (await post(one.soap, asked(heartbeat))).status_code == 200
    assert order == (["others", "read"] if is_long else ["read", "others"])


METER_VALUES_OF_15 = (
    "<o:meterValuesRequest><o:connectorId>1</o:connectorId><o:values><o:timestamp>2026-03-01T12:00:00Z</o:timestamp>"
    '<o:value unit="Wh">1500</o:value></o:values></o:meterValuesRequest>'
)


async def test_samples_in_the_shape_of_the_other_version_were_lost(one: Running) -> None:
    """They are read, and told as a deviation; where it is read strictly, the message is refused."""
    assert payload(await post(one.soap, asked(METER_VALUES_OF_15, version="1.6")), "MeterValues", "1.6") == {}
    call = await one.call("transactions")
    [value] = json.loads(call.payload)["meterValue"]
    assert value["sampledValue"] == [{"value": "1500", "unit": "Wh"}]
    told = [(one.kind, one.path, one.times) for one in call.tolerated.deviations]
    assert told == [("spelling", "values", 1)]
    await one.register("CP1", b"", reading="strict")
    refused = await post(one.soap, asked(METER_VALUES_OF_15, version="1.6"))
    assert fault(refused) == (400, "Sender", "ProtocolError")
    assert (await post(one.soap, asked(METER_VALUES_OF_15))).status_code == 200


async def test_a_heartbeat_is_answered_at_once(one: Running) -> None:
    assert payload(await post(one.soap, asked()), "Heartbeat").keys() == {"currentTime"}


async def test_requests_of_a_station_are_on_one_connection(one: Running) -> None:
    await post(one.soap, asked())
    first = one.connection()
    await post(one.soap, asked())
    assert one.connection() is first
    assert first.transport.remote_address == "127.0.0.1"


async def test_a_station_leaves_by_its_silence() -> None:
    async with running(timing=QUICK, soap_silence=0.05) as one:
        for times in (1, 2):
            await post(one.soap, asked())
            gone = [CONNECTION_STATE_CONNECTED, CONNECTION_STATE_DISCONNECTED] * times
            await until(lambda gone=gone: [change.state for change in one.changes()] == gone)
        assert "no request for 0.05 s" in one.changes()[1].reason
        assert not len(one.gateway.registry)


@pytest.mark.parametrize(
    ("path", "version", "status"),
    [("/1.5", "1.5", 200), ("/1.6", "1.6", 200), ("/1.6", "1.5", 400), ("/1.5", "1.6", 400), ("/1.2", "1.5", 400)],
)
async def test_the_path_may_say_the_version(one: Running, path: str, version: str, status: int) -> None:
    url = one.soap.replace("/soap", f"/soap{path}")
    assert (await post(url, asked(version=version))).status_code == status
    assert (await post(url + "/", asked(version=version))).status_code == status


async def test_what_is_no_message_of_ocpp(one: Running) -> None:
    """Codes and statuses: OCPP-S 1.6 §4, SOAP 1.2 part 2 §7.5.2.2."""
    for document, expected in (
        (b"<a/>", (400, "Sender", "ProtocolError")),
        (b"<!DOCTYPE a><a/>", (400, "Sender", "ProtocolError")),
        (asked().replace(b"Cs/2012/06/", b"Cs/2010/08/"), (500, "Receiver", "NotSupported")),
        (asked(""), (400, "Sender", "ProtocolError")),
        (asked("<o:heartbeat/>"), (400, "Sender", "ProtocolError")),
        (asked("<o:makeCoffeeRequest/>"), (500, "Receiver", "NotSupported")),
        (asked("<o:resetRequest><o:type>Hard</o:type></o:resetRequest>"), (500, "Receiver", "NotSupported")),
        (asked("<o:authorizeRequest/>"), (400, "Sender", "ProtocolError")),
        (asked(identity=""), (400, "Sender", "IdentityMismatch")),
        (asked(identity="a/b"), (400, "Sender", "IdentityMismatch")),
        (asked().replace(b"http://www.w3.org/2003/05/soap-envelope", SOAP_11.encode()), (500, "VersionMismatch", "")),
    ):
        assert fault(await post(one.soap, document)) == expected, document


async def test_what_cannot_be_used_is_refused_and_told_as_with_json(one: Running) -> None:
    await post(one.soap, asked("<o:authorizeRequest/>"))
    await until(lambda: any(change.refused.action == "Authorize" for change in one.changes()))


async def test_without_an_answer_in_time_the_station_hears_a_fault() -> None:
    """And sends it again: nobody knows whether it was handled."""
    async with running(timing=QUICK, call_timeout=0.05) as one:
        assert fault(await post(one.soap, asked(AUTHORIZE))) == (500, "Receiver", "InternalError")
        call = await one.call("auth")
        await one.reply(call, {"idTagInfo": {"status": "Accepted"}})
        assert (await post(one.soap, asked())).status_code == 200


async def test_who_is_not_let_in_is_counted_and_told_like_any_other() -> None:
    async with running(timing=QUICK, unknown_stations="reject") as one:
        assert fault(await post(one.soap, asked())) == (400, "Sender", "IdentityMismatch")
        await one.register("CP1", keyed(b"k", b"secret"))
        response = await post(one.soap, asked())
        assert fault(response) == (401, "Sender", "SecurityError")
        assert response.headers["www-authenticate"].startswith("Basic")
        assert fault(await post(one.soap, asked(), auth=("CP1", "wrong"))) == (401, "Sender", "SecurityError")
        assert fault(await post(one.soap, asked(), auth=("CP2", "secret"))) == (401, "Sender", "SecurityError")
        assert (await post(one.soap, asked(), auth=("CP1", "secret"))).status_code == 200
        assert fault(await post(one.soap, asked())) == (401, "Sender", "SecurityError")
        await until(lambda: len(one.bus.all("ocpp.refusals")) > 0)


async def test_who_is_not_let_in_is_not_read_to_the_end() -> None:
    """Nor is what is not spoken; and both are counted as with a WebSocket."""
    async with running(timing=QUICK, unknown_stations="reject") as one:
        await one.register("CP1", keyed(b"k", b"secret"))
        reasons = (RefusalReason.NO_PASSWORD, RefusalReason.WRONG_PASSWORD, RefusalReason.UNKNOWN_STATION)
        before = [metrics.REFUSED_HANDSHAKES.labels(reason)._value.get() for reason in reasons]
        begun = asked("<o:heartbeatRequest><o:a>").partition(b"</s:Body>")[0] + b"<<<"
        assert fault(await post(one.soap, begun)) == (401, "Sender", "SecurityError")
        assert fault(await post(one.soap, begun, auth=("CP1", "wrong"))) == (401, "Sender", "SecurityError")
        unknown = begun.replace(b">CP1<", b">CP9<")
        assert fault(await post(one.soap, unknown)) == (400, "Sender", "IdentityMismatch")
        foreign = begun.replace(b"Cs/2012/06/", b"Cs/2010/08/")
        assert fault(await post(one.soap, foreign)) == (500, "Receiver", "NotSupported")
        assert fault(await post(one.soap, begun, auth=("CP1", "secret"))) == (400, "Sender", "ProtocolError")
        counted = [metrics.REFUSED_HANDSHAKES.labels(reason)._value.get() for reason in reasons]
        assert [now - then for now, then in zip(counted, before, strict=True)] == [2, 1, 1]


@pytest.mark.parametrize("identity", ["a/b", "a:b", "x" * 49])
async def test_what_can_be_no_id_was_told_of_an_address_for_websockets(one: Running, identity: str) -> None:
    """And was not among the refused."""
    response = await post(one.soap, asked(identity=identity))
    assert fault(response) == (400, "Sender", "IdentityMismatch")
    assert "no slash and no colon" in response.text
    await until(lambda: one.bus.all("ocpp.refusals"))
    [told] = RefusedHandshakes.FromString(one.bus.all("ocpp.refusals")[0].value or b"").handshakes
    assert (told.station_id[:3], told.reason) == (identity[:3], "unusable_id")


async def test_of_two_identities_neither_counts(one: Running) -> None:
    both = asked().replace(
        b"</o:chargeBoxIdentity>", b"</o:chargeBoxIdentity><o:chargeBoxIdentity>CP2</o:chargeBoxIdentity>"
    )
    assert fault(await post(one.soap, both)) == (400, "Sender", "IdentityMismatch")
    assert len(one.gateway.registry) == 0


async def test_a_quarantined_station_may_only_boot_and_beat() -> None:
    async with running(timing=QUICK, unknown_stations="quarantine") as one:
        assert (await post(one.soap, asked())).status_code == 200
        assert fault(await post(one.soap, asked(AUTHORIZE))) == (400, "Sender", "SecurityError")
        assert one.connection().peer.quarantined


async def test_a_rejected_boot_closes_the_gate(one: Running) -> None:
    asking = asyncio.create_task(post(one.soap, asked(BOOT)))
    call = await one.call("firmware")
    now = "2026-03-01T12:00:00.000Z"
    await one.reply(call, {"status": "Rejected", "interval": 60, "currentTime": now})
    assert payload(await asking, "BootNotification") == {"status": "Rejected", "currentTime": now, "interval": 60}
    assert fault(await post(one.soap, asked(AUTHORIZE))) == (400, "Sender", "SecurityError")


async def test_a_changed_registration_is_another_connection(one: Running) -> None:
    await post(one.soap, asked())
    first = one.connection()
    await one.register("CP1", keyed(b"k", b"secret"))
    assert (await post(one.soap, asked(), auth=("CP1", "secret"))).status_code == 200
    assert one.connection() is not first


async def test_another_version_is_another_connection(one: Running) -> None:
    await post(one.soap, asked())
    await post(one.soap, asked(version="1.6"))
    assert one.connection().version == "1.6"
    assert len(one.gateway.registry) == 1


async def test_a_station_that_comes_by_websocket_is_there_alone(one: Running) -> None:
    await post(one.soap, asked())
    async with await one.connect():
        await until(lambda: len(one.gateway.registry) == 1 and one.connection().version == "1.6")
        await post(one.soap, asked())
        assert one.connection().version == "1.5"


async def test_the_address_of_a_station_is_that_which_a_trusted_proxy_says() -> None:
    for trusted, address in (("127.0.0.0/8", "198.51.100.7"), ("", "127.0.0.1")):
        async with running(timing=QUICK, gateway_trusted_proxies=trusted) as one:
            await post(one.soap, asked(), headers={"X-Forwarded-For": "198.51.100.7"})
            assert one.connection().transport.remote_address == address


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body)[2:-4]),
        ("identity", bytes),
    ],
)
async def test_requests_may_be_compressed(one: Running, encoding: str, encode: Callable[[bytes], bytes]) -> None:
    """OCPP-S 1.6 §6.1: both must be supported."""
    assert (await post(one.soap, encode(asked()), headers={"Content-Encoding": encoding})).status_code == 200


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_answers_are_compressed_for_who_takes_it(one: Running, encoding: str) -> None:
    response = await post(one.soap, asked(), headers={"Accept-Encoding": encoding})
    assert response.headers["content-encoding"] == encoding
    assert payload(response, "Heartbeat")
    assert "content-encoding" not in (await post(one.soap, asked(), headers={"Accept-Encoding": "br"})).headers


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (b"x" * 2000, "", 413),
        (gzip.compress(b" " * 100_000_000, 9), "gzip", 413),
        (gzip.compress(asked())[:-9], "gzip", 400),
        (b"nothing", "gzip", 400),
        (b"nothing", "deflate", 400),
        (asked(), "br", 415),
    ],
    ids=["long", "bomb", "cut off", "no gzip", "no deflate", "unknown"],
)
async def test_bodies_that_are_not_read(body: bytes, encoding: str, status: int) -> None:
    async with running(timing=QUICK, message_size=1500) as one:
        response = await post(one.soap, body, headers={"Content-Encoding": encoding})
        assert fault(response) == (status, "Sender", "ProtocolError")
        assert (await post(one.soap, asked())).status_code == 200


async def test_a_head_or_a_body_that_never_ends_is_not_waited_for() -> None:
    async with running(timing=Timing(tick=0.02, handshake_timeout=0.1)) as one:
        port = one.gateway.settings.soap_port
        for begun in (b"POST /soap/CentralSystem HTT", b""):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(begun)
            async with asyncio.timeout(GIVE_UP):
                assert await reader.read() == b""
            writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /soap/CentralSystem HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n<")
        async with asyncio.timeout(GIVE_UP):
            assert (await reader.read()).startswith(b"HTTP/1.1 408")
        writer.close()


async def test_who_leaves_before_the_end_of_a_body_is_counted_and_no_mistake_of_ours(
    one: Running, caplog: pytest.LogCaptureFixture
) -> None:
    left = metrics.SOAP_REQUESTS.labels(499)
    before = left._value.get()
    _, writer = await asyncio.open_connection("127.0.0.1", one.gateway.settings.soap_port)
    writer.write(b"POST /soap/CentralSystem HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n<s:Envelop")
    await writer.drain()
    # With a reset, as from a network that is gone.
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()
    await until(lambda: left._value.get() == before + 1)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
    assert (await post(one.soap, asked())).status_code == 200


async def test_get_is_not_spoken(one: Running) -> None:
    async with httpx.AsyncClient() as client:
        response = await client.get(one.soap)
    assert fault(response) == (405, "Sender", "ProtocolError")
    assert response.headers["allow"] == "POST"


async def exchange(one: Running, head: str, body: bytes = b"") -> bytes:
    """The answer to a request as it is written, on a connection that is left open."""
    reader, writer = await asyncio.open_connection("127.0.0.1", one.gateway.settings.soap_port)
    writer.write(f"{head}\r\nHost: a\r\n\r\n".encode() + body)
    try:
        async with asyncio.timeout(GIVE_UP):
            answer = await reader.readuntil(b"Envelope>")
            if b"connection: close" in answer.lower():
                assert await reader.read() == b""
    finally:
        writer.close()
    return answer


@pytest.mark.parametrize(
    "address",
    [
        "http://host:9001/soap/CentralSystem",
        "//soap/CentralSystem",
        "/soap//CentralSystem/",
        "/soap/1.5/CentralSystem?a",
        "HTTP://host//soap/1.5//CentralSystem",
    ],
)
async def test_an_address_in_absolute_form_or_with_slashes_too_many_was_not_found(one: Running, address: str) -> None:
    """RFC 9112 §3.2.2, and as at the port for WebSockets."""
    head = f"POST {address} HTTP/1.1\r\nContent-Length: {len(asked())}"
    assert (await exchange(one, head, asked())).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "address", ["/", "/soap", "/ocpp/CP1", "/soap/CentralSystem/CP1", "http://host", "/soap/x/y/z"]
)
async def test_another_address_is_told_in_soap_where_to_post(one: Running, address: str) -> None:
    answer = await exchange(one, f"POST {address} HTTP/1.1\r\nContent-Length: {len(asked())}", asked())
    assert answer.startswith(b"HTTP/1.1 404")
    assert b"post to /soap/CentralSystem" in answer


async def test_a_length_that_is_told_in_two_ways_ends_the_connection(one: Running) -> None:
    """RFC 9112 §6.1, §11.2: what came behind it was taken for the next request."""
    hidden = b"0\r\n\r\nPOST /soap/CentralSystem HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
    lengths = f"Content-Length: {len(hidden)}\r\nTransfer-Encoding: chunked"
    answer = await exchange(one, f"POST /soap/CentralSystem HTTP/1.1\r\n{lengths}", hidden)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"connection: close" in answer.lower()


async def test_without_a_port_there_is_none() -> None:
    async with running(soap_port=0) as one:
        assert not await one.service.unready()


async def test_at_the_end_what_is_under_way_is_answered(one: Running) -> None:
    asking = asyncio.create_task(post(one.soap, asked(AUTHORIZE)))
    call = await one.call("auth")
    ending = asyncio.create_task(one.finish())
    await until(lambda: one.service.checks["listener"]() is False)
    await one.reply(call, {"idTagInfo": {"status": "Accepted"}})
    assert (await asking).status_code == 200
    assert await ending == 0


async def test_a_message_id_that_is_under_way_is_no_reason_to_refuse(one: Running) -> None:
    """A station may send a request again while the first one waits: what it says tells that they are one."""
    asking = [asyncio.create_task(post(one.soap, asked(AUTHORIZE))) for _ in range(2)]
    await one.reply(await one.call("auth", 1), {"idTagInfo": {"status": "Accepted"}})
    await one.reply(await one.call("auth", 2), {"idTagInfo": {"status": "Accepted"}})
    assert [response.status_code for response in await asyncio.gather(*asking)] == [200, 200]
    assert len({call.message_id for call in one.calls("auth")}) == 2


async def test_a_station_that_sends_too_fast_is_answered_later() -> None:
    """One request after the other loses nothing."""
    async with running(timing=QUICK, message_rate=50, burst=1) as one:
        slowed = metrics.SLOWED._value.get()
        for _ in range(4):
            assert (await post(one.soap, asked())).status_code == 200
            # As if no time had passed, for the machine may be slow.
            pace = one.connection().pace
            assert pace is not None
            pace.messages = pace.more_messages = 0
            pace.at = inf
        assert metrics.SLOWED._value.get() == slowed + 3


async def test_what_comes_beside_a_request_that_waits_is_to_be_sent_again() -> None:
    async with running(timing=QUICK, message_rate=0.2, burst=10, burst_speed=1000) as one:
        slowed = metrics.SLOWED._value.get()
        for _ in range(2):
            assert (await post(one.soap, asked())).status_code == 200
        waiting = asyncio.create_task(post(one.soap, asked()))
        await until(lambda: metrics.SLOWED._value.get() == slowed + 1)
        beside = await post(one.soap, asked())
        assert fault(beside) == (429, "Sender", "SecurityError")
        assert beside.headers["Retry-After"] == "5"
        waiting.cancel()


async def test_how_fast_it_has_sent_is_known_on_its_next_connection() -> None:
    # Three messages; half of them would be there again, and nothing to remember, after 25 seconds.
    async with running(timing=QUICK, message_rate=0.02, burst=150, burst_speed=1000) as one:
        for _ in range(2):
            await post(one.soap, asked())
        pace = one.connection().pace
        await post(one.soap, asked(version="1.6"))
        assert one.connection().pace is pace
        assert pace is not None


async def test_two_devices_with_one_id_are_seen(one: Running) -> None:
    """By the address for commands, which goes to and fro; both are answered, and none is kept out."""
    before = metrics.TAKEOVERS._value.get()
    for turn in range(5):
        response = await post(one.soap, asked(address=f"http://10.0.0.{turn % 2}:8080/ocpp"))
        assert response.status_code == 200
    assert metrics.TAKEOVERS._value.get() == before + 1


async def test_what_xml_was_refused_is_in_the_log_of_the_station_that_has_shown_its_password(one: Running) -> None:
    """As it came; whom nobody knows, and who does not come in, writes nothing into it."""
    await one.register("CP1", keyed(b"k", b"secret"))
    own, broken = ("cp1", "secret"), b"<s:Envelope"
    foreign = asked().replace(b"Cs/2012", b"Cs/2010")
    await post(one.soap, broken, auth=own)
    await post(one.soap, asked(), auth=own)
    await post(one.soap, broken)
    await post(one.soap, foreign, auth=("CP1", "wrong"))
    await post(one.soap, broken, auth=("CP2", "secret"))
    await post(one.soap, broken, headers={"Authorization": "Basic ?"})
    await post(one.soap, broken, auth=own)
    await post(one.soap, foreign, auth=own)
    await until(lambda: len(one.bus.all("ocpp.frames")) >= 2)
    told = [Frame.FromString(record.value or b"") for record in one.bus.all("ocpp.frames")]
    assert [(frame.station_id, frame.frame, frame.dropped) for frame in told] == [
        ("CP1", broken, "malformed"),
        ("CP1", foreign, "malformed"),
    ]
    assert told[0].description == "XML: not well-formed (line 1)"
    assert told[1].description.startswith("no OCPP that is spoken here has the namespace")
