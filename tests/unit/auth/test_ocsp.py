"""OCSP: what responders on this machine say, and what is made of those that are wrong, away, or without end."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_network

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from services.auth.domain.ocsp import CertificateId, NoStatus, Status, id_of, id_of_hashes, is_issuer
from services.auth.ocsp_client import MOST_KEPT, OcspClient
from services.common.web.outbound.client import Outbound
from tests.clients.contracts import HASHES, NOW, Holder, contract
from tests.clients.ocsp import responding
from tests.integration.common.running import Time
from tests.patience import GIVE_UP

LOOPBACK = [ip_network("127.0.0.0/8")]
ROOT = Holder("MO root")
ISSUER = Holder("MO sub-CA", above=ROOT)
OWN = contract(ISSUER)
ABOUT = id_of(OWN.certificate, ISSUER.certificate)
KNOWN = [ISSUER.certificate, ROOT.certificate]
FOR_OCSP = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False)


@asynccontextmanager
async def asking(timeout: float = GIVE_UP, networks: object = LOOPBACK) -> AsyncIterator[OcspClient]:
    outbound = Outbound(networks, timeout, plain=True)  # type: ignore[arg-type]
    yield OcspClient(outbound, networks, Time(NOW))  # type: ignore[arg-type]
    await outbound.close()


async def fault(client: OcspClient, *urls: str, issuers: object = KNOWN) -> str:
    with pytest.raises(NoStatus) as found:
        await client.status(ABOUT, urls, issuers)  # type: ignore[arg-type]
    return str(found.value)


async def test_good_revoked_and_unknown() -> None:
    async with responding(OWN) as responder, asking() as client:
        told = await client.status(ABOUT, [responder.url], KNOWN)
        assert (told.status, told.proven, told.until) == (Status.GOOD, True, NOW + timedelta(days=1))
    async with responding(OWN, revoked={OWN.certificate.serial_number}) as responder, asking() as client:
        assert (await client.status(ABOUT, [responder.url], KNOWN)).status is Status.REVOKED
    async with responding(contract(ISSUER)) as responder, asking() as client:
        assert (await client.status(ABOUT, [responder.url], KNOWN)).status is Status.UNKNOWN


@pytest.mark.parametrize("kind", ["RSA", "P-384", "P-521", "Ed448"])
async def test_keys_of_every_kind(kind: str) -> None:
    root = Holder("A root", kind=kind)
    own = contract(root)
    async with responding(own) as responder, asking() as client:
        about = id_of(own.certificate, root.certificate, "SHA512")
        assert (await client.status(about, [responder.url], [root.certificate])).proven


async def test_an_answer_counts_until_its_next_update() -> None:
    """C07.FR.05: cached OCSP data. And no longer than a day."""
    time = Time(NOW)
    async with responding(OWN, next_update=NOW + timedelta(hours=2)) as responder, asking() as client:
        client.clock = time
        for _ in range(3):
            await client.status(ABOUT, [responder.url], KNOWN)
        assert len(responder.asked) == 1
        time.passes(2 * 3600)
        responder.this_update, responder.next_update = time(), time() + timedelta(days=30)
        await client.status(ABOUT, [responder.url], KNOWN)
        time.passes(86_399)
        await client.status(ABOUT, [responder.url], KNOWN)
        assert len(responder.asked) == 2
        time.passes(1)
        await client.status(ABOUT, [responder.url], KNOWN)
        assert len(responder.asked) == 3


async def test_what_does_not_say_until_when_it_counts_is_asked_anew() -> None:
    async with responding(OWN, next_update=None) as responder, asking() as client:
        for _ in range(2):
            assert (await client.status(ABOUT, [responder.url], KNOWN)).status is Status.GOOD
        assert len(responder.asked) == 2


async def test_so_many_answers_are_kept() -> None:
    async with responding(OWN) as responder, asking() as client:
        told = await client.status(ABOUT, [responder.url], KNOWN)
        for number in range(MOST_KEPT):
            client._keep(CertificateId("SHA256", b"", b"", number), told)
        await client.status(ABOUT, [responder.url], KNOWN)
        assert len(responder.asked) == 2
        assert len(client._kept) == MOST_KEPT


async def test_whose_word_is_remembered_is_looked_at_anew() -> None:
    """An answer that nobody could prove is proven once its issuer is trusted, and refused if that has not signed it."""
    async with responding(OWN, signer=Holder("Anybody")) as responder, asking() as client:
        assert not (await client.status(ABOUT, [responder.url], [])).proven
        assert not (await client.status(ABOUT, [responder.url], [])).proven
        assert len(responder.asked) == 1
        assert "not signed by the issuer" in await fault(client, responder.url)


async def test_a_delegate_answers_for_the_issuer() -> None:
    """RFC 6960 §4.2.2.2"""
    delegate = Holder("Responder", above=ISSUER, ca=False, extensions=[FOR_OCSP])
    async with responding(OWN, signer=delegate) as responder, asking() as client:
        assert (await client.status(ABOUT, [responder.url], KNOWN)).proven


@pytest.mark.parametrize(
    "signer",
    [
        Holder("Anybody"),
        # Issued by the CA, and not for OCSP.
        contract(ISSUER, "DE8AAANOTHER01"),
        # For OCSP, and issued by another CA; or no more.
        Holder("Responder", above=ROOT, ca=False, extensions=[FOR_OCSP]),
        Holder("Responder", above=ISSUER, ca=False, extensions=[FOR_OCSP], ends=NOW),
    ],
)
async def test_whoever_else_has_signed_an_answer_does_not_count(signer: Holder) -> None:
    async with responding(OWN, signer=signer) as responder, asking() as client:
        assert "not signed by the issuer" in await fault(client, responder.url)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"next_update": NOW - timedelta(minutes=6)}, "too old"),
        ({"this_update": NOW - timedelta(hours=2), "next_update": None}, "too old"),
        ({"this_update": NOW + timedelta(minutes=6)}, "from the future"),
        ({"nonce": lambda _: b"another one.."}, "another question"),
        ({"raw": b"no DER"}, "cannot be read"),
        ({"raw": b""}, "cannot be read"),
        ({"raw": b"\x30\x03\x0a\x01\x06"}, "it answers unauthorized"),
        ({"raw": bytes(40_000)}, "longer than 32768 bytes"),
        ({"status": "500 No"}, "it answers 500"),
        # What it leads to is not even looked at.
        ({"status": "302 Found", "headers": {"location": "http://10.0.0.1/"}}, "it answers 302, which is not followed"),
    ],
)
async def test_answers_that_say_nothing(how: dict[str, object], why: str) -> None:
    before = {"this_update": NOW - timedelta(hours=3)} if "next_update" in how else {}
    async with responding(OWN, **(before | how)) as responder, asking() as client:
        found = await fault(client, responder.url)
        assert why in found
        assert found.startswith(responder.url)


async def test_an_answer_without_a_nonce_counts() -> None:
    """RFC 5019 §4: many answer from a cache."""
    async with responding(OWN, nonce=lambda _: None) as responder, asking() as client:
        assert (await client.status(ABOUT, [responder.url], KNOWN)).proven


async def test_an_answer_about_another_certificate() -> None:
    other = contract(ISSUER)
    async with responding(other) as responder, asking() as client:
        about = id_of(other.certificate, ISSUER.certificate)
        told = await client.status(about, [responder.url], KNOWN)
        responder.raw = told.der
        assert "about another certificate" in await fault(client, responder.url)


async def test_a_responder_that_never_ends() -> None:
    async with responding(OWN, raw=b"x", headers={"content-length": "10000"}) as responder, asking(0.1) as client:
        assert "no answer within 0.1 s" in await fault(client, responder.url)


async def test_several_responders_are_asked_until_one_knows() -> None:
    async with (
        responding(OWN, status="503 No") as away,
        responding(contract(ISSUER)) as stranger,
        responding(OWN) as good,
        asking() as client,
    ):
        urls = [away.url, stranger.url, good.url]
        assert (await client.status(ABOUT, urls, KNOWN)).status is Status.GOOD
        assert [len(one.asked) for one in (away, stranger, good)] == [1, 1, 1]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://169.254.169.254/latest",
        "http://[::1]/",
        "ftp://ocsp.example/",
        "",
        "http://a:b@c/",
    ],
)
async def test_addresses_that_are_not_asked(url: str) -> None:
    """The station names them (CWE-918)."""
    async with asking(networks=()) as client:
        assert re.search("is not allowed|must|is not an address", await fault(client, url))


async def test_a_name_that_leads_to_a_private_address() -> None:
    async with asking(networks=()) as client:
        assert "its address is not allowed" in await fault(client, "http://localhost:9/")


async def test_nobody_is_named() -> None:
    async with asking() as client:
        assert await fault(client) == "no responder is named"


@pytest.mark.parametrize("algorithm", HASHES)
def test_hashes_of_ocpp_name_the_same_certificate(algorithm: str) -> None:
    about = id_of(OWN.certificate, ISSUER.certificate, algorithm)
    said = OWN.hash_data(algorithm=algorithm)
    assert id_of_hashes(said) == id_of_hashes(said | {"serialNumber": "00" + said["serialNumber"].upper()}) == about
    assert is_issuer(ISSUER.certificate, about)
    assert not is_issuer(ROOT.certificate, about)


@pytest.mark.parametrize(
    "wrong",
    [
        {"hashAlgorithm": "MD5"},
        {"issuerNameHash": "00"},
        {"issuerKeyHash": "no hash"},
        {"serialNumber": "0"},
        {"serialNumber": "-1"},
        {"serialNumber": "x"},
    ],
)
def test_what_names_no_certificate(wrong: dict[str, str]) -> None:
    assert id_of_hashes(OWN.hash_data() | wrong) is None
    assert id_of_hashes({}) is None
