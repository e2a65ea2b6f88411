"""An external CA by EST (RFC 7030): a real HTTPS server on loopback, and what it may say."""

import asyncio
import base64
from collections.abc import AsyncIterator

import pytest
from cryptography import x509

from services.auth.domain.chains import issued
from services.auth.domain.signing_requests import Purpose, Subject
from services.auth.signers import est
from services.auth.signers.est import EstServer, est_server
from services.auth.signers.signer import Asked, Declined, Signed, Waiting
from services.common.process.errors import Misconfigured, Unavailable
from tests.clients.certificates import Authority
from tests.clients.est import Answer, Server, running
from tests.clients.signing import CPO, der, request

AUTHORITY = Authority("CSO Sub-CA", Authority("CSO root"))
CSR = request()
LOGIN = ("voltbus", "secret:word")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with running(AUTHORITY) as started:
        yield started


def asked(*, renews: bool = False) -> Asked:
    return Asked("1", "CP1", Purpose.STATION, Subject(CPO, "CP1"), der(CSR), renews)


def known(server: Server) -> EstServer:
    return est_server(f"{server.url}/", server.pem, LOGIN, None, None)


async def test_it_signs(server: Server) -> None:
    """RFC 7030 §4.2; the chain above it is that of /cacerts (§4.1), which is asked for once."""
    signer = known(server)
    for _ in range(2):
        said = await signer.sign(asked())
        assert isinstance(said, Signed)
        own = x509.load_pem_x509_certificate(said.chain.encode())
        found = issued(said.chain, der(CSR), Subject(CPO, "CP1"), Purpose.STATION, own.not_valid_before_utc, said.known)
        chain = x509.load_pem_x509_certificates(found.chain.encode())
        assert [chain[0].public_key(), *chain[1:]] == [CSR.public_key(), AUTHORITY.certificate]
    paths = [one.path.rpartition("/")[2] for one in server.asked]
    assert paths == ["simpleenroll", "cacerts", "simpleenroll"]
    enroll = server.asked[0]
    assert enroll.headers["content-type"] == "application/pkcs10"
    assert enroll.headers["authorization"] == "Basic " + base64.b64encode(b"voltbus:secret:word").decode()
    assert base64.b64decode(enroll.body) == der(CSR)


async def test_one_that_is_renewed(server: Server) -> None:
    """RFC 7030 §4.2.2; where there is no such thing, it is asked for as a new one."""
    signer = known(server)
    assert isinstance(await signer.sign(asked(renews=True)), Signed)
    server.answers += [Answer(404)]
    assert isinstance(await signer.sign(asked(renews=True)), Signed)
    paths = [one.path.rpartition("/")[2] for one in server.asked if one.method == "POST"]
    assert paths == ["simplereenroll", "simplereenroll", "simpleenroll"]


@pytest.mark.parametrize(
    ("retry_after", "seconds"), [(["120"], 120), (["0"], 10), (["999999999"], 86_400), (["Mon, 1 Mar"], 300), ([], 300)]
)
async def test_it_takes_its_time(server: Server, retry_after: list[str], seconds: float) -> None:
    """RFC 7030 §4.2.3: 202, and when to come again."""
    server.answers += [Answer(202, headers=tuple(f"Retry-After: {one}" for one in retry_after))]
    assert await known(server).sign(asked()) == Waiting(seconds)


async def test_it_declines(server: Server) -> None:
    server.answers += [Answer(400, "the key\nis too \u00e4 weak".encode() + b"\xff" + b"x" * 1000)]
    said = await known(server).sign(asked())
    assert isinstance(said, Declined)
    assert said.reason.startswith("the EST server says 400: the key is too ä weak")
    assert len(said.reason) < 250


@pytest.mark.parametrize(
    "answer",
    [
        Answer(401),
        Answer(403),
        Answer(500),
        Answer(302, headers=("Location: https://127.0.0.1:1/",)),
        Answer(200, b"no certificates"),
        Answer(200, b""),
        Answer(200, b"A" * 70_000),
    ],
)
async def test_what_may_be_put_right_is_tried_again(server: Server, answer: Answer) -> None:
    """A password that has expired, a redirect, which leads elsewhere, and an answer that never ends."""
    server.answers += [answer]
    with pytest.raises(Unavailable):
        await known(server).sign(asked())
    assert len(server.asked) == 1


async def test_a_server_that_is_not_the_one(server: Server) -> None:
    other = est_server(server.url, Authority("Another").pem, LOGIN, None, None)
    with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
        await other.sign(asked())
    assert not server.asked


async def test_nobody_is_there(server: Server) -> None:
    nowhere = est_server("https://127.0.0.1:1/.well-known/est", server.pem, LOGIN, None, None)
    with pytest.raises(Unavailable, match="cannot be reached"):
        await nowhere.sign(asked())


async def test_a_server_that_does_not_answer(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(est, "TIMEOUT", 0.2)
    silent = asyncio.Event()

    async def meet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silent.wait()
        writer.close()

    async with await asyncio.start_server(meet, "127.0.0.1") as listening:
        url = f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        with pytest.raises(Unavailable, match="within"):
            await est_server(url, server.pem, LOGIN, None, None).sign(asked())
        silent.set()


async def test_it_knows_us_by_a_certificate() -> None:
    """RFC 7030 §3.3.2."""
    clients = Authority("Clients")
    ours = clients.issue("voltbus")
    async with running(AUTHORITY, clients) as server:
        signer = est_server(server.url, server.pem, None, ours.pem, ours.key_pem)
        assert isinstance(await signer.sign(asked()), Signed)
        with pytest.raises(Unavailable):
            await known(server).sign(asked())


def test_what_is_set_wrongly_ends_the_process_with_one_line() -> None:
    ours, url = Authority("Clients").issue("voltbus"), "https://ca.example"
    with pytest.raises(Misconfigured, match="EST_URL: set it"):
        est_server(None, None, LOGIN, None, None)
    with pytest.raises(Misconfigured, match="EST_CA"):
        est_server(url, "no certificate", LOGIN, None, None)
    with pytest.raises(Misconfigured, match="or neither"):
        est_server(url, None, LOGIN, ours.pem, None)
    with pytest.raises(Misconfigured, match="EST_KEY"):
        est_server(url, None, LOGIN, ours.pem, Authority("Another").issue("x").key_pem)
    with pytest.raises(Misconfigured, match="login or a client certificate"):
        est_server(url, None, None, None, None)
