"""Every schema of every version: it compiles, takes what it should take, refuses what it should refuse."""

import jsonschema_rs
import pytest

from services.ocpp.errors import OcppError
from services.ocpp.versions import VERSIONS, Version
from tests.contract import examples
from tests.contract.spec import Spec

ACTIONS = [(version, action) for version in VERSIONS.values() for action in sorted(version.schemas.actions)]
each_action = pytest.mark.parametrize(("version", "action"), ACTIONS, ids=[f"{v.name}-{a}" for v, a in ACTIONS])


def names(version: Version, action: str) -> tuple[str, ...]:
    """The schema documents of an action: request, response; what is sent has no other."""
    if action in version.schemas.sends:
        return (action,)
    suffix = "" if version.name in ("1.5", "1.6") else "Request"
    return action + suffix, f"{action}Response"


@each_action
def test_examples_are_valid(version: Version, action: str) -> None:
    request, *responses = (version.schemas.document(name) for name in names(version, action))
    for make in (examples.minimal, examples.full):
        version.schemas.check_request(action, make(request))
        for response in responses:
            version.schemas.check_response(action, make(response))


@each_action
def test_each_broken_rule_is_refused(version: Version, action: str) -> None:
    for _, payload in examples.broken(version.schemas.document(names(version, action)[0])):
        with pytest.raises(OcppError) as raised:
            version.schemas.check_request(action, payload)
        assert len(raised.value.description) <= 255
        assert "NoSuchValue" not in raised.value.description


@each_action
def test_the_published_schemas_agree(version: Version, action: str, spec: Spec) -> None:
    """What the specification's own schemas take, ours take, and the other way round."""
    if not version.subprotocol:
        pytest.skip(f"{version.name} has no JSON: its WSDLs judge it (test_soap.py)")
    for name in names(version, action):
        ours, theirs = version.schemas.document(name), spec.document(version.name, name)
        for document, other in ((ours, theirs), (theirs, ours)):
            validator = jsonschema_rs.validator_for(other, validate_formats=False)
            for example in (examples.minimal(document), examples.full(document)):
                assert validator.is_valid(example), (name, next(validator.iter_errors(example)).message)


@pytest.mark.parametrize("version", VERSIONS.values(), ids=VERSIONS)
def test_actions_are_those_of_the_specification(version: Version, spec: Spec) -> None:
    messages = spec.messages(version.name)
    assert version.schemas.actions == {message.action for message in messages}
    assert version.from_station.keys() == {message.action for message in messages if message.from_station}
