"""One Voltbus for all cases, and of each case a station, an idToken and a session of its own."""

import itertools
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from services.ocpp.versions import VERSIONS, Version
from tests.certification.operator import Operator
from tests.certification.states import Session, Token
from tests.certification.station import Station
from tests.certification.tls import CPO
from tests.clients import system
from tests.clients.certificates import Authority
from tests.clients.pool import pooling
from tests.clients.signing import files
from tests.conftest import Stack
from tests.patience import GIVE_UP

NUMBERS = itertools.count(1)
# Nothing is read of a station that the case does not ask for. Responders of certificates are on this machine.
SETTINGS = {
    "VOLTBUS_UNKNOWN_STATIONS": "reject",
    "VOLTBUS_CONFIGURATION_READING": "0",
    "VOLTBUS_OUTBOUND_ALLOW": "127.0.0.0/8",
}
# Of a case that is known not to pass, for it waits for what does not come.
SHORT = 2.0


@pytest.fixture(scope="package")
def authority() -> Authority:
    """Who issues certificates of stations, and those that they are shown."""
    return Authority()


@pytest.fixture(scope="package")
async def voltbus(
    stack: Stack, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[system.System]:
    """The processes, as an operator runs them."""
    secured = served(authority, tmp_path_factory.mktemp("certificates"))
    async with pooling() as pool:
        contracts = {"VOLTBUS_CONTRACT_POOL": "opcp", "VOLTBUS_CONTRACT_POOL_URL": pool.url}
        given = {**SETTINGS, **secured, **contracts}
        async with system.running(stack.servers, await stack.fresh(), **given) as started:
            yield started


def served(authority: Authority, folder: Path) -> dict[str, str]:
    """A gateway that serves all security profiles, with both kinds of keys (A00.FR.318); and of a signer."""
    certificate, key = files(authority)
    (trusted := folder / "ca.crt").write_text(certificate)
    (private := folder / "ca.key").write_text(key)
    first, second = (authority.issue("127.0.0.1", CPO, kind=kind) for kind in ("ec", "rsa"))
    others = {name.replace("TLS_", "TLS_SECOND_"): path for name, path in second.files(folder, "second").items()}
    return (
        first.files(folder)
        | others
        | {
            "VOLTBUS_GATEWAY_TLS_CLIENT_CA_FILE": str(trusted),
            "VOLTBUS_CPO_NAMES": CPO,
            "VOLTBUS_CERTIFICATE_SIGNER": "ca",
            "VOLTBUS_CERTIFICATE_CA_FILE": str(trusted),
            "VOLTBUS_CERTIFICATE_CA_KEY_FILE": str(private),
            "VOLTBUS_GATEWAY_TLS_RSA_SUITES": "true",
        }
    )


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
    station.secured_endpoint = voltbus.endpoint(secured=True)
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
