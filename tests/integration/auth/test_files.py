"""Stations and idTokens as files: all lines or none, what is the same is not written, and exports are imports."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest

from services.auth.staging import Staging
from services.auth.store import IMPORT
from services.common.web import files
from services.ocpp.passwords import matches
from tests.conftest import SECRETS
from tests.integration.auth.conftest import credentials, registrations, tokens
from tests.integration.common.running import Running, token

KEY = SECRETS["VOLTBUS_PASSWORD_KEY"].encode()
OLD = "0123456789abcdef0123456789abcdef0123456"
CSV, NDJSON = "text/csv", "application/x-ndjson"
STATIONS, TOKENS = "/v1/stations/import", "/v1/tokens/import"
# As an old system might write it: semicolons, a BOM, CRLF, empty cells, a name with a separator.
OLD_SYSTEM = (
    "\ufeffstation_id;password;description;groups;location_id;rated_power_w\r\n"
    f'CP001;{OLD}1;"Car park; level 2";vienna|level 2;garage-7;22000\r\n'
    f"CP002;{OLD}2;;;;\r\n"
)


def lines(numbers: Iterable[int], group: str = "vienna") -> str:
    return "station_id,password,groups\n" + "".join(f"CP{n:04},{n:016},{group}\n" for n in numbers)


async def send(auth: Running, path: str, data: Any, status: int = 200, kind: str = CSV, **query: Any) -> Any:
    content = data.encode() if isinstance(data, str) else data
    answer = await auth.http.post(path, content=content, headers={"Content-Type": kind}, params=query)
    assert answer.status_code == status, answer.text
    return answer.json()


async def imported(auth: Running, path: str, data: Any, kind: str = CSV, **query: Any) -> tuple[int, int, int]:
    """How many were created, changed, unchanged."""
    counts = await send(auth, path, data, kind=kind, **query)
    await auth.settled()
    return counts["created"], counts["changed"], counts["unchanged"]


async def fetched(auth: Running, path: str, kind: str = CSV, **query: Any) -> bytes:
    answer = await auth.http.get(path, headers={"Accept": kind}, params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].partition(";")[0] == kind
    return answer.content


def published(auth: Running) -> int:
    return sum(len(auth.bus.all(topic)) for topic in ("credentials", "registrations", "tokens", "events.auth"))


async def stored(auth: Running, table: str = "station") -> int:
    async with auth.database.connection() as db:
        return int(await db.fetchval(f"select count(*) from {table}"))


async def test_stations_move_in_with_the_passwords_they_have(auth: Running) -> None:
    assert await imported(auth, STATIONS, OLD_SYSTEM) == (2, 0, 0)
    one = await auth.get("/v1/stations/CP001")
    assert (one["groups"], one["location_id"], one["rated_power_w"]) == (["vienna", "level 2"], "garage-7", 22000)
    assert one["description"] == "Car park; level 2"
    for number in (1, 2):
        known = credentials(auth)[f"CP00{number}"]
        assert known
        assert matches(f"{OLD}{number}".encode(), known.password_hash, KEY)
    registered = registrations(auth)["CP001"]
    assert registered
    assert (list(registered.groups), registered.rated_power_w) == (["vienna", "level 2"], 22000)
    assert [type(event).__name__ for event in auth.announced()] == ["StationRegistered"] * 2


async def test_the_same_file_again_writes_nothing(auth: Running) -> None:
    await imported(auth, STATIONS, OLD_SYSTEM)
    before = published(auth), await fetched(auth, "/v1/stations/export")
    async with auth.database.connection() as db:
        rows = await db.fetch("select xmin::text, * from station order by station_id")
    assert await imported(auth, STATIONS, OLD_SYSTEM) == (0, 0, 2)
    assert (published(auth), await fetched(auth, "/v1/stations/export")) == before
    async with auth.database.connection() as db:
        assert await db.fetch("select xmin::text, * from station order by station_id") == rows


async def test_a_line_changes_what_it_names_alone(auth: Running) -> None:
    await imported(auth, STATIONS, OLD_SYSTEM)
    assert await imported(auth, STATIONS, "station_id,location_id\nCP001,\nCP002,\n") == (0, 1, 1)
    one = await auth.get("/v1/stations/CP001")
    assert (one["location_id"], one["groups"], one["auth"]) == (None, ["vienna", "level 2"], "basic")
    data = '{"station_id": "CP001", "groups": null, "auth": "none"}\n'
    assert await imported(auth, STATIONS, data, NDJSON) == (0, 1, 0)
    one = await auth.get("/v1/stations/CP001")
    assert (one["groups"], one["auth"], one["description"]) == ([], "none", "Car park; level 2")
    assert [type(event).__name__ for event in auth.announced("StationChanged")] == ["StationChanged"] * 2


async def test_an_empty_cell_takes_no_password_away(auth: Running) -> None:
    await imported(auth, STATIONS, OLD_SYSTEM)
    assert await imported(auth, STATIONS, "station_id,auth,password\nCP001,,\nCP002,basic,\n") == (0, 0, 2)


async def test_a_fault_in_the_last_line_changes_nothing(auth: Running) -> None:
    problem = await send(auth, STATIONS, lines(range(1, 3000)) + "CP3000,short,vienna\n", 422)
    assert [error["field"] for error in problem["errors"]] == ["body.lines.3001.password"]
    assert problem["detail"].startswith("nothing was changed: line 3001, password: must have 16 to 64 characters")
    assert await stored(auth) == published(auth) == 0


async def test_all_faults_are_told_at_once_each_with_its_line(auth: Running, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "hunter2-hunter2-hunter2"
    data = (
        "station_id,password,reading,rated_power_w\n"
        f"A:B,{secret},,\n"
        f"CP1,{secret},lax,22\n"
        f"CP2,{secret},,\n"
        f"CP3,{secret} {secret},,\n"
        f"CP2,{secret},,\n"
    )
    problem = await send(auth, STATIONS, data, 422)
    assert [error["field"].removeprefix("body.lines.") for error in problem["errors"]] == [
        "2.station_id",
        "3.reading",
        "3.rated_power_w",
        "5.password",
        "6.station_id",
    ]
    assert problem["errors"][-1]["message"] == "line 4 has the same"
    assert "hunter2" not in str(problem) + caplog.text
    many = await send(auth, STATIONS, "station_id\n" + "a:b\n" * 1000, 422)
    assert len(many["errors"]) == files.MAX_FAULTS


@pytest.mark.parametrize(
    ("path", "data", "fields"),
    [
        (TOKENS, 'id_token,type\n4.1E+13,Local\n04A1E105,Local\n"4,11E+12",Local\n', ["2.id_token", "4.id_token"]),
        (TOKENS, "id_token,type,group_id\n04A1E105,Local,4.1E+13\n'04AABB14,Local,\n", ["2.group_id", "3.id_token"]),
        (TOKENS, 'id_token,type\n="04AABB15",Local\n', ["2.id_token"]),
        (STATIONS, f"station_id,password\n4.1E+13,{OLD}1\n", ["2.station_id"]),
        (STATIONS, "station_id,password\nCP1,1.23456789012346E+39\n", ["2.password"]),
        (STATIONS, f"station_id,password,location_id\nCP1,{OLD}1,4.1E+13\n", ["2.location_id"]),
        ("/v1/locations/import", "location_id\n4.1E+13\n", ["2.location_id"]),
    ],
)
async def test_what_a_spreadsheet_has_made_of_an_id_or_a_secret_is_refused(
    auth: Running, path: str, data: str, fields: list[str]
) -> None:
    problem = await send(auth, path, data, 422)
    assert [error["field"].removeprefix("body.lines.") for error in problem["errors"]] == fields
    assert published(auth) == 0


async def test_an_id_with_a_character_that_nobody_sees_is_refused(auth: Running) -> None:
    """Gateways answer such a station 404."""
    data = f"station_id,password,location_id\n\u00a0W34,{OLD}1,\nW\u200b35,{OLD}1,\n..,{OLD}1,\nW36,{OLD}1,\u00a0g\n"
    problem = await send(auth, STATIONS, data, 422)
    assert [(error["field"].removeprefix("body.lines."), error["message"]) for error in problem["errors"]] == [
        ("2.station_id", "has a character that nobody sees (U+00A0)"),
        ("3.station_id", "has a character that nobody sees (U+200B)"),
        ("4.station_id", "must not be . or .., which clients take out of an address"),
        ("5.location_id", "has a character that nobody sees (U+00A0)"),
    ]
    await send(auth, "/v1/locations/import", "location_id\n\u200bg\n", 422)
    await send(auth, TOKENS, "id_token,type\n..,Local\n", 422)


async def test_what_had_such_an_id_before_can_be_removed(auth: Running) -> None:
    await imported(auth, STATIONS, lines([1]))
    async with auth.database.connection() as db:
        await db.execute("update station set station_id = $1", "\u00a0..")
    assert (await auth.http.delete("/v1/stations/%C2%A0..")).status_code == 204


async def test_what_only_the_table_knows_is_a_fault_of_its_line_too(auth: Running) -> None:
    """A generated password would be shown to nobody."""
    await imported(auth, STATIONS, lines([1]))
    data = "station_id,description,auth\nCP0001,hall,\nCP0002,hall,\nCP0003,hall,none\n"
    problem = await send(auth, STATIONS, data, 422)
    assert [error["field"] for error in problem["errors"]] == ["body.lines.3.password"]
    assert (await auth.get("/v1/stations/CP0001"))["description"] is None
    problem = await send(auth, TOKENS, "id_token,status\nAbCd,Blocked\n", 422)
    assert [error["field"] for error in problem["errors"]] == ["body.lines.2.type"]


async def test_columns_that_nobody_knows_are_refused_with_the_nearest(auth: Running) -> None:
    problem = await send(auth, STATIONS, "station_id,pasword\nCP1,x\n", 422)
    assert problem["errors"][0]["message"] == "pasword is not known; did you mean password?"
    problem = await send(auth, STATIONS, '{"station_id": "CP1", "grups": ["a"]}', 422, NDJSON)
    assert problem["errors"][0]["message"] == "grups is not known; did you mean groups?"


async def test_a_dry_run_counts_and_changes_nothing(auth: Running) -> None:
    await imported(auth, STATIONS, lines([1, 2]))
    before = published(auth)
    data = lines([1]) + "CP0002,0000000000000002,graz\nCP0003,0000000000000003,graz\n"
    assert await imported(auth, STATIONS, data, dry_run=True) == (1, 1, 1)
    assert (published(auth), await stored(auth)) == (before, 2)
    await send(auth, STATIONS, lines([4]) + "CP0005,,\n", 422, dry_run=True)


async def test_tokens_move_in(auth: Running) -> None:
    heading = "id_token,type,status,expires_at,group_id\n"
    data = heading + "04A2B3C4,ISO14443,,2030-01-01T01:00:00+01:00,FLEET\nAbCd,eMAID,Blocked,,\n"
    assert await imported(auth, TOKENS, data) == (2, 0, 0)
    assert await imported(auth, TOKENS, data) == (0, 0, 2)
    known = tokens(auth)["ISO14443/04a2b3c4"]
    assert known
    assert (known.status, known.group_id, known.expires_at.ToJsonString()) == (
        "Accepted",
        "FLEET",
        "2030-01-01T00:00:00Z",
    )
    assert len(auth.bus.all("tokens")) == len(auth.announced()) == 2
    # Another type replaces it, as with a single PUT; what is blocked stays so.
    assert await imported(auth, TOKENS, "id_token,type,status\nABCD,Local,\n04A2B3C4,,\n") == (0, 1, 1)
    assert tokens(auth)["eMAID/abcd"] is None
    known = tokens(auth)["Local/abcd"]
    assert known
    assert (known.status, known.id_token) == ("Blocked", "ABCD")
    assert [event.type for event in auth.announced("TokenRemoved")] == ["eMAID"]


async def test_an_id_token_twice_is_told_by_its_lines_and_never_by_itself(auth: Running) -> None:
    problem = await send(auth, TOKENS, "id_token,type\n04A2B3C4,Local\n\n04a2b3c4,Local\n", 422)
    assert problem["errors"] == [{"field": "body.lines.4.id_token", "message": "line 2 has the same"}]
    assert "04a2b3c4" not in str(problem).lower()


@pytest.mark.parametrize("kind", [CSV, NDJSON])
async def test_what_was_exported_changes_nothing_when_it_is_imported(auth: Running, kind: str) -> None:
    await auth.http.put("/v1/stations/-CP%7C1", json={"groups": ["a|b", "c\\", "=1"], "description": "'=2"})
    await auth.http.put("/v1/stations/CP2", json={"auth": "none", "description": "", "reading": "strict"})
    await auth.http.put("/v1/stations/CP3", json={"rated_power_w": 7400.5, "location_id": "garage"})
    await auth.http.put("/v1/tokens/%40AbC", json={"type": "KeyCode", "language": "de-AT", "group_id": "a,b"})
    times = {"expires_at": "2030-01-01T00:00:00.25Z", "cache_expires_at": "2029-01-01T00:00:00Z"}
    await auth.http.put("/v1/tokens/XyZ", json={"type": "Central", "status": "NoCredit"} | times)
    await auth.settled()
    before = published(auth)
    for path, rows in (("/v1/stations", 3), ("/v1/tokens", 2)):
        data = await fetched(auth, f"{path}/export", kind)
        assert await imported(auth, f"{path}/import", data, kind) == (0, 0, rows)
    assert published(auth) == before


async def test_an_export_has_all_rows_and_no_password(auth: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.auth.api.files.AT_ONCE", 3)
    await imported(auth, STATIONS, lines(range(10)) + "CP0010,0000000000000010,graz\n")
    exported = (await fetched(auth, "/v1/stations/export")).decode()
    assert [line.partition(",")[0] for line in exported.splitlines()] == [
        "station_id",
        *(f"CP{n:04}" for n in range(11)),
    ]
    assert "0000000000000001" not in exported
    assert len((await fetched(auth, "/v1/stations/export", NDJSON, group="vienna")).splitlines()) == 10
    assert (await fetched(auth, "/v1/tokens/export")).splitlines() == [
        b"id_token,type,status,expires_at,group_id,cache_expires_at,language,on_block,language2,valid_from,"
        b"allowed_groups,allowed_stations,denied_groups,denied_stations,evses,max_sessions,master_pass,note"
    ]


async def test_two_imports_of_the_same_stations_come_one_after_the_other(auth: Running) -> None:
    both = await asyncio.gather(*(send(auth, STATIONS, lines(range(600), group)) for group in ("vienna", "graz")))
    await auth.settled()
    assert sorted((one["created"], one["changed"]) for one in both) == [(0, 600), (600, 0)]
    groups = {tuple(one.groups) for one in registrations(auth).values() if one}
    async with auth.database.connection() as db:
        assert groups == {tuple(row["groups"]) for row in await db.fetch("select distinct groups from station")}
    assert len(groups) == 1


async def test_a_third_import_at_once_is_asked_to_come_again(auth: Running) -> None:
    going, come = asyncio.Semaphore(0), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        going.release()
        await come.wait()
        yield b"station_id\n"

    two = [asyncio.create_task(send(auth, STATIONS, slow())) for _ in range(2)]
    for _ in two:
        await going.acquire()
    answer = await auth.http.post(TOKENS, content=b"id_token\n", headers={"Content-Type": CSV})
    come.set()
    assert [one["created"] for one in await asyncio.gather(*two)] == [0, 0]
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    await send(auth, TOKENS, "id_token\n")


async def test_a_single_change_waits_for_an_import_without_holding_a_connection(auth: Running) -> None:
    async with auth.database.connection() as db:
        async with db.transaction():
            await db.execute(IMPORT)
            changes = [asyncio.create_task(auth.http.put(f"/v1/stations/CP{n}")) for n in range(20)]
            # All the time others get a connection.
            for _ in range(20):
                assert (await auth.http.get("/v1/tokens/AbCd")).status_code == 404
            assert not any(change.done() for change in changes)
        assert [(await change).status_code for change in changes] == [201] * 20


async def test_a_client_that_goes_away_has_changed_nothing(auth: Running) -> None:
    """What it had sent is forgotten, and its connection to Postgres is used again."""
    messages = iter(
        [
            {"type": "http.request", "body": lines(range(500)).encode(), "more_body": True},
            {"type": "http.disconnect"},
        ]
    )

    async def receive() -> Any:
        return next(messages)

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    bearer = f"Bearer {token('auth:write')}".encode()
    headers = [(b"authorization", bearer), (b"content-type", b"text/csv")]
    scope = {"type": "http", "method": "POST", "path": STATIONS, "raw_path": STATIONS.encode(), "query_string": b""}
    await auth.service.app(scope | {"headers": headers}, receive, send)
    # Which nobody reads, but for the metrics.
    assert sent[0]["status"] == 499
    assert await stored(auth) == 0
    assert await imported(auth, STATIONS, lines([1])) == (1, 0, 0)


async def test_a_file_may_be_longer_than_a_body_and_a_line_may_not(
    auth: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = "station_id,auth\n" + "CP1,none\n" + (" " * 999 + "\n") * 5_000
    assert await imported(auth, STATIONS, data) == (1, 0, 0)
    problem = await send(auth, STATIONS, "station_id,description\nCP1," + "x" * 70_000, 422)
    assert problem["errors"][0] == {"field": "body.lines.2", "message": "is longer than 65536 bytes"}
    monkeypatch.setattr(files, "MAX_LINES", 9)
    assert (await send(auth, STATIONS, lines(range(10)), 413))["errors"][0]["message"] == "more than 9 lines"
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 100)
    assert (await send(auth, STATIONS, lines(range(10)), 413))["errors"][0]["field"] == "body"
    answer = await auth.http.put("/v1/stations/CP2", content="x" * 5_000_000, headers={"Content-Type": CSV})
    assert answer.status_code == 413


async def test_a_file_that_does_not_come_in_time_changes_nothing(
    auth: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "SILENT_FOR", 0.01)

    async def silent() -> AsyncIterator[bytes]:
        yield lines([1]).encode()
        await asyncio.Event().wait()

    await send(auth, STATIONS, silent(), 408)
    assert await stored(auth) == 0


@pytest.mark.parametrize("path", [STATIONS, TOKENS])
async def test_who_may_and_in_what_form(auth: Running, path: str) -> None:
    await send(auth, path, "[" * 5_000_000, 415, "application/json")
    await send(auth, path, "x", 415, "application/x-www-form-urlencoded")
    await send(auth, path, "", 422)
    assert (await send(auth, path, "", kind=NDJSON))["created"] == 0
    export = path.replace("import", "export")
    answer = await auth.http.get(export, headers={"Accept": "application/pdf"})
    assert answer.status_code == 406
    assert (await auth.http.get(export)).headers["content-type"] == "text/csv; charset=utf-8"
    reader = {"Authorization": f"Bearer {token('auth:read')}", "Content-Type": CSV}
    assert (await auth.http.post(path, content=b"", headers=reader)).status_code == 403
    assert (await auth.http.post(path, content=b"", headers={"Authorization": ""})).status_code == 401


async def test_an_import_that_postgres_breaks_off_is_not_done_by_half(
    auth: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection ends after a page was written."""
    hold = Staging.hold

    async def broken(self: Any, records: Any) -> None:
        await hold(self, records)
        self.db.terminate()

    monkeypatch.setattr(Staging, "hold", broken)
    answer = await auth.http.post(STATIONS, content=lines(range(600)).encode(), headers={"Content-Type": CSV})
    assert answer.status_code == 503
    monkeypatch.undo()
    assert await stored(auth) == 0
    assert await imported(auth, STATIONS, lines(range(600))) == (600, 0, 0)


async def test_ids_that_differ_in_case_alone_are_one_station(auth: Running) -> None:
    await imported(auth, STATIONS, f"station_id,password\nCP1,{OLD}1\n")
    data = f"station_id,password\ncp1,{OLD}1\nCP2,{OLD}1\ncp2,{OLD}1\n"
    problem = await send(auth, STATIONS, data, 422)
    assert [(error["field"], error["message"]) for error in problem["errors"]] == [
        ("body.lines.4.station_id", "line 3 has the same")
    ]
    problem = await send(auth, STATIONS, f"station_id,password\nCP2,{OLD}1\ncp1,{OLD}1\n", 422)
    assert [(error["field"], error["message"]) for error in problem["errors"]] == [
        ("body.lines.3.station_id", "is registered as CP1: ids that differ in case alone are one station")
    ]
    assert await imported(auth, STATIONS, f"station_id,password\nCP1,{OLD}1\n") == (0, 0, 1)
    assert await stored(auth) == 1
