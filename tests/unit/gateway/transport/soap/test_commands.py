"""Commands to stations that speak SOAP: posted to the address that they gave, with one outcome each."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from math import inf
from typing import Any

import pytest

from services.gateway import metrics
from services.gateway.ocppj.commands import LONGEST_GARBLED
from services.gateway.settings import Settings
from services.gateway.transport.soap.callback import Callback
from services.gateway.transport.soap.station import SoapStation
from services.gateway.transport.tls_context import Certificates
from services.ocpp.soap import envelope
from services.ocpp.soap.envelope import Envelope, Fault
from services.ocpp.soap.spellings import SPELLINGS
from tests.unit.gateway.running import QUICK, Running, running, until
from tests.unit.gateway.soap import Answer, answered, asked, listening, post
from voltbus.local.ports import free_ports
from voltbus.v1.bus_pb2 import (
    OUTCOME_ANSWERED,
    OUTCOME_INVALID,
    OUTCOME_REFUSED,
    OUTCOME_TIMED_OUT,
    OUTCOME_UNDELIVERED,
    Command,
    Frame,
)

UNLOCKED = "<o:unlockConnectorResponse><o:status>Accepted</o:status></o:unlockConnectorResponse>"


@pytest.fixture
async def one() -> AsyncIterator[Running]:
    async with running(timing=QUICK) as started:
        yield started


def unlock(id_: str = "c1") -> Command:
    return Command(id=id_, service="firmware", action="UnlockConnector", payload=b'{"connectorId":1}')


async def send(one: Running, sent: Command) -> None:
    await one.command(sent, one.connection().peer.connection_id)


async def test_a_command_is_posted_and_its_answer_is_its_result(one: Running) -> None:
    """OCPP-S 1.6 §3: identity, MessageID, To and From, in the namespace of the charge point."""
    async with listening(answered(UNLOCKED)) as station:
        await post(one.soap, asked(address=station.address))
        await send(one, unlock("0e5c7a64-0000-4000-8000-000000000001"))
        result = await one.result("firmware")
        assert (result.outcome, result.payload) == (OUTCOME_ANSWERED, b'{"status":"Unlocked"}')
        [heard] = station.heard
        assert heard.body is not None
        assert (heard.identity, heard.body.namespace) == ("CP1", "urn://Ocpp/Cp/2012/06/")
        assert heard.message_id == "urn:uuid:0e5c7a64-0000-4000-8000-000000000001"
        assert heard.address == one.soap
        assert SPELLINGS["1.5"].read_request("UnlockConnector", heard.body) == {"connectorId": 1}


async def test_a_value_that_xml_cannot_hold_was_changed_on_its_way(one: Running) -> None:
    """It is undeliverable, and named; the next command goes."""
    async with listening(answered(UNLOCKED)) as station:
        await post(one.soap, asked(address=station.address))
        payload = b'{"key":"K","value":"a\\u0001b"}'
        await send(one, Command(id="c0", service="firmware", action="ChangeConfiguration", payload=payload))
        result = await one.result("firmware")
        assert result.outcome == OUTCOME_UNDELIVERED
        assert "value has a character that XML cannot hold" in result.error_description
        await send(one, unlock())
        assert (await one.result("firmware", 2)).outcome == OUTCOME_ANSWERED
        assert len(station.heard) == 1


async def test_the_address_of_the_last_request_counts(one: Running) -> None:
    """OCPP-S 1.6 §3.7, §5."""
    async with listening(answered(UNLOCKED)) as before, listening(answered(UNLOCKED)) as now:
        await post(one.soap, asked(address=before.address))
        await post(one.soap, asked(address=now.address))
        await post(one.soap, asked())
        await send(one, unlock())
        await one.result("firmware")
        assert (len(before.heard), len(now.heard)) == (0, 1)


async def test_one_that_cannot_be_reached_keeps_its_commands_until_it_is_heard(one: Running) -> None:
    """OCPP-S 1.6 §5: a station may have another address at any time."""
    [port] = free_ports(1)
    await post(one.soap, asked(address=f"http://127.0.0.1:{port}/"))
    for number in range(3):
        await send(one, unlock(f"c{number}"))
    connection = one.connection()
    await until(lambda: connection._session._commands._held)
    assert not one.results("firmware")
    async with listening(answered(UNLOCKED)) as station:
        await post(one.soap, asked(address=station.address))
        await one.result("firmware", 3)
        assert [(result.command_id, result.outcome) for result in one.results("firmware")] == [
            (f"c{number}", OUTCOME_ANSWERED) for number in range(3)
        ]
        assert len(station.heard) == 3


async def test_one_that_moves_while_it_is_looked_for_gets_its_command(
    one: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking, moved, post_to = asyncio.Event(), asyncio.Event(), Callback.post

    async def slow(self: Callback, address: str, *args: Any) -> Any:
        looking.set()
        await moved.wait()
        return await post_to(self, address, *args)

    monkeypatch.setattr(Callback, "post", slow)
    await post(one.soap, asked(address=f"http://127.0.0.1:{free_ports(1)[0]}/"))
    await send(one, unlock())
    await looking.wait()
    async with listening(answered(UNLOCKED)) as station:
        await post(one.soap, asked(address=station.address))
        moved.set()
        assert (await one.result("firmware")).outcome == OUTCOME_ANSWERED
        assert len(station.heard) == 1


async def test_one_that_cannot_be_reached_is_not_tried_with_each_of_its_requests(one: Running) -> None:
    [port] = free_ports(1)
    address = f"http://127.0.0.1:{port}/"
    unreachable = metrics.SOAP_CALLS.labels("unreachable")
    before = unreachable._value.get()
    await post(one.soap, asked(address=address))
    await send(one, unlock())
    await until(lambda: unreachable._value.get() == before + 1)
    transport = one.connection().transport
    assert isinstance(transport, SoapStation)
    transport._reach._due_at = inf
    for _ in range(3):
        await post(one.soap, asked(address=address))
    assert unreachable._value.get() == before + 1
    assert not transport._calls
    transport._reach._due_at = 0.0
    async with listening(answered(UNLOCKED), port):
        await post(one.soap, asked(address=address))
        assert (await one.result("firmware")).outcome == OUTCOME_ANSWERED


NOWHERE = [
    "",
    " ",
    "http://www.w3.org/2005/08/addressing/anonymous",
    "http://www.w3.org/2005/08/addressing/none",
    "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous",
]


@pytest.mark.parametrize("nowhere", NOWHERE)
async def test_one_that_has_given_no_address_cannot_be_sent_anything(one: Running, nowhere: str) -> None:
    """It was told as one that could not be reached at the moment, until its commands expired."""
    await post(one.soap, asked(address=nowhere))
    await send(one, unlock())
    result = await one.result("firmware")
    assert (result.outcome, result.error_description) == (OUTCOME_UNDELIVERED, "it has given no address")
    async with listening(answered(UNLOCKED)) as station:
        await post(one.soap, asked(address=station.address))
        await send(one, unlock("c2"))
        assert (await one.result("firmware", 2)).outcome == OUTCOME_ANSWERED


@pytest.mark.parametrize("nowhere", NOWHERE)
async def test_who_says_none_is_called_where_it_was(one: Running, nowhere: str) -> None:
    """An anonymous From took the address away that the station had given before."""
    async with listening(answered(UNLOCKED)) as station:
        await post(one.soap, asked(address=station.address))
        await post(one.soap, asked(address=nowhere))
        await send(one, unlock())
        assert (await one.result("firmware")).outcome == OUTCOME_ANSWERED


async def test_where_a_station_is_called_and_whether_it_could_be_is_told(one: Running) -> None:
    """Nobody could see which address it had given."""

    def told() -> tuple[str, bool | None]:
        [route] = one.gateway.routing._live.values()
        return route.address, route.reached

    await post(one.soap, asked())
    assert told() == ("", None)
    away = f"http://127.0.0.1:{free_ports(1)[0]}/"
    await post(one.soap, asked(address=away))
    assert told() == (away, None)
    await send(one, unlock())
    await until(lambda: told() == (away, False))
    async with listening(answered(UNLOCKED)) as station:
        await post(one.soap, asked(address=station.address))
        await one.result("firmware")
        assert told() == (station.address, True)


async def test_a_password_in_the_address_of_a_station_is_not_told(one: Running) -> None:
    await post(one.soap, asked(address="http://cp1:its-secret@192.0.2.7/"))
    [route] = one.gateway.routing._live.values()
    assert route.address == "http://…@192.0.2.7/"


async def test_what_waits_for_a_station_expires(one: Running) -> None:
    await post(one.soap, asked(address=f"http://127.0.0.1:{free_ports(1)[0]}/"))
    expiring = unlock()
    connection = one.connection()
    await send(one, expiring)
    await until(lambda: connection._session._commands._held)
    late = unlock("c2")
    late.expires_at.FromMicroseconds(1)
    await send(one, late)
    result = await one.result("firmware")
    assert (result.command_id, result.outcome, result.error_description) == ("c2", OUTCOME_UNDELIVERED, "expired")


async def test_what_waits_when_the_station_is_gone_was_never_sent(one: Running) -> None:
    await post(one.soap, asked(address=f"http://127.0.0.1:{free_ports(1)[0]}/"))
    connection = one.connection()
    await send(one, unlock())
    await until(lambda: connection._session._commands._held)
    connection.transport.keep_alive(inf, 0, 0)
    result = await one.result("firmware")
    assert (result.outcome, result.error_description) == (OUTCOME_UNDELIVERED, "disconnected")


async def test_what_the_version_has_not_over_soap_is_never_sent(one: Running) -> None:
    """OCPP-S has nothing of the security extension."""
    async with listening(answered(UNLOCKED, "1.6")) as station:
        await post(one.soap, asked(version="1.6", address=station.address))
        payload = b'{"requestedMessage":"Heartbeat"}'
        await send(one, Command(id="c1", service="firmware", action="ExtendedTriggerMessage", payload=payload))
        result = await one.result("firmware")
        assert (result.outcome, result.error_description) == (
            OUTCOME_UNDELIVERED,
            "OCPP 1.6 over SOAP has no ExtendedTriggerMessage",
        )
        assert not station.heard


def refusing(fault: Fault) -> Answer:
    def answer(request: Envelope) -> tuple[int, bytes]:
        return 500, envelope.fault(fault, "urn://Ocpp/Cp/2012/06/", message_id="a", relates_to=request.message_id)

    return answer


@pytest.mark.parametrize(
    ("fault", "code", "description"),
    [
        (Fault("Receiver", "NotSupported", "no"), "NotSupported", "no"),
        (Fault("Sender", "SecurityError", "no"), "SecurityError", "no"),
        (Fault("Sender", "IdentityMismatch", "who?"), "GenericError", "IdentityMismatch: who?"),
        (Fault("Receiver", "", ""), "GenericError", "Receiver"),
    ],
)
async def test_a_fault_is_a_refusal(one: Running, fault: Fault, code: str, description: str) -> None:
    """OCPP-S 1.6 §4, whose errata 3.3 has any subcode accepted."""
    async with listening(refusing(fault)) as station:
        await post(one.soap, asked(address=station.address))
        await send(one, unlock())
        result = await one.result("firmware")
        assert (result.outcome, result.error_code, result.error_description) == (OUTCOME_REFUSED, code, description)


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (404, b"not here", OUTCOME_REFUSED),
        (200, b"not here", OUTCOME_INVALID),
        (200, b"", OUTCOME_INVALID),
    ],
)
async def test_answers_that_say_nothing(one: Running, status: int, body: bytes, outcome: int) -> None:
    async with listening(lambda _: (status, body)) as station:
        await post(one.soap, asked(address=station.address))
        await send(one, unlock())
        assert (await one.result("firmware")).outcome == outcome


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_no_word_is_the_answer_where_there_is_nothing_to_say(one: Running, status: int) -> None:
    """The response of UpdateFirmware has no elements."""
    async with listening(lambda _: (status, b"")) as station:
        await post(one.soap, asked(address=station.address))
        payload = b'{"location":"ftp://a/b","retrieveDate":"2026-12-01T00:00:00Z"}'
        await send(one, Command(id="c1", service="firmware", action="UpdateFirmware", payload=payload))
        result = await one.result("firmware")
        assert (result.outcome, result.payload) == (OUTCOME_ANSWERED, b"{}")


@pytest.mark.parametrize(("status", "body"), [(200, b"x" * 300_000), (0, b"")])
async def test_answers_that_cannot_be_read_are_none(status: int, body: bytes) -> None:
    async with running(timing=QUICK, command_timeout=0.5) as one, listening(lambda _: (status, body)) as station:
        await post(one.soap, asked(address=station.address))
        await send(one, unlock())
        assert (await one.result("firmware")).outcome == OUTCOME_TIMED_OUT


OLD = (
    b"<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body><status>Accepted</status></s:Body>"
    b"</s:Envelope>"
)


async def test_an_answer_that_cannot_be_used_is_shown_as_it_came(one: Running) -> None:
    """What we say of it, that SOAP 1.2 is spoken, was shown as if the station had said it."""
    async with listening(lambda _: (200, OLD)) as station:
        await post(one.soap, asked(address=station.address))
        await send(one, unlock())
        result = await one.result("firmware")
        assert (result.outcome, result.error_description) == (OUTCOME_INVALID, "SOAP 1.2 is spoken")
        assert json.loads(result.payload) == OLD.decode()


async def test_of_a_long_answer_that_cannot_be_used_the_beginning_is_shown(one: Running) -> None:
    async with listening(lambda _: (200, b"<a>" + b"x" * 100_000)) as station:
        await post(one.soap, asked(address=station.address))
        await send(one, unlock())
        assert json.loads((await one.result("firmware")).payload) == "<a>" + "x" * (LONGEST_GARBLED - 3)


async def test_an_answer_to_something_else_is_none(one: Running) -> None:
    async with listening(answered("<o:resetResponse><o:status>Accepted</o:status></o:resetResponse>")) as station:
        await post(one.soap, asked(address=station.address))
        await send(one, unlock())
        result = await one.result("firmware")
        assert (result.outcome, result.error_description) == (OUTCOME_INVALID, "the answer is to something else")
        assert "resetResponse" in json.loads(result.payload)
        [told] = [Frame.FromString(record.value or b"") for record in one.bus.all("ocpp.frames") if record.value]
        assert b"resetResponse" in told.frame
        assert (told.station_id, told.description) == ("CP1", "the answer is to something else")


async def test_a_redirect_is_not_followed(one: Running) -> None:
    async with listening(answered(UNLOCKED)) as other, listening(lambda _: (302, b"")) as station:
        await post(one.soap, asked(address=station.address))
        await send(one, unlock())
        assert (await one.result("firmware")).outcome == OUTCOME_REFUSED
        assert not other.heard


@pytest.mark.parametrize(
    "address",
    [
        *("http://10.1.2.3:8080/", "http://169.254.169.254/latest", "http://[::1]:8080/", "https://192.168.0.1/"),
        *("ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1:25/", "nothing", "http://u:p@127.0.0.1/"),
        *("http://127.0.0.1:25/", "http://127.0.0.1:22", "http://0.0.0.0:8080/", "http://[::ffff:10.0.0.1]:8080/"),
        "http://localhost:8080@10.0.0.1:8080/",
    ],
)
async def test_an_address_that_is_not_allowed_is_never_called(one: Running, address: str) -> None:
    """CWE-918: whoever says that it is a station must not lead us into our own network."""
    await post(one.soap, asked(address=address))
    await send(one, unlock())
    result = await one.result("firmware")
    assert result.outcome == OUTCOME_UNDELIVERED
    assert "its address" in result.error_description


@pytest.mark.parametrize(
    ("networks", "address", "fault"),
    [
        ("", "http://8.8.8.8:8080/", True),
        ("", "https://8.8.8.8/", False),
        ("0.0.0.0/0", "http://8.8.8.8:8080/", False),
        ("0.0.0.0/0", "http://10.0.0.1:8080/", True),
        ("0.0.0.0/0", "http://169.254.169.254/", True),
        ("0.0.0.0/0", "http://127.0.0.1:8080/", True),
        ("0.0.0.0/0,10.1.0.0/16", "http://10.1.0.1:8080/", False),
        ("10.1.0.0/16", "http://10.2.0.1:8080/", True),
    ],
)
def test_networks_of_stations(networks: str, address: str, fault: bool) -> None:
    """One that is named to reach the internet does not mean what is within it of one's own."""
    settings = Settings(soap_allow=networks, password_key="k")
    callback = Callback(settings, Certificates(settings, 1, time.time))
    assert (callback.fault(address) is not None) == fault


@pytest.mark.parametrize(
    ("networks", "address", "fault"),
    [
        ("", "nothing", "its address is not an address such as https://cp001.example:8443/ocpp"),
        ("", "ftp://cp001.example/", "its address must begin with https://"),
        ("10.1.0.0/16", "ftp://10.1.0.1/", "its address must begin with https:// or http://"),
    ],
)
def test_what_is_wrong_with_an_address_is_said_of_a_station(networks: str, address: str, fault: str) -> None:
    """It was told in the words of a webhook."""
    settings = Settings(soap_allow=networks, password_key="k")
    assert Callback(settings, Certificates(settings, 1, time.time)).fault(address) == fault


@pytest.mark.parametrize("ports", ["0", "80-70", "a", "1-70000", "-1"])
def test_ports_that_are_none(ports: str) -> None:
    with pytest.raises(ValueError, match="is no port"):
        Settings(soap_call_ports=ports, password_key="k")


async def test_a_pending_station_of_1_6_is_told_what_it_may_be_told(one: Running) -> None:
    """B02.FR.05, 1.6 §4.2: the gate is that of any connection."""
    boot = "<o:bootNotificationRequest><o:chargePointVendor>V</o:chargePointVendor></o:bootNotificationRequest>"
    asking = asyncio.create_task(post(one.soap, asked(boot, version="1.6")))
    call = await one.call("firmware")
    now = "2026-03-01T12:00:00.000Z"
    await one.reply(call, {"status": "Pending", "interval": 60, "currentTime": now})
    assert (await asking).status_code == 200
    start = Command(id="c1", service="transactions", action="RemoteStartTransaction", payload=b'{"idTag":"A"}')
    await send(one, start)
    assert "Pending" in (await one.result("transactions")).error_description
