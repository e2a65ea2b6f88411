"""Security profiles at the gateway: what a station comes with, and whether it is enough."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from services.common.kafka.bus import Record
from services.gateway.settings import UnknownStations
from services.gateway.transport import client_certificate, handshake, profiles, tls_context
from services.gateway.transport.client_certificate import ClientCertificate
from services.gateway.transport.handshake import Admitted, Refused, Request
from services.gateway.transport.profiles import Security, Trust
from services.ocpp.certificates import by_serial_number
from services.ocpp.passwords import keyed
from tests.clients.certificates import DAY, Authority, Issued, client
from tests.unit.gateway.examples import boot, call
from tests.unit.gateway.running import QUICK, Running, ask, closed, running, until
from tests.unit.gateway.transport.test_handshake import KEY, KEYS, PASSWORD, basic
from voltbus.v1.bus_pb2 import OUTCOME_SECURED, RefusedHandshakes
from voltbus.v1.credentials_pb2 import Credentials, Revocation

CPO = "Example Charging"
NOW = datetime.now(UTC)
TRUST = Trust(frozenset({CPO.lower()}))
HASH = keyed(KEY, PASSWORD.encode())
RIGHT, WRONG = basic(b"CP1", PASSWORD.encode()), basic(b"CP1", b"wrong")
AUTHORITY = Authority()
PEM_END = "-----END CERTIFICATE-----\n"


def certificate(name: str = "CP1", organization: str = CPO, **more: Any) -> ClientCertificate:
    return client_certificate.read(AUTHORITY.issue(name, organization, **more).certificate, [AUTHORITY.certificate])


GOOD, OLD = certificate(), certificate(expires=-DAY)
FOREIGN, ANOTHER, SERIAL = certificate(organization="Another"), certificate("CP2"), certificate("SN-1")


def registered(profile: int = 0, password: bytes = HASH, **more: Any) -> Credentials:
    return Credentials(station_id="CP1", password_hash=password, security_profile=profile, **more)


def verdict(
    station: Credentials | None,
    authorization: str | None = None,
    shown: ClientCertificate | None = None,
    *,
    secured: bool = True,
    trust: Trust = TRUST,
    policy: UnknownStations = UnknownStations.REJECT,
) -> int | str | None:
    """The profile of a station that is let in; the reason of one that is not."""
    request = Request("/ocpp/CP1", authorization, ["ocpp1.6"], secured=secured, certificate=shown)
    said = handshake.decide(request, "CP1", station, policy=policy, keys=KEYS, trust=trust, now=NOW)
    statuses = {"no_password": 401, "wrong_password": 401, "unknown_station": 404}
    assert not isinstance(said, Refused) or said.status == statuses.get(str(said.reason), 403)
    return said.security.profile if isinstance(said, Admitted) else said.reason


@pytest.mark.parametrize(
    ("station", "secured", "authorization", "shown", "expected"),
    [
        # Any is enough.
        (registered(), False, RIGHT, None, 1),
        (registered(), True, RIGHT, None, 2),
        (registered(), True, None, GOOD, 3),
        (registered(), True, WRONG, GOOD, 3),
        (registered(), True, WRONG, None, "wrong_password"),
        (registered(password=b""), False, None, None, 0),
        (registered(password=b""), True, None, None, 0),
        (registered(password=b""), True, None, GOOD, 3),
        # A05.FR.07: never a lower one.
        (registered(2), False, RIGHT, None, "low_security_profile"),
        (registered(2), False, None, None, "no_password"),
        (registered(2), True, RIGHT, None, 2),
        (registered(2), True, None, GOOD, 3),
        (registered(3), False, RIGHT, None, "low_security_profile"),
        (registered(3), True, RIGHT, None, "no_certificate"),
        (registered(3), True, None, None, "no_certificate"),
        (registered(3), True, WRONG, None, "no_certificate"),
        (registered(3), False, WRONG, None, "wrong_password"),
        (registered(3, downgrade_allowed=True), True, WRONG, None, "wrong_password"),
        (registered(3, b""), True, None, None, "no_certificate"),
        (registered(3, b""), False, None, None, "low_security_profile"),
        (registered(3, b""), True, None, GOOD, 3),
        # A05.FR.08: but from 3 to 2, and never to 1 (FR.09), and never without a password.
        (registered(3, downgrade_allowed=True), True, RIGHT, None, 2),
        (registered(3, downgrade_allowed=True), False, RIGHT, None, "low_security_profile"),
        (registered(3, b"", downgrade_allowed=True), True, None, None, "no_certificate"),
        (registered(2, downgrade_allowed=True), False, RIGHT, None, "low_security_profile"),
        # A00.FR.404, FR.405, FR.407.
        (registered(3), True, None, FOREIGN, "foreign_certificate"),
        (registered(3), True, RIGHT, FOREIGN, "foreign_certificate"),
        (registered(3), True, WRONG, FOREIGN, "foreign_certificate"),
        (registered(3), True, None, ANOTHER, "certificate_of_another"),
        (registered(3), True, None, OLD, "expired_certificate"),
        (registered(3), True, None, SERIAL, "certificate_of_another"),
        (registered(3, serial_number="SN-1"), True, None, SERIAL, 3),
        (registered(3, serial_number="SN-1"), True, None, GOOD, "certificate_of_another"),
        # With one that proves nothing a password is as good as without one (A00.FR.406).
        (registered(), True, RIGHT, FOREIGN, 2),
        (registered(2), True, RIGHT, ANOTHER, 2),
        (registered(), True, None, FOREIGN, "foreign_certificate"),
        (registered(), True, WRONG, FOREIGN, "wrong_password"),
        # A00.FR.429: only this station.
        (registered(3, expired_certificate_allowed=True), True, None, OLD, 3),
        (registered(3, expired_certificate_allowed=True), True, None, certificate("CP2", expires=-DAY),
         "certificate_of_another"),
    ],
)  # fmt: skip
def test_what_is_enough(
    station: Credentials,
    secured: bool,
    authorization: str | None,
    shown: ClientCertificate | None,
    expected: int | str,
) -> None:
    assert verdict(station, authorization, shown, secured=secured) == expected


@pytest.mark.parametrize("named_by", [0, 1], ids=["fingerprint", "serial number and issuer"])
def test_nobody_comes_with_a_certificate_that_is_revoked(named_by: int) -> None:
    """Not even with the right password beside it."""
    trust = Trust(TRUST.organizations, {GOOD.revocable_by[named_by]}.__contains__)
    assert verdict(registered(), RIGHT, GOOD, trust=trust) == "revoked_certificate"
    assert verdict(None, None, GOOD, trust=trust, policy=UnknownStations.ACCEPT) == "revoked_certificate"
    assert verdict(registered(), RIGHT, SERIAL, trust=trust) == 2


@pytest.mark.parametrize("named_by", range(2, 6))
def test_nobody_comes_with_a_certificate_whose_authority_is_revoked(named_by: int) -> None:
    """By the fingerprint, or the serial number and issuer, of the one between or of the root."""
    between = Authority("Between", AUTHORITY)
    chain = [between.certificate, AUTHORITY.certificate]
    shown, other = (client_certificate.read(between.issue(name, CPO).certificate, chain) for name in ("CP1", "CP2"))
    trust = Trust(TRUST.organizations, {other.revocable_by[named_by]}.__contains__)
    assert verdict(registered(), RIGHT, shown) == 3
    assert verdict(registered(), RIGHT, shown, trust=trust) == "revoked_certificate"
    assert verdict(registered(), RIGHT, GOOD, trust=trust) == (3 if named_by < 4 else "revoked_certificate")


def test_a_chain_that_is_not_valid_now_is_never_let_in() -> None:
    above = Authority("Between", AUTHORITY, expires=-DAY)
    own = above.issue("CP1", CPO).certificate
    shown = client_certificate.read(own, [above.certificate, AUTHORITY.certificate])
    assert verdict(registered(3, expired_certificate_allowed=True), None, shown) == "expired_certificate"


def test_stations_that_nobody_has_registered() -> None:
    assert verdict(None, None, GOOD) == "unknown_station"
    assert verdict(None, None, GOOD, policy=UnknownStations.ACCEPT) == 3
    assert verdict(None, None, FOREIGN, policy=UnknownStations.ACCEPT) == 0
    # A00.FR.405: it may be that of a station that is registered.
    for policy in (UnknownStations.ACCEPT, UnknownStations.QUARANTINE):
        assert verdict(None, None, ANOTHER, policy=policy) == "certificate_of_another"
    assert verdict(None, None, None, policy=UnknownStations.ACCEPT, secured=False) == 0


@pytest.mark.parametrize(
    ("shown", "said", "contradicted"),
    [
        (SERIAL, ["SN-1"], False),
        (SERIAL, [" sn-1 "], False),
        (SERIAL, ["SN-2"], True),
        (SERIAL, ["SN 1"], True),
        (SERIAL, [], False),
        (SERIAL, ["", " "], False),
        (SERIAL, ["", "SN-2"], True),
        (SERIAL, ["BOX-7", "SN-1"], False),
        (SERIAL, ["BOX-7", "SN-2"], True),
        (GOOD, ["SN-1"], False),
    ],
)
def test_the_serial_number_of_a_boot(shown: ClientCertificate, said: list[str], contradicted: bool) -> None:
    """B01.FR.11, FR.12; a common name that is the id says nothing of serial numbers."""
    assert profiles.contradicts(shown, "CP1", said) == contradicted


@pytest.mark.parametrize(
    ("security", "station", "stays"),
    [
        (Security(1), registered(), True),
        (Security(1), registered(2), False),
        (Security(2), registered(2), True),
        (Security(2), registered(3, downgrade_allowed=True), True),
        (Security(3, GOOD), registered(3), True),
        (Security(3, GOOD), registered(3, serial_number="SN-1"), False),
        (Security(3, SERIAL), registered(3, serial_number="SN-1"), True),
    ],
)
def test_whether_a_connection_stays_where_its_station_was_changed(
    security: Security, station: Credentials, stays: bool
) -> None:
    assert profiles.may_stay(security, "CP1", station) == stays


# On sockets.


@pytest.fixture
async def one() -> AsyncIterator[Running]:
    server = AUTHORITY.issue("127.0.0.1")
    settings: dict[str, Any] = {
        "gateway_tls_certificate": server.pem,
        "gateway_tls_key": server.key_pem,
        "gateway_tls_client_ca": AUTHORITY.pem,
        "cpo_names": (CPO,),
        "unknown_stations": "reject",
        "password_key": KEY.decode(),
    }
    async with running(timing=QUICK, **settings) as started:
        yield started


def issued(name: str = "CP1", **more: Any) -> Issued:
    return AUTHORITY.issue(name, CPO, **more)


async def test_a_station_comes_with_its_certificate_and_its_profile_rises(one: Running) -> None:
    """A00.FR.401 to FR.405: through a CA between; auth is told once, and no more when it knows."""
    await one.register("CP1", HASH)
    between = Authority("Between", AUTHORITY)
    for number in range(2):
        async with await one.connect(ssl=client(between.issue("CP1", CPO, kind="rsa"))) as socket:
            security, told = one.connection().security, one.changes()[-1].security
            assert (security.profile, told.profile) == (3, 3)
            assert (told.tls_version, told.tls_cipher) == ("TLSv1.3", "TLS_AES_256_GCM_SHA384")
            assert (told.certificate.issuer, told.certificate.subject) == ("CN=Between", f"O={CPO},CN=CP1")
            assert security.certificate
            assert told.certificate.not_after.ToDatetime(UTC) == security.certificate.ends
            assert (
                by_serial_number(int(told.certificate.serial_number, 16), "CN=Between")
                in security.certificate.revocable_by
            )
            assert (await ask(socket, call("hb", "Heartbeat", {})))[0] == 3
        await until(lambda: not len(one.gateway.registry))
        if not number:
            result = await one.result("auth")
            assert (result.outcome, result.station_id, result.security_profile) == (OUTCOME_SECURED, "CP1", 3)
            await one.register("CP1", HASH, security_profile=3)
    assert len(one.results("auth")) == 1
    with pytest.raises(InvalidStatus) as refused:
        await one.connect(ssl=client(), additional_headers={"Authorization": RIGHT})
    assert refused.value.response.status_code == 403
    await until(lambda: refusals(one))
    assert refusals(one)[-1] == ("CP1", "no_certificate")


def refusals(one: Running) -> list[tuple[str, str]]:
    told = [RefusedHandshakes.FromString(record.value or b"") for record in one.bus.all("ocpp.refusals")]
    return [(each.station_id, each.reason) for report in told for each in report.handshakes]


@pytest.mark.parametrize(
    "wrong", [Authority("Unknown").issue("CP1", CPO), Authority("Unknown", Authority("Root")).issue("CP1", CPO)]
)
async def test_a_certificate_of_an_unknown_authority_is_no_tls(one: Running, wrong: Issued) -> None:
    """A00.FR.403, FR.407"""
    await one.register("CP1", HASH)
    # With 1.3 the client hears of it only when it reads.
    with pytest.raises(ssl.SSLError, match="UNKNOWN_CA"):
        await one.connect(ssl=client(wrong, version=ssl.TLSVersion.TLSv1_2))
    with pytest.raises((ssl.SSLError, InvalidMessage, ConnectionError)):
        await one.connect(ssl=client(wrong))


async def test_a_password_that_is_changed_ends_no_connection_by_certificate(one: Running) -> None:
    await one.register("CP1", HASH)
    async with await one.connect(ssl=client(issued())) as socket:
        await one.register("CP1", b"another")
        assert (await ask(socket, call("hb", "Heartbeat", {})))[0] == 3
        await one.register("CP1", b"another", serial_number="SN-1")
        assert await closed(socket) == 1008


async def test_a_profile_that_is_raised_ends_what_is_below(one: Running) -> None:
    await one.register("CP1", HASH)
    socket = await one.connect(additional_headers={"Authorization": RIGHT})
    await one.register("CP1", HASH, security_profile=2)
    assert await closed(socket) == 1008


async def test_a_certificate_that_is_revoked_ends_its_connection(one: Running) -> None:
    for name in ("CP1", "CP2"):
        await one.register(name, HASH)
    own, other = issued(), issued("CP2")
    socket = await one.connect(ssl=client(own))
    async with await one.connect("CP2", ssl=client(other)) as stays:
        key = client_certificate.read(own.certificate, []).revocable_by[0]
        await one.bus.publish([Record("revocations", key.encode(), Revocation().SerializeToString())])
        assert await closed(socket) == 1008
        assert (await ask(stays, call("hb", "Heartbeat", {})))[0] == 3
        with pytest.raises(InvalidStatus) as refused:
            await one.connect(ssl=client(own))
        assert refused.value.response.status_code == 403
        await one.bus.publish([Record("revocations", key.encode(), None)])
        await until(lambda: key not in one.gateway.revocations)
        async with await one.connect(ssl=client(own)) as again:
            assert (await ask(again, call("hb", "Heartbeat", {})))[0] == 3


async def test_an_authority_that_is_revoked_ends_all_connections_of_what_it_signed(one: Running) -> None:
    between, stations = Authority("Between", AUTHORITY), ("CP1", "CP2")
    for name in (*stations, "CP3"):
        await one.register(name, HASH)
    sockets = [await one.connect(name, ssl=client(between.issue(name, CPO))) for name in stations]
    async with await one.connect("CP3", ssl=client(issued("CP3"))) as stays:
        key = client_certificate.read(between.certificate, []).revocable_by[1]
        await one.bus.publish([Record("revocations", key.encode(), Revocation().SerializeToString())])
        assert [await closed(socket) for socket in sockets] == [1008, 1008]
        assert (await ask(stays, call("hb", "Heartbeat", {})))[0] == 3
        with pytest.raises(InvalidStatus) as refused:
            await one.connect(ssl=client(between.issue("CP1", CPO)))
        assert refused.value.response.status_code == 403


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("trusted", ["root", "both"])
def test_the_chain_is_known_also_where_a_session_is_resumed(version: ssl.TLSVersion, trusted: str) -> None:
    """A station that shows its own certificate alone may be one of an authority that is trusted itself."""
    server, between = AUTHORITY.issue("127.0.0.1"), Authority("Between", AUTHORITY)
    own = between.issue("CP1", CPO)
    if trusted == "both":
        own = Issued(own.certificate, own.key, own.pem.split("-----END CERTIFICATE-----")[0] + PEM_END)
    pem = {"gateway_tls_certificate": server.pem, "gateway_tls_key": server.key_pem}
    pem["gateway_tls_client_ca"] = AUTHORITY.pem + (between.pem if trusted == "both" else "")
    ours, theirs = tls_context.load(pem, rsa_suites=False, now=NOW).context, client(own, version=version)
    assert ours is not None
    first, session = shaken(ours, theirs, None)
    again, _ = shaken(ours, theirs, session)
    shown = client_certificate.of(again)
    assert shown == client_certificate.of(first)
    assert shown is not None
    assert set(client_certificate.read(between.certificate, []).revocable_by) < set(shown.revocable_by)
    # By its id, for which nothing can be set.
    assert again.session_reused == (version is ssl.TLSVersion.TLSv1_2)


def shaken(
    ours: ssl.SSLContext, theirs: ssl.SSLContext, session: ssl.SSLSession | None
) -> tuple[ssl.SSLObject, ssl.SSLSession | None]:
    """The gateway's end of a handshake, and the session that the station may resume."""
    to_us, to_them = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = ours.wrap_bio(to_us, to_them, server_side=True)
    there = theirs.wrap_bio(to_them, to_us, session=session)
    for _ in range(3):
        for end in (there, here):
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
    here.write(b"x")
    assert there.read(1) == b"x"
    return here, there.session


@pytest.mark.parametrize(
    ("version", "field"),
    [("1.6", "chargePointSerialNumber"), ("1.6", "chargeBoxSerialNumber"), ("2.0.1", "serialNumber")],
)
async def test_a_boot_with_the_serial_number_of_another(one: Running, version: str, field: str) -> None:
    """B01.FR.12: the connection ends, nothing of the boot goes on, and it is shown."""
    await one.register("CP1", HASH, serial_number="SN-1")
    payload: dict[str, Any] = {"chargePointVendor": "V", "chargePointModel": "M", field: "SN-2"}
    if version == "2.0.1":
        payload = {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M", field: "SN-2"}}
    socket = await one.connect(version=f"ocpp{version}", ssl=client(issued("SN-1")))
    await socket.send(call("1", "BootNotification", payload).decode())
    with pytest.raises(ConnectionClosed) as ended:
        await socket.recv()
    assert ended.value.rcvd is not None
    assert ended.value.rcvd.code == 1008
    await until(lambda: refusals(one))
    assert refusals(one)[-1] == ("CP1", "other_serial_number")
    assert not one.calls("firmware")


async def test_a_boot_with_an_expired_certificate_says_so(one: Running) -> None:
    """A00.FR.429: firmware lets it wait."""
    await one.register("CP1", HASH, security_profile=3)
    old = issued(expires=timedelta(days=-1))
    with pytest.raises(InvalidStatus):
        await one.connect(ssl=client(old))
    await one.register("CP1", HASH, security_profile=3, expired_certificate_allowed=True)
    async with await one.connect(ssl=client(old)) as socket:
        await socket.send(boot("1.6").decode())
        assert (await one.call("firmware")).certificate_expired
    async with await one.connect(ssl=client(issued())) as socket:
        await socket.send(boot("1.6").decode())
        assert not (await one.call("firmware", 2)).certificate_expired


async def test_a_renewed_certificate_on_a_new_connection_and_the_old_one_revoked(one: Running) -> None:
    """The connection that is there now is that of the new certificate."""
    await one.register("CP1", HASH)
    old, new = issued(), issued()
    before = await one.connect(ssl=client(old))
    async with await one.connect(ssl=client(new)) as socket:
        assert await closed(before) == 1000
        key = client_certificate.read(old.certificate, []).revocable_by[0]
        await one.bus.publish([Record("revocations", key.encode(), Revocation().SerializeToString())])
        await until(lambda: key in one.gateway.revocations)
        await asyncio.sleep(0)
        assert (await ask(socket, call("hb", "Heartbeat", {})))[0] == 3
