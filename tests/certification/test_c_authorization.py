"""C, authorization: idTokens, groups, the cache, master passes, contract certificates."""

from tests.certification.states import booted
from tests.certification.station import Station


async def test_tc_c_02(station: Station) -> None:
    """Of an idToken that is not valid a station is told so (C01.FR.07, C04.FR.01, C06.FR.04)."""
    await booted(station)
    answer = await station.call("Authorize", {"idToken": {"idToken": "NOBODY-HAS-THIS", "type": "ISO14443"}})
    assert answer["idTokenInfo"]["status"] in ("Invalid", "Unknown")
