"""The same as for other cases, for a station and a session of OCPP 1.6."""

import pytest

from services.ocpp.versions import VERSIONS, Version
from tests.certification.states import Token
from tests.certification.station import Station
from tests.certification.v16.states import Session


@pytest.fixture
def version() -> Version:
    return VERSIONS["1.6"]


@pytest.fixture
def session(station: Station, token: Token) -> Session:
    """A session of the station with the idTag: nothing of it has happened yet."""
    return Session(station, token.id)
