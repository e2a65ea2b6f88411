"""Security events of all stations, as REST shows them and events tell them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from services.common.kafka.bus import Record
from services.firmware.domain.security_events import MOST_A_DAY
from services.firmware.metrics import SECURITY_EVENTS
from tests.clients.events import enum_word
from tests.integration.common.running import START, Running, token
from tests.integration.firmware.test_listing import registration
from tests.integration.firmware.test_refused import knock, report
from voltbus.v1.bus_pb2 import Call


def told(firmware: Running, kind: str, station_id: str = "CP1", hours: float = 0, **more: Any) -> Call:
    at = (START + timedelta(hours=hours)).isoformat().replace("+00:00", "Z")
    return firmware.call(
        "SecurityEventNotification", {"type": kind, "timestamp": at} | more, station_id, "2.0.1", answered=True
    )


async def listed(firmware: Running, **query: Any) -> Sequence[Any]:
    items: Sequence[Any] = (await firmware.get("/v1/security-events", query=query))["items"]
    return items


async def kinds(firmware: Running, **query: Any) -> list[tuple[str, str]]:
    return [(one["station_id"], one["type"]) for one in await listed(firmware, **query)]


def counted(origin: str, kind: str) -> float:
    value: float = SECURITY_EVENTS.labels(origin, kind)._value.get()
    return value


async def test_those_of_all_stations_are_listed_by_when_they_happened(firmware: Running) -> None:
    """A04: the second one had waited offline; the third has a clock that is ahead, and a type of its maker's."""
    before = counted("station", "TamperDetectionActivated"), counted("station", "other")
    await firmware.put(
        registration("CP1", "vienna"),
        registration("CP2", "graz"),
        told(firmware, "TamperDetectionActivated", techInfo="door 2"),
        told(firmware, "InvalidMessages", "CP2", -5),
        told(firmware, "acme.Knock", "CP2", 400),
    )
    [last, *_] = found = await listed(firmware, limit=2)
    assert last["id"] != found[1]["id"]
    all_ = await listed(firmware)
    by_type = {one["type"]: one for one in all_}
    assert all_[-1] == by_type["InvalidMessages"], "it happened before the others"
    assert by_type["acme.Knock"]["happened_at"] == by_type["acme.Knock"]["received_at"] == "2026-03-01T12:00:00Z"
    assert [by_type[kind]["critical"] for kind in ("TamperDetectionActivated", "InvalidMessages", "acme.Knock")] == [
        *(True, False, None)
    ]
    assert (by_type["TamperDetectionActivated"]["tech_info"], last["origin"]) == ("door 2", "station")
    after = counted("station", "TamperDetectionActivated"), counted("station", "other")
    assert after == (before[0] + 1, before[1] + 1)
    for query, expected in (
        ({"critical": True}, [("CP1", "TamperDetectionActivated")]),
        ({"critical": False}, [("CP2", "InvalidMessages")]),
        ({"station_id": "CP2", "type": "other"}, [("CP2", "acme.Knock")]),
        ({"type": "acme.Knock", "group": "graz"}, [("CP2", "acme.Knock")]),
        ({"group": "vienna"}, [("CP1", "TamperDetectionActivated")]),
        ({"to": START.isoformat()}, [("CP2", "InvalidMessages")]),
        ({"from": START.isoformat(), "group": "vienna"}, [("CP1", "TamperDetectionActivated")]),
        ({"origin": "csms"}, []),
    ):
        assert await kinds(firmware, **query) == expected, query
    page = await firmware.get("/v1/security-events", query={"limit": 2})
    rest = await firmware.get("/v1/security-events", query={"limit": 2, "cursor": page["next"]})
    assert ([*page["items"], *rest["items"]], rest["next"]) == (all_, None)
    problem = await firmware.get("/v1/security-events", 422, {"from": START.isoformat(), "to": START.isoformat()})
    assert problem["errors"][0]["field"] == "query.from"


async def test_who_is_limited_to_groups_sees_those_of_their_stations(firmware: Running) -> None:
    await firmware.put(registration("CP1", "vienna"), registration("CP2", "graz"))
    await firmware.put(told(firmware, "InvalidMessages"), told(firmware, "InvalidMessages", "CP2"))
    limited = token("firmware:read", voltbus_groups=["graz"])
    answer = await firmware.http.get("/v1/security-events", headers={"authorization": f"Bearer {limited}"})
    assert [one["station_id"] for one in answer.json()["items"]] == ["CP2"]


async def test_what_is_told_twice_or_read_again_is_one(firmware: Running) -> None:
    """Its answer was lost: another message tells it again."""
    before = counted("station", "FirmwareUpdated")
    await firmware.put(told(firmware, "FirmwareUpdated"), told(firmware, "FirmwareUpdated"))
    await firmware.put(told(firmware, "FirmwareUpdated"), told(firmware, "FirmwareUpdated", techInfo="2.0"))
    await firmware.restart(commit=False)
    await firmware.settled()
    assert [one["times"] for one in await listed(firmware)] == [1, 1]
    assert counted("station", "FirmwareUpdated") == before + 2
    events = firmware.announced("SecurityEventReported")
    assert [(one.type, enum_word(one, "origin"), one.critical) for one in events] == [
        ("FirmwareUpdated", "station", True)
    ] * 4, "each message is told"


async def test_a_flood_is_counted(firmware: Running) -> None:
    many = [told(firmware, "InvalidMessages", techInfo=str(n)) for n in range(MOST_A_DAY + 30)]
    await firmware.put(*many, told(firmware, "SecurityLogWasCleared"))
    await firmware.put(told(firmware, "InvalidMessages", techInfo="later"))
    page = await listed(firmware, type="InvalidMessages", limit=1000)
    assert (len(page), sum(one["times"] for one in page)) == (MOST_A_DAY, MOST_A_DAY + 31)
    assert len(await listed(firmware, type="SecurityLogWasCleared")) == 1


def knocks() -> Record:
    reasons = ("wrong_password", "revoked_certificate", "low_security_profile", "id_in_use")
    address: dict[str, Any] = {"remote_address": "192.0.2.7"}
    return report(
        60,
        *(knock("CP1", 10 * n, reason, times=n + 2, **address) for n, reason in enumerate(reasons)),
        knock("CP9", 5, "wrong_password", **address),
    )


async def test_what_gateways_refuse_stands_beside_it(firmware: Running) -> None:
    """Once, also where it is read again; not of ids that anybody can make up."""
    await firmware.put(registration("CP1"), knocks(), knocks())
    await firmware.restart(commit=False)
    await firmware.settled()
    found = await listed(firmware, origin="csms")
    assert [(one["type"], one["tech_info"], one["times"], one["critical"]) for one in found] == [
        ("DowngradeAttempted", "low_security_profile", 4, True),
        ("CertificateRefused", "revoked_certificate", 3, True),
        ("LoginFailed", "wrong_password", 2, False),
    ]
    assert {(one["station_id"], one["remote_address"]) for one in found} == {("CP1", "192.0.2.7")}
    events = firmware.announced("SecurityEventReported")
    assert sorted((one.type, one.times) for one in events) == [
        *(("CertificateRefused", 3), ("DowngradeAttempted", 4), ("LoginFailed", 2))
    ]
