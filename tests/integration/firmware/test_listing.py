"""One list of all stations: what they are, what others say of them, and what it can be asked."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any

import orjson
import pytest
from google.protobuf.message import Message
from msgspec.structs import replace

from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.testing.assignments import unassigned
from services.firmware.api import listing
from services.firmware.listing.removals import Removals
from services.firmware.settings import Settings
from tests.integration.common.running import Running, token
from tests.integration.firmware.test_service import BOOT_16, BOOT_201, status
from voltbus.v1 import events_pb2 as wire
from voltbus.v1.bus_pb2 import CONNECTION_STATE_CONNECTED, CONNECTION_STATE_DISCONNECTED
from voltbus.v1.state_pb2 import Location, Registration

VIENNA = ("vienna", "level 2")
NDJSON = {"Accept": "application/x-ndjson"}


def registration(station_id: str, *groups: str, location_id: str = "", at: int = 1) -> Record:
    said = Registration(station_id=station_id, groups=groups, location_id=location_id)
    said.changed_at.FromSeconds(at)
    return Record("registrations", station_id.encode(), said.SerializeToString())


def location(location_id: str, name: str, at: int = 1) -> Record:
    said = Location(location_id=location_id, name=name)
    said.changed_at.FromSeconds(at)
    return Record("locations", location_id.encode(), said.SerializeToString())


def removed(topic: str, key: str) -> Record:
    return Record(topic, key.encode(), None)


async def told(world: Running, settings: Settings, *events: Message) -> None:
    """What transactions says."""
    made = Events(settings, "transactions", unassigned)
    at = world.time()
    await world.put(*(made.record(one, one.transaction.station_id, f"{one}", at) for one in events))  # type: ignore[attr-defined]


def transaction(number: int, station_id: str = "CP1", **more: Any) -> wire.Transaction:
    made = wire.Transaction(id=number, station_id=station_id, transaction_id=f"t{number}", **more)
    made.started_at.FromSeconds(1_772_366_400 + number)
    return made


async def names(world: Running, **query: Any) -> list[str]:
    return [item["station_id"] for item in (await world.get("/v1/stations", query=query))["items"]]


async def test_a_station_is_listed_from_its_registration_on(firmware: Running) -> None:
    await firmware.put(registration("CP1", *VIENNA, location_id="garage-7"), location("garage-7", "Garage 7"))
    shown = await firmware.get("/v1/stations/CP1")
    said = {"registered": True, "groups": list(VIENNA), "location_id": "garage-7", "location_name": "Garage 7"}
    assert shown | said | {"online": False, "last_seen_at": None, "evses": [], "sessions": []} == shown
    await firmware.put(firmware.call("BootNotification", BOOT_16))
    shown = await firmware.get("/v1/stations/CP1")
    assert shown | said | {"online": True, "model": "One"} == shown


async def test_who_was_never_here_is_forgotten_with_its_registration(firmware: Running) -> None:
    await firmware.put(registration("CP1"), registration("CP2", "vienna"), registration("CP3"))
    await firmware.put(firmware.call("BootNotification", BOOT_16, "CP2"))
    await firmware.http.put("/v1/stations/CP3/boot", json={"status": "Pending"})
    await firmware.put(*(removed("registrations", f"CP{n}") for n in (1, 2, 3, 4)))
    assert await names(firmware) == ["CP2", "CP3"]
    shown = await firmware.get("/v1/stations/CP2")
    assert (shown["registered"], shown["groups"], shown["model"]) == (False, [], "One")
    await firmware.get("/v1/stations/CP1", status=404)


async def test_of_many_words_in_one_batch_the_last_counts(firmware: Running) -> None:
    await firmware.put(registration("CP1", "graz"), removed("registrations", "CP1"), registration("CP1", "vienna"))
    await firmware.put(registration("CP2", "vienna"), registration("CP2", "graz"), removed("registrations", "CP2"))
    assert await names(firmware, group="vienna") == ["CP1"]
    assert await names(firmware) == ["CP1"]


async def test_what_is_read_again_changes_nothing(firmware: Running, settings: Settings) -> None:
    await firmware.put(registration("CP1", "graz"), registration("CP1", "vienna"), location("l", "Old"))
    await firmware.put(location("l", "New"), removed("registrations", "CP2"))
    await told(firmware, settings, wire.TransactionStarted(transaction=transaction(1, evse_id=1)))
    before = await firmware.get("/v1/stations")
    await firmware.restart(commit=False)
    await firmware.settled()
    assert await firmware.get("/v1/stations") == before


async def test_running_sessions(firmware: Running, settings: Settings) -> None:
    await firmware.put(registration("CP1"), registration("CP2"))
    ended = transaction(1, evse_id=1, connector_id=1)
    started = wire.TransactionStarted(transaction=ended)
    ended = wire.Transaction.FromString(ended.SerializeToString())
    ended.stopped_at.FromSeconds(1_772_370_000)
    await told(firmware, settings, started, wire.TransactionStarted(transaction=transaction(2, evse_id=2)))
    [one, two] = (await firmware.get("/v1/stations/CP1"))["sessions"]
    assert (one["id"], one["transaction_id"], one["evse_id"], one["connector_id"]) == (1, "t1", 1, 1)
    assert (two["id"], two["connector_id"]) == (2, None)
    assert await names(firmware, in_session=True) == ["CP1"]
    assert await names(firmware, in_session=False) == ["CP2"]
    await told(firmware, settings, wire.TransactionEnded(transaction=ended), started)
    assert [one["id"] for one in (await firmware.get("/v1/stations/CP1"))["sessions"]] == [2]


@pytest.fixture
async def fleet(firmware: Running) -> Running:
    """CP1 to CP4 of Vienna and Graz, CP5 that nobody registered, CP6 that was never here."""
    await firmware.put(
        registration("CP1", *VIENNA, location_id="a"),
        registration("CP2", "vienna", location_id="b"),
        registration("CP3", "graz"),
        registration("CP4", "graz", "vienna"),
        registration("CP6", "vienna"),
        location("a", "Garage Süd"),
        location("b", "100% Strom"),
    )
    for n in range(1, 6):
        firmware.time.passes(1)
        boot, version = (BOOT_201, "2.0.1") if n == 4 else (BOOT_16, "1.6")
        await firmware.put(firmware.change(CONNECTION_STATE_CONNECTED, f"CP{n}", version))
        await firmware.put(firmware.call("BootNotification", boot, f"CP{n}", version))
    firmware.time.passes(1)
    await firmware.put(
        firmware.change(CONNECTION_STATE_DISCONNECTED, "CP2"),
        firmware.call("StatusNotification", status(1, "Charging"), "CP1"),
        firmware.call("StatusNotification", status(2, "Faulted"), "CP1"),
        firmware.call("StatusNotification", status(0, "Unavailable"), "CP3"),
        firmware.call("StatusNotification", status(0, "Available"), "CP5"),
    )
    return firmware


FILTERS: Sequence[tuple[Mapping[str, Any], str]] = [
    ({}, "123456"),
    ({"group": "vienna"}, "1246"),
    ({"group": "vienna", "online": False}, "26"),
    ({"group": "vienna", "online": True, "model": "One"}, "1"),
    ({"group": "level"}, ""),
    ({"location_id": "a"}, "1"),
    ({"registered": False}, "5"),
    ({"version": "2.0.1"}, "4"),
    ({"firmware_version": "1.2.3"}, "1235"),
    ({"vendor": "Volta", "registered": True}, "1234"),
    ({"status": "Accepted"}, "12345"),
    ({"connector_status": "Charging"}, "1"),
    ({"connector_status": "Occupied"}, "1"),
    ({"connector_status": "Faulted"}, "1"),
    ({"connector_status": "Unavailable"}, "3"),
    ({"connector_status": "Available"}, ""),
    ({"in_session": True}, ""),
    ({"q": "cp"}, "123456"),
    ({"q": "s-2"}, "4"),
    ({"q": "garage s"}, "1"),
    ({"q": "100%"}, "2"),
    ({"q": "%"}, "2"),
    ({"q": "_"}, ""),
]


async def test_filters(fleet: Running) -> None:
    for query, expected in FILTERS:
        assert await names(fleet, **query) == [f"CP{n}" for n in expected], query
        counted = await fleet.get("/v1/stations/summary", query=query)
        assert counted == {"count": len(expected), "items": [], "others": 0}


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("station_id", "123456"),
        ("-station_id", "654321"),
        ("last_seen_at", "641235"),
        ("-last_seen_at", "532146"),
        ("disconnected_at", "134562"),
        ("model", "612354"),
        ("-model", "453216"),
        ("-location_id", "216543"),
    ],
)
async def test_orders_hold_across_pages(fleet: Running, sort: str, expected: str) -> None:
    cursor: dict[str, Any] = {}
    found: list[str] = []
    for _ in range(4):
        page = await fleet.get("/v1/stations", query={"sort": sort, "limit": 2, **cursor})
        found += [item["station_id"][2:] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert page["next"] is None
    assert "".join(found) == expected


async def test_a_cursor_of_another_order_is_refused(fleet: Running) -> None:
    page = await fleet.get("/v1/stations", query={"sort": "model", "limit": 1})
    await fleet.get("/v1/stations", status=422, query={"sort": "last_seen_at", "cursor": page["next"]})
    await fleet.get("/v1/stations", status=422, query={"sort": "password"})


async def test_counts(fleet: Running) -> None:
    async def counts(**query: Any) -> Iterable[tuple[str | None, int]]:
        found = await fleet.get("/v1/stations/summary", query=query)
        return [(item["value"], item["count"]) for item in found["items"]]

    assert await counts(by="online") == [("true", 4), ("false", 2)]
    assert await counts(by="group") == [("vienna", 4), ("graz", 2), ("level 2", 1), (None, 1)]
    assert await counts(by="model", group="vienna") == [("One", 2), ("Two", 1), (None, 1)]
    assert await counts(by="connector_status") == [("Charging", 1), ("Faulted", 1)]
    assert await counts(by="registered", q="cp6") == [("true", 1)]
    most = await fleet.get("/v1/stations/summary", query={"by": "group", "limit": 1})
    assert most == {"count": 6, "items": [{"value": "vienna", "count": 4}], "others": 4}
    await fleet.get("/v1/stations/summary", status=422, query={"by": "password"})


async def test_a_token_that_is_limited_to_groups_lists_their_stations(fleet: Running) -> None:
    """Whatever else it asks for: pages, counts and files."""

    async def get(path: str, *groups: str, **query: Any) -> Any:
        bearer = {"Authorization": f"Bearer {token('firmware:read', voltbus_groups=groups)}"}
        answer = await fleet.http.get(f"/v1/stations{path}", params=query, headers=bearer | NDJSON)
        assert answer.status_code == 200, answer.text
        return [orjson.loads(line) for line in answer.content.splitlines()] if path == "/export" else answer.json()

    for groups, query, expected in (
        (["vienna"], {}, "1246"),
        (["level 2", "nobody"], {}, "1"),
        (["vienna", "level 2"], {}, "1246"),
        (["vienna"], {"group": "level 2"}, "1"),
        (["level 2"], {"group": "vienna"}, "1"),
        (["level 2"], {"group": "graz"}, ""),
        (["level 2"], {"q": "cp"}, "1"),
        (["nobody"], {}, ""),
        ([], {}, ""),
        ([], {"registered": False}, ""),
        (["nobody", "*"], {}, "123456"),
    ):
        names = [f"CP{n}" for n in expected]
        assert [one["station_id"] for one in (await get("", *groups, **query))["items"]] == names, (groups, query)
        assert [one["station_id"] for one in await get("/export", *groups, **query)] == names
        counted = await get("/summary", *groups, **query, by="model")
        assert counted["count"] == sum(one["count"] for one in counted["items"]) == len(names)
    page = await get("", "vienna", limit=2)
    rest = await get("", "vienna", limit=2, cursor=page["next"])
    assert ([one["station_id"] for one in rest["items"]], rest["next"]) == (["CP4", "CP6"], None)
    await fleet.put(registration("CP4", "graz", at=2), registration("CP5", "vienna", at=2))
    assert [one["station_id"] for one in (await get("", "vienna"))["items"]] == ["CP1", "CP2", "CP5", "CP6"]


async def test_files(fleet: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "AT_ONCE", 2)
    listed = (await fleet.get("/v1/stations"))["items"]
    answer = await fleet.http.get("/v1/stations/export", headers=NDJSON)
    assert [orjson.loads(line) for line in answer.content.splitlines()] == listed
    answer = await fleet.http.get("/v1/stations/export", params={"group": "vienna"}, headers={"Accept": "text/csv"})
    lines = list(csv.DictReader(StringIO(answer.text)))
    assert [line["station_id"] for line in lines] == ["CP1", "CP2", "CP4", "CP6"]
    assert (lines[0]["groups"], lines[0]["online"], lines[0]["location_name"]) == (
        "vienna|level 2",
        "true",
        "Garage Süd",
    )


def compacted_away(world: Running, topic: str, key: bytes) -> None:
    """Nothing is on the topic any more of what had this key; offsets stay."""
    for log in (log for (name, _), log in world.bus.logs.items() if name == topic):
        log[:] = [replace(record, key=b"another", value=None) if record.key == key else record for record in log]


async def test_removals_that_were_missed_are_made_up_for(firmware: Running) -> None:
    """Kafka keeps a tombstone for a day: this service may have been down for longer."""
    await firmware.put(registration("CP1"), registration("CP2", "vienna"), location("a", "A"), location("b", "B"))
    compacted_away(firmware, "registrations", b"CP1")
    compacted_away(firmware, "locations", b"a")
    removals = Removals(
        bus=firmware.bus, database=firmware.database, registrations="registrations", locations="locations"
    )
    await removals.once()
    assert await names(firmware) == ["CP2"]
    async with firmware.database.connection() as db:
        assert [row[0] for row in await db.fetch("select location_id from location")] == ["b"]


async def test_what_was_registered_again_while_removals_are_looked_for_stays(firmware: Running) -> None:
    await firmware.put(registration("CP1", at=1))
    compacted_away(firmware, "registrations", b"CP1")

    class Registering(Removals):
        async def _keys(self, topic: str) -> set[str]:
            keys = await super()._keys(topic)
            if topic == "registrations":
                await firmware.put(registration("CP1", "vienna", at=2))
            return keys

    await Registering(
        bus=firmware.bus, database=firmware.database, registrations="registrations", locations="locations"
    ).once()
    assert await names(firmware, group="vienna") == ["CP1"]


async def test_events_say_the_groups_of_their_station_and_where_it_is(firmware: Running) -> None:
    """As it is registered when they are made; whoever is not says neither."""
    await firmware.put(registration("CP1", "vienna", "fast", location_id="garage"), registration("CP2"))
    await firmware.put(*(firmware.call("BootNotification", BOOT_16, name) for name in ("CP1", "CP2", "CP3")))
    await firmware.put(registration("CP1", "graz"))
    await firmware.put(firmware.call("BootNotification", BOOT_16, "CP1"))
    said: dict[str, list[Any]] = {"CP1": [], "CP2": [], "CP3": []}
    for one in firmware.announced("StationBooted"):
        said[one.station_id].append((list(one.groups), one.location_id))
    assert said == {"CP1": [(["vienna", "fast"], "garage"), (["graz"], "")], "CP2": [([], "")], "CP3": [([], "")]}
