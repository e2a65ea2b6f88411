"""An operator's commands on a whole system: what runs, who is there, what happens, and a command with its answer."""

import json

from services.ocpp.services import SERVICES
from tests.clients.sessions import Session16
from tests.clients.system import System
from tests.e2e.conftest import Connect, Known, said

REJECTED = {"status": "Rejected"}


async def test_a_session_as_an_operator_sees_it(voltbus: System, known: Known, id_token: str, connect: Connect) -> None:
    session = Session16(id_token)
    station = await connect(session.protocol, answers={"Reset": REJECTED})
    await station.call(*session.boot())
    session.started(await station.call(*session.start(1000)))

    status = json.loads(await said(voltbus, "status", "--json"))
    assert {part["name"]: part["state"] for part in status["parts"]} == dict.fromkeys(
        ("postgres", "redis", "kafka", "gateway", *SERVICES), "ready"
    )
    assert status["stations_connected"] >= 1
    assert status["sessions_active"] >= 1

    assert f"{known.id} " in await said(voltbus, "stations", "--online", "--limit", "1000")
    [shown] = json.loads(await said(voltbus, "sessions", "--station", known.id, "--active", "--json"))
    assert (shown["id_token"], shown["status"]) == (id_token, "active")

    found = await said(
        voltbus,
        "events",
        "--from-beginning",
        "--station",
        known.id,
        "--type",
        "TransactionStarted",
        "--count",
        "1",
        "--json",
    )
    event = json.loads(found)
    assert (event["type"], event["subject"]) == ("voltbus.v1.TransactionStarted", known.id)
    assert event["data"]["transaction"]["station_id"] == known.id

    command = json.loads(await said(voltbus, "call", known.id, "Reset", '{"type": "Soft"}', "--json"))
    assert (command["outcome"], command["response"]) == ("answered", REJECTED)
    refused = await said(voltbus, "call", known.id, "UnlockConnector", '{"connectorId": 1}', "--json", exit_code=3)
    assert json.loads(refused)["outcome"] == "refused"
    await station.call(*session.stop(1500))


async def test_a_command_to_a_station_that_is_away_was_not_sent(voltbus: System, known: Known) -> None:
    command = await said(voltbus, "call", known.id, "Reset", '{"type": "Soft"}', "--wait", "1", "--json", exit_code=4)
    assert json.loads(command)["outcome"] == "expired"
