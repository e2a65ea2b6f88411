"""One Voltbus for all cases, and of each case a station, an idToken and a session of its own."""

import itertools
from collections.abc import AsyncIterator
from functools import partial

import pytest

from services.ocpp.versions import VERSIONS, Version
from tests.certification.operator import Operator
from tests.certification.states import Session, Token
from tests.certification.station import Station
from tests.clients import system
from tests.conftest import Stack
from tests.patience import GIVE_UP

NUMBERS = itertools.count(1)
# Nothing is read of a station that the case does not ask for.
SETTINGS = {"VOLTBUS_UNKNOWN_STATIONS": "reject", "VOLTBUS_CONFIGURATION_READING": "0"}
# Of a case that is known not to pass, for it waits for what does not come.
SHORT = 2.0


@pytest.fixture(scope="package")
async def voltbus(stack: Stack) -> AsyncIterator[system.System]:
    """The processes, as an operator runs them."""
    async with system.running(stack.servers, await stack.fresh(), **SETTINGS) as started:
        yield started


@pytest.fixture
def patience(request: pytest.FixtureRequest) -> float:
    """Seconds after which a case gives up."""
    return SHORT if request.node.get_closest_marker("xfail") else GIVE_UP


@pytest.fixture
async def operator(voltbus: system.System, patience: float) -> Operator:
    """Whoever runs the CSMS."""
    return Operator(voltbus, patience)


@pytest.fixture
def version() -> Version:
    """Of OCPP, which the station speaks."""
    return VERSIONS["2.0.1"]


@pytest.fixture
async def known(voltbus: system.System, patience: float, version: Version) -> AsyncIterator[Station]:
    """A station that is registered and not connected. At the end nothing is left that the case did not expect."""
    name = f"CP-{next(NUMBERS):03}"
    password, routed = await voltbus.register(name), partial(voltbus.routed, name)
    station = Station(name, password, voltbus.endpoint(), patience, version, routed=routed)
    yield station
    await station.close()


@pytest.fixture
async def station(known: Station) -> Station:
    """The same, connected."""
    await known.connect()
    return known


@pytest.fixture
async def token(voltbus: system.System) -> Token:
    """An idToken that is registered, and accepted."""
    token = Token(f"TAG-{next(NUMBERS):03}")
    await voltbus.admit(token.id, type=token.type)
    return token


@pytest.fixture
def session(station: Station, token: Token) -> Session:
    """A session of the station with the idToken: nothing of it has happened yet."""
    return Session(station, token)
