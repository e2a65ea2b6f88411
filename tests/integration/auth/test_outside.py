"""The outside authorizer, from Authorize to the answer, the topic and REST."""

from collections.abc import AsyncIterator
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from services.auth.app import NAME, build
from services.auth.outside_verdicts import SHOWN
from services.auth.settings import Settings
from services.common.calls.slow_answers import CLAIM
from services.ocpp.timestamps import write_time
from tests.clients.authorizer import Authorizer, authorizing
from tests.integration.auth.conftest import tokens
from tests.integration.common.running import START, Running, Time, running
from tests.patience import GIVE_UP
from voltbus.v1.bus_pb2 import Call

LATER = START + timedelta(minutes=5)


@pytest.fixture
async def authorizer() -> AsyncIterator[Authorizer]:
    async with authorizing() as one:
        yield one


@pytest.fixture
async def auth(settings: Settings, authorizer: Authorizer) -> AsyncIterator[Running]:
    """Which asks it."""
    asked = {"outbound_allow": [ip_network("127.0.0.0/8")], "authorizer_url": authorizer.url}
    patient = {"authorizer_timeout": min(GIVE_UP, 15)}
    async with running(NAME, build, Settings(**(settings.model_dump() | asked | patient)), clock=Time(START)) as world:
        yield world


def authorize(auth: Running, id_token: str, type: str = "ISO14443", **more: Any) -> Call:
    return auth.call("Authorize", {"idToken": {"idToken": id_token, "type": type}}, version="2.0.1", **more)


async def test_a_verdict_is_answered_published_shown_and_kept(auth: Running, authorizer: Authorizer) -> None:
    """C01.FR.07; a start soon after is judged by the topic."""
    authorizer.says["R1"] = {"status": "Accepted", "valid_until": LATER.isoformat(), "language": "de"}
    expected = {"status": "Accepted", "cacheExpiryDateTime": write_time(LATER), "language1": "de"}
    assert await auth.ask_slowly(authorize(auth, "R1")) == {"idTokenInfo": expected}
    await auth.settled()
    published = tokens(auth)["ISO14443/r1"]
    assert published
    assert (published.status, published.outside_until.ToDatetime(LATER.tzinfo)) == ("Accepted", LATER)
    assert not auth.announced("TokenChanged")
    shown = await auth.get("/v1/tokens/R1")
    assert (shown["status"], shown["outside_until"]) == ("Accepted", write_time(LATER).replace(".000Z", "Z"))
    assert [one["id_token"] for one in (await auth.get("/v1/tokens", outside="true"))["items"]] == ["R1"]
    assert (await auth.get("/v1/tokens", outside="false"))["items"] == []
    assert await auth.ask(authorize(auth, "r1")) == {"idTokenInfo": expected}
    assert len(authorizer.asked) == 1
    assert [one["rule"] for one in (await auth.get("/v1/decisions"))["items"]] == ["outside"] * 2
    # 1.6 has no types, and finds it as well.
    known = await auth.ask(auth.call("Authorize", {"idTag": "R1"}))
    assert known["idTagInfo"] == {"status": "Accepted", "expiryDate": write_time(LATER)}


async def test_it_is_asked_again_when_its_verdict_has_lapsed_which_is_forgotten_then(
    auth: Running, authorizer: Authorizer
) -> None:
    authorizer.says["R1"] = {"status": "Accepted", "valid_until": LATER.isoformat()}
    await auth.ask_slowly(authorize(auth, "R1"))
    auth.time.now = LATER
    authorizer.says["R1"] = {"status": "Blocked", "valid_until": (LATER + timedelta(minutes=1)).isoformat()}
    assert (await auth.ask_slowly(authorize(auth, "R1")))["idTokenInfo"]["status"] == "Blocked"
    auth.time.now = LATER + timedelta(minutes=2) + SHOWN
    task: Any = auth.service.tasks["verdicts"]
    assert await task.__self__.forget() == 1
    await auth.settled()
    assert tokens(auth)["ISO14443/r1"] is None
    await auth.get("/v1/tokens/R1", 404)


async def test_what_nobody_knows_is_unknown_and_listed_so(auth: Running, authorizer: Authorizer) -> None:
    assert (await auth.ask_slowly(authorize(auth, "R2")))["idTokenInfo"]["status"] == "Unknown"
    assert (await auth.ask(authorize(auth, "R2")))["idTokenInfo"]["status"] == "Unknown"
    assert len(authorizer.asked) == 1
    assert [one["id_token"] for one in (await auth.get("/v1/tokens/unknown"))["items"]] == ["R2"]


async def test_what_nobody_knows_can_be_registered_while_that_counts(auth: Running) -> None:
    await auth.ask_slowly(authorize(auth, "R2"))
    (seen,) = (await auth.get("/v1/tokens/unknown"))["items"]
    made = await auth.http.post(f"/v1/tokens/unknown/{seen['id']}/accept")
    assert (made.status_code, made.json()["outside_until"]) == (201, None)
    assert (await auth.ask(authorize(auth, "R2")))["idTokenInfo"]["status"] == "Accepted"


async def test_whoever_waits_holds_up_nobody_and_is_answered_once_also_after_a_crash(
    auth: Running, authorizer: Authorizer
) -> None:
    """What is read again is not asked again, and what a process had asked is taken up by the next."""
    authorizer.silent = True
    slow = authorize(auth, "R1")
    await auth.put(slow)
    await auth.until(lambda: bool(authorizer.asked))
    assert await auth.ask(authorize(auth, "", type="NoAuthorization")) == {"idTokenInfo": {"status": "Accepted"}}
    authorizer.silent, authorizer.says["R1"] = False, {"status": "Accepted"}
    await auth.restart(commit=False)
    auth.time.passes(CLAIM.total_seconds())
    await auth.answered(slow)
    assert auth.answer(slow)["idTokenInfo"]["status"] == "Accepted"
    await auth.settled()
    assert sum(out.reply.message_id == slow.message_id for out in auth.replies()) == 1
    assert len(authorizer.asked) == 2
    assert len({*authorizer.keys}) == 1


async def test_no_credit_is_not_cached(auth: Running, authorizer: Authorizer) -> None:
    """2.1 C17.FR.02."""
    authorizer.says["R3"] = {"status": "NoCredit"}
    info = (await auth.ask_slowly(authorize(auth, "R3")))["idTokenInfo"]
    assert info == {"status": "NoCredit", "cacheExpiryDateTime": write_time(START)}


async def test_while_it_is_away_there_is_no_verdict(auth: Running, authorizer: Authorizer) -> None:
    """The station decides by its own rules; what is registered is accepted as ever."""
    authorizer.status = "503 Service Unavailable"
    assert await auth.ask_slowly(authorize(auth, "R1")) == "InternalError"
    assert (await auth.get("/v1/decisions"))["items"] == []
    assert (await auth.http.put("/v1/tokens/R1", json={"type": "ISO14443"})).status_code == 201
    assert (await auth.ask(authorize(auth, "R1")))["idTokenInfo"] == {"status": "Accepted"}


async def test_what_is_registered_replaces_a_verdict(auth: Running, authorizer: Authorizer) -> None:
    authorizer.says["R1"] = {"status": "Accepted"}
    await auth.ask_slowly(authorize(auth, "R1"))
    changed = (await auth.http.patch("/v1/tokens/R1", json={"status": "Blocked"})).json()
    assert (changed["status"], changed["outside_until"]) == ("Blocked", None)
    assert (await auth.ask(authorize(auth, "R1")))["idTokenInfo"]["status"] == "Blocked"


async def test_nobody_is_asked_for_a_station_in_quarantine(auth: Running, authorizer: Authorizer) -> None:
    await auth.ask(authorize(auth, "R1", quarantined=True))
    assert not authorizer.asked
