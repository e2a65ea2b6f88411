"""Every command of every version, to three clients that nobody here wrote, on two gateways."""

import asyncio
import functools
import json
import operator
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from services.ocpp.commands import Form
from services.ocpp.versions import BY_SUBPROTOCOL, VERSIONS
from tests.clients import library
from tests.clients.events import enum_word
from tests.clients.rpc import KNOWN, Node
from tests.clients.system import System
from tests.contract import examples
from tests.patience import GIVE_UP

# What a command says, and what it is answered: the least that is valid, and everything there is.
EXAMPLES = {"minimal": examples.minimal, "full": examples.full}
# What em-ocpp-chargepoint-simulator has an answer for; to anything else it says nothing.
SIMULATED = (
    "CertificateSigned",
    "ChangeAvailability",
    "ChangeConfiguration",
    "ClearChargingProfile",
    "DataTransfer",
    "ExtendedTriggerMessage",
    "GetConfiguration",
    "GetDiagnostics",
    "RemoteStartTransaction",
    "RemoteStopTransaction",
    "Reset",
    "TriggerMessage",
    "UpdateFirmware",
)
COMMANDS = {version.name: version.to_station for version in BY_SUBPROTOCOL.values()}
CLIENTS: dict[str, Mapping[str, Iterable[str]]] = {
    "ocpp": COMMANDS,
    "ocpp-rpc": {name: COMMANDS[name] for name in KNOWN},
    "simulator": {"1.6": SIMULATED},
}
# Commands come in at one service and go out at either gateway.
GATEWAYS = {"ocpp": "gateway", "ocpp-rpc": "gateway-1", "simulator": "gateway-1"}
# The package ocpp loses names such as limit_L2 on their way from its own words.
UNSAID = {("ocpp", "2.1", "GetCompositeSchedule", "full")}
CASES = [
    (client, version, action, kind)
    for client, versions in CLIENTS.items()
    for version, actions in versions.items()
    for action in actions
    for kind in EXAMPLES
    if (client, version, action, kind) not in UNSAID
]
STATIONS = sorted({(client, version) for client, version, *_ in CASES})


@dataclass(frozen=True)
class Playing:
    """A connected station. client: tells in `asked` what it was asked, and answers as it is prepared to."""

    id: str
    client: Any


@pytest.fixture(scope="module")
async def stations(voltbus: System, node: Node, simulator: Node) -> AsyncIterator[Mapping[tuple[str, str], Playing]]:
    """One station for each client and version."""
    nodes = {"ocpp-rpc": node, "simulator": simulator}
    # Batteries are swapped for who is authorized (2.1 S02.FR.03).
    await voltbus.admit("TAG-1")
    async with AsyncExitStack() as leaving:

        async def connected(client: str, version: str) -> Playing:
            identity, endpoint = f"{client}-{version}", voltbus.endpoint(GATEWAYS[client])
            password = await voltbus.register(identity)
            if client == "ocpp":
                entering = library.station(library.STATIONS[version], endpoint, identity, password)
                return Playing(identity, await leaving.enter_async_context(entering))
            protocol = VERSIONS[version].subprotocol
            station = await nodes[client].connect(endpoint, identity, protocol, password)
            leaving.push_async_callback(station.close)
            return Playing(identity, station)

        yield {station: await connected(*station) for station in STATIONS}


def everything(form: Form) -> Any:
    """All that may be said at once: the profile of a remote start is a TxProfile, and what is forbidden is left out."""
    payload = examples.full(form.schema)
    if form.action in ("RemoteStartTransaction", "RequestStartTransaction"):
        payload["chargingProfile"]["chargingProfilePurpose"] = "TxProfile"
    while fault := form.fault(payload):
        *path, name = (int(step) if step.isdecimal() else step for step in fault.field.split("."))
        del functools.reduce(operator.getitem, path, payload)[name]
    return payload


@pytest.mark.parametrize(("client", "version", "action", "kind"), CASES, ids=["-".join(case) for case in CASES])
async def test_a_command(
    voltbus: System, stations: Mapping[tuple[str, str], Playing], client: str, version: str, action: str, kind: str
) -> None:
    schemas, station = VERSIONS[version].schemas, stations[client, version]
    form = Form(VERSIONS[version], action)
    # What is valid is not always allowed (services/ocpp/guards.py).
    payload = form.example if kind == "minimal" else everything(form)
    answer = EXAMPLES[kind](schemas.document(f"{action}Response"))
    await station.client.prepare(action, answer)
    owner = COMMANDS[version][action]

    response = await voltbus.command(station.id, action, payload, owner=owner, wait=10)
    told = response.json()
    assert (response.status_code, told.get("status"), told.get("outcome")) == (200, "answered", "answered"), told
    assert (told["response"], told["version"], told["station_id"]) == (answer, version, station.id)
    assert await received(station, action) == payload

    steps = await voltbus.life(station.id, told["command_id"], "answered")
    assert [enum_word(step.body) for step in steps] == ["accepted", "sent", "answered"]
    assert {step.topic for step in steps} == {f"{voltbus.env['VOLTBUS_TOPIC_PREFIX']}events.{owner}"}
    assert {(step.body.action, step.body.station_id) for step in steps} == {(action, station.id)}
    assert json.loads(steps[-1].body.response) == answer


ODD_DATA: Any = {"": ["Süd ⚡ \0 \u2028 \\", True, 0, -1, 2**53 - 1, 0.1, 1e-7, [[[{}]]]], "é": {"é": ""}}
ODD = {"1.6": "Süd ⚡ \0 \u2028 \\", "2.0.1": ODD_DATA, "2.1": ODD_DATA}


@pytest.mark.parametrize(("client", "version"), [station for station in STATIONS if station[0] != "simulator"])
async def test_odd_data(
    voltbus: System, stations: Mapping[tuple[str, str], Playing], client: str, version: str
) -> None:
    """What JSON and these clients can hold (no null, no number past 2**53) goes there and comes back unchanged."""
    station = stations[client, version]
    answer = {"status": "Accepted", "data": ODD[version]}
    await station.client.prepare("DataTransfer", answer)
    payload = {"vendorId": "com.example", "data": ODD[version]}
    told = (await voltbus.command(station.id, "DataTransfer", payload, wait=10)).json()
    assert (told["status"], told["response"]) == ("answered", answer), told
    assert await received(station, "DataTransfer") == payload


async def received(station: Playing, action: str) -> Any:
    """The payload of the next CALL of that action to the station."""
    async with asyncio.timeout(GIVE_UP):
        while True:
            asked, payload = await station.client.asked.get()
            if asked == action:
                return payload


def test_all_are_shown() -> None:
    """With each client that knows all of a version."""
    shown = {(client, version, action) for client, version, action, _ in CASES}
    for client, versions in (("ocpp", COMMANDS), ("ocpp-rpc", KNOWN)):
        for version in versions:
            assert {(client, version, action) for action in VERSIONS[version].to_station} <= shown
