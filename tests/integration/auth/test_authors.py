"""Who registered, changed and removed: kept, shown and told."""

import json

import httpx

from tests.integration.common.running import Running, token

STATION = {"auth": "none", "groups": ["vienna"]}


def by(subject: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token('auth:read', 'auth:write', sub=subject)}"}


async def test_whoever_changes_something_last_is_on_record(auth: Running) -> None:
    for path, body, change in (
        ("/v1/stations/CP1", STATION, {"description": "hall"}),
        ("/v1/tokens/AB12", {"type": "ISO14443"}, {"status": "Blocked"}),
        ("/v1/locations/hall", {"name": "Hall"}, {"name": "Hall 1"}),
    ):

        async def authors(path: str = path) -> str:
            shown: str = (await auth.get(path))["author"]
            return shown

        assert (await auth.http.put(path, json=body, headers=by("anna"))).json()["author"] == "anna"
        await auth.http.put(path, json=body, headers=by("bert"))
        assert await authors() == "anna", "bert has changed nothing"
        await auth.http.patch(path, json=change, headers=by("carla"))
        assert await authors() == "carla"
        assert (await auth.http.delete(path, headers=by("dora"))).status_code == 204
    await auth.settled()
    told = [(type(event).__name__, event.author) for event in auth.announced()]
    assert told == [
        *(("StationRegistered", "anna"), ("StationChanged", "carla"), ("StationRemoved", "dora")),
        *(("TokenChanged", "anna"), ("TokenChanged", "carla"), ("TokenRemoved", "dora")),
        *(("LocationChanged", "anna"), ("LocationChanged", "carla"), ("LocationRemoved", "dora")),
    ]


async def test_whoever_imports_a_file_changed_its_lines(auth: Running) -> None:
    lines = json.dumps({"station_id": "CP1", "auth": "none"}) + "\n"
    headers = {"Content-Type": "application/x-ndjson"} | by("anna")
    answer: httpx.Response = await auth.http.post("/v1/stations/import", content=lines, headers=headers)
    assert answer.status_code == 200, answer.text
    assert (await auth.get("/v1/stations/CP1"))["author"] == "anna"


async def test_who_set_a_group_free_is_on_record(auth: Running) -> None:
    await auth.http.put("/v1/groups/fair", json={"free_vend": {}}, headers=by("anna"))
    await auth.http.put("/v1/groups/fair", json={"free_vend": {}}, headers=by("bert"))
    assert (await auth.get("/v1/groups"))["items"][0]["author"] == "anna", "bert has changed nothing"
    await auth.http.put("/v1/groups/fair", json={"free_vend": {"account": "ACME"}}, headers=by("bert"))
    await auth.http.put("/v1/groups/fair", json={"free_vend": None}, headers=by("carla"))
    await auth.settled()
    told = [(one.group, one.free_vend, one.free_vend_account, one.author) for one in auth.announced("GroupChanged")]
    assert told == [("fair", True, "", "anna"), ("fair", True, "ACME", "bert"), ("fair", False, "", "carla")]


async def test_a_password_is_given_again_to_whoever_asked_for_it_alone(auth: Running) -> None:
    await auth.http.put("/v1/stations/CP1", json=STATION | {"auth": "basic"})

    async def rotated(subject: str) -> str:
        answer = await auth.http.post("/v1/stations/CP1/password", headers=by(subject) | {"Idempotency-Key": "one"})
        assert answer.status_code == 200, answer.text
        password: str = answer.json()["password"]
        return password

    first = await rotated("anna")
    assert await rotated("anna") == first
    other = await rotated("bert")
    assert other != first
    assert await rotated("bert") == other
