"""Frames that are wrong in every way: the answer each version asks for, and a connection that still works.

Stations are registered to be read strictly here; what is tolerated otherwise, test_field_faults.py has.
"""

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import websockets

from services.gateway.settings import Settings
from services.ocpp.errors import ErrorCode
from services.ocpp.versions import BY_SUBPROTOCOL, Version
from tests.clients.library import dial
from tests.clients.system import System
from tests.contract import examples
from tests.e2e.conftest import Connect, Known, read_strictly

pytestmark = read_strictly
SPOKEN = BY_SUBPROTOCOL.values()
each_version = pytest.mark.parametrize("version", SPOKEN, ids=[version.name for version in SPOKEN])
each_client = pytest.mark.parametrize("client", ["websockets", "ocpp-rpc"])
LONG = "x" * 37


@dataclass(frozen=True)
class Wrong:
    """A frame, and what answers it: (message id, error code) by version, None where nothing does."""

    frame: str
    v16: tuple[str | int, str] | None
    v201: tuple[str | int, str] | None

    def answer(self, version: Version) -> tuple[str | int, str] | None:
        if version.name == "2.1" and self.v201 and self.v201[1] == "MessageTypeNotSupported":
            # Part 4 §4.4: ignored.
            return None
        return self.v16 if version.name == "1.6" else self.v201


WRONG = {
    "no JSON": Wrong("{nonsense", None, ("-1", "RpcFrameworkError")),
    "cut off": Wrong('[2,"a","Heartbeat",{}', ("a", "FormationViolation"), ("a", "FormatViolation")),
    "no list": Wrong('{"a":1}', None, ("-1", "RpcFrameworkError")),
    "empty list": Wrong("[]", None, ("-1", "RpcFrameworkError")),
    "null": Wrong("null", None, ("-1", "RpcFrameworkError")),
    "too short": Wrong('[2,"a","Heartbeat"]', ("a", "FormationViolation"), ("a", "RpcFrameworkError")),
    "too long": Wrong('[2,"a","Heartbeat",{},{}]', ("a", "FormationViolation"), ("a", "RpcFrameworkError")),
    "id no string": Wrong('[2,7,"Heartbeat",{}]', (7, "FormationViolation"), (7, "RpcFrameworkError")),
    "id too long": Wrong(f'[2,"{LONG}","Heartbeat",{{}}]', (LONG, "FormationViolation"), (LONG, "RpcFrameworkError")),
    "action no string": Wrong('[2,"a",7,{}]', ("a", "FormationViolation"), ("a", "RpcFrameworkError")),
    "payload no object": Wrong('[2,"a","Heartbeat",[]]', ("a", "FormationViolation"), ("a", "FormatViolation")),
    "unknown type": Wrong('[9,"a","Heartbeat",{}]', None, ("a", "MessageTypeNotSupported")),
    "type no number": Wrong('["2","a","Heartbeat",{}]', ("a", "FormationViolation"), ("a", "RpcFrameworkError")),
    "unknown action": Wrong('[2,"a","MakeCoffee",{}]', ("a", "NotImplemented"), ("a", "NotImplemented")),
    "not from a station": Wrong('[2,"a","Reset",{"type":"Hard"}]', ("a", "NotSupported"), ("a", "NotSupported")),
    "a reply to nothing": Wrong('[3,"never-asked",{}]', None, None),
    "an error about nothing": Wrong('[4,"never-asked","GenericError","",{}]', None, None),
    "a reply without an id": Wrong("[3]", None, None),
}
CODES = {
    "type": "TypeConstraintViolation",
    "maxLength": "TypeConstraintViolation",
    "enum": "PropertyConstraintViolation",
    "minimum": "PropertyConstraintViolation",
    "maximum": "PropertyConstraintViolation",
    "multipleOf": "PropertyConstraintViolation",
    "required": "OccurrenceConstraintViolation",
    "minItems": "OccurrenceConstraintViolation",
    "maxItems": "OccurrenceConstraintViolation",
    "additionalProperties": "FormatViolation",
}
SPELLING_1_6 = {
    "OccurrenceConstraintViolation": "OccurenceConstraintViolation",
    "FormatViolation": "FormationViolation",
}
Send = Callable[[str], Awaitable[None]]
Receive = Callable[[], Awaitable[Any]]


@dataclass(frozen=True)
class Line:
    """A connection on which raw frames go out and parsed ones come in."""

    send: Send
    receive: Receive


@pytest.fixture
async def open_line(voltbus: System, known: Known, connect: Connect) -> AsyncIterator[Callable[..., Awaitable[Line]]]:
    """Opens a connection in a version, with one client or the other."""
    opened: list[websockets.ClientConnection] = []

    async def line(version: Version, client: str = "websockets") -> Line:
        if client == "ocpp-rpc":
            station = await connect(version.subprotocol)

            async def receive() -> Any:
                happening = await station.until("message")
                station.happened.remove(happening)
                return json.loads(happening["frame"])

            return Line(station.raw, receive)
        connection = await dial(voltbus.endpoint(), known.id, version.subprotocol, password=known.password)
        opened.append(connection)

        async def read() -> Any:
            return json.loads(await connection.recv())

        return Line(connection.send, read)

    yield line
    for connection in opened:
        await connection.close()


OpenLine = Callable[..., Awaitable[Line]]


async def beats(line: Line) -> None:
    """The next frame answers the Heartbeat that is sent now: nothing else was on its way, and the line works."""
    await line.send('[2,"after","Heartbeat",{}]')
    answer = await line.receive()
    assert answer[:2] == [3, "after"], answer


def check_error(answer: list[Any], message_id: str | int, code: str) -> None:
    kind, about, said, description, details = answer
    assert (kind, about, said, details) == (4, message_id, code, {})
    assert 0 < len(description) <= 255


@each_client
@each_version
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
async def test_a_wrong_frame(open_line: OpenLine, version: Version, client: str, wrong: Wrong) -> None:
    line = await open_line(version, client)
    await line.send(wrong.frame)
    if expected := wrong.answer(version):
        check_error(await line.receive(), *expected)
    await beats(line)


def violations(version: Version) -> dict[str, tuple[str, Any]]:
    """For each schema keyword the first message of a station that breaks it: action, payload."""
    found: dict[str, tuple[str, Any]] = {}
    for action in sorted(version.from_station):
        for keyword, payload in examples.broken(version.schemas.request_document(action)):
            if isinstance(payload, dict):
                found.setdefault(keyword, (action, payload))
    return found


@each_version
async def test_each_broken_rule_of_a_schema(open_line: OpenLine, version: Version) -> None:
    line = await open_line(version)
    broken = violations(version)
    assert broken.keys() >= {"type", "maxLength", "enum", "required", "additionalProperties"}
    for keyword, (action, payload) in broken.items():
        await line.send(json.dumps([2, keyword, action, payload]))
        code = SPELLING_1_6.get(CODES[keyword], CODES[keyword]) if version.name == "1.6" else CODES[keyword]
        check_error(await line.receive(), keyword, code)
    await beats(line)


@each_version
async def test_a_message_id_that_is_in_flight(open_line: OpenLine, version: Version) -> None:
    line = await open_line(version)
    token = {"idTag": "T"} if version.name == "1.6" else {"idToken": {"idToken": "T", "type": "ISO14443"}}
    frame = json.dumps([2, "twice", "Authorize", token])
    # On a slow machine the first may be answered before the second has come, now and then.
    for _ in range(20):
        await line.send(frame)
        await line.send(frame)
        answers = sorted([await line.receive(), await line.receive()])
        if answers[1][0] != 3:
            break
    assert [answer[:2] for answer in answers] == [[3, "twice"], [4, "twice"]]
    check_error(answers[1], "twice", "FormationViolation" if version.name == "1.6" else "RpcFrameworkError")
    await line.send(frame)
    assert (await line.receive())[:2] == [3, "twice"]
    await beats(line)


@each_version
async def test_many_messages_at_once_are_answered_in_order(open_line: OpenLine, version: Version) -> None:
    line = await open_line(version)
    for number in range(20):
        action, payload = ("DataTransfer", {"vendorId": "example"}) if number % 2 else ("Heartbeat", {})
        await line.send(json.dumps([2, f"m-{number}", action, payload]))
    answers = [await line.receive() for _ in range(20)]
    assert [answer[:2] for answer in answers] == [[3, f"m-{number}"] for number in range(20)]


@each_version
async def test_a_frame_that_is_too_large(voltbus: System, known: Known, version: Version) -> None:
    """It is answered and the connection stays, compressed or not; sixteen times as long it ends it with 1009."""
    size = Settings.model_fields["message_size"].default
    frame = json.dumps([2, "large", "DataTransfer", {"vendorId": "x", "data": "y" * size}])
    code = version.spell(ErrorCode.FORMAT_VIOLATION)
    for compression in ("deflate", None):
        connection = await dial(
            voltbus.endpoint(), known.id, version.subprotocol, password=known.password, compression=compression
        )
        await connection.send(frame)
        assert json.loads(await connection.recv())[:3] == [4, "large", code]
        await connection.send('[2,"after","Heartbeat",{}]')
        assert json.loads(await connection.recv())[:2] == [3, "after"]
    with contextlib.suppress(websockets.ConnectionClosed):
        await connection.send("y" * size * 17)
    with pytest.raises(websockets.ConnectionClosed) as closed:
        await connection.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


@each_version
async def test_bytes_instead_of_text(voltbus: System, known: Known, version: Version) -> None:
    """OCPP-J knows text messages only; what comes as binary is refused as data of that kind (RFC 6455: 1003)."""
    connection = await dial(voltbus.endpoint(), known.id, version.subprotocol, password=known.password)
    await connection.send(b'[2,"bytes","Heartbeat",{}]')
    with pytest.raises(websockets.ConnectionClosed) as closed:
        await connection.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1003
