"""Who may connect, and how: passwords, unknown stations, subprotocols, odd ids, compression."""

import json
from collections.abc import AsyncIterator

import pytest
import websockets

from services.ocpp.versions import BY_SUBPROTOCOL, VERSIONS
from tests.clients.faults import CallRefused
from tests.clients.library import dial
from tests.clients.rpc import KNOWN, Node
from tests.clients.system import System, eventually
from tests.conftest import Stack
from tests.e2e.conftest import Known
from tests.e2e.triggers import ACCEPTS, ask
from voltbus.local.stack import Stack as Processes

PROTOCOLS = [VERSIONS[name].subprotocol for name in KNOWN]
each_protocol = pytest.mark.parametrize("protocol", PROTOCOLS)
HEARTBEAT = '[2,"beat","Heartbeat",{}]'


async def beats(connection: websockets.ClientConnection) -> None:
    """The connection works: a Heartbeat is answered."""
    await connection.send(HEARTBEAT)
    kind, message_id, payload = json.loads(await connection.recv())
    assert (kind, message_id) == (3, "beat")
    assert payload["currentTime"].endswith("Z")


@each_protocol
async def test_a_password_that_is_wrong_or_missing(voltbus: System, node: Node, known: Known, protocol: str) -> None:
    for password in ("wrong", None, known.password[:-1]):
        with pytest.raises(CallRefused) as refused:
            await node.connect(voltbus.endpoint(), known.id, protocol, password)
        assert refused.value.code == "401"
    station = await node.connect(voltbus.endpoint(), known.id, protocol, known.password)
    assert await station.call("Heartbeat", {})
    await station.close()


async def test_a_password_that_was_rotated(voltbus: System, known: Known) -> None:
    rotated = await voltbus.ask("POST", "auth", f"/v1/stations/{known.id}/password")
    fresh = rotated.json()["password"]
    # The gateway hears of a change a moment after it was made.
    await eventually(lambda: voltbus.handshake(known.id, fresh), lambda status: status == 101)
    assert await voltbus.handshake(known.id, known.password) == 401


async def test_a_station_that_nobody_registered_is_rejected(voltbus: System) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        await dial(voltbus.endpoint(), "nobody", "ocpp1.6", password="anything")
    assert refused.value.response.status_code == 404


@pytest.fixture(scope="module", params=["accept", "quarantine"])
async def lenient(request: pytest.FixtureRequest, voltbus: System, stack: Stack) -> AsyncIterator[tuple[str, str]]:
    """Another gateway of the same system with another policy: (policy, where stations connect)."""
    env = voltbus.env | {"VOLTBUS_UNKNOWN_STATIONS": request.param}
    async with Processes(stack.servers, ("gateway-2",), env=env, prepare=False) as processes:
        yield request.param, processes.station_url("", "gateway-2").removesuffix("/")


@each_protocol
async def test_a_station_that_nobody_registered_elsewhere(
    voltbus: System, lenient: tuple[str, str], protocol: str
) -> None:
    policy, endpoint = lenient
    stranger = f"stranger-{protocol}-{policy}"
    async with dial(endpoint, stranger, protocol) as connection:
        await beats(connection)
        token = {"idTag": "T"} if protocol == "ocpp1.6" else {"idToken": {"idToken": "T", "type": "ISO14443"}}
        await connection.send(json.dumps([2, "ask", "Authorize", token]))
        answer = json.loads(await connection.recv())
        if policy == "accept":
            assert answer[0] == 3
        else:
            assert answer[:3] == [4, "ask", "SecurityError"]
            told = await ask(voltbus, stranger, wait=10)
            assert (told["status"], told["error_description"]) == ("undeliverable", "the station is not accepted")


async def test_a_subprotocol_that_is_not_spoken(voltbus: System, known: Known) -> None:
    """The handshake is finished without one and the connection closed (1.6-J 3.2, 2.0.1 part 4 3.1.2)."""
    async with dial(voltbus.endpoint(), known.id, "ocpp0.9", password=known.password) as connection:
        assert connection.subprotocol is None
        with pytest.raises(websockets.ConnectionClosed):
            await connection.recv()


async def test_the_order_of_subprotocols_is_the_stations_preference(voltbus: System, known: Known) -> None:
    spoken = [*BY_SUBPROTOCOL]
    for offered in (spoken, spoken[::-1]):
        async with dial(voltbus.endpoint(), known.id, "ocpp9", *offered, password=known.password) as connection:
            assert connection.subprotocol == offered[0]


@each_protocol
@pytest.mark.parametrize("name", ["Depot 7 Süd", "a%2Fb", "CP+1", "*-_.,;@"])
async def test_an_id_that_must_be_percent_encoded(voltbus: System, node: Node, name: str, protocol: str) -> None:
    name = f"{name} {protocol[4:]}"
    password = await voltbus.register(name)
    station = await node.connect(voltbus.endpoint(), name, protocol, password, answers=ACCEPTS)
    await station.call("Heartbeat", {})
    told = await ask(voltbus, name, wait=10)
    assert (told["station_id"], told["status"]) == (name, "answered")
    await station.close()
    connected = await voltbus.feed.event(name, "StationConnected")
    assert connected.body.station_id == name


@each_protocol
async def test_messages_are_compressed_where_the_station_can(voltbus: System, known: Known, protocol: str) -> None:
    async with dial(voltbus.endpoint(), known.id, protocol, password=known.password) as connection:
        assert "permessage-deflate" in extensions(connection)
        await beats(connection)
    plain = dial(voltbus.endpoint(), known.id, protocol, password=known.password, compression=None)
    async with plain as connection:
        assert not extensions(connection)
        await beats(connection)


def extensions(connection: websockets.ClientConnection) -> str:
    """What the handshake agreed upon."""
    assert connection.response is not None
    return connection.response.headers.get("Sec-WebSocket-Extensions", "")
