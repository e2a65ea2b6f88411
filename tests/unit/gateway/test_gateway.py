"""The gateway on real sockets: from a station to Kafka and back, through every trouble around it."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import websockets
from prometheus_client import REGISTRY
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from services.common.kafka.bus import PartitionTail, Record, TopicReader
from services.common.process.errors import Misconfigured, Unavailable
from services.gateway.cluster.memory import MemoryDirectory
from services.gateway.throttle import OF_ADDRESS
from services.gateway.timing import Timing
from services.gateway.transport.websocket import WebSocket
from services.ocpp.passwords import keyed
from services.ocpp.versions import VERSIONS as FACTS
from tests.unit.gateway.examples import ACCEPTED, authorize, boot, call, command, status
from tests.unit.gateway.running import QUICK, HeldBus, Running, ask, closed, gateway, read, running, starting, until
from voltbus.v1.bus_pb2 import (
    CONNECTION_STATE_ALIVE,
    CONNECTION_STATE_CONNECTED,
    CONNECTION_STATE_DISCONNECTED,
    OUTCOME_ANSWERED,
    OUTCOME_CONFIRMED,
    OUTCOME_LATE,
    OUTCOME_REFUSED,
    OUTCOME_TIMED_OUT,
    OUTCOME_UNDELIVERED,
    Close,
    Outbound,
    RefusedHandshakes,
    Reply,
)
from voltbus.v1.credentials_pb2 import PasswordChange

HEARTBEAT = call("hb", "Heartbeat", {})
SUBPROTOCOLS = {name: facts.subprotocol for name, facts in FACTS.items() if facts.subprotocol}


@pytest.mark.parametrize("version", SUBPROTOCOLS)
async def test_a_call_goes_to_its_service_and_the_answer_comes_back(one: Running, version: str) -> None:
    async with await one.connect(version=SUBPROTOCOLS[version]) as socket:
        assert socket.subprotocol == SUBPROTOCOLS[version]
        await socket.send(authorize(version).decode())
        record = await one.call("auth")
        assert (record.station_id, record.version, record.action) == ("CP1", version, "Authorize")
        await one.reply(record, ACCEPTED[version])
        assert read(await socket.recv()) == [3, "auth", ACCEPTED[version]]


async def test_a_notification_is_acknowledged_when_kafka_has_it_and_not_before(one: Running) -> None:
    async with await one.connect() as socket:
        one.bus.held = True
        await socket.send(status("1.6").decode())
        await until(lambda: one.bus.owed)
        assert (await ask(socket, HEARTBEAT.replace(b"Heartbeat", b"Dance")))[0] == 4
        one.bus.release()
        assert read(await socket.recv()) == [3, "status", {}]
        [record] = one.calls("firmware")
        assert record.answered


async def test_what_kafka_does_not_take_is_not_acknowledged() -> None:
    async with running(timing=QUICK, call_timeout=0.2) as one, await one.connect() as socket:
        one.bus.failing = True
        await socket.send(status("1.6").decode())
        await until(lambda: one.bus.failed)
        one.bus.failing = False
        assert await ask(socket, status("1.6", "again")) == [3, "again", {}]


async def test_while_kafka_is_away_nothing_is_lost_and_nobody_refused(one: Running) -> None:
    async with await one.connect() as socket:
        one.bus.broken = True
        await socket.send(status("1.6").decode())
        assert (await httpx.AsyncClient().get(f"{one.http}/readyz")).status_code == 503
        one.bus.broken = False
        assert read(await socket.recv()) == [3, "status", {}]


async def test_while_kafka_is_away_for_a_short_time_it_stays_ready() -> None:
    """Whatever stands before it may close all connections of one that is not. Who asks for Kafka hears the truth."""
    async with running(timing=Timing(stuck_after=0.05), kafka_grace=600) as one, await one.connect() as socket:
        one.bus.broken = one.bus.held = True
        await socket.send(status("1.6").decode())
        await until(lambda: one.bus.owed and not one.gateway.producer.progressing)
        async with httpx.AsyncClient() as http:
            assert (await http.get(f"{one.http}/readyz")).status_code == 200
            metrics = (await http.get(f"{one.http}/metrics")).text
        assert "voltbus_ready 1.0" in metrics
        assert 'voltbus_dependency_up{dependency="kafka"} 0.0' in metrics
        one.bus.broken = False
        one.bus.release()
        assert read(await socket.recv())[0] == 3


async def test_without_kafka_it_does_not_become_ready() -> None:
    bus = HeldBus()
    bus.broken = True
    async with starting(gateway(bus, kafka_grace=600)) as one:
        assert "kafka" in await one.service.unready()


async def test_while_kafka_takes_nothing_it_is_not_ready() -> None:
    async with running(timing=Timing(stuck_after=0.05)) as one, await one.connect() as socket:
        one.bus.held = True
        await socket.send(status("1.6").decode())
        await until(lambda: one.bus.owed and not one.gateway.producer.progressing)
        assert await one.service.unready() == ["producer"]
        one.bus.release()
        assert read(await socket.recv())[0] == 3
        assert await one.service.unready() == []


async def test_too_much_unacknowledged_stops_the_reading() -> None:
    async with running(unacknowledged=3) as one, await one.connect() as socket:
        one.bus.held = True
        for number in range(20):
            await socket.send(call(str(number), "Heartbeat", {}).decode())
            await socket.recv() if number < 3 else None
        transport = one.connection().transport
        assert isinstance(transport, WebSocket)
        await until(lambda: transport.paused)
        assert one.gateway.producer.unacknowledged < 20
        one.bus.release()
        assert [read(await socket.recv())[1] for _ in range(3, 20)] == [str(number) for number in range(3, 20)]
        assert not transport.paused


async def test_too_many_unacknowledged_bytes_stop_the_reading() -> None:
    async with running(unacknowledged_size=1024 * 1024) as one:
        one.bus.held = True
        for number in range(10):
            socket = await one.connect(f"CP{number}")
            value = {"timestamp": "2026-06-01T12:00:00Z", "sampledValue": [{"value": "1" * 200_000}]}
            await socket.send(call("long", "MeterValues", {"connectorId": 1, "meterValue": [value]}).decode())
            await socket.send(HEARTBEAT.decode())
        wires = [one.websocket(f"CP{number}") for number in range(10)]
        await until(lambda: sum(bool(wire.paused) for wire in wires) >= 4)
        one.bus.release()
        await one.call("transactions", 10)
        await one.call("firmware", 10)
        await until(lambda: not any(wire.paused for wire in wires))


async def test_a_record_that_makes_no_sense_ends_nothing(one: Running) -> None:
    """No protobuf; an answer to a boot, and a command, that are no JSON."""
    async with await one.connect() as socket:
        await socket.send(boot("1.6").decode())
        booted = await one.call("firmware")
        await one.bus.publish([Record("ocpp.outbound", b"x", b"\xff", partition=booted.slot)])
        nonsense = Reply(message_id="boot", action="BootNotification", payload=b"{")
        await one.outbound(Outbound(connection_id=booted.connection_id, reply=nonsense))
        spoilt = command(expires=2e9)
        spoilt.payload = b"{"
        await one.command(spoilt, booted.connection_id)
        await one.reply(booted, {"status": "Accepted", "currentTime": "2026-01-01T00:00:00Z", "interval": 60})
        while read(frame := await socket.recv())[1] != "boot":
            pass
        assert read(frame)[2]["status"] == "Accepted"
        assert await ask(socket, HEARTBEAT)


async def test_a_command_is_answered(one: Running) -> None:
    async with await one.connect() as socket:
        connection_id = one.connection().peer.connection_id
        await one.command(command(expires=2e9), connection_id)
        assert read(await socket.recv()) == [2, "c1", "ClearCache", {}]
        await socket.send('[3,"c1",{"status":"Accepted"}]')
        result = await one.result()
        assert (result.outcome, result.payload) == (OUTCOME_ANSWERED, b'{"status":"Accepted"}')
        await one.command(command("c2", expires=2e9), connection_id)
        await socket.recv()
        await socket.send('[4,"c2","NotSupported","no",{}]')
        result = await one.result(count=2)
        assert (result.outcome, result.error_code) == (OUTCOME_REFUSED, "NotSupported")


async def test_a_command_that_is_not_answered_in_time() -> None:
    async with running(timing=QUICK, command_timeout=0.1) as one, await one.connect() as socket:
        await one.command(command(expires=2e9), one.connection().peer.connection_id)
        await socket.recv()
        assert (await one.result()).outcome == OUTCOME_TIMED_OUT
        await socket.send('[3,"c1",{"status":"Accepted"}]')
        assert (await one.result(count=2)).outcome == OUTCOME_LATE


async def test_a_command_for_a_connection_that_is_gone(one: Running) -> None:
    gone = f"{one.gateway.nonce}-9"
    await one.command(command(expires=2e9), gone)
    result = await one.result()
    assert (result.outcome, result.command_id, result.station_id) == (OUTCOME_UNDELIVERED, "c1", "CP1")
    assert result.connection_id == gone


async def test_while_another_may_have_the_slot_no_command_goes_out_and_of_anothers_nothing_is_said() -> None:
    async with running(slot_ttl=0.2) as one, await one.connect() as socket:
        mine = one.connection().peer.connection_id
        one.directory.broken = True
        await until(lambda: not one.gateway.lease.valid)
        await one.command(command("1", expires=2e9), "another-1")
        await one.command(command("2", expires=2e9), mine)
        assert (await one.result()).command_id == "2"
        assert [result.outcome for result in one.results("auth")] == [OUTCOME_UNDELIVERED]
        assert (await ask(socket, HEARTBEAT))[0] == 3
        one.directory.broken = False
        await until(lambda: one.gateway.lease.valid)
        await one.command(command("3", expires=2e9), "another-1")
        await one.command(command("4", expires=2e9), mine)
        assert read(await socket.recv())[1] == "4"
        assert len(one.results("auth")) == 1


async def test_what_was_written_when_kafka_did_not_answer_is_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stumbling(HeldBus):
        """Its tails fail once there is something to read."""

        async def read_tail(self, topic: str, partition: int) -> PartitionTail:
            tail, fails = await super().read_tail(topic, partition), [Unavailable("Kafka stumbles")]
            poll = tail.poll

            async def stumble() -> Sequence[Record]:
                if self.logs[topic, partition] and fails:
                    raise fails.pop()
                return await poll()

            monkeypatch.setattr(tail, "poll", stumble)
            return tail

    async with running(Stumbling()) as one, await one.connect() as socket:
        await socket.send(authorize("1.6").decode())
        await one.reply(await one.call("auth"), ACCEPTED["1.6"])
        assert read(await socket.recv())[0] == 3


async def test_what_is_addressed_to_nobody_does_no_harm(one: Running) -> None:
    async with await one.connect() as socket:
        await socket.send(authorize("1.6").decode())
        record = await one.call("auth")
        await one.outbound(Outbound(connection_id="gone", close=Close()))
        await one.outbound(Outbound(connection_id=record.connection_id))
        await one.outbound(Outbound(connection_id="gone", reply={"message_id": "x"}))
        await one.reply(record, ACCEPTED["1.6"])
        assert read(await socket.recv())[0] == 3


async def test_coming_and_going_is_told(one: Running) -> None:
    async with await one.connect() as socket:
        await ask(socket, HEARTBEAT)
        [route] = one.directory.routes.values()
    await until(lambda: len(one.changes()) == 2 and not one.directory.routes)
    came, went = one.changes()
    assert (came.state, went.state) == (CONNECTION_STATE_CONNECTED, CONNECTION_STATE_DISCONNECTED)
    assert came.connection_id == went.connection_id == route.connection_id
    assert (came.station_id, came.version, came.slot) == ("CP1", "1.6", one.gateway.lease.slot)
    assert came.remote_address == "127.0.0.1"
    assert came.at.ToMicroseconds() < went.last_seen_at.ToMicroseconds() <= went.at.ToMicroseconds()


async def test_an_open_connection_says_that_it_lives() -> None:
    async with running(timing=QUICK, alive_interval=0.1) as one, await one.connect():
        await until(lambda: len(one.changes()) >= 3)
        assert one.changes()[2].state == CONNECTION_STATE_ALIVE


async def test_a_new_connection_replaces_the_old_one(one: Running) -> None:
    old = await one.connect()
    before = one.connection()
    async with await one.connect() as new:
        assert await closed(old) == 1000
        assert (await ask(new, HEARTBEAT))[0] == 3
        now = one.connection()
        assert now is not before
        await until(lambda: one.directory.routes["CP1"].connection_id == now.peer.connection_id)
        states = [(change.connection_id, change.state) for change in one.changes()]
        assert states == [
            (before.peer.connection_id, CONNECTION_STATE_CONNECTED),
            (before.peer.connection_id, CONNECTION_STATE_DISCONNECTED),
            (now.peer.connection_id, CONNECTION_STATE_CONNECTED),
        ]


async def test_a_connection_on_another_gateway_is_replaced_too() -> None:
    bus, directory = HeldBus(), MemoryDirectory()
    async with running(bus, directory) as here, running(bus, directory) as there:
        assert {here.gateway.lease.slot, there.gateway.lease.slot} == {0, 1}
        old = await here.connect()
        await until(lambda: "CP1" in directory.routes)
        async with await there.connect() as new:
            with pytest.raises(ConnectionClosed):
                await old.recv()
            await until(lambda: len(here.gateway.registry) == 0)
            await here.gateway.routing.flush()
            assert directory.routes["CP1"].slot == there.gateway.lease.slot
            assert (await ask(new, HEARTBEAT))[0] == 3


async def test_without_redis_stations_stay_and_are_registered_when_it_is_back() -> None:
    async with running(timing=QUICK, slot_ttl=0.2, route_ttl=0.3) as one:
        one.directory.broken = True
        async with await one.connect() as socket:
            assert (await ask(socket, HEARTBEAT))[0] == 3
            one.directory.broken = False
            await until(lambda: "CP1" in one.directory.routes)


async def test_a_redis_that_comes_back_empty_is_filled_again() -> None:
    async with running(slot_ttl=0.2) as one, await one.connect(), await one.connect("CP2"):
        await until(lambda: len(one.directory.routes) == 2)
        one.directory.routes.clear()
        one.directory.slots.clear()
        await until(lambda: len(one.directory.routes) == 2)
        assert one.directory.slots == {one.gateway.lease.slot: one.gateway.nonce}


async def test_a_gateway_whose_slot_is_anothers_ends_and_closes_its_sockets() -> None:
    one = gateway(slot_ttl=0.2)
    async with running(one.bus, one.directory, slot_ttl=0.2) as one:
        socket = await one.connect()
        one.directory.slots[one.gateway.lease.slot] = "another"
        assert one.done is not None
        assert await one.done == 1
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert one.directory.slots[one.gateway.lease.slot] == "another"


async def test_without_a_free_slot_it_waits_and_is_not_ready() -> None:
    directory = MemoryDirectory()
    directory.slots = dict.fromkeys(range(4), "others")
    async with starting(gateway(directory=directory)) as one:
        assert "slot" in await one.service.unready()
        directory.slots.pop(2)
        await until(lambda: one.listener.listening)
        assert one.gateway.lease.slot == 2


async def test_a_station_that_nobody_registered_is_refused() -> None:
    async with running(unknown_stations="reject", password_key="k") as one:
        assert await _refused(one) == 404
        await one.register(password_hash=keyed(b"k", b"secret"))
        assert await _refused(one) == 401
        assert await _refused(one, b"wrong") == 401
        async with await one.connect(additional_headers=_basic("CP1", b"secret")) as socket:
            assert (await ask(socket, HEARTBEAT))[0] == 3


@pytest.mark.parametrize("version", SUBPROTOCOLS.values())
@pytest.mark.parametrize("policy", ["reject", "quarantine", "accept"])
async def test_a_station_may_write_its_id_in_any_case(policy: str, version: str) -> None:
    """2.0.1 part 4 §3.1.1: it is an identifierString. It goes by its registration, and needs its password."""
    async with running(unknown_stations=policy, password_key="k") as one:
        await one.register("SEC1", password_hash=keyed(b"k", b"secret"))
        with pytest.raises(InvalidStatus) as refused:
            await one.connect("sec1", version)
        assert refused.value.response.status_code == 401
        for user in ("sec1", "SEC1", "Sec1"):
            async with await one.connect("sec1", version, additional_headers=_basic(user, b"secret")) as socket:
                assert (await ask(socket, HEARTBEAT))[0] == 3
                await until(lambda: one.directory.routes)
                assert one.directory.routes.keys() == {"SEC1"}
        assert {change.station_id for change in one.changes()} == {"SEC1"}


async def test_two_stations_from_before_whose_ids_differ_in_case_stay_two() -> None:
    """A third way to write the id is neither of them: it lets nobody in, whoever is let in otherwise."""
    async with running(timing=QUICK, unknown_stations="accept") as one:
        for name in ("CP1", "cp1"):
            await one.register(name)
        for name in ("CP1", "cp1"):
            async with await one.connect(name) as socket:
                assert (await ask(socket, HEARTBEAT))[0] == 3
        assert {change.station_id for change in one.changes()} == {"CP1", "cp1"}
        with pytest.raises(InvalidStatus) as refused:
            await one.connect("Cp1")
        assert refused.value.response.status_code == 404
        await until(lambda: one.bus.all("ocpp.refusals"))
        [record] = one.bus.all("ocpp.refusals")
        [told] = RefusedHandshakes.FromString(record.value or b"").handshakes
        assert (told.station_id, told.reason) == ("Cp1", "ambiguous_id")
        await one.register("cp1", gone=True)
        async with await one.connect("Cp1") as socket:
            assert (await ask(socket, HEARTBEAT))[0] == 3


@pytest.mark.parametrize("policy", ["quarantine", "accept"])
async def test_an_unregistered_station_that_writes_its_id_otherwise_is_the_one_that_is_here(policy: str) -> None:
    async with running(unknown_stations=policy) as one:
        first = await one.connect("new1")
        async with await one.connect("NEW1") as second:
            assert await closed(first) == 1000
            assert {change.station_id for change in one.changes()} == {"new1"}
            await one.register("New1", gone=True)
            assert (await ask(second, HEARTBEAT))[0] == 3
            await one.register("New1")
            assert await closed(second) == 1008
        async with await one.connect("NEW1") as socket:
            assert (await ask(socket, HEARTBEAT))[0] == 3
        assert one.changes()[-1].station_id == "New1"


async def test_a_station_that_comes_with_the_password_it_was_asked_to_take_says_so_and_stays() -> None:
    """A01: the answer may have been lost; coming with it is one."""
    old, new = keyed(b"k", b"old-secret"), keyed(b"k", b"new-secret")
    changes = [PasswordChange(command_id="c1", password_hash=new)]
    async with running(unknown_stations="reject", password_key="k") as one:
        await one.register(password_hash=old, changes=changes)
        async with await one.connect(additional_headers=_basic("CP1", b"old-secret")):
            assert one.results("auth") == []
        async with await one.connect(additional_headers=_basic("CP1", b"new-secret")) as socket:
            result = await one.result()
            assert (result.command_id, result.station_id, result.outcome) == ("c1", "CP1", OUTCOME_CONFIRMED)
            assert result.connection_id == one.connection().peer.connection_id
            await one.register(password_hash=new, replaced_hash=old)
            assert (await ask(socket, HEARTBEAT))[0] == 3
        assert await _refused(one, b"old-secret") == 401


async def test_wrong_passwords_are_slowed_down_and_the_right_one_is_let_in_meanwhile() -> None:
    """Behind one address a carrier has thousands: the other ids of it are answered as before."""
    async with running(unknown_stations="reject", password_key="k") as one:
        for name in ("CP1", "CP2"):
            await one.register(name, password_hash=keyed(b"k", b"secret"))
        answers = [await _refused(one, b"wrong") for _ in range(OF_ADDRESS.burst)]
        assert answers == [401] * OF_ADDRESS.burst
        with pytest.raises(InvalidStatus) as caught:
            await one.connect(additional_headers=_basic("CP1", b"wrong"))
        answer = caught.value.response
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= OF_ADDRESS.interval
        assert await _refused(one) == 429
        with pytest.raises(InvalidStatus) as caught:
            await one.connect("CP2", additional_headers=_basic("CP2", b"wrong"))
        assert caught.value.response.status_code == 401
        async with await one.connect("cp1", additional_headers=_basic("CP1", b"secret")) as socket:
            assert (await ask(socket, HEARTBEAT))[0] == 3
        assert await _refused(one, b"wrong") == 429


@pytest.mark.parametrize("gone", [True, False])
@pytest.mark.parametrize("policy", ["reject", "quarantine", "accept"])
async def test_a_changed_registration_ends_the_connection(gone: bool, policy: str) -> None:
    async with running(unknown_stations=policy, password_key="k") as one:
        await one.register(password_hash=keyed(b"k", b"secret"))
        socket = await one.connect(additional_headers=_basic("CP1", b"secret"))
        await one.register(password_hash=keyed(b"k", b"secret"))
        assert (await ask(socket, HEARTBEAT))[0] == 3
        await one.register(password_hash=keyed(b"k", b"other"), gone=gone)
        assert await closed(socket) == 1008
        if not gone:
            assert await _refused(one, b"secret") == 401
        elif policy == "reject":
            assert await _refused(one, b"secret") == 404
        else:
            async with await one.connect(additional_headers=_basic("CP1", b"secret")):
                assert one.connection().peer.quarantined is (policy == "quarantine")


@pytest.mark.parametrize("policy", ["reject", "quarantine", "accept"])
async def test_passwords_that_a_station_takes_one_after_another_do_not_end_its_connection(policy: str) -> None:
    """A01.FR.03. The one that its operator changes then does."""
    first, second, third, fourth = (keyed(b"k", text) for text in (b"first", b"second", b"third", b"fourth"))
    async with running(unknown_stations=policy, password_key="k") as one:
        await one.register(password_hash=first)
        async with await one.connect(additional_headers=_basic("CP1", b"first")) as socket:
            await one.register(password_hash=second, replaced_hash=first)
            await one.register(password_hash=third, replaced_hash=second)
            assert (await ask(socket, HEARTBEAT))[0] == 3
            await one.register(password_hash=fourth)
            assert await closed(socket) == 1008


async def test_a_station_that_is_accepted_stays_when_it_is_registered_unless_it_needs_a_password_then() -> None:
    async with running(unknown_stations="accept", password_key="k") as one, await one.connect() as socket:
        await one.register()
        assert (await ask(socket, HEARTBEAT))[0] == 3
        await one.register(password_hash=keyed(b"k", b"secret"))
        assert await closed(socket) == 1008


async def test_a_quarantined_station_is_marked_and_held_back() -> None:
    async with running(unknown_stations="quarantine") as one, await one.connect() as socket:
        await socket.send(boot("1.6").decode())
        record = await one.call("firmware")
        assert record.quarantined
        await one.reply(record, {"status": "Rejected", "currentTime": "2026-01-01T00:00:00Z", "interval": 60})
        await socket.recv()
        assert (await ask(socket, status("1.6")))[2] == "SecurityError"
        assert one.changes()[0].quarantined


async def test_before_the_copy_of_stations_is_whole_nobody_comes_in() -> None:
    class Endless(HeldBus):
        async def read_topic(self, *_: Any, **__: Any) -> TopicReader:
            never: asyncio.Future[TopicReader] = asyncio.get_running_loop().create_future()
            return await never

    async with starting(gateway(Endless())) as one:
        await until(one.service.checks["listener"])
        assert await one.service.unready() == ["credentials", "revocations"]
        assert await _refused(one) == 503


async def test_without_a_common_subprotocol_the_handshake_is_finished_and_the_connection_closed(one: Running) -> None:
    url = f"ws://127.0.0.1:{one.port}/ocpp/CP1"
    async with websockets.connect(url, subprotocols=[Subprotocol("ocpp1.2")]) as socket:
        assert socket.subprotocol is None
        assert await closed(socket) == 1002
    assert one.changes() == []


@pytest.mark.parametrize("target", ["/ocpp/CP1/", "//ocpp/CP1", "ws://csms.example:9000/ocpp/CP1"])
async def test_a_request_line_as_stations_write_it(one: Running, target: str) -> None:
    """RFC 9112 §3.2.2: a server must take the absolute form."""
    async with _upgraded(one, target, "Sec-WebSocket-Protocol: ocpp1.6") as head:
        assert "101 Switching Protocols" in head
        assert one.connection("CP1").version == "1.6"


async def test_without_any_subprotocol_the_connection_is_closed_unless_the_setting_names_a_version(
    one: Running,
) -> None:
    """1.6-J §3.2."""
    async with _upgraded(one, "/ocpp/CP1") as head:
        assert "101 Switching Protocols" in head
        assert one.changes() == []
    async with running(without_subprotocol="1.6") as lenient, _upgraded(lenient, "/ocpp/CP1") as head:
        assert "sec-websocket-protocol" not in head.lower()
        assert lenient.connection("CP1").version == "1.6"
        async with _upgraded(lenient, "/ocpp/CP2", "Sec-WebSocket-Protocol: ocpp9"):
            assert len(lenient.gateway.registry) == 1


@asynccontextmanager
async def _upgraded(one: Running, target: str, *headers: str) -> AsyncIterator[str]:
    """The head of the answer to an upgrade request that is written by hand."""
    reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
    lines = [
        f"GET {target} HTTP/1.1",
        "Host: x",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        *headers,
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    yield (await reader.readuntil(b"\r\n\r\n")).decode()
    writer.close()


@pytest.mark.parametrize("path", ["/", "/ocpp/", "/elsewhere/CP1", "/ocpp/a:b", "/ocpp/" + "x" * 49])
async def test_a_path_without_a_station(one: Running, path: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        await websockets.connect(f"ws://127.0.0.1:{one.port}{path}", subprotocols=[Subprotocol("ocpp1.6")])
    assert caught.value.response.status_code == 404


@pytest.mark.parametrize("connection", ["Upgrade", "upgrade", "keep-alive, Upgrade"])
async def test_connection_headers_of_proxies(one: Running, connection: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
    lines = [
        "GET /ocpp/CP1 HTTP/1.1",
        "Host: x",
        "Upgrade: WebSocket",
        f"Connection: {connection}",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: ocpp9",
        "Sec-WebSocket-Protocol: ocpp2.0.1, ocpp1.6",
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    assert "101 Switching Protocols" in head
    assert "ocpp2.0.1" in head
    assert "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head
    writer.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 8"], "426"),
        (["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"], "400"),
        (["Connection: Upgrade"], "400"),
        ([], "400"),
    ],
)
async def test_what_is_no_websocket_handshake(one: Running, headers: list[str], status: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
    writer.write("\r\n".join(["GET /ocpp/CP1 HTTP/1.1", "Host: x", *headers, "", ""]).encode())
    assert f"HTTP/1.1 {status}" in (await reader.read()).decode()
    writer.close()
    assert one.changes() == []


async def test_at_the_end_without_redis_it_ends_all_the_same() -> None:
    async with running(timing=Timing(flush_timeout=0.1)) as one:
        await one.connect()
        one.directory.broken = True
        assert await one.finish() == 0


async def test_at_the_end_what_is_under_way_is_answered_and_nothing_stays_behind() -> None:
    async with running() as one:
        busy, idle = await one.connect(), await one.connect("CP2")
        await busy.send(authorize("1.6").decode())
        record = await one.call("auth")
        ending = asyncio.create_task(one.finish())
        assert await closed(idle) == 1001
        with pytest.raises((OSError, InvalidStatus)):
            await one.connect("CP3")
        await one.reply(record, ACCEPTED["1.6"])
        assert read(await busy.recv())[0] == 3
        with pytest.raises(ConnectionClosed):
            await busy.recv()
        assert await ending == 0
        assert (one.directory.routes, one.directory.slots) == ({}, {})
        states = [change.state for change in one.changes()]
        assert states.count(CONNECTION_STATE_DISCONNECTED) == 2


async def test_at_the_end_nobody_is_waited_for_for_ever() -> None:
    async with running(drain_seconds=0.3) as one:
        busy = await one.connect()
        await busy.send(authorize("1.6").decode())
        await one.call("auth")
        assert await one.finish() == 0
        with pytest.raises(ConnectionClosed):
            await busy.recv()


async def test_a_long_drain_is_not_cut_short() -> None:
    assert gateway(drain_seconds=300).service.timing.drain == 310


async def test_a_port_in_use_is_one_clear_line(one: Running) -> None:
    other = gateway(gateway_port=one.port)
    with pytest.raises(Misconfigured, match="VOLTBUS_GATEWAY_PORT"):
        await other.listener.open()


async def test_health_and_metrics(one: Running) -> None:
    async with await one.connect() as socket, httpx.AsyncClient(base_url=one.http) as http:
        await ask(socket, HEARTBEAT)
        await ask(socket, status("1.6"))
        assert (await http.get("/healthz")).json() == {"status": "alive"}
        assert (await http.get("/readyz")).json() == {"status": "ready", "waiting_for": []}
        metrics = (await http.get("/metrics")).text
    for line in (
        'voltbus_gateway_frames_total{action="Heartbeat",direction="in",kind="call",version="1.6"}',
        'voltbus_gateway_frames_total{action="Heartbeat",direction="out",kind="result",version="1.6"}',
        'voltbus_gateway_call_seconds_count{action="StatusNotification",version="1.6"}',
        'voltbus_gateway_connections{version="1.6"} 1.0',
        "voltbus_gateway_slot 0.0",
        "voltbus_gateway_unacknowledged_records 0.0",
        "voltbus_gateway_paused_connections 0.0",
    ):
        assert line in metrics


async def test_how_a_station_is_read_is_said_by_its_registration_or_else_by_the_setting() -> None:
    odd = call("odd", "Heartbeat", {"mine": 1})
    for setting, expected in (("tolerant", 3), ("strict", 4)):
        async with running(reading=setting) as one, await one.connect() as socket:
            assert (await ask(socket, odd))[0] == expected
            # A change holds for the connection that is there.
            for reading, registered in (("strict", 4), ("tolerant", 3), ("", expected)):
                await one.register(reading=reading)
                assert (await ask(socket, odd))[0] == registered
        async with running(reading=setting) as one:
            await one.register(reading="strict")
            async with await one.connect() as socket:
                assert (await ask(socket, odd))[0] == 4


async def test_what_is_tolerated_is_counted_by_kind() -> None:
    def counted() -> float:
        return REGISTRY.get_sample_value("voltbus_gateway_tolerated_total", {"kind": "unknown_property"}) or 0

    before = counted()
    async with running() as one, await one.connect() as socket:
        await ask(socket, call("odd", "Heartbeat", {"mine": 1, "yours": 2}))
        await until(lambda: counted() == before + 2)


async def test_no_secret_in_the_logs(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    async with running(unknown_stations="reject", password_key="key-secret") as one:
        await one.register(password_hash=keyed(b"key-secret", b"password-secret"))
        async with await one.connect(additional_headers=_basic("CP1", b"password-secret")) as socket:
            await socket.send('[2,"1","Authorize",{"idTag":"token-secret"}]')
            await one.reply(await one.call("auth"), {"idTagInfo": {"status": "Invalid"}})
            await socket.recv()
            await ask(socket, json.dumps([2, "2", "Authorize", {"idTag": ["token-secret"]}]).encode())
        await _refused(one, b"wrong-secret")
    logged = [record.getMessage() for record in caplog.records if not record.name.startswith("websockets")]
    assert "-secret" not in "\n".join(logged) + "".join(capsys.readouterr())


async def _refused(one: Running, password: bytes | None = None) -> int:
    """The HTTP status of a refusal."""
    headers = {} if password is None else _basic("CP1", password)
    with pytest.raises(InvalidStatus) as caught:
        await one.connect(additional_headers=headers)
    return caught.value.response.status_code


def _basic(user: str, password: bytes) -> dict[str, str]:
    return {"Authorization": httpx.BasicAuth(user, password)._auth_header}


async def test_an_operator_ends_a_connection_with_a_code_of_choice(one: Running) -> None:
    socket = await one.connect()
    await until(lambda: one.gateway.registry.of_station("CP1"))
    connection_id = one.connection().peer.connection_id
    await one.outbound(Outbound(connection_id="another", close=Close(reason="not this one", code=1008)))
    await one.outbound(Outbound(connection_id=connection_id, close=Close(reason="asked for", code=1012)))
    assert await closed(socket) == 1012
