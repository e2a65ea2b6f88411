"""One whole Voltbus for all end-to-end tests: two gateways, closed to unknown stations, events as protobuf."""

import asyncio
import itertools
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pytest

from services.ocpp.services import SERVICES
from tests.clients import rpc, system
from tests.clients.collector import Collector, collecting
from tests.clients.sessions import SESSIONS, Session
from tests.conftest import Stack
from voltbus.local.certificates import LocalCertificates
from voltbus.local.stack import PROCESSES
from voltbus.settings import REST

NUMBERS = itertools.count(1)


@pytest.fixture(scope="package")
def collector() -> Iterator[Collector]:
    """Takes the traces of everything."""
    with collecting() as started:
        yield started


@pytest.fixture(scope="package")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> LocalCertificates:
    """Of gateways, and of stations with security profile 3, as `make run` makes them."""
    return LocalCertificates(tmp_path_factory.mktemp("data") / "tls")


@pytest.fixture(scope="package")
async def voltbus(stack: Stack, collector: Collector, certificates: LocalCertificates) -> AsyncIterator[system.System]:
    """The processes, as an operator runs them: unknown stations are turned away. All is traced."""
    settings = {"VOLTBUS_UNKNOWN_STATIONS": "reject", "VOLTBUS_EVENTS_FORMAT": "protobuf", "VOLTBUS_FRAME_LOG": "all"}
    settings |= {"VOLTBUS_TRACES": "1", "VOLTBUS_TRACES_ENDPOINT": collector.url}
    settings |= certificates.of_gateway(["127.0.0.1"])
    async with system.running(
        stack.servers, await stack.fresh(), (*PROCESSES, "gateway-1", REST), **settings
    ) as started:
        yield started


@pytest.fixture(scope="package")
async def node() -> AsyncIterator[rpc.Node]:
    """The process that plays stations with ocpp-rpc."""
    async with rpc.node() as started:
        yield started


@pytest.fixture(scope="package")
async def simulator() -> AsyncIterator[rpc.Node]:
    """The process that plays stations with em-ocpp-chargepoint-simulator."""
    async with rpc.node(rpc.SIMULATOR) as started:
        yield started


@dataclass(frozen=True)
class Known:
    """A station that is registered, and how it connects."""

    id: str
    password: str


@pytest.fixture
async def known(voltbus: system.System, request: pytest.FixtureRequest) -> Known:
    """A registered station that nobody else uses. Its parameter: what else its registration says."""
    name = f"CP-{next(NUMBERS):03}"
    return Known(name, await voltbus.register(name, **getattr(request, "param", {})))


read_strictly = pytest.mark.parametrize("known", [{"reading": "strict"}], ids=["strict"], indirect=True)


@pytest.fixture
async def id_token(voltbus: system.System) -> str:
    """A registered idToken."""
    token = f"TAG-{next(NUMBERS):03}"
    await voltbus.admit(token)
    return token


@pytest.fixture(params=SESSIONS)
def session(request: pytest.FixtureRequest, id_token: str) -> Session:
    """The words of one charging session, in each version."""
    return SESSIONS[request.param](id_token)


Connect = Callable[..., Awaitable[rpc.Station]]


@pytest.fixture
async def connect(voltbus: system.System, node: rpc.Node, known: Known) -> AsyncIterator[Connect]:
    """Connects the known station with ocpp-rpc in strict mode: connect(protocol, endpoint=…, answers=…).

    Returns when its route is written: until then commands wait, and its version is not known.
    """
    stations = []

    async def connected(protocol: str, endpoint: str | None = None, **options: Any) -> rpc.Station:
        where = endpoint or voltbus.endpoint()
        station = await node.connect(where, known.id, protocol, known.password, **options)
        stations.append(station)
        await voltbus.routed(known.id)
        return station

    yield connected
    for station in stations:
        await station.close()
        assert not [it for it in station.happened if it["event"] == "invalid"]


async def said(
    voltbus: system.System, *words: str, exit_code: int = 0, env: Mapping[str, str] = MappingProxyType({})
) -> str:
    """What `voltbus …` prints. env: beside that of the system."""
    addresses = ",".join(f"{name}={voltbus.processes.rest(name)}" for name in ("gateway", *SERVICES))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "voltbus", *words),
        env={**os.environ, **voltbus.env, "VOLTBUS_ADDRESSES": addresses, **env},
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    assert process.returncode == exit_code, printed
    return printed.decode()
