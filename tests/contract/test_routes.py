"""Every action a station may call has one owner: the one that the table of messages names."""

import pytest

from services.gateway.routes import OWNERS
from services.ocpp.topics import SERVICES
from services.ocpp.versions import VERSIONS, Version
from tests.contract.spec import Spec

each_version = pytest.mark.parametrize("version", VERSIONS.values(), ids=VERSIONS)


@each_version
def test_every_action_of_a_station_has_an_owner(version: Version) -> None:
    owners = OWNERS[version.name]
    assert owners.keys() == version.from_station
    assert set(owners.values()) <= set(SERVICES)


@each_version
def test_owners_are_those_of_the_table(version: Version, spec: Spec) -> None:
    named = {message.action: message.owner for message in spec.messages(version.name) if message.from_station}
    assert OWNERS[version.name] == named
