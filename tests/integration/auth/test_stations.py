"""Stations by REST: what the operator sees, what the gateway gets to know, and that order holds."""

import asyncio
from typing import Any

import pytest

from services.common.kafka.bus import Record
from services.ocpp.passwords import matches
from tests.clients.system import eventually
from tests.conftest import SECRETS
from tests.integration.auth.conftest import credentials, registrations
from tests.integration.common.running import Running
from voltbus.v1.state_pb2 import Inventory

KEY = SECRETS["VOLTBUS_PASSWORD_KEY"].encode()
CHOSEN = "a-password-of-my-own"


async def put(auth: Running, station_id: str = "CP1", body: Any = None, status: int = 201) -> Any:
    answer = await auth.http.put(f"/v1/stations/{station_id}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def opens(auth: Running, password: str, station_id: str = "CP1") -> bool:
    """Whether the gateway would let the station in with that password."""
    await auth.settled()
    station = credentials(auth)[station_id]
    assert station
    return matches(password.encode(), station.password_hash, KEY)


async def test_a_new_station_gets_a_password_that_is_shown_once(auth: Running) -> None:
    """A00.FR.205: 16 to 40 characters, random; A00.FR.207: the gateway can check it."""
    made = await put(auth)
    assert made["auth"] == "basic"
    assert len(made["password"]) == 40
    assert int(made["password"], 16)
    assert await opens(auth, made["password"])
    known = credentials(auth)["CP1"]
    assert known
    assert matches(bytes.fromhex(made["password"]), known.password_hash, KEY)
    assert "password" not in await put(auth, status=200)
    assert "password" not in await auth.get("/v1/stations/CP1")
    assert (await put(auth, "CP2"))["password"] != made["password"]


async def test_a_password_is_stored_and_published_as_a_keyed_hash_only(auth: Running) -> None:
    password = (await put(auth))["password"]
    await auth.settled()
    async with auth.database.connection() as db:
        [row] = await db.fetch("select * from station")
    records = auth.bus.all("credentials") + auth.bus.all("registrations") + auth.bus.all("events.auth")
    assert password not in str(dict(row))
    assert not any(password.encode() in (record.value or b"") for record in records)


async def test_an_operator_may_choose_the_password(auth: Running) -> None:
    made = await put(auth, body={"password": CHOSEN})
    assert "password" not in made
    assert await opens(auth, CHOSEN)


@pytest.mark.parametrize("body", [{"password": None}, {"auth": "none"}, {"auth": "none", "password": None}])
async def test_a_station_without_a_password_is_asked_for_none(auth: Running, body: Any) -> None:
    made = await put(auth, body=body)
    assert made["auth"] == "none"
    assert "password" not in made
    await auth.settled()
    known = credentials(auth)["CP1"]
    assert known
    assert known.password_hash == b""


async def test_put_again_replaces_what_it_names_and_keeps_the_password(auth: Running) -> None:
    password = (await put(auth, body={"description": "first", "group": "vienna"}))["password"]
    changed = await put(auth, body={"description": "second"}, status=200)
    assert (changed["description"], changed["group"]) == ("second", None)
    assert await opens(auth, password)
    await put(auth, body={"password": CHOSEN}, status=200)
    assert await opens(auth, CHOSEN)
    assert not await opens(auth, password)
    assert (await put(auth, body={"auth": "none"}, status=200))["auth"] == "none"
    assert (await put(auth, body={}, status=200))["auth"] == "none"
    given = await put(auth, body={"auth": "basic"}, status=200)
    assert await opens(auth, given["password"])
    assert "password" not in await put(auth, body={"auth": "basic"}, status=200)


async def test_what_changes_nothing_is_not_announced(auth: Running) -> None:
    await put(auth, body={"group": "vienna"})
    again = await put(auth, body={"group": "vienna"}, status=200)
    await auth.settled()
    assert again["changed_at"] == again["registered_at"]
    assert len(auth.bus.all("registrations")) == 1
    assert [type(event).__name__ for event in auth.announced()] == ["StationRegistered"]


async def test_patch_changes_what_it_names(auth: Running) -> None:
    password = (await put(auth, body={"description": "first", "group": "vienna"}))["password"]
    answer = await auth.http.patch("/v1/stations/CP1", json={"description": None})
    assert answer.status_code == 200
    assert (answer.json()["description"], answer.json()["group"]) == (None, "vienna")
    assert await opens(auth, password)


async def test_a_removed_station_is_gone_for_everybody(auth: Running) -> None:
    await put(auth)
    assert (await auth.http.delete("/v1/stations/CP1")).status_code == 204
    await auth.settled()
    assert credentials(auth) == registrations(auth) == {"CP1": None}
    assert [type(event).__name__ for event in auth.announced()] == ["StationRegistered", "StationRemoved"]
    await auth.get("/v1/stations/CP1", 404)
    for gone in (auth.http.delete("/v1/stations/CP1"), auth.http.patch("/v1/stations/CP1", json={}),
                 auth.http.post("/v1/stations/CP1/password")):  # fmt: skip
        assert (await gone).status_code == 404
    assert "password" in await put(auth)


async def test_a_rotated_password_replaces_the_old_one(auth: Running) -> None:
    """A01.FR.03: the old credentials are no longer accepted."""
    old = (await put(auth))["password"]
    new = (await auth.http.post("/v1/stations/CP1/password")).json()["password"]
    assert new != old
    assert await opens(auth, new)
    assert not await opens(auth, old)
    assert len(auth.announced("StationChanged")) == 1


async def test_a_rotation_asked_for_twice_gives_the_same_password(auth: Running) -> None:
    await put(auth)

    async def rotate(key: str) -> str:
        answer = await auth.http.post("/v1/stations/CP1/password", headers={"Idempotency-Key": key})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["password"])

    first, again, at_once = await rotate("one"), await rotate("one"), await asyncio.gather(rotate("two"), rotate("two"))
    assert first == again
    assert at_once[0] == at_once[1] != first
    assert await opens(auth, at_once[0])
    assert len(auth.announced("StationChanged")) == 2
    late = await rotate("one")
    assert late not in (first, at_once[0])
    assert not await opens(auth, first)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"password": "too short"}, "body.password"),
        ({"password": "x" * 65}, "body.password"),
        ({"password": "a password with blanks"}, "body.password"),
        ({"password": CHOSEN, "auth": "none"}, "body.password"),
        ({"password": None, "auth": "basic"}, "body.password"),
        ({"auth": "certificate"}, "body.auth"),
        ({"description": "x" * 201}, "body.description"),
        ({"description": "with \0 in it"}, "body.description"),
        ({"colour": "red"}, "body.colour"),
        ([], "body"),
    ],
)
async def test_a_body_that_cannot_be_is_refused_by_field(auth: Running, body: Any, field: str) -> None:
    problem = await put(auth, body=body, status=422)
    assert [error["field"] for error in problem["errors"]] == [field]
    assert "x" * 41 not in str(problem)
    assert CHOSEN not in str(problem)


@pytest.mark.parametrize(
    ("written", "station_id"),
    [("CP%2B1", "CP+1"), ("a%7Cb%40c%3D*_-.", "a|b@c=*_-."), ("RDAM%20123", "RDAM 123"), ("X" * 48,) * 2],
)
async def test_station_ids_are_percent_decoded(auth: Running, written: str, station_id: str) -> None:
    assert (await put(auth, written))["station_id"] == station_id
    assert (await auth.get(f"/v1/stations/{written}"))["station_id"] == station_id


@pytest.mark.parametrize(
    "written", ["A%3AB", "X" * 49, "a%1Fb", "a%7F", "%C2%A0W34", "W%E2%80%8B35", "%EF%BB%BFW36", "%2E", "%2E%2E"]
)
async def test_an_identity_that_no_station_can_have_is_refused(auth: Running, written: str) -> None:
    """2.0.1 part 4 §3.1.1: 48 characters, no colon."""
    assert (await put(auth, written, status=422))["errors"][0]["field"] == "path.station_id"


async def test_stations_are_listed_by_pages_and_by_group(auth: Running) -> None:
    for number in range(5):
        await put(auth, f"CP{number}", {"group": "odd" if number % 2 else "even"})
    seen, cursor = [], None
    while True:
        page = await auth.get("/v1/stations", limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [item["station_id"] for item in page["items"]]
        if not (cursor := page["next"]):
            break
    assert seen == [f"CP{number}" for number in range(5)]
    even = await auth.get("/v1/stations", group="even", limit=3)
    assert ([item["station_id"] for item in even["items"]], even["next"]) == (["CP0", "CP2", "CP4"], None)


async def test_a_station_is_in_groups_and_at_a_location(auth: Running) -> None:
    made = await put(auth, body={"groups": ["vienna", "level 2"], "location_id": "garage-7"})
    assert (made["group"], made["groups"], made["location_id"]) == ("vienna", ["vienna", "level 2"], "garage-7")
    await put(auth, "CP2", {"group": "level 2"})
    await auth.settled()
    known = registrations(auth)["CP1"]
    assert known
    assert (list(known.groups), known.location_id) == (["vienna", "level 2"], "garage-7")
    queries: tuple[tuple[dict[str, Any], list[str]], ...] = (
        ({"group": "level 2"}, ["CP1", "CP2"]),
        ({"group": "vienna"}, ["CP1"]),
        ({"location_id": "garage-7"}, ["CP1"]),
        ({"group": "level 2", "location_id": "elsewhere"}, []),
    )
    for query, found in queries:
        assert [item["station_id"] for item in (await auth.get("/v1/stations", **query))["items"]] == found


async def test_how_its_messages_are_read_is_known_to_the_gateways_and_to_all(auth: Running) -> None:
    assert (await put(auth))["reading"] is None
    for body, reading in (
        ({"reading": "strict"}, "strict"),
        ({"description": "hall"}, "strict"),
        ({"reading": None}, None),
    ):
        changed = (await auth.http.patch("/v1/stations/CP1", json=body)).json()
        assert changed["reading"] == reading
        await auth.settled()
        at_gateway, everywhere = credentials(auth)["CP1"], registrations(auth)["CP1"]
        assert at_gateway
        assert everywhere
        assert (at_gateway.reading, everywhere.reading) == (reading or "", reading or "")
    assert (await auth.http.put("/v1/stations/CP2", json={"reading": "lax"})).status_code == 422


async def test_how_the_messages_of_a_model_are_read(auth: Running) -> None:
    for name in ("CP1", "CP2", "CP3"):
        await put(auth, name)
    for name, model in (("CP1", "One"), ("CP2", "One"), ("CP3", "Two"), ("CP4", "One")):
        known = Inventory(station_id=name, vendor="V", model=model)
        await auth.bus.publish([Record("inventory", name.encode(), known.SerializeToString())])
    body = {"filter": {"model": "One"}, "reading": "strict"}

    async def change() -> Any:
        return (await auth.http.patch("/v1/stations", json=body)).json()

    assert await eventually(change, lambda found: found["matched"] == 2)
    assert await change() == {"matched": 2, "changed": 0}
    await auth.settled()
    read = {name: (await auth.get(f"/v1/stations/{name}"))["reading"] for name in ("CP1", "CP2", "CP3")}
    assert read == {"CP1": "strict", "CP2": "strict", "CP3": None}
    assert {name: one.reading for name, one in credentials(auth).items() if one} == {
        n: r or "" for n, r in read.items()
    }
    assert (await auth.http.patch("/v1/stations", json={"reading": "strict"})).status_code == 422
    assert (await auth.http.patch("/v1/stations", json={"filter": {}, "reading": "strict"})).status_code == 422
    everyone = await auth.http.patch("/v1/stations", json={"all": True, "reading": None})
    assert everyone.json() == {"matched": 3, "changed": 2}


async def test_what_an_evse_of_it_delivers_is_known_to_all(auth: Running) -> None:
    assert (await put(auth))["rated_power_w"] is None
    for body, power in (
        ({"rated_power_w": 22000}, 22000),
        ({"description": "hall"}, 22000),
        ({"rated_power_w": None}, None),
    ):
        changed = (await auth.http.patch("/v1/stations/CP1", json=body)).json()
        assert changed["rated_power_w"] == power
        await auth.settled()
        registration = registrations(auth)["CP1"]
        assert registration
        assert registration.rated_power_w == (power or 0)
    for wrong in (22, -1, "much"):
        assert (await auth.http.put("/v1/stations/CP2", json={"rated_power_w": wrong})).status_code == 422


async def test_group_says_one_and_groups_say_all(auth: Running) -> None:
    await put(auth, body={"groups": ["a", "b"], "location_id": "x"})
    for body, groups, location_id in (
        ({"description": "hall"}, ["a", "b"], "x"),
        ({"group": "c"}, ["c"], "x"),
        ({"group": "c", "groups": ["c", "d"], "location_id": None}, ["c", "d"], None),
        ({"group": None}, [], None),
        ({"groups": ["e"]}, ["e"], None),
        ({"groups": None}, [], None),
    ):
        changed = (await auth.http.patch("/v1/stations/CP1", json=body)).json()
        assert (changed["groups"], changed["location_id"]) == (groups, location_id), body


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"group": "a", "groups": ["b", "a"]}, "body.groups"),
        ({"group": "a", "groups": None}, "body.groups"),
        ({"groups": ["a", "a"]}, "body.groups"),
        ({"groups": [""]}, "body.groups.0"),
        ({"location_id": ""}, "body.location_id"),
        ({"location_id": "a/b"}, "body.location_id"),
    ],
)
async def test_groups_that_cannot_be_are_refused_by_field(auth: Running, body: Any, field: str) -> None:
    assert [error["field"] for error in (await put(auth, body=body, status=422))["errors"]] == [field]


async def test_records_leave_in_the_order_of_their_commits(auth: Running) -> None:
    """Whoever wrote last in the table wrote last on the topic."""
    await asyncio.gather(*(auth.http.put("/v1/stations/CP1", json={"password": f"{n:016}"}) for n in range(30)))
    await auth.settled()
    async with auth.database.connection() as db:
        last = await db.fetchrow("select password_hash, changed_at from station")
    known = credentials(auth)["CP1"]
    assert known
    assert last
    assert known.password_hash == last["password_hash"]
    kinds = [type(event).__name__ for event in auth.announced()]
    assert kinds == ["StationRegistered"] + ["StationChanged"] * 29


async def test_a_station_that_was_refused_is_taken_in_by_one_call(auth: Running) -> None:
    answer = await auth.http.post("/v1/stations/refused/CP1/accept", json={"groups": ["vienna"]})
    assert answer.status_code == 201
    assert await opens(auth, answer.json()["password"])
    assert (await auth.get("/v1/stations/CP1"))["groups"] == ["vienna"]


async def test_taking_in_a_station_that_is_registered_changes_nothing(auth: Running) -> None:
    password = (await put(auth, body={"groups": ["vienna"]}))["password"]
    for body in (None, {"groups": ["graz"], "auth": "none"}):
        answer = await auth.http.post("/v1/stations/refused/CP1/accept", json=body)
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:voltbus:problem:conflict")
    assert (await auth.get("/v1/stations/CP1"))["groups"] == ["vienna"]
    assert await opens(auth, password)


async def test_a_registration_is_told_with_its_groups_and_its_location(auth: Running) -> None:
    """As it is by then, and as it was where it is gone: others learn it from the topic later or never."""
    await put(auth, body={"groups": ["vienna", "fast"], "location_id": "garage"})
    await auth.http.patch("/v1/stations/CP1", json={"groups": ["graz"]})
    await auth.http.delete("/v1/stations/CP1")
    await auth.settled()
    said = [(type(one).__name__, list(one.groups), one.location_id) for one in auth.announced()]
    assert said == [
        ("StationRegistered", ["vienna", "fast"], "garage"),
        ("StationChanged", ["graz"], "garage"),
        ("StationRemoved", ["graz"], "garage"),
    ]


async def test_ids_that_differ_in_case_alone_are_one_station(auth: Running) -> None:
    """2.0.1 part 4 §3.1.1: it is an identifierString, kept as it was registered."""
    await put(auth, "Sec-1")
    for path, method in (("Sec-1", "PUT"), ("SEC-1", "PUT"), ("refused/sec-1/accept", "POST")):
        answer = await auth.http.request(method, f"/v1/stations/{path}", json={})
        assert answer.status_code == (200 if path == "Sec-1" else 409)
        if path != "Sec-1":
            assert "is registered as Sec-1" in answer.json()["detail"]
    await auth.settled()
    assert registrations(auth).keys() == credentials(auth).keys() == {"Sec-1"}
    assert (await auth.http.delete("/v1/stations/Sec-1")).status_code == 204
    assert (await put(auth, "SEC-1"))["station_id"] == "SEC-1"


async def test_of_two_that_register_one_id_in_different_case_at_once_one_is_refused(auth: Running) -> None:
    answers = await asyncio.gather(*(auth.http.put(f"/v1/stations/{one}", json={}) for one in ("cp1", "CP1", "Cp1")))
    assert sorted(one.status_code for one in answers) == [201, 409, 409]


async def test_two_from_before_whose_ids_differ_in_case_alone_go_on(auth: Running) -> None:
    await put(auth, "cp1")
    async with auth.database.connection() as db:
        await db.execute("insert into station (station_id, registered_at, changed_at) values ('CP1', now(), now())")
    for name in ("cp1", "CP1"):
        assert (await put(auth, name, {"description": name}, status=200))["description"] == name
    await put(auth, "Cp1", status=409)
    await auth.get("/v1/stations/Cp1", 404)


async def test_letters_beyond_ascii_are_as_they_are(auth: Running) -> None:
    """No identifierString has them; a station of 1.6 may."""
    await put(auth, "café")
    await put(auth, "CAFÉ")
    await put(auth, "CAFé", status=409)
