"""Every message of a station, each of its fields as stations in the field send it: nothing that can be used is lost."""

from importlib import import_module
from typing import Any

import orjson
import pytest

from services.common.calls.call import Call, Refused
from services.common.process.clock import now
from services.common.process.errors import InvalidContent
from services.ocpp.errors import OcppError
from services.ocpp.versions import VERSIONS, Version
from tests.contract import examples

ACTIONS = [(version, action) for version in VERSIONS.values() for action in sorted(version.from_station)]
each_action = pytest.mark.parametrize(("version", "action"), ACTIONS, ids=[f"{v.name}-{a}" for v, a in ACTIONS])


def dialects(version: Version, action: str) -> Any:
    """Of the service that owns the action."""
    return import_module(f"services.{version.from_station[action]}.dialects").DIALECTS


def call(version: Version, action: str, payload: Any) -> Call:
    raw = orjson.dumps(payload)
    return Call("c.1", "CP1", "c", 0, "m1", version.name, action, raw, now(), False, False)


@each_action
def test_what_is_let_through_is_read_by_its_service(version: Version, action: str) -> None:
    """A number of an EVSE that no station can have is told as such; anything else is read."""
    read = dialects(version, action).read
    for what, payload in examples.sloppy(version.schemas.request_document(action)):
        reading = version.readings.request(action, orjson.loads(orjson.dumps(_storable(payload))))
        if reading.fault:
            continue
        try:
            command = read(call(version, action, reading.payload))
        except (InvalidContent, OcppError):
            assert what.endswith(("below zero", "too large")), what
            continue
        except Exception as error:
            raise AssertionError(what) from error
        assert not isinstance(command, Refused), what


def _storable(value: Any) -> Any:
    """As orjson reads integers of more than 64 bits: as floats."""
    if isinstance(value, dict):
        return {name: _storable(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_storable(part) for part in value]
    return float(value) if type(value) is int and abs(value) >= 2**64 else value
