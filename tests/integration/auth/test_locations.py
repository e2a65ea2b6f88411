"""Locations and groups by REST and as files: what the operator sees, and what others get to know."""

from typing import Any

import pytest

from tests.integration.auth.conftest import locations
from tests.integration.common.running import Running

GARAGE = {
    "name": "Garage 7",
    "address": "Hauptplatz 1, 1010 Wien",
    "country": "AT",
    "coordinates": {"latitude": 48.2082, "longitude": 0.0},
    "time_zone": "Europe/Vienna",
}
CSV = {"Content-Type": "text/csv"}


async def put(auth: Running, body: Any, status: int = 201, location_id: str = "garage-7") -> Any:
    answer = await auth.http.put(f"/v1/locations/{location_id}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_everything_that_is_said_goes_to_the_topic(auth: Running) -> None:
    made = await put(auth, GARAGE)
    assert {name: made[name] for name in GARAGE} == GARAGE
    assert await auth.get("/v1/locations/garage-7") == made
    await auth.settled()
    known = locations(auth)["garage-7"]
    assert known
    assert (known.name, known.address, known.country, known.time_zone) == tuple(
        GARAGE[name] for name in ("name", "address", "country", "time_zone")
    )
    assert (known.latitude, known.longitude, known.HasField("longitude")) == (48.2082, 0.0, True)
    assert [event.location_id for event in auth.announced("LocationChanged")] == ["garage-7"]


async def test_put_replaces_and_patch_changes_and_what_is_the_same_is_not_announced(auth: Running) -> None:
    await put(auth, GARAGE)
    await put(auth, GARAGE, 200)
    patched = await auth.http.patch("/v1/locations/garage-7", json={"name": "Garage", "coordinates": None})
    assert (patched.json()["name"], patched.json()["coordinates"], patched.json()["country"]) == ("Garage", None, "AT")
    assert (await put(auth, {"country": "AT"}, 200))["time_zone"] is None
    await auth.settled()
    assert len(auth.bus.all("locations")) == len(auth.announced()) == 3
    known = locations(auth)["garage-7"]
    assert known
    assert not known.HasField("latitude")


async def test_a_removed_location_is_gone_and_its_stations_are_not(auth: Running) -> None:
    await put(auth, GARAGE)
    await auth.http.put("/v1/stations/CP1", json={"location_id": "garage-7"})
    assert (await auth.http.delete("/v1/locations/garage-7")).status_code == 204
    await auth.settled()
    assert locations(auth) == {"garage-7": None}
    assert [event.location_id for event in auth.announced("LocationRemoved")] == ["garage-7"]
    await auth.get("/v1/locations/garage-7", 404)
    assert (await auth.http.delete("/v1/locations/garage-7")).status_code == 404
    assert (await auth.http.patch("/v1/locations/garage-7", json={})).status_code == 404
    assert (await auth.get("/v1/stations/CP1"))["location_id"] == "garage-7"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"country": "Austria"}, "body.country"),
        ({"time_zone": "Europe/Wien"}, "body.time_zone"),
        ({"coordinates": {"latitude": 91, "longitude": 0}}, "body.coordinates.latitude"),
        ({"coordinates": {"latitude": 48}}, "body.coordinates.longitude"),
    ],
)
async def test_a_body_that_cannot_be_is_refused_by_field(auth: Running, body: Any, field: str) -> None:
    assert [error["field"] for error in (await put(auth, body, 422))["errors"]] == [field]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("locations/%2E%2E", {}),
        ("locations/%C2%A0g", {}),
        ("groups/%2E%2E", {"free_vend": None}),
        ("tokens/%2E", {"type": "Local"}),
        ("tokens/a/%2E%2E", {"type": "Local"}),
    ],
)
async def test_what_clients_take_out_of_an_address_is_no_id(auth: Running, path: str, body: Any) -> None:
    answer = await auth.http.put(f"/v1/{path}", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"].startswith("path.")


async def test_locations_come_and_go_as_files(auth: Running) -> None:
    data = "location_id;name;country;latitude;longitude\r\ngarage-7;Garage 7;AT;48.2082;-16.5\r\nhall;;DE;;\r\n"

    async def imported(content: bytes) -> Any:
        answer = await auth.http.post("/v1/locations/import", content=content, headers=CSV)
        assert answer.status_code == 200, answer.text
        await auth.settled()
        return [answer.json()[name] for name in ("created", "changed", "unchanged")]

    assert await imported(data.encode()) == [2, 0, 0]
    assert len(auth.bus.all("locations")) == len(auth.announced("LocationChanged")) == 2
    exported = (await auth.http.get("/v1/locations/export", headers={"Accept": "text/csv"})).content
    assert await imported(exported) == [0, 0, 2]
    assert len((await auth.http.get("/v1/locations/export?country=DE")).content.splitlines()) == 2
    assert await imported(b"location_id,name\nhall,Hall\n") == [0, 1, 0]
    assert (await auth.get("/v1/locations/hall"))["country"] == "DE"
    half = "location_id,latitude\nhall,48\n"
    answer = await auth.http.post("/v1/locations/import", content=half.encode(), headers=CSV)
    assert [error["field"] for error in answer.json()["errors"]] == ["body.lines.2.longitude"]


async def test_groups_are_what_stations_are_in(auth: Running) -> None:
    for name, groups in (("CP1", ["vienna", "level 2"]), ("CP2", ["vienna"]), ("CP3", [])):
        await auth.http.put(f"/v1/stations/{name}", json={"groups": groups})
    first = await auth.get("/v1/groups", limit=1)
    assert first["items"] == [{"group": "level 2", "stations": 1, "free_vend": None, "author": None}]
    assert (await auth.get("/v1/groups", cursor=first["next"]))["items"] == [
        {"group": "vienna", "stations": 2, "free_vend": None, "author": None}
    ]


async def test_all_locations_are_published_again_where_that_was_requested(auth: Running) -> None:
    await put(auth, GARAGE)
    await auth.settled()
    async with auth.database.connection() as db:
        await db.execute("insert into republish values (now())")
    for step in auth.service.opens[2:]:
        await step()
    await auth.settled()
    first, again = auth.bus.all("locations")
    assert (first.key, first.value) == (again.key, again.value)
