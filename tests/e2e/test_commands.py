"""The life of a command: to a station that is here, that is away, that comes too late, that says nothing."""

from typing import Any

from tests.clients.events import enum_word
from tests.clients.sessions import Session
from tests.clients.system import System
from tests.e2e.conftest import Connect, Known

ACCEPTS = {action: {"status": "Accepted"} for action in ("RemoteStartTransaction", "RequestStartTransaction")}
SILENT = {action: {"silence": True} for action in ACCEPTS}


async def start(voltbus: System, station_id: str, wait: float = 0, key: str | None = None, **more: Any) -> Any:
    """Asks for a start; what REST says."""
    headers = {"Idempotency-Key": key} if key else {}
    body = {"id_token": "TAG", "type": "ISO14443", "evse_id": 1} | more
    path = f"/v1/stations/{station_id}/start?wait={wait}"
    response = await voltbus.ask("POST", "transactions", path, json=body, headers=headers)
    response.raise_for_status()
    return response.json()


async def test_it_waits_for_a_station_that_is_away(
    voltbus: System, known: Known, session: Session, connect: Connect
) -> None:
    asked = await start(voltbus, known.id)
    assert asked["status"] == "accepted"
    station = await connect(session.protocol, answers=ACCEPTS)
    await station.until("call")
    told = await voltbus.life(known.id, asked["command_id"], "answered")
    assert [enum_word(step.body) for step in told] == ["accepted", "sent", "answered"]


async def test_it_expires(voltbus: System, known: Known, session: Session, connect: Connect) -> None:
    asked = await start(voltbus, known.id, expires_in=0.5)
    told = await voltbus.life(known.id, asked["command_id"], "expired")
    assert [enum_word(step.body) for step in told] == ["accepted", "expired"]
    station = await connect(session.protocol, answers=ACCEPTS)
    later = await start(voltbus, known.id, wait=10)
    assert later["status"] == "answered"
    assert len([it for it in station.happened if it["event"] == "call"]) == 1


async def test_it_never_reaches_a_later_connection(
    voltbus: System, known: Known, session: Session, connect: Connect
) -> None:
    first = await connect(session.protocol, answers=SILENT)
    asked = await start(voltbus, known.id)
    await first.until("call")
    second = await connect(session.protocol, answers=ACCEPTS)
    await first.until("disconnect")
    later = await start(voltbus, known.id, wait=10)
    assert later["status"] == "answered"
    assert len([it for it in second.happened if it["event"] == "call"]) == 1
    assert (await voltbus.get("transactions", f"/v1/commands/{asked['command_id']}"))["status"] != "answered"


async def test_it_is_given_once_under_one_key(
    voltbus: System, known: Known, session: Session, connect: Connect
) -> None:
    station = await connect(session.protocol, answers=ACCEPTS)
    told = [await start(voltbus, known.id, wait=10, key=f"only-once-{known.id}") for _ in range(2)]
    assert told[0] == told[1]
    assert told[0]["status"] == "answered"
    await station.call("Heartbeat", {})
    assert len([it for it in station.happened if it["event"] == "call"]) == 1
