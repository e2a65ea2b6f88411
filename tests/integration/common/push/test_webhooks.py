"""Webhooks, from the topic to a receiver: each event at least once or dead and shown, each station in order."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network
from random import Random
from typing import Any

import httpx
import pytest

from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.postgres.announcer import Announcer
from services.common.postgres.database import Database
from services.common.process.clock import now
from services.common.process.settings import CommonSettings
from services.common.push.webhooks.api import router
from services.common.push.webhooks.delivery import Policy
from services.common.push.webhooks.leader import LeaderTiming, Webhooks
from services.common.push.webhooks.sender import GONE, Post
from services.common.push.webhooks.signature import new_secret, read_secret
from services.common.testing.memory import MemoryBus
from services.common.web.access import Access
from services.common.web.app import web_app
from services.common.web.outbound.client import Outbound
from tests.clients.receiver import HANG, Received, Receiver, receiving
from tests.integration.common.running import empty, settings_of, token
from tests.patience import GIVE_UP
from tests.unit.common.push.events import FIRMWARE, boots, record
from voltbus.v1.events_pb2 import StationConnected

LOOPBACK = [ip_network("127.0.0.0/8")]
QUICK = Policy(first=0.01, longest=0.05, give_up=timedelta(hours=1), refused=2)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ASSIGNMENTS = {"CP1": (("vienna",), "garage")}


def assignment_of(station_id: str) -> tuple[Sequence[str], str]:
    return ASSIGNMENTS.get(station_id, ((), ""))


@dataclass
class World:
    """The webhooks of firmware, with the bus in memory and the real Postgres."""

    database: Database
    access: Access
    bus: MemoryBus = field(default_factory=lambda: MemoryBus(partitions=2))
    policy: Policy = QUICK
    timeout: float = GIVE_UP
    backlog: int = 1000

    def __post_init__(self) -> None:
        self.outbound = Outbound(LOOPBACK, self.timeout)
        post = Post(self.database, self.outbound, now, self.policy, lambda: 0.5)
        timing = LeaderTiming(follow=0.02, count=0)
        self.webhooks = Webhooks(self.bus, FIRMWARE, post, assignment_of, backlog=self.backlog, timing=timing)
        self.announcer = Announcer(Events(CommonSettings(), "firmware", assignment_of), lambda: None)
        app = web_app("test")
        app.include_router(router("firmware", self.webhooks, LOOPBACK, self.access, self.announcer))
        headers = {"Authorization": f"Bearer {token('firmware:read', 'firmware:write')}"}
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers=headers)

    @asynccontextmanager
    async def leading(self) -> AsyncIterator[None]:
        running = asyncio.create_task(self.webhooks.run())
        try:
            yield
            assert not running.done()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await self.outbound.close()

    async def put(self, name: str, receiver: Receiver, status: int = 201, **more: Any) -> Any:
        answer = await self.http.put(f"/v1/webhooks/{name}", json={"url": receiver.url, **more})
        assert answer.status_code == status, answer.text
        return answer.json()

    async def get(self, path: str) -> Any:
        answer = await self.http.get(f"/v1/webhooks/{path}".rstrip("/"))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str) -> Any:
        answer = await self.http.post(f"/v1/webhooks/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def until(self, name: str, **fields: Any) -> Any:
        """A webhook when it is so."""
        async with asyncio.timeout(GIVE_UP):
            while True:
                found = await self.get(name)
                if fields.items() <= found.items():
                    return found
                await asyncio.sleep(0.01)


@pytest.fixture(scope="module")
async def settings(environment: dict[str, str]) -> CommonSettings:
    made: CommonSettings = settings_of(CommonSettings, environment)
    return made


@pytest.fixture(scope="module")
async def database(settings: CommonSettings) -> AsyncIterator[Database]:
    database = Database(settings, "firmware")
    await database.start()
    yield database
    await database.close()


@pytest.fixture
async def make(database: Database, settings: CommonSettings) -> Callable[..., World]:
    await empty(database)
    return lambda **more: World(database, Access(settings), **more)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as one:
        yield one


def numbers(received: Sequence[Received], station: str) -> list[int]:
    """Of the first time that each came."""
    return list(dict.fromkeys(one.number for one in received if one.station == station))


async def test_events_are_posted_signed_and_in_the_order_of_their_station(
    make: Callable[..., World], receiver: Receiver
) -> None:
    world = make()
    async with world.leading():
        await world.bus.publish(boots("CP1", [0]))
        await world.put(
            "billing", receiver, types=["stationbooted"], groups=["vienna"], locations=["garage"], secret=SECRET
        )
        connected = record(StationConnected(station_id="CP1"), "CP1")
        await world.bus.publish([*boots("CP1", range(1, 31)), *boots("CP2", [1]), connected])
        await world.until("billing", waiting=0)
        await receiver.until(lambda: len(receiver.took) == 30)
        found = await world.until("billing", waiting=0, failures=0)
    assert found["last_delivered_at"]
    assert (found["groups"], found["locations"]) == (["vienna"], ["garage"])
    assert [one.number for one in receiver.took] == list(range(1, 31))
    one = receiver.took[0]
    assert one.headers["content-type"] == "application/cloudevents+json"
    assert one.headers["webhook-id"] == one.event["id"]
    content = f"{one.headers['webhook-id']}.{one.headers['webhook-timestamp']}.".encode() + one.body
    expected = base64.b64encode(hmac.digest(read_secret(SECRET), content, hashlib.sha256)).decode()
    assert one.headers["webhook-signature"] == f"v1,{expected}"


async def test_a_station_waits_for_its_event_that_fails_and_others_do_not(
    make: Callable[..., World], receiver: Receiver
) -> None:
    world, broken = make(), [True]
    receiver.answer = lambda one: (500 if broken[0] and one.station == "CP1" else 204, "")
    async with world.leading():
        await world.put("billing", receiver)
        await world.bus.publish([*boots("CP1", range(5)), *boots("CP2", range(5))])
        await receiver.until(lambda: len(receiver.took) == 5)
        assert {one.station for one in receiver.took} == {"CP2"}
        assert {one.number for one in receiver.asked if one.station == "CP1"} == {0}
        broken[0] = False
        await receiver.until(lambda: len(receiver.took) == 10)
        await world.until("billing", waiting=0)
    assert numbers(receiver.took, "CP1") == list(range(5))


async def test_who_fails_for_most_stations_gets_the_events_of_the_others(
    make: Callable[..., World], receiver: Receiver
) -> None:
    """Without a pause: none of those that fail is tried again while this runs."""
    world = make(policy=Policy(first=3600, longest=3600))
    receiver.answer = lambda one: (204 if one.station == "CP29" else 404, "")
    async with world.leading():
        await world.put("billing", receiver)
        await world.bus.publish([one for number in range(30) for one in boots(f"CP{number}", [0])])
        await receiver.until(lambda: len(receiver.asked) == 30)
        await world.bus.publish(boots("CP29", range(1, 20)))
        await receiver.until(lambda: len(receiver.took) == 20)
    assert numbers(receiver.took, "CP29") == list(range(20))


async def test_who_says_nothing_and_who_is_slow_is_asked_again(make: Callable[..., World], receiver: Receiver) -> None:
    world = make(timeout=0.1)
    receiver.answer = lambda _: (HANG if len(receiver.asked) < 3 else 204, "")
    async with world.leading():
        await world.put("billing", receiver)
        await world.bus.publish(boots("CP1", range(3)))
        await receiver.until(lambda: len(receiver.took) == 3)
    assert numbers(receiver.took, "CP1") == [0, 1, 2]
    assert len({one.headers["webhook-id"] for one in receiver.asked}) == 3


async def test_redirects_are_not_followed(make: Callable[..., World], receiver: Receiver) -> None:
    world = make()
    async with receiving() as elsewhere, world.leading():
        receiver.answer = lambda _: (302, f"location: {elsewhere.url}\r\n")
        await world.put("billing", receiver)
        await world.bus.publish(boots("CP1", [1]))
        error = "the receiver answered 302: redirects are not followed"
        await world.until("billing", waiting=1, last_error=error)
        assert elsewhere.asked == []


async def test_who_is_gone_is_disabled_and_goes_on_when_it_is_enabled(
    make: Callable[..., World], receiver: Receiver
) -> None:
    world = make()
    receiver.answer = lambda _: (410, "")
    async with world.leading():
        await world.put("billing", receiver)
        await world.bus.publish(boots("CP1", [1, 2]))
        await world.until("billing", enabled=False, disabled_because=GONE, waiting=2)
        asked = len(receiver.asked)
        # Nobody wants it, and nobody is asked.
        await world.bus.publish(boots("CP1", [3]))
        receiver.answer = lambda _: (204, "")
        assert len(receiver.asked) == asked
        await world.put("billing", receiver, status=200)
        await receiver.until(lambda: len(receiver.took) == 2)
        await world.bus.publish(boots("CP1", [4]))
        await receiver.until(lambda: len(receiver.took) == 3)
    assert numbers(receiver.took, "CP1") == [1, 2, 4]


async def test_what_is_refused_is_dead_and_shown_and_sent_again(make: Callable[..., World], receiver: Receiver) -> None:
    world, refuses = make(), [True]
    receiver.answer = lambda one: (422 if refuses[0] and one.number < 3 else 204, "")
    async with world.leading():
        await world.put("billing", receiver)
        await world.bus.publish(boots("CP1", range(5)))
        await world.until("billing", dead=3, waiting=0)
        assert [one.number for one in receiver.took] == [3, 4]
        shown = (await world.get("billing/deliveries?status=dead"))["items"]
        assert [(one["attempts"], one["error"]) for one in shown] == [(2, "the receiver answered 422")] * 3
        first = shown[0]["event_id"]
        assert (await world.get(f"billing/deliveries/{first}"))["event"]["data"]["reason"] == "0"
        refuses[0] = False
        assert (await world.post(f"billing/deliveries/{first}/resend"))["status"] == "pending"
        await receiver.until(lambda: len(receiver.took) == 3)
        await world.until("billing", dead=2, waiting=0)
        assert await world.post("billing/resend") == {"resent": 2}
        await world.until("billing", dead=0, waiting=0)
        again = await world.http.post(f"/v1/webhooks/billing/deliveries/{first}/resend")
    assert again.status_code == 404
    assert [one.number for one in receiver.took] == [3, 4, 0, 1, 2]


async def test_what_nobody_takes_in_time_is_dead_with_all_that_waits_behind_it(
    make: Callable[..., World], receiver: Receiver
) -> None:
    world = make(policy=Policy(first=0.01, longest=0.02, give_up=timedelta(seconds=0.2)))
    receiver.answer = lambda _: (503, "")
    async with world.leading():
        await world.put("billing", receiver)
        await world.bus.publish([*boots("CP1", range(10)), *boots("CP2", range(10))])
        await world.until("billing", dead=20, waiting=0)


async def test_a_webhook_that_always_fails_holds_up_no_other(make: Callable[..., World], receiver: Receiver) -> None:
    world = make(timeout=60)
    async with receiving() as hanging, world.leading():
        hanging.answer = lambda _: (HANG, "")
        await world.put("a-hanging", hanging)
        await world.put("billing", receiver)
        await world.bus.publish([one for n in range(20) for one in boots(f"CP{n}", range(3))])
        await receiver.until(lambda: len(receiver.took) == 60)
        assert (await world.get("a-hanging"))["waiting"] == 60
        # One that is removed while it waits for an answer is gone.
        assert (await world.http.delete("/v1/webhooks/a-hanging")).status_code == 204
        await world.bus.publish(boots("CP1", [3]))
        await receiver.until(lambda: len(receiver.took) == 61)
        assert [one["webhook_id"] for one in (await world.get(""))["items"]] == ["billing"]


async def test_after_a_restart_in_the_middle_nothing_is_missing(make: Callable[..., World], receiver: Receiver) -> None:
    first = make()
    receiver.answer = lambda _: (204 if len(receiver.asked) < 5 else HANG, "")
    async with first.leading():
        await first.put("billing", receiver)
        await first.bus.publish(boots("CP1", range(20)))
        await receiver.until(lambda: len(receiver.asked) == 6)
    await first.bus.publish(boots("CP1", range(20, 30)))
    receiver.answer = lambda _: (204, "")
    second = World(first.database, first.access, first.bus)
    async with second.leading():
        await receiver.until(lambda: receiver.took[-1].number == 29)
        await second.until("billing", waiting=0)
    assert numbers(receiver.took, "CP1") == list(range(30))


async def test_of_two_processes_one_sends(make: Callable[..., World], receiver: Receiver) -> None:
    one = make()
    other = World(one.database, one.access, one.bus)
    async with one.leading(), other.leading():
        await one.put("billing", receiver)
        await one.bus.publish(boots("CP1", range(20)))
        await one.until("billing", waiting=0)
        await receiver.until(lambda: len(receiver.took) == 20)
    assert [each.number for each in receiver.asked] == list(range(20))


async def test_what_kafka_no_longer_has_is_counted(make: Callable[..., World], receiver: Receiver) -> None:
    world = make()
    await world.put("billing", receiver)
    await world.bus.publish([*boots("CP1", range(10), 0), *boots("CP2", [0], 1)])
    world.bus.starts[FIRMWARE, 0] = 4
    async with world.leading():
        await receiver.until(lambda: len(receiver.took) == 7)
        assert (await world.until("billing", waiting=0))["lost"] == 4
    assert numbers(receiver.took, "CP1") == list(range(4, 10))


async def test_a_backlog_that_nobody_reads_disables_its_webhook(make: Callable[..., World], receiver: Receiver) -> None:
    world = make(backlog=10)
    receiver.answer = lambda _: (500, "")
    async with world.leading():
        await world.put("billing", receiver)
        await world.bus.publish(boots("CP1", range(20)))
        found = await world.until("billing", enabled=False)
    assert found["disabled_because"] == "more than 10 deliveries were waiting or dead (VOLTBUS_WEBHOOK_BACKLOG)"
    assert found["waiting"] == 20


async def test_an_event_that_is_told_twice_while_it_waits_is_sent_once(
    make: Callable[..., World], receiver: Receiver
) -> None:
    world = make()
    await world.put("billing", receiver)
    await world.bus.publish([*boots("CP1", [1]), *boots("CP1", [1]), *boots("CP1", [2])])
    async with world.leading():
        await receiver.until(lambda: len(receiver.took) == 2)
        await world.until("billing", waiting=0)
    assert [one.number for one in receiver.asked] == [1, 2]


async def test_secrets_are_shown_once_and_two_of_them_sign_for_a_while(
    make: Callable[..., World], receiver: Receiver
) -> None:
    world = make()
    made = await world.put("billing", receiver)
    assert read_secret(made["secret"])
    changed = await world.put("billing", receiver, status=200, secret=SECRET)
    for shown in (changed, await world.get("billing"), (await world.get(""))["items"][0]):
        assert shown["secret"] is None
        assert SECRET[6:] not in json.dumps(shown)
    assert changed["previous_secret_until"]
    assert await world.post("billing/test") == {"delivered": True, "status": 204, "error": None}
    [one] = receiver.took
    assert one.event["type"] == "voltbus.WebhookTest"
    assert len(one.headers["webhook-signature"].split(" ")) == 2
    for count in range(3, 7):
        await world.put("billing", receiver, status=200, secret=new_secret())
        await world.post("billing/test")
        assert len(receiver.took[-1].headers["webhook-signature"].split(" ")) == count
    await world.put("billing", receiver, status=409, secret=new_secret())
    receiver.answer = lambda _: (401, "")
    told = await world.post("billing/test")
    assert told == {"delivered": False, "status": 401, "error": "the receiver answered 401"}
    wrong = await world.http.put("/v1/webhooks/billing", json={"url": receiver.url, "secret": "whsec_hunter2hunter2"})
    assert wrong.status_code == 422
    assert "hunter2" not in wrong.text


@pytest.mark.parametrize("seed", range(3))
async def test_every_event_is_delivered_or_dead_and_each_station_in_order(
    make: Callable[..., World], receiver: Receiver, seed: int
) -> None:
    """Whatever a receiver answers, and however often the process that sends is started anew."""
    random, world = Random(seed), make()
    weights = {204: 12, 500: 2, 422: 1, 429: 1, 302: 1, 503: 1}

    def answer(_: Received) -> tuple[int, str]:
        return random.choices(list(weights), list(weights.values()))[0], "retry-after: 0\r\n"

    receiver.answer = answer
    await world.put("billing", receiver)
    published: list[Record] = []
    for part in range(4):
        some = [one for n in range(6) for one in boots(f"CP{n}", range(part * 5, part * 5 + 5))]
        published += some
        await world.bus.publish(some)
        async with world.leading():
            count = len(receiver.asked) + random.randrange(20)
            await receiver.until(lambda least=count: len(receiver.asked) >= least)  # type: ignore[misc]
        world = World(world.database, world.access, world.bus)
    async with world.leading():
        await world.until("billing", waiting=0)
        dead = {one["event_id"] for one in (await world.get("billing/deliveries?limit=1000"))["items"]}
    ids = {dict(one.headers)["ce_id"].decode() for one in published}
    taken = {one.event["id"] for one in receiver.took}
    assert len(ids) == 120
    # What was taken may be told again after a restart, and be refused then.
    assert taken | dead == ids
    for n in range(6):
        told = numbers(receiver.took, f"CP{n}")
        assert told == sorted(told)


@pytest.mark.parametrize("name", ["%2E", "%2E%2E"])
async def test_what_clients_take_out_of_an_address_is_no_webhook(
    make: Callable[..., World], receiver: Receiver, name: str
) -> None:
    answer = await make().http.put(f"/v1/webhooks/{name}", json={"url": receiver.url})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "path.webhook_id")
