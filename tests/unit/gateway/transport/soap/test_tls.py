"""SOAP over TLS, both ways: security profiles of stations that ask, and whom a call to a station trusts."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from services.common.kafka.bus import Record
from services.common.process.errors import Misconfigured
from services.common.process.tls_files import as_file
from services.gateway.timing import SYSTEM_CLOCKS
from services.gateway.transport import client_certificate, profiles
from services.gateway.transport.client_certificate import ClientCertificate
from services.gateway.transport.soap.listener import SoapListener
from services.gateway.transport.soap.station import SoapStation
from tests.clients.certificates import Authority, Issued, client
from tests.patience import GIVE_UP
from tests.unit.gateway.running import QUICK, Running, gateway, running, until
from tests.unit.gateway.soap import answered, asked, listening, payload, post, said
from tests.unit.gateway.transport.soap.test_commands import UNLOCKED, send, unlock
from tests.unit.gateway.transport.test_handshake import KEY, PASSWORD
from tests.unit.gateway.transport.test_profiles import AUTHORITY, CPO, HASH, issued, refusals
from tests.unit.gateway.transport.test_proxy_protocol import PROXIED, V4, v1
from voltbus.local.ports import free_ports
from voltbus.v1.bus_pb2 import OUTCOME_ANSWERED, OUTCOME_SECURED
from voltbus.v1.credentials_pb2 import Credentials, Revocation

SERVER = AUTHORITY.issue("127.0.0.1")
RIGHT = ("CP1", PASSWORD)
BOOT = (
    "<o:bootNotificationRequest><o:chargePointVendor>V</o:chargePointVendor><o:chargePointModel>M</o:chargePointModel>"
    "</o:bootNotificationRequest>"
)
WITH_TLS: dict[str, Any] = {
    "gateway_tls_certificate": SERVER.pem,
    "gateway_tls_key": SERVER.key_pem,
    "gateway_tls_client_ca": AUTHORITY.pem,
    "cpo_names": (CPO,),
    "password_key": KEY.decode(),
}


@pytest.fixture
async def one() -> AsyncIterator[Running]:
    async with running(timing=QUICK, unknown_stations="reject", **WITH_TLS) as started:
        await started.register("CP1", HASH)
        yield started


async def status(url: str, shown: Issued | None = None, password: bool = False) -> int:
    response = await post(url, asked(), verify=client(shown), auth=RIGHT if password else None)
    return response.status_code


async def revoke(one: Running, shown: Issued) -> None:
    key = client_certificate.read(shown.certificate, []).revocable_by[0]
    await one.bus.publish([Record("revocations", key.encode(), Revocation().SerializeToString())])
    await until(lambda: key in one.gateway.revocations)


async def test_a_station_comes_with_tls_and_its_password(one: Running) -> None:
    """OCPP-S 1.6 §6.2; A05.FR.07: auth is told of the profile, and then nothing less will do."""
    assert await status(one.soap, password=True) == 200
    assert one.connection().security.profile == 1
    assert await status(one.soap_tls) == 401
    response = await post(one.soap_tls, asked(), verify=client(), auth=RIGHT)
    assert payload(response, "Heartbeat")
    assert (one.connection().security.profile, one.connection().security.tls.version) == (2, "TLSv1.3")
    result = await one.result("auth")
    assert (result.outcome, result.station_id, result.security_profile) == (OUTCOME_SECURED, "CP1", 2)
    await one.register("CP1", HASH, security_profile=2)
    assert await status(one.soap, password=True) == 403
    assert await status(one.soap_tls, password=True) == 200


async def test_a_station_comes_with_its_certificate(one: Running) -> None:
    """OCPP-S 1.6 §6.2: the sending party should use a client certificate; no password is asked for."""
    own = issued()
    assert await status(one.soap_tls, own) == 200
    first = one.connection()
    assert first.security.profile == 3
    assert await status(one.soap_tls, own) == 200
    assert one.connection() is first
    await one.register("CP1", HASH, security_profile=3)
    assert await status(one.soap_tls, password=True) == 403
    assert await status(one.soap_tls, issued("CP2")) == 403
    await until(lambda: refusals(one))
    assert refusals(one)[0] == ("CP1", "no_certificate")
    # A renewed one is of a new connection, so that to revoke the old one does not end it.
    assert await status(one.soap_tls, issued()) == 200
    assert one.connection() is not first


async def test_a_certificate_that_is_revoked(one: Running) -> None:
    own = issued()
    assert await status(one.soap_tls, own) == 200
    await revoke(one, own)
    await until(lambda: not len(one.gateway.registry))
    assert await status(one.soap_tls, own, password=True) == 403


async def test_an_expired_certificate_that_is_allowed(one: Running) -> None:
    """A00.FR.429: firmware lets it wait."""
    await one.register("CP1", HASH, security_profile=3, expired_certificate_allowed=True)
    old = issued(expires=timedelta(days=-1))
    asking = asyncio.create_task(post(one.soap_tls, asked(BOOT), verify=client(old)))
    call = await one.call("firmware")
    assert call.certificate_expired
    await one.reply(call, {"status": "Rejected", "interval": 60, "currentTime": "2026-03-01T12:00:00Z"})
    assert payload(await asking, "BootNotification")["status"] == "Rejected"
    await one.register("CP1", HASH, security_profile=3)
    assert await status(one.soap_tls, old) == 403


async def test_a_port_for_tls_needs_a_certificate() -> None:
    [port] = free_ports(1)
    made = gateway(soap_tls_port=port)
    soap = SoapListener(made.gateway.settings, made.gateway, made.listener.ports, clocks=SYSTEM_CLOCKS, timing=QUICK)
    with pytest.raises(Misconfigured, match="VOLTBUS_SOAP_TLS_PORT"):
        await soap.open()


async def test_a_port_for_tls_alone() -> None:
    async with running(soap_port=0, **WITH_TLS) as one:
        assert await status(one.soap_tls) == 200


@pytest.mark.parametrize("secured", [False, True])
async def test_behind_a_proxy_that_passes_connections_on(secured: bool) -> None:
    """The header of the PROXY protocol comes before all else, and a client that ends its side is answered."""
    async with running(**(PROXIED | WITH_TLS)) as one:
        url = one.soap_tls if secured else one.soap
        port = int(url.split("/")[2].partition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(v1(V4))
        if secured:
            await writer.start_tls(client())
        body = asked()
        writer.write(b"POST /soap/CentralSystem HTTP/1.0\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        if not secured:
            writer.write_eof()
        async with asyncio.timeout(GIVE_UP):
            assert b" 200 " in (await reader.read()).partition(b"\r\n")[0]
        writer.close()
        assert one.connection().transport.remote_address == V4


async def test_a_proxy_that_has_ended_tls_says_which_certificate() -> None:
    proxy: dict[str, Any] = {
        "gateway_trusted_proxies": "127.0.0.0/8",
        "gateway_client_certificate_header": "client-cert",
    }
    async with running(unknown_stations="reject", **(WITH_TLS | proxy)) as one:
        await one.register("CP1", HASH, security_profile=3)
        shown = client_certificate_header(issued())
        assert (await post(one.soap, asked(), headers={"Client-Cert": shown})).status_code == 200
        assert one.connection().security.profile == 3
        assert (await post(one.soap, asked(), headers={"Client-Cert": ":nothing:"})).status_code == 400
        assert (await post(one.soap, asked())).status_code == 401


def client_certificate_header(shown: Issued) -> str:
    return f":{base64.b64encode(shown.certificate.public_bytes(Encoding.DER)).decode()}:"


# Calls.

OTHERS = Authority("Others")


def serving(shown: Issued, *, trusts: Authority | None = None) -> ssl.SSLContext:
    """Of a station that is called. trusts: whose certificate it wants to see."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with as_file(shown.pem) as chain, as_file(shown.key_pem) as key:
        context.load_cert_chain(chain, key)
    if trusts is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=trusts.pem)
    return context


CALLING: dict[str, Any] = {"timing": QUICK, "soap_call_ca": AUTHORITY.pem}


@pytest.mark.parametrize("name", ["CP1", "cp1", "127.0.0.1"])
async def test_a_station_is_called_whose_certificate_says_that_it_is_this_one(name: str) -> None:
    """OCPP-S 1.6 §6.2: also by ours, where there is one."""
    ours = AUTHORITY.issue("The CSMS")
    async with (
        running(**CALLING, soap_call_certificate=ours.pem, soap_call_key=ours.key_pem) as one,
        listening(answered(UNLOCKED), tls=serving(issued(name), trusts=AUTHORITY)) as station,
    ):
        await post(one.soap, asked(address=station.address))
        await send(one, unlock())
        assert (await one.result("firmware")).outcome == OUTCOME_ANSWERED
        assert len(station.heard) == 1


@pytest.mark.parametrize(
    ("settings", "shown", "revoked"),
    [
        (CALLING, issued("CP2"), False),
        (CALLING, OTHERS.issue("CP1"), False),
        (CALLING, issued(expires=timedelta(days=-1)), False),
        (CALLING, issued(), True),
        # As any client's: the authorities of this machine do not know it.
        ({"timing": QUICK}, issued(), False),
    ],
    ids=["another station", "another authority", "expired", "revoked", "no authority"],
)
async def test_a_host_that_does_not_show_that_it_is_the_station_is_told_nothing(
    settings: dict[str, Any], shown: Issued, revoked: bool
) -> None:
    """It keeps its command, as one that cannot be reached: the right one may answer there the next time."""
    async with running(**settings) as one:
        if revoked:
            await revoke(one, shown)
        async with listening(answered(UNLOCKED), tls=serving(shown)) as wrong:
            await post(one.soap, asked(address=wrong.address))
            connection = one.connection()
            await send(one, unlock())
            await until(lambda: connection._session._commands._held)
            assert not wrong.heard
        async with listening(answered(UNLOCKED)) as station:
            await post(one.soap, asked(address=station.address))
            assert (await one.result("firmware")).outcome == OUTCOME_ANSWERED


def of_host(*hosts: str, name: str = "CP2") -> ClientCertificate:
    return replace(client_certificate.read(issued(name).certificate, []), hosts=hosts)


@pytest.mark.parametrize(
    ("shown", "host", "good"),
    [
        (of_host("cp1.example"), "cp1.example", True),
        (of_host("*.example"), "cp1.example", True),
        (of_host("*.example"), "a.b.example", False),
        (of_host("*.example"), "example", False),
        (of_host("10.0.0.1"), "10.0.0.1", True),
        (of_host("10.0.0.1"), "10.0.0.2", False),
        (of_host(name="SN-1"), "10.0.0.2", True),
        (of_host(name="CP1"), "10.0.0.2", False),
        (of_host(name="10.0.0.2"), "10.0.0.2", True),
    ],
)
def test_whose_a_certificate_is(shown: ClientCertificate, host: str, good: bool) -> None:
    """The name of a station is its serial number, where one is registered, as A00.FR.405 has it."""
    station = Credentials(station_id="CP1", serial_number="SN-1")
    found = profiles.fault_of_host(shown, host, "CP1", station, profiles.NOBODY)
    assert (found is None) == good


async def test_authorities_of_calls_that_change(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a restart, as the gateway's own certificates."""
    (file := tmp_path / "ca.pem").write_text(OTHERS.pem)
    monkeypatch.setenv("VOLTBUS_SOAP_CALL_CA_FILE", str(file))
    async with running(timing=QUICK) as one, listening(answered(UNLOCKED), tls=serving(issued())) as station:
        await post(one.soap, asked(address=station.address))
        await send(one, unlock())
        await until(lambda: one.connection()._session._commands._held)
        file.write_text(AUTHORITY.pem)
        one.listener.ports.certificates.look()
        transport = one.connection().transport
        assert isinstance(transport, SoapStation)
        # As if the time had passed for which it is left alone.
        transport._reach._due_at = 0.0
        assert said(await post(one.soap, asked(address=station.address))).fault is None
        assert (await one.result("firmware")).outcome == OUTCOME_ANSWERED
