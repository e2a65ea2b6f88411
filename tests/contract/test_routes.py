"""Every action a station may call has one owner: the one that the table of messages names."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from services.gateway.ocppj.actions import Forward, Send
from services.gateway.ocppj.dialects import DIALECTS
from services.gateway.ocppj.frames import CALL, SEND
from services.gateway.ocppj.limits import Limits
from services.gateway.ocppj.session import Peer, Session
from services.ocpp.services import SERVICES
from services.ocpp.versions import VERSIONS, Version
from tests.contract import examples
from tests.contract.spec import Spec
from tests.unit.gateway.examples import SEALING

# By the monotonic and the wall clock.
NOW = 5_000.0, 1_800_000_000.0
each_version = pytest.mark.parametrize("version", VERSIONS.values(), ids=VERSIONS)


@each_version
def test_every_action_of_a_station_has_an_owner(version: Version) -> None:
    assert set(version.from_station.values()) <= set(SERVICES)


@each_version
def test_owners_are_those_of_the_table(version: Version, spec: Spec) -> None:
    named = {message.action: message.owner for message in spec.messages(version.name) if message.from_station}
    assert version.from_station == named


ACTIONS = [(version, action) for version in VERSIONS.values() for action in sorted(version.from_station)]


@pytest.mark.parametrize("make", [examples.minimal, examples.full])
@pytest.mark.parametrize(("version", "action"), ACTIONS, ids=[f"{v.name}-{a}" for v, a in ACTIONS])
def test_the_gateway_takes_every_message_to_its_owner(
    version: Version, action: str, make: Callable[[examples.Schema], Any]
) -> None:
    """Unchanged; and it answers itself where the answer says nothing, and what time it is."""
    payload = make(version.schemas.request_document(action))
    session = Session(
        Peer(station_id="CP", connection_id="connection", slot=0), DIALECTS[version.name], Limits(), sealing=SEALING
    )
    kind = SEND if action in version.schemas.sends else CALL
    actions = session.received(orjson.dumps([kind, "m-1", action, payload]), *NOW)
    [forward] = [it for it in actions if isinstance(it, Forward)]
    assert forward.service == version.from_station[action]
    assert (forward.call.action, forward.call.version) == (action, version.name)
    assert orjson.loads(forward.call.payload) == payload
    if kind == SEND:
        assert actions == [forward]
        assert forward.call.answered
        return
    empty = version.schemas.answered_empty(action)
    assert forward.call.answered == (empty or action == "Heartbeat")
    if empty:
        [sent, *_] = session.acknowledged("m-1", *NOW)
    elif action == "Heartbeat":
        [sent] = [it for it in actions if isinstance(it, Send)]
    else:
        assert actions == [forward]
        return
    assert isinstance(sent, Send)
    kind, message_id, reply = orjson.loads(sent.frame)
    assert (kind, message_id) == (3, "m-1")
    version.schemas.check_response(action, reply)


@each_version
def test_commands_have_the_owners_of_the_table(version: Version, spec: Spec) -> None:
    commands = [message for message in spec.messages(version.name) if message.direction != "CS->CSMS"]
    assert version.to_station == {message.action: message.owner for message in commands}


@each_version
def test_every_action_is_for_a_station_to_call_or_to_be_asked(version: Version) -> None:
    assert version.schemas.actions == version.from_station.keys() | version.to_station.keys()
