"""The header of the PROXY protocol: read whole and no further, however it comes, and refused where it is none."""

import asyncio
import ipaddress
import socket
import ssl
import struct
from contextlib import suppress
from typing import Any

import pytest
import uvloop
import websockets
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from services.common.process.errors import Misconfigured
from services.gateway.timing import Timing
from services.gateway.transport.profiles import PASSWORD, TLS
from services.gateway.transport.proxy_protocol import (
    DIRECT,
    LONGEST_V2,
    SIGNATURE,
    NotProxied,
    Proxied,
    missing,
    read,
)
from services.gateway.transport.spoken_tls import SpokenTls
from services.ocpp.passwords import keyed
from tests.clients.certificates import Authority, client
from tests.patience import GIVE_UP
from tests.unit.gateway.examples import call
from tests.unit.gateway.running import QUICK, Running, ask, gateway, running, until
from voltbus.v1.bus_pb2 import RefusedHandshakes

HEARTBEAT = call("hb", "Heartbeat", {})
V4, V6 = "192.0.2.7", "2001:db8::7"


def v1(source: str, target: str = "", ports: str = "40000 9000") -> bytes:
    family = "TCP6" if ":" in source else "TCP4"
    return f"PROXY {family} {source} {target or source} {ports}\r\n".encode()


def said(*more: tuple[int, bytes]) -> bytes:
    """What stands beside something else."""
    return b"".join(struct.pack("!BH", kind, len(value)) + value for kind, value in more)


def v2(source: str, *more: tuple[int, bytes], command: int = 0x21, family: int | None = None) -> bytes:
    address = ipaddress.ip_address(source).packed
    family = family if family is not None else 0x11 if len(address) == 4 else 0x21
    body = address + address + struct.pack("!HH", 40000, 9000)
    body += said(*more)
    return SIGNATURE + struct.pack("!BBH", command, family, len(body)) + body


SPOKEN = struct.pack("!BI", 0x01, 0)
UNSPOKEN = struct.pack("!BI", 0x00, 0)
GOOD = [
    (v1(V4), Proxied(V4)),
    (v1(V6), Proxied(V6)),
    (b"PROXY UNKNOWN\r\n", DIRECT),
    (b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", DIRECT),
    (v2(V4), Proxied(V4)),
    (v2(V6), Proxied(V6)),
    # Of IPv4, at a proxy that listens for both.
    (v1(f"::ffff:{V4}"), Proxied(V4)),
    (v2(f"::ffff:{V4}", (0x20, SPOKEN)), Proxied(V4, secured=True)),
    (v2(V4, (0x01, b"h2"), (0x20, SPOKEN)), Proxied(V4, secured=True)),
    (v2(V6, (0x20, UNSPOKEN)), Proxied(V6)),
    (
        v2(V4, (0x20, SPOKEN + said((0x21, b"TLSv1.3"), (0x22, b"CP1"), (0x23, b"TLS_AES_128_GCM_SHA256")))),
        Proxied(V4, True, SpokenTls("TLSv1.3", "TLS_AES_128_GCM_SHA256")),
    ),
    (v2(V4, (0x20, SPOKEN + said((0x21, b"\x1b[2J"), (0x23, b"A" * 65)))), Proxied(V4, secured=True)),
    (v2(V4, (0x20, UNSPOKEN + said((0x21, b"TLSv1.3")))), Proxied(V4)),
    (v2(V4, command=0x20), DIRECT),
    (SIGNATURE + b"\x20\x00\x00\x00", DIRECT),
    (SIGNATURE + b"\x21\x00\x00\x00", DIRECT),
    (v2(V4, family=0x31), DIRECT),
]
BAD = [
    b"GET /ocpp/CP1 HTTP/1.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 30,
    b"PROXY TCP4 192.0.2.7 192.0.2.8\r\n",
    b"PROXY TCP4 2001:db8::7 2001:db8::8 1 2\r\n",
    b"PROXY TCP6 192.0.2.7 192.0.2.8 1 2\r\n",
    b"PROXY UDP4 192.0.2.7 192.0.2.8 1 2\r\n",
    b"PROXY TCP4 somebody 192.0.2.8 1 2\r\n",
    b"PROXY TCP4 \xff 192.0.2.8 1 2 3 4 5\r\n",
    b"PROXY TCP4 " + b"x" * 200 + b"\r\n",
    SIGNATURE + b"\x11\x11\x00\x00",
    SIGNATURE + b"\x22\x11\x00\x00",
    SIGNATURE + b"\x21\x11\x00\x04abcd",
    SIGNATURE + b"\x21\x11" + struct.pack("!H", LONGEST_V2 + 1) + b"x" * LONGEST_V2,
    v2(V4, (0x20, SPOKEN))[:14] + struct.pack("!H", 13) + v2(V4)[16:] + b"\x20",
    v2(V4)[:14] + struct.pack("!H", 16) + v2(V4)[16:] + b"\x20\x00\x09x",
]


def fed(data: bytes) -> tuple[bytes, Proxied]:
    """As a connection reads it: exactly what is missing. The header, and what it says."""
    head = b""
    while need := missing(head):
        if len(head) + need > len(data):
            raise NotProxied
        head += data[len(head) : len(head) + need]
    return head, read(head)


@pytest.mark.parametrize(("header", "said"), GOOD)
def test_what_a_header_says_and_where_it_ends(header: bytes, said: Proxied) -> None:
    assert fed(header + b"GET /ocpp/CP1 HTTP/1.1\r\n\r\n") == (header, said)


@pytest.mark.parametrize("data", BAD)
def test_what_is_no_header_is_refused(data: bytes) -> None:
    with pytest.raises(NotProxied):
        fed(data)


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda more: SIGNATURE + more))
def test_anything_is_a_header_or_refused(data: bytes) -> None:
    try:
        head, said = fed(data)
    except NotProxied:
        return
    assert data.startswith(head)
    assert said.address == "" or ipaddress.ip_address(said.address)


async def connect(one: Running, header: bytes, tls: ssl.SSLContext | None = None, **options: Any) -> ClientConnection:
    """A station behind a proxy that sends that first."""
    port = one.gateway.settings.gateway_tls_port if tls else one.port
    sock = socket.create_connection(("127.0.0.1", port))
    sock.sendall(header)
    sock.setblocking(False)
    url = f"{'wss' if tls else 'ws'}://127.0.0.1:{port}/ocpp/CP1"
    return await websockets.connect(
        url, sock=sock, subprotocols=[Subprotocol("ocpp1.6")], compression=None, ssl=tls, **options
    )


PROXIED: dict[str, Any] = {"gateway_trusted_proxies": "127.0.0.0/8", "gateway_proxy_protocol": True}


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
@pytest.mark.parametrize("secured", [False, True])
def test_a_station_is_known_by_the_address_that_its_proxy_says(run: Any, secured: bool) -> None:
    issued = Authority().issue("127.0.0.1")
    settings: dict[str, Any] = PROXIED | {"gateway_tls_certificate": issued.pem, "gateway_tls_key": issued.key_pem}
    tls = client() if secured else None

    async def tried() -> None:
        async with running(**settings) as one:
            for header, address in ((v1(V4), V4), (v2(V6, (0x01, b"x" * 1000)), V6), (v1("127.0.0.9"), "127.0.0.9")):
                async with await connect(one, header, tls) as station:
                    assert (await ask(station, HEARTBEAT))[0] == 3
                assert one.changes()[-1].remote_address == address
            async with await connect(one, v2(V4, command=0x20), tls) as station:
                assert (await ask(station, HEARTBEAT))[0] == 3
            assert one.changes()[-1].remote_address == "127.0.0.1"

    run(tried())


async def test_a_proxy_may_say_that_it_ended_the_station_s_tls() -> None:
    """Then it comes with security profile 2."""
    async with running(unknown_stations="reject", **PROXIED) as one:
        await one.register(password_hash=keyed(b"k", b"secret"))
        basic = {"Authorization": "Basic Q1AxOnNlY3JldA=="}
        for said, profile in ((SPOKEN, TLS), (UNSPOKEN, PASSWORD)):
            async with await connect(one, v2(V4, (0x20, said)), additional_headers=basic) as station:
                assert (await ask(station, HEARTBEAT))[0] == 3
                assert one.connection().security.profile == profile


async def test_who_is_refused_is_told_with_that_address() -> None:
    async with running(timing=QUICK, unknown_stations="reject", **PROXIED) as one:
        with pytest.raises(InvalidStatus):
            await connect(one, v2(V6))
        await until(lambda: one.bus.all("ocpp.refusals"))
        [record] = one.bus.all("ocpp.refusals")
        [told] = RefusedHandshakes.FromString(record.value or b"").handshakes
        assert told.remote_address == V6


@pytest.mark.parametrize("header", [b"", BAD[0], BAD[1], v1(V4)[:20]])
async def test_a_trusted_proxy_that_says_nothing_is_sent_away(header: bytes) -> None:
    """A station that comes past its proxy, or a proxy that was set otherwise: its address is not known."""
    async with running(timing=Timing(handshake_timeout=0.2), **PROXIED) as one:
        reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
        writer.write(header)
        async with asyncio.timeout(GIVE_UP):
            with suppress(ConnectionError):
                assert await reader.read() == b""
        writer.close()


async def test_nobody_else_has_a_say() -> None:
    """Whoever is not trusted speaks as a station from its first byte: the header is no HTTP then."""
    settings = PROXIED | {"gateway_trusted_proxies": "10.0.0.0/8,::1"}
    async with running(**settings) as one:
        async with await connect(one, b"") as station:
            assert (await ask(station, HEARTBEAT))[0] == 3
        assert one.changes()[-1].remote_address == "127.0.0.1"
        with pytest.raises(InvalidStatus) as refused:
            await connect(one, v1(V4))
        assert refused.value.response.status_code == 400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gateway_proxy_protocol", True),
        ("gateway_client_certificate_header", "client-cert"),
        ("gateway_forwarded_proto", True),
    ],
)
async def test_what_is_believed_needs_somebody_to_believe(name: str, value: Any) -> None:
    settings: dict[str, Any] = {name: value}
    made = gateway(**settings)
    with pytest.raises(Misconfigured, match="VOLTBUS_GATEWAY_TRUSTED_PROXIES"):
        await made.listener.open()
