"""Local Auth List Management profile: lists sent whole or as changes, and their version."""

from typing import Any

from tests.certification.marks import missing
from tests.certification.operator import Operator
from tests.certification.station import Station
from tests.certification.v16.states import ACCEPTED, booted, commanded


def changes(station: Station, version: int, kind: str = "Differential") -> dict[str, Any]:
    """A list with one idTag that may charge, and as changes one that is taken out."""
    entries: list[Any] = [
        {"idTag": f"{station.id}-1", "idTagInfo": ACCEPTED | {"expiryDate": "2036-01-01T00:00:00.000Z"}}
    ]
    if kind == "Differential":
        entries.append({"idTag": f"{station.id}-2"})
    return {"listVersion": version, "updateType": kind, "localAuthorizationList": entries}


async def sent(station: Station, operator: Operator, status: str, effect: str, kind: str = "Differential") -> None:
    """A list is sent, and the station says status to it."""
    await booted(station)
    await commanded(station, operator, "SendLocalList", changes(station, 2, kind), {"status": status}, effect)


async def test_16_local_list_version(station: Station, operator: Operator) -> None:
    """The version of the list: one, none yet, and lists that the station does not have (§5.10, errata 3.52)."""
    await booted(station)
    for version in (7, 0, -1):
        await commanded(station, operator, "GetLocalListVersion", {}, {"listVersion": version})


async def test_16_local_list_full(station: Station, operator: Operator) -> None:
    """A whole list (§5.15, §3.5.2)."""
    await sent(station, operator, "Accepted", "accepted", "Full")


async def test_16_local_list_empty(station: Station, operator: Operator) -> None:
    """A whole list without any idTag, which clears it (§5.15, §6.41)."""
    await booted(station)
    await commanded(station, operator, "SendLocalList", {"listVersion": 3, "updateType": "Full"}, ACCEPTED, "accepted")


async def test_16_local_list_differential(station: Station, operator: Operator) -> None:
    """Changes of a list: an idTag that comes, one that goes (§5.15, §7.1)."""
    await sent(station, operator, "Accepted", "accepted")


async def test_16_local_list_failed(station: Station, operator: Operator) -> None:
    """A station cannot take a list (§5.15)."""
    await sent(station, operator, "Failed", "refused", "Full")


async def test_16_local_list_not_supported(station: Station, operator: Operator) -> None:
    """A station has no local lists (§5.15)."""
    await sent(station, operator, "NotSupported", "refused", "Full")


async def test_16_local_list_version_mismatch(station: Station, operator: Operator) -> None:
    """A station has another list than the changes are of (§5.15)."""
    await sent(station, operator, "VersionMismatch", "refused")


@missing("lists that are kept for stations, and sent whole where changes are refused")
async def test_16_local_list_sent_again(station: Station, operator: Operator) -> None:
    """Changes are refused, and the whole list is sent (§5.15)."""
    await sent(station, operator, "VersionMismatch", "refused")
    asked = await station.expects("SendLocalList", ACCEPTED)
    assert asked["updateType"] == "Full"


async def test_16_local_list_no_version(station: Station, operator: Operator) -> None:
    """A list without a version of its own is refused, and nothing is sent (errata 3.52)."""
    await booted(station)
    path = f"/v1/stations/{station.id}/commands/SendLocalList"
    for version in (0, -1):
        response = await operator.request("POST", "auth", path, changes(station, version))
        assert response.status_code == 422
