"""Rules of OCPP-J that take a whole gateway to show: see docs/strictness.md."""

import pytest
from websockets.exceptions import InvalidStatus

from services.ocpp.passwords import keyed
from tests.unit.gateway.examples import call
from tests.unit.gateway.running import Running, ask, running

HEARTBEAT = call("hb", "Heartbeat", {})
CREDENTIALS = {"Authorization": "Basic Q1AxOnJpZ2h0"}
"""CP1:right"""


@pytest.mark.parametrize("path", ["2.0.1/CP1", "ocpp2.0.1/CP1", "v201/2.1/CP1"])
async def test_a_version_in_the_path_decides_nothing(one: Running, path: str) -> None:
    """2.0.1 part 4 §3.1.2: the subprotocol does."""
    async with await one.connect(path, "ocpp1.6") as socket:
        assert socket.subprotocol == "ocpp1.6"
        assert one.connection().version == "1.6"


async def test_a_ping_is_no_heartbeat(one: Running) -> None:
    """2.0.1 part 4 §5.2: it keeps the connection, and nothing else."""
    async with await one.connect() as socket:
        seen = one.websocket().last_seen
        await (await socket.ping())
        assert one.websocket().last_seen > seen
        assert one.calls("firmware") == []
        assert (await ask(socket, HEARTBEAT))[0] == 3
        assert (await one.call("firmware")).action == "Heartbeat"


async def test_who_has_no_password_does_not_disturb_who_is_there() -> None:
    """A00.FR.207 before all else: whoever knows an id alone cannot end its connection."""
    async with running() as one:
        await one.register(password_hash=keyed(b"k", b"right"))
        async with await one.connect(additional_headers=CREDENTIALS) as socket:
            for headers in ({}, {"Authorization": "Basic Q1AxOndyb25n"}):
                with pytest.raises(InvalidStatus):
                    await one.connect(additional_headers=headers)
            assert (await ask(socket, HEARTBEAT))[0] == 3
            assert len(one.changes()) == 1
