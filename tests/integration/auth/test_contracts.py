"""Plug and Charge: contract certificates, and what OCSP responders on this machine say of them (C07, M06)."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_network
from typing import Any

import pytest
from cryptography.x509 import ocsp

from services.auth.app import NAME, build
from services.auth.contracts import Contracts
from services.auth.settings import Settings
from services.common.calls.slow_answers import CLAIM, WITHIN
from tests.clients.contracts import NOW, Holder, contract
from tests.clients.ocsp import responding
from tests.integration.auth.test_authorities import PATH, trust
from tests.integration.auth.test_calls import token
from tests.integration.common.running import Running, Time, running
from voltbus.v1.bus_pb2 import Call

EMAID = "DE8AACA2B3C4D5"
ROOT = Holder("MO root")
MIDDLE = Holder("MO sub-CA", above=ROOT)


@pytest.fixture
async def auth(settings: Settings) -> AsyncIterator[Running]:
    """Which may ask this machine, and trusts the CAs of a mobility operator."""
    allowed = Settings(**(settings.model_dump() | {"outbound_allow": [ip_network("127.0.0.0/8")]}))
    async with running(NAME, build, allowed, clock=Time(NOW)) as world:
        made = [await trust(world, one.pem) for one in (ROOT, MIDDLE)]
        await token(world, EMAID, type="eMAID")
        yield world
        for one in made:
            await world.http.delete(f"{PATH}/{one['id']}")


def authorize(auth: Running, emaid: str = EMAID, station_id: str = "CP1", **contract: Any) -> Call:
    payload = {"idToken": {"idToken": emaid, "type": "eMAID"}} | contract
    return auth.call("Authorize", payload, station_id=station_id, version="2.0.1")


async def verdict(auth: Running, call: Call) -> tuple[str, str]:
    answer = await auth.ask_slowly(call)
    return answer["idTokenInfo"]["status"], answer["certificateStatus"]


async def rule(auth: Running) -> str:
    """Of the newest decision."""
    items = (await auth.get("/v1/decisions", station_id="CP1"))["items"]
    return str(items[0]["rule"])


async def test_a_contract_with_its_chain(auth: Running) -> None:
    """C07.FR.05, FR.06, FR.14: verified, asked about, and its eMAID looked up; the root is not sent."""
    own = contract(MIDDLE)
    async with responding(own) as responder:
        hash_data = [own.hash_data(responder.url)]
        call = authorize(auth, certificate=own.chain, iso15118CertificateHashData=hash_data)
        assert await verdict(auth, call) == ("Accepted", "Accepted")
        assert responder.asked == [own.certificate.serial_number]
    (event,) = auth.announced("AuthorizationDecided")
    assert (event.id_token, event.status) == (EMAID, "Accepted")
    assert await rule(auth) == "registered"


async def test_hashes_alone(auth: Running) -> None:
    """C07.FR.02, FR.05: of the contract and of the CA above it."""
    own = contract(MIDDLE)
    async with responding(own, MIDDLE) as responder:
        hashes = [own.hash_data(responder.url), MIDDLE.hash_data(responder.url)]
        call = authorize(auth, "DE-8AA-CA2B3C4D5-K", iso15118CertificateHashData=hashes)
        assert await verdict(auth, call) == ("Accepted", "Accepted")
        assert sorted(responder.asked) == sorted(one.certificate.serial_number for one in (own, MIDDLE))


async def test_a_revoked_certificate_counts_whatever_is_not_known_beside_it(auth: Running) -> None:
    """C07.FR.16"""
    own = contract(MIDDLE)
    async with responding(own, revoked={own.certificate.serial_number}) as responder:
        hashes = [MIDDLE.hash_data(responder.url), own.hash_data(responder.url)]
        call = authorize(auth, iso15118CertificateHashData=hashes)
        assert await verdict(auth, call) == ("Invalid", "CertificateRevoked")
    assert await rule(auth) == "contract_revoked"


async def test_a_contract_that_has_expired_is_not_asked_about(auth: Running) -> None:
    """C07.FR.15"""
    own = contract(MIDDLE, ends=NOW)
    async with responding(own) as responder:
        hash_data = [own.hash_data(responder.url)]
        call = authorize(auth, certificate=own.chain, iso15118CertificateHashData=hash_data)
        assert await verdict(auth, call) == ("Expired", "CertificateExpired")
        assert not responder.asked
    assert await rule(auth) == "contract_expired"


async def test_a_contract_that_does_not_count(auth: Running) -> None:
    """C07.FR.13: the certificate is in order, and nobody knows its eMAID."""
    own = contract(MIDDLE, "DE8AANOBODY001")
    async with responding(own) as responder:
        hash_data = [own.hash_data(responder.url)]
        call = authorize(auth, "DE8AANOBODY001", certificate=own.chain, iso15118CertificateHashData=hash_data)
        assert await verdict(auth, call) == ("Unknown", "ContractCancelled")


STRANGER = Holder("MO root")
OTHERS: dict[str, Callable[[], Holder]] = {
    "of a root that is not trusted": lambda: contract(Holder("MO sub-CA", above=STRANGER)),
    "of another contract": lambda: contract(MIDDLE, "DE8AAANOTHER01"),
    "a NUL in its name": lambda: contract(MIDDLE, EMAID + "\0"),
    "of a CA whose responder is away": lambda: contract(MIDDLE, urls=["http://127.0.0.1:1/"]),
    "whose responder is at an address that is not allowed": lambda: contract(MIDDLE, urls=["http://10.0.0.1/"]),
    "that names no responder": lambda: contract(MIDDLE),
}


@pytest.mark.parametrize("made", OTHERS.values(), ids=OTHERS)
async def test_what_cannot_be_verified(auth: Running, made: Callable[[], Holder]) -> None:
    """C07.FR.17"""
    call = authorize(auth, certificate=made().chain)
    assert await verdict(auth, call) == ("Invalid", "CertChainError")
    assert await rule(auth) == "contract_unverified"


async def test_an_issuer_that_is_trusted_no_more(auth: Running) -> None:
    """Also where its word is remembered."""
    own = contract(MIDDLE)
    async with responding(own) as responder:
        hashes = [own.hash_data(responder.url)]
        assert await verdict(auth, authorize(auth, iso15118CertificateHashData=hashes)) == ("Accepted", "Accepted")
        trusted = (await auth.get(PATH))["items"]
        [root] = [one["id"] for one in trusted if one["certificate"] == ROOT.pem]
        await auth.http.delete(f"{PATH}/{root}")
        refused = await verdict(auth, authorize(auth, iso15118CertificateHashData=hashes))
        assert refused == ("Invalid", "CertChainError")


async def test_a_responder_that_takes_its_time_holds_up_nobody(auth: Running) -> None:
    """Not the other messages of the station, nor those of others. What a process had asked is taken up by the next."""
    own = contract(MIDDLE)
    async with responding(own, raw=b"x", headers={"content-length": "10000"}) as responder:
        slow = authorize(auth, iso15118CertificateHashData=[own.hash_data(responder.url)])
        await auth.put(slow)
        for station_id in ("CP1", "CP2"):
            call = auth.call("Authorize", {"idTag": EMAID}, station_id=station_id)
            assert (await auth.ask(call))["idTagInfo"]["status"] == "Accepted"
        assert not any(out.reply.message_id == slow.message_id for out in auth.replies())
        responder.raw, responder.headers = None, {}
        # It is read again, too, and asked once.
        await auth.restart(commit=False)
        auth.time.passes(CLAIM.total_seconds())
        await auth.answered(slow)
        assert auth.answer(slow)["certificateStatus"] == "Accepted"
        assert responder.asked == [own.certificate.serial_number]
    await auth.settled()
    assert sum(out.reply.message_id == slow.message_id for out in auth.replies()) == 1
    reply = next(out for out in auth.replies() if out.reply.message_id == slow.message_id)
    assert (reply.connection_id, reply.station_id) == (slow.connection_id, "CP1")


async def test_what_is_older_than_anybody_waits_is_asked_no_more(auth: Running) -> None:
    """It was our servers that were away: no verdict on the certificate."""
    own = contract(MIDDLE)
    async with responding(own) as responder:
        before, hash_data = auth.time() - WITHIN, own.hash_data(responder.url)
        late = authorize(auth, iso15118CertificateHashData=[hash_data])
        late.received_at.FromDatetime(before)
        payload = {"ocspRequestData": hash_data}
        call = auth.call("GetCertificateStatus", payload, version="2.0.1", received_at=before)
        assert [await auth.ask_slowly(one) for one in (late, call)] == ["InternalError"] * 2
        assert not responder.asked


async def test_a_mistake_of_ours_is_no_verdict_and_is_made_once(auth: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(Contracts, "check", fails)
    own = contract(MIDDLE)
    assert await auth.ask_slowly(authorize(auth, certificate=own.chain)) == "InternalError"


async def test_a_station_names_no_more_responders_than_a_chain_has_certificates(auth: Running) -> None:
    """Each of them is asked: one message, read tolerantly, must not make hundreds of requests."""
    own = contract(MIDDLE)
    async with responding(own) as responder:
        hash_data = own.hash_data(responder.url)
        call = authorize(auth, iso15118CertificateHashData=[hash_data])
        said = json.loads(call.payload) | {
            "iso15118CertificateHashData": [hash_data | {"serialNumber": f"{number:x}"} for number in range(1, 30)]
        }
        call.payload = json.dumps(said).encode()
        assert await verdict(auth, call) == ("Invalid", "CertChainError")
        assert not responder.asked


async def test_many_at_once(auth: Running) -> None:
    owns = [contract(MIDDLE, key=MIDDLE.key) for _ in range(30)]
    async with responding(*owns) as responder:
        calls = [
            authorize(auth, station_id=f"CP{n}", iso15118CertificateHashData=[own.hash_data(responder.url)])
            for n, own in enumerate(owns)
        ]
        await auth.put(*calls)
        await asyncio.gather(*(auth.answered(call) for call in calls))
    assert {auth.answer(call)["certificateStatus"] for call in calls} == {"Accepted"}


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_the_status_of_a_certificate(auth: Running, version: str) -> None:
    """M06.FR.02, FR.03, FR.08, FR.09: as its responder has signed it, also if it was revoked, whoever issued it."""
    for own in (contract(MIDDLE), contract(STRANGER)):
        async with responding(own, revoked={own.certificate.serial_number}) as responder:
            payload = {"ocspRequestData": own.hash_data(responder.url)}
            answer = await auth.ask_slowly(auth.call("GetCertificateStatus", payload, version=version))
        assert answer["status"] == "Accepted"
        told = ocsp.load_der_ocsp_response(base64.b64decode(answer["ocspResult"], validate=True))
        assert told.certificate_status is ocsp.OCSPCertStatus.REVOKED


async def test_a_status_that_cannot_be_had(auth: Running) -> None:
    """M06.FR.04: nobody answers, or somebody else; and the message is kept."""
    own = contract(MIDDLE)
    async with responding(own, signer=STRANGER) as responder:
        for url in (responder.url, "http://127.0.0.1:1/", "http://169.254.169.254/latest/meta-data"):
            call = auth.call("GetCertificateStatus", {"ocspRequestData": own.hash_data(url)}, version="2.0.1")
            answer = await auth.ask_slowly(call)
            assert answer["status"] == "Failed"
            assert answer["statusInfo"]["additionalInfo"].startswith(url)
    assert len(auth.announced("MessageRecorded")) == 3


async def test_a_station_in_quarantine_has_nobody_asked(auth: Running) -> None:
    own = contract(MIDDLE)
    async with responding(own) as responder:
        payload = {"ocspRequestData": own.hash_data(responder.url)}
        call = auth.call("GetCertificateStatus", payload, version="2.0.1", quarantined=True)
        assert (await auth.ask(call))["status"] == "Failed"
        assert not responder.asked
