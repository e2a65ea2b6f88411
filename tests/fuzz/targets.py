"""What is fuzzed: each target takes any bytes, and raises where a promise is broken."""

import asyncio
import contextlib
import json
import struct
from collections.abc import Callable, Coroutine, Mapping, Sequence
from itertools import product
from typing import Any

import orjson

from services.common.kafka.bus import OnDelivery, R, Record
from services.common.testing.memory import MemoryBus
from services.gateway.cluster.memory import MemoryDirectory
from services.gateway.gateway import Gateway
from services.gateway.ocppj.actions import Complete, Forward, Send, SessionAction, Waiting
from services.gateway.ocppj.dialects import DIALECTS
from services.gateway.ocppj.limits import Limits
from services.gateway.ocppj.session import Peer, Session
from services.gateway.pressure.memory import Memory
from services.gateway.pressure.turns import Turns
from services.gateway.settings import Settings
from services.gateway.timing import DEFAULT_TIMING, SYSTEM_CLOCKS
from services.gateway.transport.deflate import Deflate, NotDeflate, TooLong, negotiate
from services.gateway.transport.listener import WebSocketListener
from services.ocpp.passwords import keyed
from services.ocpp.sealing import Sealing
from services.ocpp.soap import envelope
from services.ocpp.soap.envelope import SOAP, NoEnvelope
from services.ocpp.soap.spellings import SPELLINGS
from tests.unit.gateway.offline import REQUEST, Heard, connected, read
from voltbus.v1.bus_pb2 import Command, Refusal, Reply
from voltbus.v1.credentials_pb2 import Credentials

PASSWORD = b"secret-of-the-station"
WALL = 1_780_000_000.0
LIMITS = Limits(call_seconds=30, command_seconds=30, queue=4, queue_size=600)
SEALING = Sealing(b"key")
# Longer than any input, so that a message that is too long takes compression or many fragments.
MAX_SIZE = 4096
# Nothing waits for the rates of a station.
SETTINGS = Settings(message_size=MAX_SIZE, password_key="k", message_rate=0, byte_rate=0)
CREDENTIALS = b"Q1AxOnNlY3JldC1vZi10aGUtc3RhdGlvbg=="
STATUSES = frozenset({101, 400, 401, 404, 426, 429, 431})


class Input:
    """Reads choices from bytes; when they are used up, every choice is 0."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def number(self, below: int) -> int:
        if self._at >= len(self._data):
            return 0
        self._at += 1
        return self._data[self._at - 1] % below

    def piece(self, longest: int = 255) -> bytes:
        size = self.number(longest + 1)
        self._at += size
        return self._data[self._at - size : self._at]

    def rest(self) -> bytes:
        at, self._at = self._at, len(self._data)
        return self._data[at:]

    @property
    def left(self) -> bool:
        return self._at < len(self._data)


def session(data: bytes) -> None:
    """Frames of a station, answers of services, commands and time, in any order: every CALL comes to something."""
    given = Input(data)
    name = sorted(DIALECTS)[given.number(len(DIALECTS))]
    flags = given.number(8)
    peer = Peer(station_id="CP1", connection_id="nonce-1", slot=3, quarantined=bool(flags & 1))
    line = Session(peer, DIALECTS[name], LIMITS, sealing=SEALING, strict=bool(flags & 2))
    now, outstanding = 5000.0, ""
    steps = 0
    while given.left and steps < 64:
        steps += 1
        match given.number(8):
            case 0:
                actions = line.reply(Reply(message_id=outstanding, payload=b'{"status":"Pending"}'), now, WALL)
            case 1:
                actions = line.reply(Reply(message_id=outstanding, refusal=Refusal(code="Odd")), now, WALL)
            case 2:
                actions = line.acknowledged(outstanding, now, WALL)
            case 3:
                now += given.number(60)
                actions = line.tick(now, WALL)
            case 4:
                made = Command(id=str(given.number(4)), service="auth", action="ClearCache", payload=b"{}")
                made.expires_at.FromSeconds(int(WALL) + 60)
                actions = line.command(made, now, WALL)
            case 5:
                actions = line.oversized(given.piece(), 1_000_000, now, WALL)
            case _:
                frame = given.piece()
                # A station is only heard in text.
                frame = frame.decode(errors="replace").encode()
                actions = line.received(frame, now, WALL)
                assert actions, "nothing became of a frame"
        outstanding = _checked(actions) or outstanding
    _checked(line.closed(now, WALL))


def _checked(actions: list[SessionAction]) -> str:
    """What goes out can be read by those who get it; the id of a CALL that waits for its answer."""
    outstanding = ""
    for action in actions:
        if isinstance(action, Send):
            assert isinstance(json.loads(action.frame), list)
        elif isinstance(action, Forward):
            assert isinstance(orjson.loads(action.call.payload), dict)
            outstanding = action.call.message_id
        elif isinstance(action, Complete):
            assert action.result.SerializeToString()
        elif isinstance(action, Waiting):
            assert action.size >= 0
    return outstanding


def wire(data: bytes) -> None:
    """Whatever comes on an open connection: however it is cut into reads, the same is heard and answered."""
    given = Input(data)
    sizes = [given.number(256) + 1 for _ in range(given.number(4) + 1)]
    frames = _frames(given)
    _run(_same_however_read(frames, sizes))


async def _same_however_read(frames: bytes, sizes: list[int]) -> None:
    whole, pieces = await _served(frames, [len(frames) + 1]), await _served(frames, sizes)
    assert _apart(whole[0]) == _apart(pieces[0]), (whole, pieces)
    assert whole[1] == pieces[1], (whole, pieces)


def _apart(told: list[Any]) -> list[Any]:
    """Without the end, which is told when a fault is read: before a message that came in the same read and waits."""
    assert (told[0], told[-1]) == ("opened", "finished")
    assert [each for each in told if each in ("opened", "closed", "finished")] == ["opened", "closed", "finished"]
    return [each for each in told if each != "closed"]


def _frames(given: Input) -> bytes:
    """Frames with right heads and any content, and some that are only bytes."""
    made = bytearray()
    while given.left:
        head = given.number(256)
        if head & 0x30 == 0x30 and given.number(4):
            # Any bytes at all are mostly the end; so they are rare.
            made += given.piece()
            continue
        payload = given.piece()
        if given.number(8) == 7:
            payload *= 40
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else struct.pack("!BH", 0xFE, size)
        made += bytes([head & 0xCF]) + length + bytes(4) + payload
    return bytes(made)


async def _served(frames: bytes, sizes: Sequence[int]) -> tuple[list[Any], bool]:
    """What a receiver is told of these bytes, and whether a close frame goes back.

    Its code depends: what comes in one read with a fault is judged, too.
    """
    heard, memory, turns = Heard(MAX_SIZE), Memory(1 << 20), Turns()
    protocol, below = connected(
        WebSocketListener(SETTINGS, heard, clocks=SYSTEM_CLOCKS, timing=DEFAULT_TIMING, memory=memory, turns=turns)
    )
    await read(protocol, below, REQUEST, [len(REQUEST)])
    answered = len(below.written)
    await read(protocol, below, frames, sizes)
    await turns.idle()
    protocol.connection_lost(None)
    await turns.idle()
    assert memory.used == 0
    return heard.told, b"\x88" in below.written[answered:]


def deflate(data: bytes) -> None:
    """Offers of compression, and what is called compressed: there and back, bounded, or refused by name."""
    given = Input(data)
    headers = [given.piece().decode("ascii", "surrogateescape") for _ in range(given.number(3))]
    agreed = negotiate(headers)
    if agreed is not None:
        assert agreed[0].startswith("permessage-deflate")
        _there_and_back(agreed[1], given.piece())
    standing = negotiate(["permessage-deflate"])
    assert standing is not None
    inflated, told = standing[1], given.rest()
    with contextlib.suppress(NotDeflate, TooLong):
        assert len(inflated.inflate(told, MAX_SIZE)) <= MAX_SIZE
    with contextlib.suppress(NotDeflate):
        assert len(inflated.head(told, 1024)) <= 1024


def _there_and_back(extension: Deflate, text: bytes) -> None:
    # Ours inflates with the window of the client, which may be smaller than that of our own compressor.
    with contextlib.suppress(NotDeflate):
        assert extension.inflate(extension.deflate(text), MAX_SIZE) == text


class ForgettingBus(MemoryBus):
    """Takes everything and keeps nothing."""

    def send(self, records: Sequence[R], settled: OnDelivery[R]) -> None:
        settled(records, None)


class Doors:
    """A gateway that knows two stations, one of them without a password, and its listener."""

    def __init__(self) -> None:
        self.gateway = gateway = Gateway(SETTINGS, ForgettingBus(), MemoryDirectory())
        gateway.lease._slot = 0
        stations = Credentials(station_id="CP1", password_hash=keyed(b"k", PASSWORD)), Credentials(station_id="CP2")
        for station in stations:
            gateway.credentials._apply(Record("credentials", station.station_id.encode(), station.SerializeToString()))
        gateway.credentials._loaded.set()
        gateway.revocations._loaded.set()
        self.listener = WebSocketListener(
            SETTINGS,
            gateway,
            clocks=SYSTEM_CLOCKS,
            timing=DEFAULT_TIMING,
            memory=gateway.memory,
            turns=gateway.turns,
        )

    def forget(self) -> None:
        """What would be written elsewhere meanwhile."""
        self.gateway.routing._pending.clear()


DOORS: list[Doors] = []
LINES = [line for line in REQUEST.split(b"\r\n") if line]
NAMES = [line.split(b":")[0] for line in LINES[1:]] + [b"Authorization", b"Content-Length", b"X-Forwarded-For"]


def handshake(data: bytes) -> None:
    """Whatever comes before the upgrade: the answer has a status that there is, and nobody stays behind."""
    given = Input(data)
    sizes = [given.number(256) + 1 for _ in range(given.number(3) + 1)]
    _run(_answered(_request(given), sizes))


def _request(given: Input) -> bytes:
    """A right request in which something is left out, changed, added, or told twice."""
    path = [b"/ocpp/CP1", b"/ocpp/CP2", b"/ocpp/%b", b"%b"][given.number(4)]
    first = b"GET %b HTTP/1.1" % (path % given.piece() if b"%b" in path else path)
    lines = [given.piece() if given.number(16) == 15 else first]
    skipped = given.number(256)
    lines += [line for number, line in enumerate(LINES[1:]) if not skipped or skipped % 8 != number]
    if given.number(2):
        lines.append(b"Authorization: Basic " + CREDENTIALS + given.piece(2))
    while given.left and len(lines) < 160:
        name = NAMES[given.number(len(NAMES))]
        lines.append(given.piece() if given.number(8) == 7 else name + b": " + given.piece())
    return b"\r\n".join(lines) + (b"\r\n\r\n" if given.number(16) != 15 else b"")


async def _answered(request: bytes, sizes: Sequence[int]) -> None:
    if not DOORS:
        DOORS.append(Doors())
    doors = DOORS[0]
    protocol, below = connected(doors.listener)
    await read(protocol, below, request, sizes)
    status, *_ = [*below.written.split(b" ")[1:2], b""]
    assert not below.written or int(status) in STATUSES, bytes(below.written)

    assert CREDENTIALS not in below.written
    protocol.connection_lost(None)
    await doors.gateway.turns.idle()
    await asyncio.sleep(0)
    assert doors.gateway.registry.empty.is_set()
    doors.forget()


LOOP = asyncio.new_event_loop()


def _run(work: Coroutine[Any, Any, None]) -> None:
    LOOP.run_until_complete(work)
    # Time-outs of connections that are gone would be kept for seconds.
    getattr(LOOP, "_scheduled", []).clear()


def soap(data: bytes) -> None:
    """Whatever a station posts is a message or a fault; a message has a payload of JSON, whatever it says."""
    given = Input(data)
    shaped, body = given.number(2), given.rest()
    if shaped:
        name = b'<s:Envelope xmlns:s="%b" xmlns="urn://Ocpp/Cs/2012/06/"><s:Body>' % SOAP.encode()
        body = name + b"<meterValuesRequest>%b</meterValuesRequest></s:Body></s:Envelope>" % body
    try:
        said = envelope.read(body)
    except NoEnvelope:
        return
    if said.body is not None:
        for action, spelling in product(("MeterValues", "StopTransaction"), SPELLINGS.values()):
            assert type(orjson.loads(orjson.dumps(spelling.read_request(action, said.body)))) is dict


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    target.__name__: target for target in (session, wire, deflate, handshake, soap)
}
