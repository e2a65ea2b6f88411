"""Local lists: from REST through commands to what stations have, whatever they answer."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from redis.asyncio import Redis

from services.auth.settings import Settings
from services.common.kafka.bus import Record
from tests.clients.system import eventually
from tests.integration.common.running import GATEWAY, SLOT, Running, connected
from voltbus.v1.bus_pb2 import (
    CONNECTION_STATE_CONNECTED,
    OUTCOME_ANSWERED,
    OUTCOME_REFUSED,
    OUTCOME_TIMED_OUT,
    Command,
    Result,
)
from voltbus.v1.state_pb2 import Capabilities, Inventory

LIST, OF_CP1 = "/v1/groups/vienna/local-list", "/v1/stations/CP1/local-list"
ACCEPTED = {"status": "Accepted"}


@dataclass
class Station:
    """CP1, which answers what a case wants. version: of its list."""

    auth: Running
    version: int = 0
    entries: dict[str, str] = field(default_factory=dict)
    answered: int = 0

    async def asked(self) -> Command:
        """The next command that it gets."""

        async def sent() -> list[Command]:
            return [out.command for out in self.auth.replies() if out.HasField("command")]

        found = await eventually(sent, lambda commands: len(commands) > self.answered)
        self.answered += 1
        return found[self.answered - 1]

    async def says(self, command: Command, payload: Any, outcome: Any = OUTCOME_ANSWERED, code: str = "") -> None:
        said = json.dumps(payload).encode() if payload is not None else b""
        result = Result(command_id=command.id, station_id="CP1", connection_id=f"{GATEWAY}-CP1", version="1.6")
        result.outcome, result.payload, result.error_code = outcome, said, code
        result.at.FromDatetime(self.auth.time())
        await self.auth.put(Record("ocpp.results.auth", b"CP1", result.SerializeToString()))

    async def takes(self, status: str = "Accepted") -> dict[str, Any]:
        """A list, and says that; what came."""
        command = await self.asked()
        assert command.action == "SendLocalList"
        payload: dict[str, Any] = json.loads(command.payload)
        if status == "Accepted":
            self.take(payload)
        await self.says(command, {"status": status})
        return payload

    def take(self, payload: dict[str, Any]) -> None:
        if payload["updateType"] == "Full":
            self.entries = {}
        for entry in payload.get("localAuthorizationList", []):
            if info := entry.get("idTagInfo"):
                self.entries[entry["idTag"]] = info["status"]
            else:
                self.entries.pop(entry["idTag"], None)
        self.version = payload["listVersion"]

    async def tells_its_version(self) -> None:
        command = await self.asked()
        assert command.action == "GetLocalListVersion"
        await self.says(command, {"listVersion": self.version})

    async def shown(self, state: str) -> Any:
        return await eventually(lambda: self.auth.get(OF_CP1), lambda found: found["state"] == state)


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    client = Redis.from_url(settings.redis_url)
    yield client
    await client.delete("route:CP1", f"slot:{SLOT}")
    await client.aclose()


@pytest.fixture
async def station(auth: Running, redis: Redis) -> Station:
    """CP1 of group vienna, connected with 1.6; idTokens A and B of FLEET, and C."""
    await put(auth, "/v1/stations/CP1", {"groups": ["vienna", "austria"]})
    for name, group in (("A", "FLEET"), ("B", "FLEET"), ("C", None)):
        await put(auth, f"/v1/tokens/{name}", {"type": "ISO14443", "group_id": group})
    await connected(redis, "CP1", "1.6")
    return Station(auth)


async def put(auth: Running, path: str, body: Any, status: int | None = None) -> Any:
    answer = await auth.http.put(path, json=body)
    assert answer.status_code in ([status] if status else [200, 201]), answer.text
    return answer.json()


async def in_sync(station: Station, **body: Any) -> None:
    """It has its list for the first time: its version, and a whole list (1.6 §5.15)."""
    await put(station.auth, LIST, body)
    await station.tells_its_version()
    sent = await station.takes()
    assert sent["updateType"] == "Full"
    await station.shown("in_sync")


async def test_a_station_gets_its_list_and_the_changes_of_it(auth: Running, station: Station) -> None:
    """D01.FR.01, FR.16, FR.17; 1.6 §3.5.2."""
    view = await put(auth, LIST, {"token_groups": ["FLEET"], "id_tokens": ["C"]})
    assert (view["entries"], view["stations"], view["author"]) == (3, 1, "test")
    assert (await auth.get(OF_CP1))["state"] == "pending"
    await station.tells_its_version()
    sent = await station.takes()
    assert (sent["listVersion"], sent["updateType"], len(sent["localAuthorizationList"])) == (1, "Full", 3)
    shown = await station.shown("in_sync")
    assert (shown["version"], shown["entries"], shown["group"]) == (1, 3, "vienna")
    assert shown["difference"] == {"put": 0, "remove": 0, "put_tokens": [], "remove_tokens": []}

    await put(auth, "/v1/tokens/C", {"type": "ISO14443", "status": "Blocked"})
    assert (await auth.http.delete("/v1/tokens/A")).status_code == 204
    await put(auth, "/v1/tokens/D", {"type": "ISO14443", "group_id": "FLEET"})
    shown = await auth.get(OF_CP1)
    assert shown["difference"] == {"put": 2, "remove": 1, "put_tokens": ["C", "D"], "remove_tokens": ["A"]}
    auth.time.passes(4)
    sent = await station.takes()
    assert (sent["listVersion"], sent["updateType"]) == (2, "Differential")
    assert [one["idTag"] for one in sent["localAuthorizationList"]] == ["A", "C", "D"]
    await station.shown("in_sync")
    assert station.entries == {"B": "Accepted", "C": "Blocked", "D": "Accepted"}


async def test_changes_that_are_refused_are_followed_by_the_whole_list(auth: Running, station: Station) -> None:
    """D01.FR.03; 1.6 §5.15."""
    await in_sync(station, id_tokens=["A", "B", "C"])
    await put(auth, LIST, {"id_tokens": ["A", "B"]})
    assert (await station.takes("VersionMismatch"))["updateType"] == "Differential"
    sent = await station.takes()
    assert (sent["updateType"], sent["listVersion"], len(sent["localAuthorizationList"])) == ("Full", 3, 2)
    assert (await station.shown("in_sync"))["version"] == 3


async def test_an_answer_that_is_lost_is_asked_for_before_anything_is_sent(auth: Running, station: Station) -> None:
    """The station has taken what was sent, so that it is not sent again."""
    await in_sync(station, id_tokens=["A", "B"])
    await put(auth, LIST, {"id_tokens": ["A", "B", "C"]})
    command = await station.asked()
    station.take(json.loads(command.payload))
    await station.says(command, None, OUTCOME_TIMED_OUT)
    shown = await station.shown("failed")
    assert shown["trouble"] == "unanswered"
    auth.time.passes(31)
    await station.tells_its_version()
    assert (await station.shown("in_sync"))["version"] == 2
    assert set(station.entries) == {"A", "B", "C"}


async def test_a_station_that_is_back_is_asked_and_gets_what_it_has_lost(auth: Running, station: Station) -> None:
    """D01.FR.10 is a SHOULD; D02."""
    await in_sync(station, id_tokens=["A", "B"])
    station.version, station.entries = 0, {}
    await auth.put(auth.change(CONNECTION_STATE_CONNECTED))
    auth.time.passes(6)
    await station.tells_its_version()
    assert (await station.takes())["updateType"] == "Full"
    await station.shown("in_sync")
    assert set(station.entries) == {"A", "B"}


async def test_a_list_that_somebody_sends_by_hand_is_replaced(auth: Running, station: Station) -> None:
    await in_sync(station, id_tokens=["A", "B"])
    by_hand = {"listVersion": 40, "updateType": "Full"}
    answer = await auth.http.post("/v1/stations/CP1/commands/SendLocalList", json=by_hand)
    assert answer.status_code == 202
    await station.takes()
    await station.tells_its_version()
    sent = await station.takes()
    assert (sent["updateType"], sent["listVersion"]) == ("Full", 41)


async def test_a_station_without_lists_is_shown_and_left_alone(auth: Running, station: Station) -> None:
    """1.6 §5.15, 6.42."""
    await put(auth, LIST, {"id_tokens": ["A"]})
    await station.tells_its_version()
    await station.takes("NotSupported")
    shown = await station.shown("failed")
    assert (shown["trouble"], shown["reason"]) == ("unsupported", "NotSupported")
    [item] = (await auth.get(f"{LIST}/differences", query={"state": "failed"}))["items"]
    assert item["station_id"] == "CP1"
    assert (await auth.get(f"{LIST}/differences", query={"state": "in_sync"}))["items"] == []


async def test_a_station_that_does_not_know_the_message_has_no_lists(auth: Running, station: Station) -> None:
    await put(auth, LIST, {"id_tokens": ["A"]})
    await station.says(await station.asked(), None, OUTCOME_REFUSED, "NotImplemented")
    assert (await station.shown("failed"))["trouble"] == "unsupported"


async def test_a_longer_list_than_a_station_keeps_is_refused(auth: Running, station: Station) -> None:
    """1.6 LocalAuthListMaxLength; one that becomes longer is not sent."""
    can = Inventory(station_id="CP1", version="1.6", capabilities=Capabilities(local_list_entries=2))
    await auth.bus.publish([Record("inventory", b"CP1", can.SerializeToString())])
    # Known once the topic is read.
    await eventually(
        lambda: auth.http.put(LIST, json={"id_tokens": ["A", "B", "C"]}), lambda answer: answer.status_code == 422
    )
    await in_sync(station, token_groups=["FLEET"])
    await put(auth, "/v1/tokens/D", {"type": "ISO14443", "group_id": "FLEET"})
    auth.time.passes(4)
    assert (await station.shown("failed"))["trouble"] == "too_large"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"id_tokens": ["A", "NOBODY"]}, "body.id_tokens.1"),
        ({"id_tokens": ["1234"]}, "body.id_tokens.0"),
        ({"token_groups": [""]}, "body.token_groups.0"),
        ({"tokens": []}, "body.tokens"),
    ],
)
@pytest.mark.usefixtures("station")
async def test_what_no_list_can_have_is_refused(auth: Running, body: Any, field: str) -> None:
    """Key codes are told to no station (C04.FR.04)."""
    await put(auth, "/v1/tokens/1234", {"type": "KeyCode"})
    problem = await put(auth, LIST, body, 422)
    assert [one["field"] for one in problem["errors"]] == [field]
    await auth.get(LIST, 404)


@pytest.mark.usefixtures("station")
async def test_the_list_of_the_first_group_counts(auth: Running) -> None:
    await put(auth, "/v1/groups/austria/local-list", {"id_tokens": ["A"]})
    assert (await auth.get(OF_CP1))["group"] == "austria"
    await put(auth, LIST, {"id_tokens": ["B"]})
    shown = await auth.get(OF_CP1)
    assert (shown["group"], shown["conflicts"]) == ("vienna", ["austria"])
    assert (await auth.http.delete(LIST)).status_code == 204
    assert (await auth.get(OF_CP1))["group"] == "austria"
    await auth.get(LIST, 404)
    await auth.settled()
    told = [(event.group, event.author) for event in auth.announced("GroupLocalListChanged")]
    assert told == [("austria", "test"), ("vienna", "test")]
    assert [event.group for event in auth.announced("GroupLocalListRemoved")] == ["vienna"]


async def test_a_station_that_joins_a_group_gets_its_list(auth: Running, station: Station) -> None:
    await put(auth, "/v1/groups/graz/local-list", {"id_tokens": ["A"]})
    await auth.get(OF_CP1, 404)
    await put(auth, "/v1/stations/CP1", {"groups": ["graz"]})
    await station.tells_its_version()
    await station.takes()
    assert (await station.shown("in_sync"))["group"] == "graz"


async def test_a_long_list_comes_in_parts(auth: Running, station: Station) -> None:
    """D01.FR.11; 1.6 SendLocalListMaxLength."""
    can = Inventory(station_id="CP1", version="1.6", capabilities=Capabilities(local_list_items_per_message=2))
    await auth.bus.publish([Record("inventory", b"CP1", can.SerializeToString())])
    await auth.settled()
    await put(auth, LIST, {"id_tokens": ["A", "B", "C"]})
    await station.tells_its_version()
    first, second = await station.takes(), await station.takes()
    assert (first["updateType"], second["updateType"]) == ("Full", "Differential")
    assert second["listVersion"] > first["listVersion"]
    await station.shown("in_sync")
    assert set(station.entries) == {"A", "B", "C"}
