"""Calls for tests without a bus."""

import json
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from services.common.calls.call import Call

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def call(action: str, payload: Any, version: str = "1.6", **more: Any) -> Call:
    """A call as a service reads it from its record."""
    raw = json.dumps(payload).encode()
    plain = Call("c1.1", "CP1", "c1", 1, "m1", version, action, raw, NOW, answered=False, quarantined=False)
    return replace(plain, **more)
