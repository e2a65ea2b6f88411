"""IdTokens by REST: what the operator sees, what others get to know, and that order holds."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.integration.auth.conftest import tokens
from tests.integration.common.running import Running

CARD = {"type": "ISO14443"}
FULL = {
    "type": "eMAID",
    "status": "Blocked",
    "expires_at": "2030-01-01T01:00:00+01:00",
    "group_id": "FLEET",
    "cache_expires_at": "2026-03-01T13:00:00Z",
    "language": "de-AT",
}
RULES = {
    "language2": "en",
    "valid_from": "2026-01-01T00:00:00Z",
    "allowed_groups": ["vienna", "graz"],
    "allowed_stations": ["CP001"],
    "denied_groups": ["depot"],
    "denied_stations": ["CP002"],
    "evses": ["CP001/1"],
    "max_sessions": 2,
    "master_pass": False,
    "note": "spare card, reception",
}


async def put(auth: Running, id_token: str = "AbCd", body: Any = CARD, status: int = 201) -> Any:
    answer = await auth.http.put(f"/v1/tokens/{id_token}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def listing(auth: Running, expected: int, **filters: Any) -> Any:
    answer = await auth.http.get("/v1/tokens", params=filters)
    assert answer.status_code == expected, answer.text
    return answer.json()


async def test_a_token_is_accepted_unless_told_otherwise(auth: Running) -> None:
    made = await put(auth)
    assert made["id_token"] == "AbCd"
    assert made["status"] == "Accepted"
    assert [made[name] for name in ("expires_at", "group_id", "cache_expires_at", "language")] == [None] * 4
    assert await auth.get("/v1/tokens/AbCd") == made


async def test_ids_are_case_insensitive_and_keep_their_spelling(auth: Running) -> None:
    await put(auth)
    assert (await auth.get("/v1/tokens/ABCD"))["id_token"] == "AbCd"
    assert (await put(auth, "ABcd", {"type": "Local"}, 200))["id_token"] == "ABcd"
    assert len((await auth.get("/v1/tokens"))["items"]) == 1
    await auth.settled()
    assert tokens(auth).keys() == {"ISO14443/abcd", "Local/abcd"}
    known = tokens(auth)["Local/abcd"]
    assert known
    assert known.id_token == "ABcd"
    assert tokens(auth)["ISO14443/abcd"] is None
    assert [(event.id_token, event.type) for event in auth.announced("TokenRemoved")] == [("AbCd", "ISO14443")]


async def test_everything_that_is_said_goes_to_the_topic(auth: Running) -> None:
    made = await put(auth, body=FULL)
    assert made["expires_at"] == "2030-01-01T00:00:00Z"
    await auth.settled()
    token = tokens(auth)["eMAID/abcd"]
    assert token
    assert (token.type, token.status, token.group_id, token.language) == ("eMAID", "Blocked", "FLEET", "de-AT")
    assert token.expires_at.ToDatetime(UTC) == datetime(2030, 1, 1, tzinfo=UTC)
    assert token.cache_expires_at.ToDatetime(UTC) == datetime(2026, 3, 1, 13, tzinfo=UTC)
    (event,) = auth.announced("TokenChanged")
    assert (event.id_token, event.type, event.status) == ("AbCd", "eMAID", "Blocked")


async def test_its_rules_are_shown_and_go_to_the_topic_but_for_the_note(auth: Running) -> None:
    made = await put(auth, body=FULL | RULES)
    assert {name: made[name] for name in RULES} == RULES
    assert await auth.get("/v1/tokens/AbCd") == made
    cleared = await auth.http.patch("/v1/tokens/AbCd", json={"evses": None, "max_sessions": None, "denied_groups": []})
    shown = {name: cleared.json()[name] for name in RULES}
    assert shown == RULES | {"evses": [], "max_sessions": None, "denied_groups": []}
    await auth.settled()
    token = tokens(auth)["eMAID/abcd"]
    assert token
    assert (token.language2, [*token.allowed_groups], [*token.denied_stations]) == ("en", ["vienna", "graz"], ["CP002"])
    assert (token.max_sessions, [*token.evses]) == (0, [])
    assert b"reception" not in token.SerializeToString()


async def test_a_change_that_does_not_go_with_the_rest_is_refused(auth: Running) -> None:
    await put(auth)
    for change, field in ({"language2": "de"}, "language2"), ({"master_pass": True}, "master_pass"):
        answer = await auth.http.patch("/v1/tokens/AbCd", json=change)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, f"body.{field}")


async def test_put_replaces_and_patch_changes(auth: Running) -> None:
    await put(auth, body=FULL)
    patched = await auth.http.patch("/v1/tokens/abcd", json={"status": "Accepted", "group_id": None})
    assert patched.status_code == 200
    changed = patched.json()
    assert (changed["status"], changed["group_id"], changed["language"]) == ("Accepted", None, "de-AT")
    assert changed["id_token"] == "AbCd"
    assert (await put(auth, body=CARD, status=200))["language"] is None


async def test_what_changes_nothing_is_not_announced(auth: Running) -> None:
    await put(auth, body=FULL)
    await put(auth, body=FULL, status=200)
    await auth.http.patch("/v1/tokens/AbCd", json={"status": "Blocked"})
    await auth.settled()
    assert len(auth.bus.all("tokens")) == len(auth.announced()) == 1


async def test_a_removed_token_is_gone_for_everybody(auth: Running) -> None:
    await put(auth)
    assert (await auth.http.delete("/v1/tokens/ABCD")).status_code == 204
    await auth.settled()
    assert tokens(auth) == {"ISO14443/abcd": None}
    assert [event.id_token for event in auth.announced("TokenRemoved")] == ["AbCd"]
    await auth.get("/v1/tokens/AbCd", 404)
    for gone in (auth.http.delete("/v1/tokens/AbCd"), auth.http.patch("/v1/tokens/AbCd", json={})):
        assert (await gone).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body.type"),
        ({"type": "RFID"}, "body.type"),
        ({"type": None}, "body.type"),
        (CARD | {"status": "accepted"}, "body.status"),
        (CARD | {"expires_at": "2030-01-01T00:00:00"}, "body.expires_at"),
        (CARD | {"expires_at": "tomorrow"}, "body.expires_at"),
        (CARD | {"expires_at": "9999-12-31T23:59:59-01:00"}, "body.expires_at"),
        (CARD | {"group_id": ""}, "body.group_id"),
        (CARD | {"group_id": "G" * 37}, "body.group_id"),
        (CARD | {"language": "a language"}, "body.language"),
        (CARD | {"price": 1}, "body.price"),
        (CARD | {"language2": "de"}, "body.language2"),
        (CARD | {"valid_from": "2030-01-01T00:00:00Z", "expires_at": "2029-01-01T00:00:00Z"}, "body.valid_from"),
        (CARD | {"master_pass": True}, "body.master_pass"),
        (CARD | {"max_sessions": 0}, "body.max_sessions"),
        (CARD | {"max_sessions": True}, "body.max_sessions"),
        (CARD | {"max_sessions": 1001}, "body.max_sessions"),
        (CARD | {"evses": ["CP001"]}, "body.evses.0"),
        (CARD | {"evses": ["CP001/0"]}, "body.evses.0"),
        (CARD | {"allowed_stations": ["CP001", "a/b"]}, "body.allowed_stations.1"),
        (CARD | {"denied_groups": [f"g{n}" for n in range(101)]}, "body.denied_groups"),
        (CARD | {"note": "n" * 201}, "body.note"),
    ],
)
async def test_a_body_that_cannot_be_is_refused_by_field(auth: Running, body: Any, field: str) -> None:
    assert [error["field"] for error in (await put(auth, body=body, status=422))["errors"]] == [field]


async def test_patch_empties_nothing_that_is_needed(auth: Running) -> None:
    await put(auth)
    for name in ("type", "status"):
        answer = await auth.http.patch("/v1/tokens/AbCd", json={name: None})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, f"body.{name}")


@pytest.mark.parametrize(
    ("written", "id_token"), [("a%2Fb", "a/b"), ("a%20b", "a b"), ("%23%25%3A", "#%:"), ("T" * 36,) * 2]
)
async def test_any_printable_id_can_be_registered(auth: Running, written: str, id_token: str) -> None:
    """CiString20Type of 1.6 has more characters than identifierString of 2.0.1."""
    assert (await put(auth, written))["id_token"] == id_token
    assert (await auth.get(f"/v1/tokens/{written}"))["id_token"] == id_token


@pytest.mark.parametrize("written", ["T" * 256, "%20a", "a%20", "%C3%A4", "a%1Fb"])
async def test_an_id_that_no_station_can_present_is_refused(auth: Running, written: str) -> None:
    assert (await put(auth, written, status=422))["errors"][0]["field"] == "path.id_token"


async def test_tokens_are_listed_by_pages_and_by_what_they_are(auth: Running) -> None:
    for number in range(6):
        more = {"status": "Blocked"} if number % 2 else {"group_id": "FLEET"}
        await put(auth, f"T{number}", {"type": "Local" if number < 3 else "Central"} | more)

    async def listed(**filters: Any) -> list[str]:
        return [item["id_token"] for item in (await listing(auth, 200, **filters))["items"]]

    assert await listed(type="Local") == ["T0", "T1", "T2"]
    assert await listed(status="Blocked") == ["T1", "T3", "T5"]
    assert await listed(group_id="FLEET", type="Central") == ["T4"]
    first = await auth.get("/v1/tokens", limit=4)
    assert await listed(limit=4, cursor=first["next"]) == ["T4", "T5"]
    for wrong in ({"limit": 0}, {"cursor": "nonsense"}, {"type": "RFID"}, {"status": "blocked"}):
        await listing(auth, 422, **wrong)


async def test_records_leave_in_the_order_of_their_commits(auth: Running) -> None:
    """Whoever wrote last in the table wrote last on the topic, whatever the spelling."""
    spellings = ["abcd", "ABCD", "AbCd"]
    bodies = [CARD | {"group_id": f"G{n}"} for n in range(30)]
    await asyncio.gather(*(auth.http.put(f"/v1/tokens/{spellings[n % 3]}", json=body) for n, body in enumerate(bodies)))
    await auth.settled()
    last = await auth.get("/v1/tokens/abcd")
    token = tokens(auth)["ISO14443/abcd"]
    assert token
    assert (token.group_id, token.id_token) == (last["group_id"], last["id_token"])
    assert len(auth.announced("TokenChanged")) == 30
