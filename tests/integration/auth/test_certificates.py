"""Certificates of stations: from SignCertificate to what the station says to it, and what REST and events tell."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from redis.asyncio import Redis

from services.auth.app import NAME, build
from services.auth.certificate_renewal import ending
from services.auth.certificate_signing import OLDEST_WAITING
from services.auth.remote import RENEW
from services.auth.settings import Settings, SignerKind
from services.common.kafka.bus import Record
from tests.clients.certificates import Authority
from tests.clients.est import Answer
from tests.clients.est import running as est_running
from tests.clients.signing import CPO, files, pem, request, signed
from tests.clients.system import eventually
from tests.integration.common.running import GATEWAY, SLOT, Running, Time, connected, registered, running
from voltbus.v1 import events_pb2 as pb
from voltbus.v1 import state_pb2
from voltbus.v1.bus_pb2 import OUTCOME_ANSWERED, OUTCOME_LATE, OUTCOME_TIMED_OUT, Command, Outcome, Result

V16, V201, V21 = "1.6", "2.0.1", "2.1"
PATH = "/v1/certificates/requests"
# Certificates of these tests are valid now, as machines have it.
AUTHORITY = Authority("CSO Sub-CA", Authority("CSO root"), expires=timedelta(days=4000))
NOW = Time(AUTHORITY.certificate.not_valid_before_utc + timedelta(days=400))


def with_signer(settings: Settings, kind: SignerKind, **others: Any) -> Settings:
    certificate, key = files(AUTHORITY)
    more = {"certificate_signer": kind, "cpo_names": (CPO,), "certificate_ca": certificate}
    return Settings(**(settings.model_dump() | more | {"certificate_ca_key": key} | others))


@pytest.fixture
async def auth(settings: Settings) -> AsyncIterator[Running]:
    """With a CA of its own."""
    async with running(NAME, build, with_signer(settings, SignerKind.CA), clock=Time(NOW())) as world:
        yield world


@pytest.fixture
async def desk(settings: Settings) -> AsyncIterator[Running]:
    """Where operators have certificates signed."""
    async with running(NAME, build, with_signer(settings, SignerKind.DESK), clock=Time(NOW())) as world:
        yield world


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    client = Redis.from_url(settings.redis_url)
    yield client
    await client.delete("route:CP1", f"slot:{SLOT}")
    await client.aclose()


async def ask(auth: Running, csr: str, version: str = V201, station_id: str = "CP1", **more: Any) -> str:
    """The status with which SignCertificate is answered."""
    payload = {"csr": csr} | ({} if version == V16 else {"certificateType": "ChargingStationCertificate"})
    return str((await auth.ask(auth.call("SignCertificate", payload | more, station_id, version)))["status"])


async def shown(auth: Running, state: str, number: int = 0) -> Any:
    """The request as REST has it, once it is in that state; by default the newest."""

    async def read() -> Any:
        items = (await auth.get(PATH))["items"]
        return items[number] if len(items) > number else {"state": None}

    found = await eventually(read, lambda found: found["state"] == state)
    if state == "sent":
        await on_its_way(auth, found["command_id"])
    return found


async def on_its_way(auth: Running, *command_ids: str) -> None:
    """Until the gateway has these: they count as sent a moment before."""
    await auth.until(lambda: {*command_ids} <= {one.id for one in sent(auth)})


def sent(auth: Running) -> list[Command]:
    return [out.command for out in auth.replies() if out.HasField("command")]


async def say(auth: Running, command_id: str, payload: Any, outcome: "Outcome" = OUTCOME_ANSWERED) -> None:
    result = Result(command_id=command_id, station_id="CP1", connection_id=f"{GATEWAY}-CP1", version=V201)
    result.outcome, result.payload = outcome, json.dumps(payload).encode() if payload else b""
    result.at.FromDatetime(auth.time())
    await auth.put(Record("ocpp.results.auth", b"CP1", result.SerializeToString()))


async def told(auth: Running, kind: str) -> Any:
    await auth.until(lambda: bool(auth.announced(kind)))
    return auth.announced(kind)[-1]


@pytest.mark.parametrize(
    ("version", "more", "about"),
    [
        (V16, {}, {}),
        (V201, {}, {"certificateType": "ChargingStationCertificate"}),
        (V21, {"requestId": 7}, {"certificateType": "ChargingStationCertificate", "requestId": 7}),
    ],
)
async def test_a_station_gets_its_certificate(auth: Running, redis: Redis, version: str, more: Any, about: Any) -> None:
    """A02.FR.11, FR.14, FR.25; TC_A_11_CSMS: leaf first, without the root, and what the station says is seen."""
    await connected(redis, "CP1", version)
    csr = request()
    assert await ask(auth, pem(csr), version, **more) == "Accepted"
    seen = await shown(auth, "sent")
    [command] = sent(auth)
    payload = json.loads(command.payload)
    chain = x509.load_pem_x509_certificates(payload.pop("certificateChain").encode())
    assert (command.action, payload) == ("CertificateSigned", about)
    assert chain[1:] == [AUTHORITY.certificate]
    assert chain[0].public_key() == csr.public_key()
    assert seen["certificate"]["serial_number"] == f"{chain[0].serial_number:x}"
    assert (seen["common_name"], seen["organization"], seen["csr"]) == ("CP1", CPO, pem(csr))
    issued = await told(auth, "CertificateIssued")
    assert (issued.station_id, issued.signing_request_id, issued.author) == ("CP1", seen["id"], "")
    assert issued.serial_number == seen["certificate"]["serial_number"]
    await say(auth, command.id, {"status": "Accepted"})
    await shown(auth, "installed")
    assert (await told(auth, "CertificateInstalled")).fingerprint == issued.fingerprint
    [listed] = (await auth.get("/v1/certificates", station_id="CP1"))["items"]
    assert (listed["state"], listed["fingerprint"]) == ("installed", issued.fingerprint)
    assert not auth.announced("CertificateRejected")


async def test_a_station_refuses_its_certificate(auth: Running, redis: Redis) -> None:
    """A02.FR.07, TC_A_14_CSMS; after that it asks again only when it is told to (A02.FR.20)."""
    await connected(redis, "CP1", V201)
    await ask(auth, pem(request()))
    await shown(auth, "sent")
    await say(auth, sent(auth)[0].id, {"status": "Rejected", "statusInfo": {"reasonCode": "InvalidCertificate"}})
    seen = await shown(auth, "refused")
    assert (seen["refused_by"], seen["reason"]) == ("station", "Rejected: InvalidCertificate")
    rejected = await told(auth, "CertificateRejected")
    assert (rejected.by, rejected.reason) == (pb.CERTIFICATE_REJECTED_BY_STATION, "Rejected: InvalidCertificate")


@pytest.mark.parametrize(
    ("csr", "reason"),
    [
        (pem(request(names=["CP2"])), "CN of its subject"),
        (pem(request(organizations=["Another"])), "O of its subject"),
        ("A" * 20_000, "too long"),
        ("no request \0 at all", "cannot be read"),
    ],
)
async def test_what_is_refused_is_answered_and_seen(auth: Running, csr: str, reason: str) -> None:
    """A02.FR.12."""
    call = auth.call("SignCertificate", {"csr": "x"}, version=V201)
    call.payload = json.dumps({"csr": csr}).encode()
    answer = await auth.ask(call)
    assert (answer["status"], answer["statusInfo"]["reasonCode"]) == ("Rejected", "InvalidCSR")
    assert reason in answer["statusInfo"]["additionalInfo"]
    rejected = await told(auth, "CertificateRejected")
    assert rejected.by == pb.CERTIFICATE_REJECTED_BY_CSMS
    assert reason in rejected.reason
    seen = await shown(auth, "refused")
    assert (seen["id"], seen["refused_by"]) == (rejected.signing_request_id, "csms")
    assert not sent(auth)


async def test_a_station_in_quarantine_gets_none(auth: Running) -> None:
    call = auth.call("SignCertificate", {"csr": pem(request())}, quarantined=True)
    assert await auth.ask(call) == {"status": "Rejected"}
    assert "quarantined" in (await shown(auth, "refused"))["reason"]


async def test_the_name_is_what_gateways_let_it_in_with(auth: Running) -> None:
    """A00.FR.405: its registered serial number. One of another is refused for vehicles, too."""
    await auth.http.put("/v1/stations/CP1", json={"serial_number": "SN-1"})
    await auth.http.put("/v1/stations/CP2", json={"serial_number": "SN-2"})
    assert await ask(auth, pem(request(names=["CP1"]))) == "Rejected"
    assert await ask(auth, pem(request(names=["SN-1"]))) == "Accepted"
    for name, status in (("SN-2", "Rejected"), ("cp2", "Accepted"), ("SECC-1", "Accepted")):
        assert await ask(auth, pem(request(names=[name])), certificateType="V2GCertificate") == status


async def test_the_same_request_told_twice_is_one(auth: Running, redis: Redis) -> None:
    """Its reply was lost; then all of it is read again."""
    await connected(redis, "CP1", V201)
    csr = pem(request())
    assert await ask(auth, csr) == await ask(auth, csr) == "Accepted"
    await shown(auth, "sent")
    auth.time.passes(1)
    await ask(auth, csr)
    await auth.restart(commit=False)
    await auth.settled()
    assert len((await auth.get(PATH))["items"]) == len(sent(auth)) == len(auth.announced("CertificateIssued")) == 1


async def test_a_newer_request_supersedes_what_is_under_way(auth: Running) -> None:
    """A02.FR.17. A certificate that has not been sent is taken back; the station is away."""
    await ask(auth, pem(request()))
    first = await shown(auth, "signed")
    auth.time.passes(1)
    await ask(auth, pem(request()))
    await shown(auth, "superseded", 1)
    second = await shown(auth, "signed")

    async def life() -> Any:
        return await auth.get(f"/v1/commands/{first['command_id']}")

    await eventually(life, lambda command: command["status"] == "cancelled")
    assert (await auth.get(f"/v1/commands/{second['command_id']}"))["status"] == "accepted"


async def test_a_station_that_is_away_gets_it_when_it_is_back(auth: Running, redis: Redis) -> None:
    await ask(auth, pem(request()))
    await shown(auth, "signed")
    auth.time.passes(86_400)
    await connected(redis, "CP1", V16)
    await shown(auth, "sent")
    assert json.loads(sent(auth)[0].payload).keys() == {"certificateChain"}


async def test_one_that_does_not_come_back_asks_again_and_gets_the_same(auth: Running, redis: Redis) -> None:
    csr = pem(request())
    await ask(auth, csr)
    await shown(auth, "signed")
    auth.time.passes(8 * 86_400)
    assert "Expired" in (await shown(auth, "failed"))["reason"]
    await connected(redis, "CP1", V201)
    assert await ask(auth, csr) == "Accepted"
    await shown(auth, "sent")
    await auth.settled()
    assert len(auth.announced("CertificateIssued")) == 1


async def takes(auth: Running, size: int) -> None:
    """CP1 has said how long a chain it takes."""
    can = state_pb2.Capabilities(certificate_chain_size=size)
    said = state_pb2.Inventory(station_id="CP1", version=V201, capabilities=can)
    await auth.put(Record("inventory", b"CP1", said.SerializeToString()))


async def test_a_chain_that_is_larger_than_the_station_takes_is_not_sent(auth: Running, redis: Redis) -> None:
    """MaxCertificateChainSize (2.x §2.2.7), CertificateSignedMaxChainSize (1.6); of the same request told anew, too."""
    await connected(redis, "CP1", V201)
    await takes(auth, 500)
    csr = pem(request())
    await ask(auth, csr)
    assert "the station takes 500" in (await shown(auth, "failed"))["reason"]
    assert "the station takes 500" in (await told(auth, "CertificateRejected")).reason
    assert not sent(auth)
    await takes(auth, 10_000)
    auth.time.passes(60)
    await ask(auth, csr)
    seen = await shown(auth, "sent")
    await say(auth, seen["command_id"], None, OUTCOME_TIMED_OUT)
    await shown(auth, "failed")
    await takes(auth, 500)
    auth.time.passes(60)
    await ask(auth, csr)
    await eventually(lambda: reason(auth), lambda said: "the station takes 500" in (said or ""))
    assert len(sent(auth)) == 1


async def test_an_operator_can_give_a_shorter_chain(desk: Running, redis: Redis) -> None:
    """One that the station has no room for is not taken from him, and the request still waits."""
    await connected(redis, "CP1", V201)
    csr = request()
    own, above = pem(signed(AUTHORITY, csr)), AUTHORITY.pem
    await takes(desk, len(own))
    await ask(desk, pem(csr))
    path = f"{PATH}/{(await shown(desk, 'waiting'))['id']}"
    answer = await desk.http.post(f"{path}/chain", json={"chain": own + above})
    assert (answer.status_code, "MaxCertificateChainSize" in answer.text) == (422, True)
    assert (await desk.http.post(f"{path}/chain", json={"chain": own})).status_code == 200
    await shown(desk, "sent")


async def test_how_long_requests_wait(desk: Running) -> None:
    """The oldest that nobody has signed."""
    read = OLDEST_WAITING.read
    async with desk.database.connection() as db:
        assert await read(db, desk.time()) == {(): 0.0}
    await ask(desk, pem(request()))
    await shown(desk, "waiting")
    desk.time.passes(3600)
    async with desk.database.connection() as db:
        assert await read(db, desk.time()) == {(): 3600.0}


async def test_what_is_said_late_counts(auth: Running, redis: Redis) -> None:
    await connected(redis, "CP1", V201)
    await ask(auth, pem(request()))
    await shown(auth, "sent")
    await say(auth, sent(auth)[0].id, None, OUTCOME_TIMED_OUT)
    await shown(auth, "failed")
    await say(auth, sent(auth)[0].id, {"status": "Accepted"}, OUTCOME_LATE)
    await shown(auth, "installed")


async def test_a_station_is_not_signed_for_without_end(auth: Running) -> None:
    for number in range(21):
        auth.time.passes(1)
        assert await ask(auth, pem(request())) == ("Accepted" if number < 20 else "Rejected")
        await shown(auth, "signed" if number < 20 else "refused")


async def test_nonsense_is_not_kept_without_end(auth: Running) -> None:
    for number in range(25):
        auth.time.passes(1)
        await ask(auth, f"nonsense {number}")
    assert len((await auth.get(PATH, limit=100))["items"]) == 20


async def test_certificates_by_their_end(auth: Running) -> None:
    for name in ("CP1", "CP2", "CP3"):
        call = auth.call("SignCertificate", {"csr": pem(request(names=[name]))}, station_id=name)
        assert await auth.ask(call) == {"status": "Accepted"}
        await shown(auth, "signed")
        auth.time.passes(86_400)
    end = (await auth.get("/v1/certificates"))["items"][1]["ends_at"]
    first = await auth.get("/v1/certificates", limit=2)
    rest = await auth.get("/v1/certificates", limit=2, cursor=first["next"])
    assert [one["station_id"] for one in first["items"] + rest["items"]] == ["CP1", "CP2", "CP3"]
    [before] = (await auth.get("/v1/certificates", ends_before=end))["items"]
    assert before["station_id"] == "CP1"
    [of_one] = (await auth.get("/v1/certificates", station_id="CP3"))["items"]
    assert of_one["station_id"] == "CP3"


async def test_the_desk(desk: Running, redis: Redis) -> None:
    """An operator has it signed, and uploads what he got; told twice, it is one."""
    await connected(redis, "CP1", V201)
    csr = request()
    assert await ask(desk, pem(csr)) == "Accepted"
    waits = await shown(desk, "waiting")
    [listed] = (await desk.get(PATH, state="waiting"))["items"]
    assert listed["csr"] == pem(csr)
    path, chain = f"{PATH}/{waits['id']}", pem(signed(AUTHORITY, csr)) + AUTHORITY.pem
    for _ in range(2):
        answer = await desk.http.post(f"{path}/chain", json={"chain": chain})
        assert answer.status_code == 200, answer.text
        assert answer.json()["author"] == "test"
    await shown(desk, "sent")
    assert json.loads(sent(desk)[0].payload)["certificateChain"] == chain
    assert (await told(desk, "CertificateIssued")).author == "test"
    for wrong in (pem(signed(AUTHORITY, csr)), chain):
        answer = await desk.http.post(f"{path}/refuse", json={"reason": wrong[:20]})
        assert answer.status_code == 409
    other = await desk.http.post(f"{path}/chain", json={"chain": pem(signed(AUTHORITY, csr))})
    assert other.status_code == 409


async def test_what_does_not_fit_is_not_taken(desk: Running) -> None:
    """Of another key or subject, or a chain that does not link."""
    csr = request()
    await ask(desk, pem(csr))
    path = f"{PATH}/{(await shown(desk, 'waiting'))['id']}"
    for wrong, said in (
        (pem(signed(AUTHORITY, request())), "key of the request"),
        (pem(signed(AUTHORITY, csr)) + Authority("Another").pem, "does not link"),
        (pem(signed(AUTHORITY, csr, request(names=["CP2"]).subject)), "O or CN"),
        ("no certificate", "cannot be read"),
    ):
        answer = await desk.http.post(f"{path}/chain", json={"chain": wrong})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.chain")
        assert said in answer.json()["errors"][0]["message"]
    await shown(desk, "waiting")
    for missing in ("chain", "refuse"):
        body = {"chain": {"chain": "x"}, "refuse": {"reason": "x"}}[missing]
        assert (await desk.http.post(f"{PATH}/{'0' * 32}/{missing}", json=body)).status_code == 404
    await desk.get(f"{PATH}/{'0' * 32}", 404)


async def test_an_operator_refuses(desk: Running) -> None:
    await ask(desk, pem(request()))
    path = f"{PATH}/{(await shown(desk, 'waiting'))['id']}"
    for reason, status in (("not ours", 200), ("not ours", 200), ("another", 409)):
        answer = await desk.http.post(f"{path}/refuse", json={"reason": reason})
        assert answer.status_code == status, answer.text
    rejected = await told(desk, "CertificateRejected")
    assert (rejected.by, rejected.author, rejected.reason) == (
        pb.CERTIFICATE_REJECTED_BY_OPERATOR,
        "test",
        "not ours",
    )


async def test_an_est_server_that_is_away_and_takes_its_time(settings: Settings, redis: Redis) -> None:
    """RFC 7030: it is asked again, also by another process, and signs in the end."""
    async with est_running(AUTHORITY) as server:
        more = {"certificate_est_url": server.url, "certificate_est_ca": server.pem}
        login = {"certificate_est_username": "voltbus", "certificate_est_password": "secret"}
        own = with_signer(settings, SignerKind.EST, **more, **login)
        server.answers += [Answer(503), Answer(202, headers=("Retry-After: 3600",))]
        async with running(NAME, build, own, clock=Time(NOW())) as auth:
            await connected(redis, "CP1", V201)
            assert await ask(auth, pem(request())) == "Accepted"
            await eventually(lambda: reason(auth), lambda said: said == "the EST server says 503")
            auth.time.passes(10)
            await shown(auth, "waiting")
            await auth.restart()
            auth.time.passes(3600)
            await shown(auth, "sent")
            assert (await told(auth, "CertificateIssued")).issuer == "CN=CSO Sub-CA"
            chain = x509.load_pem_x509_certificates(json.loads(sent(auth)[0].payload)["certificateChain"].encode())
            assert chain[1:] == [AUTHORITY.certificate]
            await say(auth, sent(auth)[0].id, {"status": "Accepted"})
            await shown(auth, "installed")
            # With another key, of the same subject.
            auth.time.passes(60)
            await ask(auth, pem(request()))
            await shown(auth, "sent")
            assert server.asked[-1].path.endswith("/simplereenroll")
            auth.time.passes(60)
            server.answers += [Answer(400, b"not one of ours")]
            await ask(auth, pem(request()))
            seen = await shown(auth, "refused")
            assert (seen["refused_by"], seen["reason"]) == ("authority", "the EST server says 400: not one of ours")


async def reason(auth: Running) -> Any:
    return (await auth.get(PATH))["items"][0]["reason"]


async def renewed(auth: Running, most: int = 20) -> list[tuple[str, Any]]:
    """What stations were asked for so far, in order, after those whose certificates end were asked once more."""
    task: Any = auth.service.tasks["renewal"]
    await replace(task.__self__, most=most).ask()
    made = (await auth.get("/v1/commands", query={"action": RENEW}))["items"]
    await on_its_way(auth, *(one["command_id"] for one in made))
    asked = [(out.station_id, out.command) for out in auth.replies() if out.HasField("command")]
    return [(name, json.loads(one.payload)) for name, one in asked if one.action.endswith("TriggerMessage")]


async def installed(auth: Running, redis: Redis, name: str, version: str = V201) -> None:
    """A station that is connected has a certificate."""
    await connected(redis, name, version)
    assert await ask(auth, pem(request(names=[name])), version, station_id=name) == "Accepted"
    await shown(auth, "sent")
    await say(auth, sent(auth)[-1].id, {"status": "Accepted"})
    await shown(auth, "installed")


async def test_what_ends_soon_is_renewed(auth: Running, redis: Redis) -> None:
    """A02, F06: once; not while a request is under way, and no more once it has a newer one."""
    await installed(auth, redis, "CP1")
    auth.time.passes(334 * 86_400)
    assert not await renewed(auth)
    auth.time.passes(2 * 86_400)
    asked = [("CP1", {"requestedMessage": "SignChargingStationCertificate"})]
    assert await renewed(auth) == await renewed(auth) == asked
    [listed] = (await auth.get("/v1/certificates"))["items"]
    assert listed["renewal_asked_at"]
    auth.time.passes(2 * 86_400)
    await ask(auth, pem(request()))
    await shown(auth, "sent")
    assert await renewed(auth) == asked
    await say(auth, sent(auth)[-1].id, {"status": "Accepted"})
    await shown(auth, "installed")
    auth.time.passes(2 * 86_400)
    assert await renewed(auth) == asked


async def test_a_station_that_does_not_renew_is_asked_again_the_next_day(auth: Running, redis: Redis) -> None:
    """In 1.6 by ExtendedTriggerMessage; one that is away is not asked."""
    await installed(auth, redis, "CP1", V16)
    await redis.delete("route:CP1")
    auth.time.passes(336 * 86_400)
    assert not await renewed(auth)
    await connected(redis, "CP1", V16)
    asked = [("CP1", {"requestedMessage": "SignChargePointCertificate"})]
    assert await renewed(auth) == asked
    auth.time.passes(80_000)
    assert await renewed(auth) == asked
    auth.time.passes(7_000)
    assert await renewed(auth) == asked * 2
    # Long after its end it is left alone.
    auth.time.passes(150 * 86_400)
    assert await renewed(auth) == asked * 2


async def test_so_many_are_renewed_at_a_time_and_nothing_that_is_revoked(auth: Running, redis: Redis) -> None:
    names = [f"CP{number}" for number in range(1, 6)]
    for name in names:
        await installed(auth, redis, name)
        auth.time.passes(1)
    revoked = (await auth.get("/v1/certificates", station_id="CP2"))["items"][0]
    body = {"serial_number": revoked["serial_number"], "issuer": revoked["issuer"]}
    assert (await auth.http.post("/v1/revoked-certificates", json=body)).status_code == 201
    auth.time.passes(340 * 86_400)
    for _ in range(2):
        assert [name for name, _ in await renewed(auth, most=2)] == ["CP1", "CP3"]
    # One of them sends its request, and another may be asked; the one that does not has ten minutes.
    await ask(auth, pem(request(names=["CP3"])), station_id="CP3")
    await shown(auth, "sent")
    assert [name for name, _ in await renewed(auth, most=2)] == ["CP1", "CP3", "CP4"]
    auth.time.passes(601)
    assert [name for name, _ in await renewed(auth, most=2)] == ["CP1", "CP3", "CP4", "CP5"]
    for name in names:
        await redis.delete(f"route:{name}")


async def test_how_many_are_to_be_renewed(auth: Running, redis: Redis) -> None:
    await installed(auth, redis, "CP1")
    read = ending(timedelta(days=30)).read
    found = []
    for days in (0, 336, 23, 8, 120):
        auth.time.passes(days * 86_400)
        async with auth.database.connection() as db:
            found.append(await read(db, auth.time()))
    counts = [(one["soon",], one["late",], one["ended",]) for one in found]
    assert counts == [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0)]


async def test_a_root_is_installed_in_the_words_of_the_station(auth: Running, redis: Redis) -> None:
    """M05; what no station is to trust, or a version does not have, is said so, and nothing is sent."""
    await connected(redis, "CP1", V16)
    auth_root = Authority("Example root", expires=timedelta(days=4000))
    path, body = "/v1/stations/CP1/install-root", {"type": "csms", "certificate": auth_root.pem}
    await auth.put(auth.call("Authorize", {"idTag": "A"}, version=V16), *registered("CP1"))
    for wrong, status, said in (
        ({"certificate": AUTHORITY.issue("CP1").pem}, 422, "one certificate in PEM"),
        ({"certificate": Authority("Old", expires=-timedelta(days=30)).pem}, 422, "has expired"),
        ({"type": "v2g"}, 409, "type v2g"),
    ):
        answer = await auth.http.post(path, json=body | wrong)
        assert (answer.status_code, said in answer.text) == (status, True), answer.text
    assert (await auth.http.post(path, json=body)).status_code == 202
    await auth.until(lambda: bool(sent(auth)))
    [command] = sent(auth)
    assert (command.action, json.loads(command.payload)) == (
        "InstallCertificate",
        {"certificateType": "CentralSystemRootCertificate", "certificate": auth_root.pem},
    )
