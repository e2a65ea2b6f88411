"""Every operation of OCPP 1.5 and 1.6 over real HTTP, with a peer that the official WSDLs alone describe."""

import asyncio
import json
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.ocpp.versions import VERSIONS
from tests.clients.certificates import Authority
from tests.contract import wsdl
from tests.contract.spec import Spec
from tests.contract.test_soap import payloads
from tests.contract.wsdl import CENTRAL_SYSTEM, CHARGE_POINT
from tests.contract.wsdl_peer import Client, listening
from tests.unit.gateway.running import QUICK, Running, running, until
from voltbus.v1.bus_pb2 import OUTCOME_ANSWERED, Command

every_version = pytest.mark.parametrize("version", ["1.5", "1.6"])


@pytest.fixture
async def one() -> AsyncIterator[Running]:
    async with running(timing=QUICK, reading="strict") as started:
        yield started


@every_version
async def test_every_request_of_a_station(one: Running, spec: Spec, version: str) -> None:
    """zeep writes it and reads its answer, which is valid, related to it, and has the action of the binding."""
    service = wsdl.load(spec.folder, version, CENTRAL_SYSTEM)
    client = Client(service, one.soap, "CP1")
    owners, counts = VERSIONS[version].from_station, Counter[str]()
    for action in service.actions:
        owner = owners[action]
        counts[owner] += 1
        asking = asyncio.create_task(asyncio.to_thread(client.ask, action))
        await until(lambda owner=owner: len(one.calls(owner)) >= counts[owner] or asking.done())  # noqa: B023
        if not asking.done():
            call = one.calls(owner)[-1]
            assert (call.station_id, call.version, call.action) == ("CP1", version, action)
            [reply] = [payload for name, _, payload in payloads(service, action) if name.endswith("Response")][:1]
            await one.reply(call, reply)
        await asking
    assert {call.action for owner in counts for call in one.calls(owner)} == set(service.actions)


async def test_over_tls_with_the_certificate_of_the_station(spec: Spec, tmp_path: Path) -> None:
    """OCPP-S 1.6 §6.2, with the TLS of zeep: it trusts our authority, and proves itself by a certificate alone."""
    authority, files = Authority(), []
    server = authority.issue("127.0.0.1", address="127.0.0.1")
    own = authority.issue("CP1", "Example")
    for name, content in (("ca", authority.pem), ("crt", own.pem), ("key", own.key_pem)):
        (tmp_path / name).write_text(content)
        files.append(str(tmp_path / name))
    settings: dict[str, Any] = {"gateway_tls_certificate": server.pem, "gateway_tls_key": server.key_pem}
    settings |= {"gateway_tls_client_ca": authority.pem, "unknown_stations": "reject"}
    async with running(timing=QUICK, cpo_names=("Example",), **settings) as one:
        await one.register("CP1", b"hash", security_profile=3)
        service = wsdl.load(spec.folder, "1.5", CENTRAL_SYSTEM)
        client = Client(service, one.soap_tls, "CP1", tls=(files[0], files[1], files[2]))
        assert (await asyncio.to_thread(client.ask, "Heartbeat")) is not None
        assert one.connection().security.profile == 3


@every_version
async def test_every_command_to_a_station(one: Running, spec: Spec, version: str) -> None:
    """A station that checks requests by the WSDL, headers with them, finds nothing; its answers are valid here."""
    central_system = wsdl.load(spec.folder, version, CENTRAL_SYSTEM)
    service = wsdl.load(spec.folder, version, CHARGE_POINT)
    owners, counts = VERSIONS[version].to_station, Counter[str]()
    async with listening(service, "CP1") as station:
        client = Client(central_system, one.soap, "CP1", station.address)
        await asyncio.to_thread(client.ask, "Heartbeat")
        for action in service.actions:
            owner = owners[action]
            counts[owner] += 1
            [payload] = [payload for name, _, payload in payloads(service, action) if name.endswith("Request")][:1]
            asked = Command(id=str(uuid.uuid4()), service=owner, action=action, payload=json.dumps(payload).encode())
            await one.command(asked, one.connection().peer.connection_id)
            result = await one.result(owner, counts[owner])
            assert (result.action, result.outcome) == (action, OUTCOME_ANSWERED), result
    assert station.wrong == []
    assert station.heard == service.actions
