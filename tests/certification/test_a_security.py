"""A, security: who is let in, and how passwords and certificates are changed."""

import pytest
import websockets

from tests.certification.states import booted
from tests.certification.station import Station


async def test_tc_a_01(station: Station) -> None:
    """A station with its password is let in (A00.FR.204, B01.FR.02)."""
    await booted(station)


async def test_tc_a_02(known: Station) -> None:
    """A station whose user name is not its id is turned away (A00.FR.204)."""
    with pytest.raises(websockets.InvalidStatus) as refused:
        await known.connect(username=f"{known.id}Invalid")
    assert refused.value.response.status_code == 401


async def test_tc_a_03(known: Station) -> None:
    """A station with a wrong password is turned away, and let in with the right one (A00.FR.204)."""
    with pytest.raises(websockets.InvalidStatus) as refused:
        await known.connect(password="not the password")
    assert refused.value.response.status_code == 401
    await known.connect()
    await booted(known)
