"""Who has done what that operators do: kept where something is left to show it, and told as an event."""

from typing import Any

import jwt

from services.firmware.settings import Settings
from tests.conftest import SECRETS
from tests.integration.common.running import Running, registered, token
from tests.integration.firmware.configuration.stations import Field, old, read
from tests.integration.firmware.test_disconnecting import here
from voltbus.v1 import events_pb2 as pb

WINDOW = {"station_id": "CP1", "begin_at": "2026-03-01T00:00:00Z", "end_at": "2026-03-02T00:00:00Z", "reason": "works"}
NOBODY = {"scope": "firmware:write", "exp": 4_000_000_000}
STATUS = {"connectorId": 2, "status": "Available", "errorCode": "NoError"}


def by(subject: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token('firmware:read', 'firmware:write', sub=subject)}"}


async def do(world: Running, method: str, path: str, subject: str, body: Any = None) -> Any:
    answer = await world.http.request(method, path, json=body, headers=by(subject))
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def told(world: Running, *kinds: type[Any]) -> list[tuple[str, str]]:
    return [(type(one).__name__, one.author) for one in world.announced() if isinstance(one, kinds)]


async def test_of_stations(firmware: Running) -> None:
    await firmware.put(*registered("CP1"), firmware.call("StatusNotification", STATUS))
    path = "/v1/stations/CP1"
    ordered = await do(firmware, "PUT", f"{path}/boot", "anna", {"status": "Rejected", "interval": 60})
    assert ordered["boot_order_author"] == "anna"
    assert (await do(firmware, "DELETE", f"{path}/boot", "bert"))["boot_order_author"] == "bert"
    again = await do(firmware, "DELETE", f"{path}/boot", "carla")
    assert again["boot_order_author"] == "bert", "there was nothing to withdraw"
    await do(firmware, "DELETE", f"{path}/connectors/2/2", "dora")
    await firmware.settled()
    assert told(firmware, pb.BootOrderChanged, pb.ConnectorRemoved) == [
        ("BootOrderChanged", "anna"),
        ("BootOrderChanged", "bert"),
        ("ConnectorRemoved", "dora"),
    ]
    first, second = firmware.announced("BootOrderChanged")
    assert (first.status, first.interval) == (pb.REGISTRATION_STATUS_REJECTED, 60)
    assert (second.status, second.HasField("interval")) == (pb.REGISTRATION_STATUS_UNSPECIFIED, False)
    [gone] = firmware.announced("ConnectorRemoved")
    assert (gone.station_id, gone.evse_id, gone.connector_id, gone.existed) == ("CP1", 2, 2, True)


async def test_of_maintenance_windows_and_webhooks(firmware: Running) -> None:
    await firmware.put(*registered("CP1"), firmware.call("StatusNotification", STATUS))
    hook = {"url": "https://billing.example/hooks"}
    for path, body in (("/v1/maintenance-windows/w1", WINDOW), ("/v1/webhooks/billing", hook)):
        await do(firmware, "PUT", path, "anna", body)
        await do(firmware, "PUT", path, "bert", body)
        assert (await firmware.get(path))["author"] == "bert"
        await do(firmware, "DELETE", path, "carla")
    await firmware.settled()
    for kind in ("MaintenanceWindow", "Webhook"):
        changed, removed = (getattr(pb, f"{kind}{what}") for what in ("Changed", "Removed"))
        assert told(firmware, changed, removed) == [
            *((changed.__name__, who) for who in ("anna", "bert")),
            (removed.__name__, "carla"),
        ]
    assert [one.window_id for one in firmware.announced("MaintenanceWindowChanged")] == ["w1", "w1"]


async def test_of_settings_of_a_group(firmware: Running) -> None:
    path = "/v1/groups/vienna/configuration"
    await do(firmware, "PUT", path, "anna", {"settings": {"HeartbeatInterval": "300"}})
    assert (await firmware.get(path))["author"] == "anna"
    await do(firmware, "DELETE", path, "bert")
    await firmware.settled()
    assert told(firmware, pb.GroupConfigurationChanged, pb.GroupConfigurationRemoved) == [
        ("GroupConfigurationChanged", "anna"),
        ("GroupConfigurationRemoved", "bert"),
    ]
    assert "300" not in str(firmware.announced("GroupConfigurationChanged"))


async def test_a_key_is_of_its_caller(field: Field, settings: Settings) -> None:
    """Also of settings, and of connections that are ended."""
    world = await here(field, settings)
    await read(field, old())

    async def asked(subject: str, method: str, path: str, body: Any) -> Any:
        headers = by(subject) | {"Idempotency-Key": "k"}
        answer = await world.http.request(method, f"/v1/stations/CP1/{path}", json=body, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()

    for method, path, body in (
        ("POST", "disconnect", {"reason": "asked for by support"}),
        ("PUT", "configuration?wait=10", {"settings": {"HeartbeatInterval": "300"}}),
    ):
        found = [await asked(who, method, path, body) for who in ("anna", "bert", "anna", "bert")]
        assert found[:2] == found[2:]
    for path, query in (("stations/CP1/disconnects", {}), ("commands", {"action": "ChangeConfiguration"})):
        items = (await world.get(f"/v1/{path}", query=query))["items"]
        assert sorted(one["author"] for one in items) == ["anna", "bert"]


async def test_a_maintenance_window_is_removed_by_somebody(firmware: Running) -> None:
    await firmware.put(*registered("CP1"), firmware.call("StatusNotification", STATUS))
    await do(firmware, "PUT", "/v1/maintenance-windows/w1", "anna", WINDOW)
    nameless = {"Authorization": f"Bearer {jwt.encode(NOBODY, SECRETS['VOLTBUS_JWT_SECRET'])}"}
    answer = await firmware.http.delete("/v1/maintenance-windows/w1", headers=nameless)
    assert (answer.status_code, "`sub`" in answer.json()["detail"]) == (403, True)
    await firmware.get("/v1/maintenance-windows/w1")
