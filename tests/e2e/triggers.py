"""A command that all versions write alike: asked for by REST, what the station is to make of it, what became of it."""

from typing import Any

import pytest

from services.ocpp.versions import VERSIONS
from tests.clients.rpc import KNOWN, Station
from tests.clients.system import System
from tests.e2e.conftest import Known

each_version = pytest.mark.parametrize("version", [VERSIONS[name] for name in KNOWN], ids=KNOWN)
TRIGGER, HEARTBEAT = "TriggerMessage", {"requestedMessage": "Heartbeat"}
ACCEPTED = {"status": "Accepted"}
ACCEPTS, SILENT, LATER = ({TRIGGER: answer} for answer in (ACCEPTED, {"silence": True}, {"later": True}))


async def ask(voltbus: System, station_id: str, **query: Any) -> Any:
    """Asks for the command; what REST says."""
    response = await voltbus.command(station_id, TRIGGER, HEARTBEAT, **query)
    response.raise_for_status()
    return response.json()


async def became(voltbus: System, asked: Any) -> Any:
    """A command when it has ended."""
    return await voltbus.get("firmware", f"/v1/commands/{asked['command_id']}", wait="10")


async def message_id(station: Station) -> str:
    """Of the CALL that the station gets next."""
    await station.asked.get()
    calls = [it["id"] for it in station.happened if it["event"] == "call"]
    return str(calls[-1])


def ended(told: Any) -> tuple[str, str]:
    return told["status"], told["outcome"]


async def works(voltbus: System, known: Known, station: Station) -> None:
    """The station is asked, and answers."""
    await station.prepare(TRIGGER, ACCEPTED)
    assert ended(await ask(voltbus, known.id, wait=10)) == ("answered", "answered")
