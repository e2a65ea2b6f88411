"""The TLS port: who may shake hands and how, certificates that change, clients that only hold their place."""

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import websockets
from cryptography import x509
from prometheus_client import REGISTRY
from pydantic import SecretStr
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection

from services.common.process.errors import Misconfigured
from services.gateway.settings import Settings
from services.gateway.timing import Timing
from services.gateway.transport.tls_context import Certificates, load
from services.gateway.transport.tls_handshakes import Handshakes
from tests.clients.certificates import Authority, Issued, client
from tests.patience import GIVE_UP
from tests.unit.gateway.examples import call
from tests.unit.gateway.running import Running, ask, gateway, read, running, until

NOW = datetime.now(UTC)
HEARTBEAT = call("hb", "Heartbeat", {})
EC = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"
RSA = "AES128-GCM-SHA256", "AES256-GCM-SHA384"
REFUSED = "voltbus_gateway_certificate_refused"
EXPIRES = "voltbus_gateway_certificate_expires_timestamp_seconds"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def pairs(authority: Authority) -> dict[str, Issued]:
    return {kind: authority.issue("127.0.0.1", kind=kind) for kind in ("ec", "rsa")}


def settings_of(pairs: dict[str, Issued], **more: Any) -> dict[str, Any]:
    ec, rsa = pairs["ec"], pairs["rsa"]
    first = {"gateway_tls_certificate": ec.pem, "gateway_tls_key": ec.key_pem}
    second = {"gateway_tls_second_certificate": rsa.pem, "gateway_tls_second_key": rsa.key_pem}
    return {**first, **second, **more}


@pytest.fixture
async def secured(pairs: dict[str, Issued]) -> AsyncIterator[Running]:
    async with running(**settings_of(pairs)) as started:
        yield started


def tls_of(socket: ClientConnection) -> ssl.SSLObject:
    found: ssl.SSLObject = socket.transport.get_extra_info("ssl_object")
    return found


def handshakes(outcome: str) -> float:
    return REGISTRY.get_sample_value("voltbus_gateway_tls_handshakes_total", {"outcome": outcome}) or 0.0


async def test_frames_go_both_ways(secured: Running) -> None:
    async with await secured.connect(ssl=client()) as socket:
        assert tls_of(socket).version() == "TLSv1.3"
        assert (await ask(socket, HEARTBEAT))[0] == 3
        # More than a record of TLS and than one read, whole and in fragments.
        data = "x" * 200_000
        for number, cuts in enumerate([[], [10, 100_000]]):
            text = json.dumps([2, str(number), "DataTransfer", {"vendorId": "V", "data": data}])
            ends = [*cuts, len(text)]
            await socket.send([text[begin:end] for begin, end in zip([0, *cuts], ends, strict=True)])
            told = await secured.call("firmware", number + 2)
            assert json.loads(told.payload)["data"] == data
            await secured.reply(told, {"status": "Accepted", "data": data})
            assert read(await socket.recv())[2]["data"] == data


async def test_compressed_as_well(secured: Running) -> None:
    async with await secured.connect(ssl=client(), compression="deflate") as socket:
        assert (await ask(socket, HEARTBEAT))[0] == 3


@pytest.mark.parametrize("suite", EC)
async def test_suites_that_must_be_there(secured: Running, suite: str) -> None:
    """A00.FR.318, A00.FR.421"""
    context = client(version=ssl.TLSVersion.TLSv1_2, ciphers=suite)
    async with await secured.connect(ssl=context) as socket:
        assert (tls_of(socket).cipher() or ("",))[0] == suite
        assert tls_of(socket).compression() is None


async def test_suites_without_forward_secrecy_are_there_by_setting(secured: Running, pairs: dict[str, Issued]) -> None:
    """A00.FR.318: only where they are asked for."""
    context = client(version=ssl.TLSVersion.TLSv1_2, ciphers=RSA[0])
    before = handshakes("no_common_suite")
    with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
        await secured.connect(ssl=context)
    await until(lambda: handshakes("no_common_suite") == before + 1)
    async with running(**settings_of(pairs, gateway_tls_rsa_suites=True)) as one:
        for suite in RSA:
            context = client(version=ssl.TLSVersion.TLSv1_2, ciphers=suite)
            async with await one.connect(ssl=context) as socket:
                assert (tls_of(socket).cipher() or ("",))[0] == suite


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
async def test_older_versions_are_refused(secured: Running) -> None:
    """A00.FR.315: and the station is told why."""
    before = handshakes("old_version")
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        await secured.connect(ssl=client(version=ssl.TLSVersion.TLSv1_1, ciphers="DEFAULT:@SECLEVEL=0"))
    await until(lambda: handshakes("old_version") == before + 1)


async def test_no_tls_on_the_port_for_it(secured: Running) -> None:
    before = handshakes("no_tls")
    with pytest.raises((websockets.InvalidMessage, ConnectionError)):
        await websockets.connect(f"ws://127.0.0.1:{secured.tls_port}/ocpp/CP1")
    await until(lambda: handshakes("no_tls") == before + 1)


async def test_a_plain_port_that_is_switched_off(pairs: dict[str, Issued]) -> None:
    async with running(**settings_of(pairs, gateway_plain=False)) as one:
        with pytest.raises(OSError, match=r".*"):
            await one.connect()
        async with await one.connect(ssl=client()) as socket:
            assert (await ask(socket, HEARTBEAT))[0] == 3


async def test_no_port_at_all() -> None:
    with pytest.raises(Misconfigured, match="VOLTBUS_GATEWAY_PLAIN"):
        await gateway(gateway_plain=False).listener.open()


async def test_what_was_sent_before_a_station_went_counts(secured: Running) -> None:
    """As without TLS: whatever has been read of the socket is handled, also what waited."""
    socket = await secured.connect(ssl=client())
    frames = [
        f'[2,"{n}","StatusNotification",{{"connectorId":1,"errorCode":"NoError","status":"Available"}}]'
        for n in range(200)
    ]
    for frame in frames:
        await socket.send(frame)
    socket.transport.close()
    await until(lambda: len(secured.calls("firmware")) == 200)


async def test_both_ends_close(secured: Running) -> None:
    socket = await secured.connect(ssl=client())
    await socket.close()
    await until(lambda: not len(secured.gateway.registry))
    assert socket.close_code == 1000


async def test_clients_that_say_nothing(pairs: dict[str, Issued]) -> None:
    before = handshakes("timed_out")
    async with running(timing=Timing(tls_timeout=0.05), **settings_of(pairs)) as one:
        reader, writer = await asyncio.open_connection("127.0.0.1", one.tls_port)
        async with asyncio.timeout(GIVE_UP):
            assert await reader.read() == b""
        assert handshakes("timed_out") == before + 1
        writer.close()


async def test_certificates_change_while_stations_stay(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (authority.issue("127.0.0.1", expires=timedelta(days=days)) for days in (1, 2))
    for name, path in first.files(tmp_path).items():
        monkeypatch.setenv(name, path)
    async with running(timing=Timing(certificates_interval=0.01)) as one:
        old = await one.connect(ssl=client())
        # Half of a pair: told, and those from before stay.
        (tmp_path / "server.crt").write_text(second.pem)
        await until(lambda: REGISTRY.get_sample_value(REFUSED) == 1)
        async with await one.connect("CP2", ssl=client()) as socket:
            assert serial(socket) == first.certificate.serial_number
        (tmp_path / "server.key").write_text(second.key_pem)
        await until(lambda: REGISTRY.get_sample_value(EXPIRES, {"key": "ec"}) == expiry(second))
        async with await one.connect("CP2", ssl=client()) as socket:
            assert serial(socket) == second.certificate.serial_number
        assert REGISTRY.get_sample_value(REFUSED) == 0
        (tmp_path / "server.key").unlink()
        await until(lambda: REGISTRY.get_sample_value(REFUSED) == 1)
        assert (await ask(old, HEARTBEAT))[0] == 3
        await old.close()


def serial(socket: ClientConnection) -> int:
    found = tls_of(socket).getpeercert(binary_form=True)
    assert found
    return x509.load_der_x509_certificate(found).serial_number


def expiry(issued: Issued) -> float:
    return issued.certificate.not_valid_after_utc.timestamp()


def test_certificates_that_cannot_be_served(authority: Authority, pairs: dict[str, Issued]) -> None:
    ec, other = pairs["ec"], authority.issue("127.0.0.1")
    old = authority.issue("127.0.0.1", expires=timedelta(days=-1))
    early = authority.issue("127.0.0.1", expires=timedelta(days=2), begins=timedelta(days=1))
    between = Authority("Between", authority)
    chained = between.issue("127.0.0.1")
    names = "gateway_tls_certificate", "gateway_tls_key"
    second = "gateway_tls_second_certificate", "gateway_tls_second_key"
    given = {names[0]: ec.pem, names[1]: ec.key_pem}
    for wrong, said in (
        ({names[0]: ec.pem}, "set both or none"),
        (given | {names[1]: other.key_pem}, "VOLTBUS_GATEWAY_TLS_KEY: is no key of VOLTBUS_GATEWAY_TLS_CERTIFICATE"),
        (given | {names[1]: "secret"}, "VOLTBUS_GATEWAY_TLS_KEY: no key in PEM without a password$"),
        (given | {names[0]: "nothing"}, "VOLTBUS_GATEWAY_TLS_CERTIFICATE: no certificates in PEM"),
        ({names[0]: old.pem, names[1]: old.key_pem}, "it has expired"),
        ({names[0]: early.pem, names[1]: early.key_pem}, r"it is not valid before \d{4}-\d\d-\d\d \d\d:\d\d UTC"),
        (given | {names[0]: ec.pem + between.pem}, "its certificate 2 has not signed the one before it"),
        ({names[0]: chained.pem + between.pem, names[1]: chained.key_pem}, "its certificate 3 has not signed"),
        (given | {second[0]: other.pem, second[1]: other.key_pem}, "its key is ec like the other's"),
    ):
        with pytest.raises(Misconfigured, match=said):
            load(wrong, rsa_suites=False, now=NOW)
    assert load(given, rsa_suites=False, now=NOW).expires.keys() == {"ec"}
    for good in (chained.pem, chained.pem + authority.pem):
        assert load({names[0]: good, names[1]: chained.key_pem}, rsa_suites=False, now=NOW).expires.keys() == {"ec"}


def test_a_certificate_alone_is_taken_and_told(authority: Authority, pairs: dict[str, Issued]) -> None:
    """Its root is what signed it, or else stations do not trust it."""
    ec = pairs["ec"]
    own = {"gateway_tls_certificate": ec.pem, "gateway_tls_key": ec.key_pem}
    with capture_logs() as logs:
        assert load(own, rsa_suites=False, now=NOW).expires
    assert [one["variable"] for one in logs] == ["VOLTBUS_GATEWAY_TLS_CERTIFICATE"]
    with capture_logs() as logs:
        assert load(
            own | {"gateway_tls_certificate": pairs["ec"].pem + authority.pem}, rsa_suites=False, now=NOW
        ).expires
    assert not logs


def test_a_pair_that_is_not_valid_yet_is_told_once_and_taken_in_its_time(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, first = NOW, authority.issue("127.0.0.1")
    early = authority.issue("127.0.0.1", expires=timedelta(days=3), begins=timedelta(days=1))
    for name, path in first.files(tmp_path).items():
        monkeypatch.setenv(name, path)
    certificates = Certificates(Settings(password_key=SecretStr("k")), 10, lambda: now.timestamp())
    certificates.open()
    before = certificates.context
    early.files(tmp_path)
    with capture_logs() as logs:
        for _ in range(2):
            certificates.look()
    assert [one["log_level"] for one in logs if "problem" in one] == ["error"]
    assert certificates.context is before
    assert REGISTRY.get_sample_value(REFUSED) == 1
    now += timedelta(days=2)
    certificates.look()
    assert certificates.context is not before
    assert REGISTRY.get_sample_value(REFUSED) == 0


def test_the_pair_from_before_put_back_is_well_again(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = authority.issue("127.0.0.1")
    for name, path in issued.files(tmp_path).items():
        monkeypatch.setenv(name, path)
    certificates = Certificates(Settings(password_key=SecretStr("k")), 10, time.time)
    certificates.open()
    (tmp_path / "server.key").unlink()
    certificates.look()
    assert REGISTRY.get_sample_value(REFUSED) == 1
    issued.files(tmp_path)
    certificates.look()
    assert REGISTRY.get_sample_value(REFUSED) == 0


class Shaking:
    """A handshake that ends when it is told to."""

    def __init__(self, of: Handshakes) -> None:
        self.of, self.begun, self.given_up = of, False, False

    def begin(self) -> None:
        self.begun = True

    def give_way(self) -> None:
        self.given_up = True
        self.of.remove(self)


async def test_so_many_at_a_time_in_the_order_they_came() -> None:
    of = Handshakes(most=3, patience=3600)
    all_ = [Shaking(of) for _ in range(5)]
    assert all(of.add(one) for one in all_)
    await until(lambda: all_[2].begun)
    assert [one.begun for one in all_] == [True] * 3 + [False] * 2
    of.remove(all_[1])
    await until(lambda: all_[3].begun)
    assert not all_[4].begun
    of.remove(all_[4])
    of.remove(all_[0])
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not all_[4].begun


async def test_who_only_holds_a_place_gives_way() -> None:
    """A client that sends a ClientHello and no more keeps nobody out."""
    of = Handshakes(most=2, patience=0.01)
    idle = [Shaking(of) for _ in range(2)]
    waiting = [Shaking(of) for _ in range(2)]
    for one in (*idle, *waiting):
        of.add(one)
    await until(lambda: all(one.begun for one in waiting))
    assert all(one.given_up for one in idle)


async def test_a_few_in_each_turn() -> None:
    """Signatures take time: those who are connected wait for a few, not for all."""
    of = Handshakes()
    all_ = [Shaking(of) for _ in range(10)]
    for one in all_:
        of.add(one)
    counts = []
    while not all_[-1].begun:
        await asyncio.sleep(0)
        counts.append(sum(one.begun for one in all_))
    assert counts == [4, 8, 10]
