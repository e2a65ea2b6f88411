"""Every message of a station, each of its fields once as stations in the field send it: nothing usable is lost.

From the frame through the session of the gateway to the service that owns the action, on a real Postgres.
"""

import itertools
import json
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import orjson
import pytest

from services.common.calls.call import Call, Refused
from services.common.kafka.bus import Record
from services.common.process.errors import InvalidContent
from services.gateway.ocppj.actions import Forward, Send
from services.gateway.ocppj.dialects import DIALECTS
from services.gateway.ocppj.frames import CALL, SEND
from services.gateway.ocppj.limits import Limits
from services.gateway.ocppj.session import Peer, Session
from services.ocpp.errors import OcppError
from services.ocpp.services import SERVICES
from services.ocpp.versions import VERSIONS, Version
from tests.conftest import Stack
from tests.contract import examples
from tests.integration.common.running import Running, running, settings_of
from tests.unit.gateway.examples import SEALING
from voltbus.v1.bus_pb2 import Call as CallRecord

ACTIONS = [(version, action) for version in VERSIONS.values() for action in sorted(version.from_station)]
each_action = pytest.mark.parametrize(("version", "action"), ACTIONS, ids=[f"{v.name}-{a}" for v, a in ACTIONS])
# By the monotonic and the wall clock.
NOW = 5_000.0, 1_800_000_000.0
# Numbers that no connector has are the one thing that is told as a fault, or put aside where nobody waits.
IMPOSSIBLE = ("below zero", "too large")
AT_ONCE = 100


def received(version: Version, action: str, payload: Any, station_id: str = "CP1") -> tuple[CallRecord | None, bool]:
    """The CALL that a session makes of a message, and whether it has answered or will answer the station itself."""
    session = Session(
        Peer(station_id=station_id, connection_id=f"{station_id}-a", slot=1),
        DIALECTS[version.name],
        Limits(),
        sealing=SEALING,
    )
    kind = SEND if action in version.schemas.sends else CALL
    actions = session.received(json.dumps([kind, f"{station_id}-m", action, payload]).encode(), *NOW)
    forwarded = [one for one in actions if isinstance(one, Forward)]
    sent = any(isinstance(one, Send) for one in actions)
    if not forwarded:
        assert sent == (kind == CALL), "neither forwarded nor answered"
        return None, True
    return forwarded[0].call, sent or forwarded[0].acknowledge or kind == SEND


@each_action
def test_only_what_a_decision_needs_is_asked_for(version: Version, action: str) -> None:
    """A message is refused for want of what its decision needs; whatever else stands in it or does not."""
    needed = {need.split("|")[0] for need in version.actions[action].needs}
    for what, payload in examples.sloppy(version.schemas.request_document(action)):
        if received(version, action, payload)[0] is None and what != "payload: a text":
            path = what.partition(":")[0].lstrip(".").replace("payload", "")
            assert any(need.startswith(path) for need in needed), what


@each_action
def test_what_is_let_through_is_read_by_its_service(version: Version, action: str) -> None:
    read = import_module(f"services.{version.from_station[action]}.dialects").DIALECTS.read
    for what, payload in examples.sloppy(version.schemas.request_document(action)):
        call, _ = received(version, action, payload)
        if call is None:
            continue
        try:
            command = read(Call.read(Record("calls", b"CP1", call.SerializeToString())))
        except (InvalidContent, OcppError):
            assert what.endswith(IMPOSSIBLE), what
        except Exception as error:
            raise AssertionError(what) from error
        else:
            assert not isinstance(command, Refused), what


def cases(service: str) -> Iterator[tuple[str, CallRecord, bool]]:
    """What was done to a message, what the gateway made of it, and whether the gateway answers it.

    Of a type that stands deep in several messages of a version, in the first.
    """
    seen: dict[str, set[str]] = {name: set() for name in VERSIONS}
    for version, action in ACTIONS:
        if version.from_station[action] == service:
            for what, payload in examples.sloppy(version.schemas.request_document(action), seen[version.name]):
                call, answered = received(version, action, payload, f"CP{next(COUNT)}")
                if call is not None:
                    yield f"{version.name} {action} {what}", call, answered


COUNT = itertools.count(1)


@pytest.mark.parametrize("service", SERVICES)
async def test_everything_is_kept_and_answered(stack: Stack, service: str) -> None:
    environment = await stack.fresh(topics=False) | {"VOLTBUS_TOPIC_PREFIX": ""}
    settings = settings_of(import_module(f"services.{service}.settings").Settings, environment)
    build = import_module(f"services.{service}.app").build
    all_cases = list(cases(service))
    async with running(service, build, settings) as world:
        for begin in range(0, len(all_cases), AT_ONCE):
            await world.put(*(call for _, call, _ in all_cases[begin : begin + AT_ONCE]))
        await _check(world, all_cases)


async def _check(world: Running, found: list[tuple[str, CallRecord, bool]]) -> None:
    replies = {outbound.reply.message_id: outbound.reply for outbound in world.replies()}
    dead = {CallRecord.FromString(letter.value or b"").message_id for letter in world.dead()}
    for what, call, answered in found:
        if call.message_id in dead:
            assert answered, what
            assert what.endswith(IMPOSSIBLE), what
        elif not answered:
            reply = replies[call.message_id]
            if reply.WhichOneof("outcome") == "refusal":
                assert what.endswith(IMPOSSIBLE), (what, reply.refusal)
            else:
                VERSIONS[call.version].schemas.check_response(call.action, orjson.loads(reply.payload))
    changed = {call.station_id for _, call, _ in found if call.tolerated.raw and call.message_id not in dead}
    async with world.database.connection() as db:
        kept = {
            row["station_id"]: row
            for row in await db.fetch("select * from recorded_message where normalised is not null")
        }
    assert kept.keys() == changed
    for what, call, _ in found:
        if call.station_id in kept:
            row = kept[call.station_id]
            assert (row["payload"].encode(), row["normalised"].encode()) == (call.tolerated.raw, call.payload), what
