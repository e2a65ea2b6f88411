"""Every command to a station has one owner: the one that the table of messages names."""

import pytest

from services.ocpp.services import SERVICES
from services.ocpp.versions import VERSIONS, Version
from tests.contract.spec import Spec

each_version = pytest.mark.parametrize("version", VERSIONS.values(), ids=VERSIONS)


@each_version
def test_every_command_has_an_owner(version: Version) -> None:
    """What a station does not call, a CSMS does; either may call DataTransfer."""
    owners = version.to_station
    assert owners.keys() == version.schemas.actions - version.from_station.keys() | {"DataTransfer"}
    assert set(owners.values()) <= set(SERVICES)


@each_version
def test_owners_are_those_of_the_table(version: Version, spec: Spec) -> None:
    named = {message.action: message.owner for message in spec.messages(version.name) if message.to_station}
    assert version.to_station == named
