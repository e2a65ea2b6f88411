"""Stations and groups where whoever comes may charge."""

from typing import Any

from services.auth import group_settings_store
from tests.integration.auth.conftest import registrations
from tests.integration.auth.test_calls import asked16
from tests.integration.common.running import Running


async def free(auth: Running, *names: str) -> list[str | None]:
    """On whose account stations are, as others know it; None where they are not."""
    await auth.settled()
    found = registrations(auth)
    known = [found[name] for name in names]
    return [one.free_vend_account if one and one.free_vend else None for one in known]


async def put(auth: Running, path: str, body: Any) -> Any:
    answer = await auth.http.put(path, json=body)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


async def test_at_a_free_vend_station_every_card_is_accepted(auth: Running) -> None:
    shown = await put(auth, "/v1/stations/CP1", {"auth": "none", "free_vend": {"account": "ACME"}})
    assert shown["free_vend"] == {"account": "ACME"}
    await auth.settled()
    assert await asked16(auth, "ANYONE") == {"status": "Accepted"}
    assert (await auth.ask(auth.call("Authorize", {"idTag": "ANYONE"}, "CP2")))["idTagInfo"] == {"status": "Invalid"}
    decided = (await auth.get("/v1/decisions"))["items"]
    assert {(one["station_id"], one["rule"]) for one in decided} == {("CP1", "free_vend"), ("CP2", "unknown_token")}
    assert [one["stations"] for one in (await auth.get("/v1/tokens/unknown"))["items"]] == [["CP2"]]
    await auth.http.patch("/v1/stations/CP1", json={"description": "hall"})
    assert await free(auth, "CP1") == ["ACME"]
    await auth.http.patch("/v1/stations/CP1", json={"free_vend": None})
    assert await free(auth, "CP1") == [None]
    assert await asked16(auth, "ANYONE") == {"status": "Invalid"}


async def test_a_group_is_free_vend_for_stations_that_say_nothing_of_their_own(auth: Running) -> None:
    for name, groups, own in (
        ("CP1", ["fair"], None),
        ("CP2", ["staff", "fair"], None),
        ("CP3", ["fair"], {"account": "MINE"}),
        ("CP4", [], None),
    ):
        await put(auth, f"/v1/stations/{name}", {"auth": "none", "groups": groups, "free_vend": own})
    assert await put(auth, "/v1/groups/fair", {"free_vend": {"account": "FAIR"}}) == {"free_vend": {"account": "FAIR"}}
    assert await free(auth, "CP1", "CP2", "CP3", "CP4") == ["FAIR", "FAIR", "MINE", None]
    await put(auth, "/v1/groups/staff", {"free_vend": {}})
    assert await free(auth, "CP1", "CP2", "CP3") == ["FAIR", "", "MINE"]
    await put(auth, "/v1/stations/CP4", {"groups": ["fair"]})
    assert await free(auth, "CP4") == ["FAIR"]
    shown = {one["group"]: (one["stations"], one["free_vend"]) for one in (await auth.get("/v1/groups"))["items"]}
    assert shown == {"fair": (4, {"account": "FAIR"}), "staff": (1, {"account": None})}
    await put(auth, "/v1/groups/fair", {"free_vend": None})
    assert await free(auth, "CP1", "CP2", "CP3", "CP4") == [None, "", "MINE", None]


async def test_what_a_process_that_died_has_not_published_is_published_by_another(auth: Running) -> None:
    await put(auth, "/v1/stations/CP1", {"auth": "none", "groups": ["fair"]})
    async with auth.database.transaction() as db:
        await group_settings_store.save(db, "fair", "FAIR", auth.time())
    settings: Any = auth.service.tasks["groups"]
    await settings.__self__.publish()
    assert await free(auth, "CP1") == ["FAIR"]
    before = len(auth.bus.all("registrations"))
    await settings.__self__.publish()
    await auth.settled()
    assert len(auth.bus.all("registrations")) == before


async def test_nobody_is_refused_because_registrations_are_still_being_read(auth: Running) -> None:
    await put(auth, "/v1/stations/CP1", {"auth": "none", "free_vend": {}})
    await auth.restart(commit=False)
    assert await asked16(auth, "ANYONE") == {"status": "Accepted"}
