"""D, local authorization lists: sent whole or as changes, and asked for by their version."""

from typing import Any

from tests.certification.operator import Operator
from tests.certification.states import ACCEPTED, Token, booted
from tests.certification.station import Station

VALID = {"idTokenInfo": {"status": "Accepted"}}


async def test_tc_d_01(station: Station, operator: Operator) -> None:
    """A full list (D01.FR.01, FR.06, FR.18)."""
    await booted(station)
    await list_version(station, operator, 1)
    entries = [{"idToken": token.payload} | VALID for token in tokens(station)]
    asked = await sent_list(station, operator, "Full", 2, entries)
    assert (asked["updateType"], asked["versionNumber"]) == ("Full", 2)
    assert asked["localAuthorizationList"] == entries
    assert all(entry["idTokenInfo"] for entry in asked["localAuthorizationList"])
    names = [entry["idToken"]["idToken"] for entry in asked["localAuthorizationList"]]
    assert len(names) == len(set(names)) == 2


async def test_tc_d_02(station: Station, operator: Operator) -> None:
    """Some idTokens are added (D01.FR.01, FR.06, FR.18)."""
    await booted(station)
    version = await list_version(station, operator, 1)
    entries = [{"idToken": token.payload} | VALID for token in tokens(station)]
    asked = await sent_list(station, operator, "Differential", version + 1, entries)
    assert asked["updateType"] == "Differential"
    assert asked["versionNumber"] > version
    assert asked["localAuthorizationList"] == entries


async def test_tc_d_03(station: Station, operator: Operator) -> None:
    """Some idTokens are removed (D01.FR.01, FR.06, FR.17, FR.18)."""
    await booted(station)
    version = await list_version(station, operator, 1)
    entries = [{"idToken": token.payload} for token in tokens(station)]
    asked = await sent_list(station, operator, "Differential", version + 1, entries)
    assert asked["updateType"] == "Differential"
    assert asked["versionNumber"] > version
    assert asked["localAuthorizationList"] == entries
    assert not any("idTokenInfo" in entry for entry in asked["localAuthorizationList"])


async def test_tc_d_04(station: Station, operator: Operator) -> None:
    """All idTokens are removed, by a full list without any (D01.FR.01, FR.04, FR.18)."""
    await booted(station)
    asked = await sent_list(station, operator, "Full", 2, None)
    assert asked == {"updateType": "Full", "versionNumber": 2}


async def test_tc_d_08(station: Station, operator: Operator) -> None:
    """The version of the list is asked for (D02)."""
    await booted(station)
    assert await list_version(station, operator, 7) == 7


async def test_tc_d_09(station: Station, operator: Operator) -> None:
    """The version of the list is asked for, and there is no list (D02)."""
    await booted(station)
    assert await list_version(station, operator, 0) == 0


def tokens(station: Station) -> list[Token]:
    """Two idTokens."""
    return [Token(f"{station.id}-{name}") for name in ("1", "2")]


async def list_version(station: Station, operator: Operator, version: int) -> int:
    """The operator asks the station for the version of its list; what comes of it."""
    command = await operator.command(station.id, "GetLocalListVersion")
    assert await station.expects("GetLocalListVersion", {"versionNumber": version}) == {}
    answered = await command.answered()
    return int(answered["response"]["versionNumber"])


async def sent_list(station: Station, operator: Operator, kind: str, version: int, entries: Any) -> Any:
    """The operator sends a list, which the station takes; as it came."""
    payload = {"updateType": kind, "versionNumber": version}
    if entries is not None:
        payload["localAuthorizationList"] = entries
    command = await operator.command(station.id, "SendLocalList", payload)
    asked = await station.expects("SendLocalList", ACCEPTED)
    await command.answered("accepted")
    return asked
