"""Sessions and their meter values as files, for those who bill."""

import csv
from io import StringIO
from typing import Any

import orjson
import pytest

from services.transactions.api import exports
from tests.integration.transactions.running import System
from tests.integration.transactions.test_rest import get, start
from tests.integration.transactions.test_session import metered, stop

NDJSON = {"Accept": "application/x-ndjson"}


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "AT_ONCE", 2)
    monkeypatch.setattr(exports, "SESSIONS", 2)


async def lines(system: System, path: str, **query: Any) -> list[dict[str, str]]:
    """Of a CSV file."""
    response = await system.client.get(path, params=query)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(StringIO(response.text)))


async def objects(system: System, path: str, **query: Any) -> list[Any]:
    """Of an NDJSON file."""
    response = await system.client.get(path, params=query, headers=NDJSON)
    assert response.status_code == 200, response.text
    return [orjson.loads(line) for line in response.content.splitlines()]


async def test_sessions_are_exported_as_they_are_listed(system: System, station: str) -> None:
    numbers = [await start(system, station, timestamp=f"2026-03-0{day}T10:00:00Z") for day in range(1, 6)]
    await system.ask(station, "StopTransaction", stop(numbers[-1], timestamp="2026-03-05T11:00:00Z"))
    listed = (await get(system, "/v1/transactions", station_id=station))["items"]
    assert await objects(system, "/v1/transactions/export", station_id=station) == listed
    rows = await lines(system, "/v1/transactions/export", station_id=station)
    assert [int(row["id"]) for row in rows] == numbers[::-1]
    newest = rows[0]
    assert (newest["status"], newest["stopped_at"]) == ("ended", "2026-03-05T11:00:00Z")
    assert float(newest["energy_wh"]) == listed[0]["energy_wh"]
    assert (newest["complete"], newest["superseded_by"], newest["details"]) == ("true", "", "{}")
    assert orjson.loads(newest["id_tokens"]) == listed[0]["id_tokens"]
    complete = await lines(system, "/v1/transactions/export", station_id=station, complete=True)
    assert complete == [newest]


async def test_meter_values_are_exported_by_session(system: System, station: str) -> None:
    """In CSV a line a reading; a session with more of them than a page has goes on where the page ended."""
    numbers = [await start(system, f"{station}-{n}") for n in range(3)]
    for n, number in enumerate(numbers):
        for minute in range(5 if n == 1 else 1):
            await system.tell(f"{station}-{n}", "MeterValues", metered(number, "2000", f"2026-03-01T10:0{minute}:00Z"))
    await system.until(lambda: [len(system.events(f"{station}-{n}")) for n in range(3)] == [2, 6, 2])
    exported = [one for one in await objects(system, "/v1/samples/export") if one["transaction_id"] in numbers]
    moments = [(one["transaction_id"], one["taken_at"][14:16]) for one in exported]
    middle = [(numbers[1], f"0{minute}") for minute in range(5)]
    assert moments == [(numbers[2], "00"), *middle, (numbers[0], "00")]
    listed = (await get(system, f"/v1/transactions/{numbers[0]}/samples"))["items"]
    session = {"transaction_id": numbers[0], "station_id": f"{station}-0", "evse_id": 1}
    assert exported[-1] == session | listed[0]
    rows = await lines(system, "/v1/samples/export", station_id=f"{station}-1")
    assert [(row["taken_at"][14:16], row["measurand"], row["value"], row["unit"]) for row in rows[:2]] == [
        ("00", "Energy.Active.Import.Register", "2000", "Wh"),
        ("00", "Power.Active.Import", "7400", "W"),
    ]
    assert len(rows) == 10


@pytest.mark.parametrize("path", ["/v1/transactions/export", "/v1/samples/export"])
async def test_a_file_says_from_when_on_to_ask_for_the_next(system: System, station: str, path: str) -> None:
    number = await start(system, station)
    await system.tell(station, "MeterValues", metered(number, "2000"))
    await system.until(lambda: len(system.events(station)) == 2)
    whole = await system.client.get(path, params={"station_id": station}, headers=NDJSON)
    assert len(whole.content.splitlines()) == 1
    since = {"station_id": station, "updated_after": whole.headers["Updated-Until"]}
    assert await objects(system, path, **since) == []
    await system.ask(station, "StopTransaction", stop(number))
    assert len(await objects(system, path, **since)) == 1


@pytest.mark.parametrize("path", ["/v1/transactions/export", "/v1/samples/export"])
async def test_nothing_that_fits_is_an_empty_file(system: System, station: str, path: str) -> None:
    assert await lines(system, path, station_id=station) == []
    assert await objects(system, path, station_id=station) == []


@pytest.mark.parametrize("path", ["/v1/transactions/export", "/v1/samples/export"])
async def test_what_cannot_be_exported_is_said(system: System, path: str) -> None:
    for query, headers, status in (
        ({"stations": "A"}, {}, 422),
        ({"stopped_after": "March"}, {}, 422),
        ({}, {"Accept": "application/pdf"}, 406),
    ):
        response = await system.client.get(path, params=query, headers=headers)
        assert response.status_code == status
        assert response.headers["content-type"] == "application/problem+json"
