"""Why an idToken was refused, and those that nobody knows."""

from typing import Any

import pytest

from services.auth import unknown_tokens_store
from services.common.postgres.retention import Retention
from tests.integration.auth.test_calls import asked16, asked201, token
from tests.integration.common.running import Running
from tests.integration.common.running import token as bearer


async def listed(auth: Running, path: str = "/v1/decisions", **query: Any) -> list[Any]:
    found: list[Any] = (await auth.get(path, query=query))["items"]
    return found


async def test_each_decision_is_shown_with_the_rule_that_decided(auth: Running) -> None:
    await token(auth, "04A2B3C4D5E6F7", status="Blocked")
    await token(auth, "GOOD")
    for id_tag in ("04a2b3c4d5e6f7", "GOOD", "WHO"):
        await asked16(auth, id_tag)
        auth.time.passes(1)
    await asked201(auth, "4711", "KeyCode")
    shown = [(one["id_token"], one["verdict"], one["status"], one["rule"]) for one in await listed(auth)]
    assert shown == [
        ("…", "refused", "Invalid", "unknown_key_code"),
        ("WHO", "refused", "Unknown", "unknown_token"),
        ("GOOD", "accepted", "Accepted", "registered"),
        ("04a2b3c4d5e6f7", "refused", "Blocked", "blocked"),
    ]
    [one] = await listed(auth, id_token="04A2B3C4D5E6F7", station_id="CP1")
    assert (one["reason"], one["action"], one["at"]) == (
        "it is registered as Blocked",
        "Authorize",
        "2026-03-01T12:00:00Z",
    )
    assert [one["id_token"] for one in await listed(auth, verdict="accepted")] == ["GOOD"]
    assert [one["id_token"] for one in await listed(auth, rule="unknown_token")] == ["WHO"]
    assert len(await listed(auth, since="2026-03-01T12:00:02Z")) == 2
    assert await listed(auth, station_id="CP2") == []
    page = await auth.get("/v1/decisions", limit=3)
    assert [one["id_token"] for one in await listed(auth, limit=3, cursor=page["next"])] == ["04a2b3c4d5e6f7"]


async def test_who_may_not_read_id_tokens_sees_their_end(auth: Running) -> None:
    await asked16(auth, "04A2B3C4D5E6F7")
    answer = await auth.http.get("/v1/decisions", headers={"Authorization": f"Bearer {bearer('auth:decisions')}"})
    assert [one["id_token"] for one in answer.json()["items"]] == ["…E6F7"]
    answer = await auth.http.get("/v1/tokens", headers={"Authorization": f"Bearer {bearer('auth:decisions')}"})
    assert answer.status_code == 403


async def test_decisions_are_kept_for_a_while(auth: Running) -> None:
    await asked16(auth, "WHO")
    step: Any = auth.service.tasks["retention"]
    kept: Retention = step.__self__
    auth.time.passes(30 * 24 * 3600)
    await kept.remove()
    assert len(await listed(auth)) == 1
    auth.time.passes(1)
    await kept.remove()
    assert await listed(auth) == []


async def test_a_call_that_is_read_again_later_with_another_verdict_is_one_decision(auth: Running) -> None:
    """It was answered and told already; the cursor of the consumer was not yet written."""
    call = auth.call("Authorize", {"idTag": "WHO"})
    await auth.put(call)
    await token(auth, "WHO")
    auth.time.passes(60)
    await auth.put(call)
    assert [one["rule"] for one in await listed(auth)] == ["unknown_token"]


async def test_an_unknown_token_is_shown_with_where_it_was_seen_and_taken_in_by_one_call(auth: Running) -> None:
    for station in ("CP1", "CP2", "CP1"):
        call = auth.call("Authorize", {"idTag": "04a2"}, station)
        await auth.put(call, call)
        auth.time.passes(60)
    [one] = await listed(auth, "/v1/tokens/unknown")
    assert (one["id_token"], one["type"], one["times"], one["stations"]) == ("04a2", None, 3, ["CP1", "CP2"])
    assert (one["first_seen_at"], one["last_seen_at"]) == ("2026-03-01T12:00:00Z", "2026-03-01T12:02:00Z")
    assert await listed(auth, "/v1/tokens/unknown", station_id="CP3") == []
    path = f"/v1/tokens/unknown/{one['id']}/accept"
    taken = await auth.http.post(path, json={"group_id": "FLEET"})
    assert (taken.status_code, taken.json()["type"], taken.json()["group_id"]) == (201, "ISO14443", "FLEET")
    assert await asked16(auth, "04A2") == {"status": "Accepted", "parentIdTag": "FLEET"}
    assert await listed(auth, "/v1/tokens/unknown") == []
    await token(auth, "04A2", status="Blocked")
    again = await auth.http.post(path)
    assert (again.status_code, again.json()["status"]) == (200, "Blocked")
    assert (await auth.http.post("/v1/tokens/unknown/999999/accept")).status_code == 404


async def test_texts_that_somebody_makes_up_cost_no_more_than_some_rows(
    auth: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a card that is tried again stays."""
    monkeypatch.setattr(unknown_tokens_store, "MOST", 10)
    await asked16(auth, "CARD")
    await asked16(auth, "CARD")
    for first in range(0, 60, 20):
        await auth.put(*(auth.call("Authorize", {"idTag": f"T{n}"}, f"CP{n}") for n in range(first, first + 20)))
        auth.time.passes(1)
    kept = [one["id_token"] for one in await listed(auth, "/v1/tokens/unknown", limit=100)]
    assert len(kept) == 10
    assert "CARD" in kept
    assert set(kept) - {"CARD"} < {f"T{n}" for n in range(40, 60)}


async def test_what_no_id_token_can_be_is_not_taken_in(auth: Running) -> None:
    await asked16(auth, " ")
    [one] = await listed(auth, "/v1/tokens/unknown")
    answer = await auth.http.post(f"/v1/tokens/unknown/{one['id']}/accept")
    assert answer.status_code == 409
