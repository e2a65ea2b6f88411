"""Core profile, what stations are asked: each command, and each answer to it as an operator sees it."""

from typing import Any

from tests.certification import seen
from tests.certification.operator import Operator
from tests.certification.states import Token
from tests.certification.station import Station, now
from tests.certification.v16.states import (
    ACCEPTED,
    Session,
    answered,
    boot,
    booted,
    commanded,
    connector,
    shown_of_station,
)

REJECTED = {"status": "Rejected"}
HEARTBEAT = "HeartbeatInterval"


async def availability(
    station: Station, operator: Operator, status: str, effect: str, word: str = "Inoperative"
) -> Any:
    """A connector is taken out of use, or back into it, and the station says status to it."""
    command = await operator.act("firmware", station.id, "availability", {"status": word.lower(), "evse_id": 1})
    payload = {"connectorId": 1, "type": word}
    return await answered(station, command, "ChangeAvailability", payload, {"status": status}, effect)


async def test_16_change_availability_accepted(station: Station, operator: Operator) -> None:
    """A connector is taken out of use, and back into it (§5.2)."""
    await booted(station)
    await availability(station, operator, "Accepted", "accepted")
    await connector(station, 1, "Unavailable")
    await operator.connector(station.id, "Unavailable")
    await availability(station, operator, "Accepted", "accepted", "Operative")
    await connector(station, 1, "Available")
    await operator.connector(station.id, "Available")


async def test_16_change_availability_of_station(station: Station, operator: Operator) -> None:
    """The whole station is taken out of use (§5.2, §3.8)."""
    await booted(station)
    command = await operator.act("firmware", station.id, "availability", {"status": "inoperative"})
    payload = {"connectorId": 0, "type": "Inoperative"}
    await answered(station, command, "ChangeAvailability", payload, ACCEPTED, "accepted")
    for connector_id in range(station.evses + 1):
        await connector(station, connector_id, "Unavailable")
    await shown_of_station(station, operator, "Unavailable")


async def test_16_change_availability_rejected(station: Station, operator: Operator) -> None:
    """A connector cannot be taken out of use (§5.2)."""
    await booted(station)
    await availability(station, operator, "Rejected", "refused")


async def test_16_change_availability_scheduled(station: Station, session: Session, operator: Operator) -> None:
    """A connector that is in use is taken out of use once its transaction has ended (§5.2)."""
    await booted(station)
    await session.charging()
    shown = await availability(station, operator, "Scheduled", "scheduled")
    await session.stop()
    await connector(station, 1, "Unavailable")
    await operator.until("firmware", f"/v1/commands/{shown['command_id']}", lambda one: one["effect"] == "done")


async def change(station: Station, operator: Operator, status: str) -> Any:
    """A setting is changed, and the station says status to it; the setting as the operator sees it then."""
    await booted(station)
    await operator.configure(station.id, {HEARTBEAT: "600"})
    asked = await station.expects("ChangeConfiguration", {"status": status})
    assert asked == {"key": HEARTBEAT, "value": "600"}

    def tried(view: Any) -> bool:
        return any(one["last_set"] and one["last_set"]["result"] != "pending" for one in view["items"])

    view = await operator.until("firmware", f"/v1/stations/{station.id}/configuration", tried, name=HEARTBEAT)
    [shown] = view["items"]
    return shown


async def test_16_change_configuration_accepted(station: Station, operator: Operator) -> None:
    """A setting is changed (§5.3)."""
    shown = await change(station, operator, "Accepted")
    assert (shown["value"], shown["last_set"]["result"], shown["pending_reboot"]) == ("600", "applied", False)
    await operator.event(station.id, "ConfigurationChanged")


async def test_16_change_configuration_rejected(station: Station, operator: Operator) -> None:
    """A setting has another value than the station takes (§5.3)."""
    shown = await change(station, operator, "Rejected")
    assert (shown["value"], shown["last_set"]["result"]) == (None, "rejected")


async def test_16_change_configuration_reboot_required(station: Station, operator: Operator) -> None:
    """A setting is changed with the next boot (§5.3)."""
    shown = await change(station, operator, "RebootRequired")
    assert (shown["last_set"]["result"], shown["pending_reboot"]) == ("reboot_required", True)
    await boot(station)
    path = f"/v1/stations/{station.id}/configuration"
    await operator.until("firmware", path, lambda view: not view["items"][0]["pending_reboot"], name=HEARTBEAT)


async def test_16_change_configuration_not_supported(station: Station, operator: Operator) -> None:
    """A station does not have a setting (§5.3)."""
    shown = await change(station, operator, "NotSupported")
    assert (shown["value"], shown["last_set"]["result"]) == (None, "unknown")
    assert shown["last_set"]["reason"] == "NotSupported"


async def test_16_get_configuration(station: Station, operator: Operator) -> None:
    """Some settings are read, of which the station does not have all (§5.8)."""
    await booted(station)
    await operator.refresh(station.id, names=[HEARTBEAT, "NoSuchKey"])
    known = {"key": HEARTBEAT, "readonly": False, "value": "300"}
    asked = await station.expects("GetConfiguration", {"configurationKey": [known], "unknownKey": ["NoSuchKey"]})
    assert sorted(asked["key"]) == [HEARTBEAT, "NoSuchKey"]
    await operator.settings(station.id, {HEARTBEAT: "300"})
    view = await operator.get("firmware", f"/v1/stations/{station.id}/configuration")
    assert {one["name"]: one["unknown"] for one in view["items"]} == {HEARTBEAT: False, "NoSuchKey": True}


async def test_16_get_configuration_all(station: Station, operator: Operator) -> None:
    """All settings are read (§5.8)."""
    await booted(station)
    await operator.refresh(station.id)
    values = {HEARTBEAT: "300", "NumberOfConnectors": "2", "GetConfigurationMaxKeys": "10"}
    keys = [{"key": key, "readonly": key != HEARTBEAT, "value": value} for key, value in values.items()]
    assert await station.expects("GetConfiguration", {"configurationKey": keys}) == {}
    await operator.settings(station.id, values)


async def test_16_get_configuration_split(station: Station, operator: Operator) -> None:
    """A station takes two keys at once, and is asked for three (§5.8, §9.1.9)."""
    await booted(station)
    await operator.refresh(station.id)
    most = {"key": "GetConfigurationMaxKeys", "readonly": True, "value": "2"}
    await station.expects("GetConfiguration", {"configurationKey": [most]})
    await operator.settings(station.id, {"GetConfigurationMaxKeys": "2"})
    names = ["BlinkRepeat", "ConnectionTimeOut", HEARTBEAT]
    await operator.refresh(station.id, names=names)
    asked = [await station.expects("GetConfiguration", {"unknownKey": names[:2]}) for _ in range(2)]
    assert [len(one["key"]) for one in asked] == [2, 1]
    assert sorted(key for one in asked for key in one["key"]) == names


async def clear_cache(station: Station, operator: Operator, answer: Any, effect: str) -> None:
    await booted(station)
    command = await operator.act("auth", station.id, "clear-cache", {})
    await answered(station, command, "ClearCache", {}, answer, effect)


async def test_16_clear_cache_accepted(station: Station, operator: Operator) -> None:
    """The cache of a station is cleared (§5.4)."""
    await clear_cache(station, operator, ACCEPTED, "accepted")


async def test_16_clear_cache_rejected(station: Station, operator: Operator) -> None:
    """A station has no cache (§5.4, errata 3.23)."""
    await clear_cache(station, operator, REJECTED, "refused")


async def transfer(station: Station, operator: Operator, status: str, effect: str, **data: Any) -> None:
    """A vendor's own message is sent to a station, which says status to it."""
    await booted(station)
    payload = {"vendorId": "com.example", "messageId": "Coffee", "data": "black"}
    await commanded(station, operator, "DataTransfer", payload, {"status": status} | data, effect)


async def test_16_data_transfer_accepted(station: Station, operator: Operator) -> None:
    """A station knows a vendor's own message, and answers with data (§5.6)."""
    await transfer(station, operator, "Accepted", "accepted", data="here you are")


async def test_16_data_transfer_rejected(station: Station, operator: Operator) -> None:
    """A station knows a vendor's own message, and rejects it (§5.6)."""
    await transfer(station, operator, "Rejected", "refused")


async def test_16_data_transfer_unknown(station: Station, operator: Operator) -> None:
    """A station knows the vendor and not the message, or neither (§5.6)."""
    for status in ("UnknownMessageId", "UnknownVendorId"):
        await transfer(station, operator, status, "refused")


async def test_16_remote_start_accepted(station: Station, session: Session, operator: Operator) -> None:
    """A session is started remotely, and is known to come from that (§5.11, errata 3.32)."""
    await booted(station)
    command = await operator.start(station.id, session.id_tag, evse_id=1)
    payload = {"idTag": session.id_tag, "connectorId": 1}
    await answered(station, command, "RemoteStartTransaction", payload, ACCEPTED, "accepted")
    await session.charging()
    shown = await seen.active(operator, session, None)
    assert shown["command_id"] == command.id


async def test_16_remote_start_any_connector(station: Station, token: Token, operator: Operator) -> None:
    """A session is started remotely on any connector (§5.11)."""
    await booted(station)
    command = await operator.start(station.id, token.id)
    await answered(station, command, "RemoteStartTransaction", {"idTag": token.id}, ACCEPTED, "accepted")
    session = Session(station, token.id, connector_id=2)
    await session.charging()
    shown = await seen.active(operator, session, None)
    assert (shown["evse_id"], shown["command_id"]) == (2, command.id)


async def test_16_remote_start_rejected(station: Station, token: Token, operator: Operator) -> None:
    """A station does not start a session (§5.11)."""
    await booted(station)
    command = await operator.start(station.id, token.id, evse_id=1)
    payload = {"idTag": token.id, "connectorId": 1}
    await answered(station, command, "RemoteStartTransaction", payload, REJECTED, "refused")


async def test_16_remote_stop_accepted(station: Station, session: Session, operator: Operator) -> None:
    """A session is stopped remotely (§5.12, errata 3.33)."""
    await booted(station)
    await session.charging()
    await seen.active(operator, session, None)
    command = await operator.stop(station.id, session.transaction_id)
    payload = {"transactionId": session.number}
    await answered(station, command, "RemoteStopTransaction", payload, ACCEPTED, "accepted")
    await session.stop(reason="Remote")
    await seen.ended(operator, session, "Remote")


async def test_16_remote_stop_rejected(station: Station, session: Session, operator: Operator) -> None:
    """A station does not stop a session, which goes on (§5.12)."""
    await booted(station)
    await session.charging()
    await seen.active(operator, session, None)
    command = await operator.stop(station.id, session.transaction_id)
    payload = {"transactionId": session.number}
    await answered(station, command, "RemoteStopTransaction", payload, REJECTED, "refused")
    await seen.active(operator, session, None)


async def reset(station: Station, operator: Operator, kind: str, answer: Any, effect: str) -> None:
    command = await operator.reset(station.id, kind.lower())
    await answered(station, command, "Reset", {"type": kind}, answer, effect)


async def test_16_reset_soft(station: Station, session: Session, operator: Operator) -> None:
    """A station ends its transactions, and boots (§5.14, errata 3.36)."""
    await booted(station)
    await session.charging()
    await reset(station, operator, "Soft", ACCEPTED, "accepted")
    await session.stop(reason="SoftReset")
    await seen.ended(operator, session, "SoftReset")
    await station.reconnect()
    await booted(station)
    page = await operator.until("firmware", f"/v1/stations/{station.id}/boots", lambda page: len(page["items"]) == 2)
    assert {one["status"] for one in page["items"]} == {"Accepted"}


async def test_16_reset_hard(station: Station, session: Session, operator: Operator) -> None:
    """A station boots at once, and tells the end of its transaction afterwards (§5.14, errata 3.36)."""
    await booted(station)
    await session.charging()
    await reset(station, operator, "Hard", ACCEPTED, "accepted")
    await station.reconnect()
    assert (await boot(station))["status"] == "Accepted"
    await session.stop(reason="HardReset", timestamp=now())
    await seen.ended(operator, session, "HardReset")


async def test_16_reset_rejected(station: Station, operator: Operator) -> None:
    """A station does not boot (§5.14)."""
    await booted(station)
    for kind in ("Soft", "Hard"):
        await reset(station, operator, kind, REJECTED, "refused")


async def test_16_reset_on_idle(station: Station, operator: Operator) -> None:
    """A reset that 1.6 does not have is refused, and nothing is sent (§5.14, §7.42)."""
    await booted(station)
    response = await operator.request("POST", "firmware", f"/v1/stations/{station.id}/reset", {"type": "on_idle"})
    assert response.status_code == 409


async def unlock(station: Station, operator: Operator, status: str, effect: str) -> None:
    """A connector is to be unlocked, and the station says status to it."""
    command = await operator.act("firmware", station.id, "unlock", {"evse_id": 1})
    await answered(station, command, "UnlockConnector", {"connectorId": 1}, {"status": status}, effect)


async def test_16_unlock_unlocked(station: Station, session: Session, operator: Operator) -> None:
    """A connector is unlocked, which ends its transaction (§5.18, §7.36)."""
    await booted(station)
    await session.charging()
    await unlock(station, operator, "Unlocked", "accepted")
    await session.stop(reason="UnlockCommand")
    await seen.ended(operator, session, "UnlockCommand")


async def test_16_unlock_failed(station: Station, operator: Operator) -> None:
    """A connector cannot be unlocked (§5.18, errata 3.87)."""
    await booted(station)
    await unlock(station, operator, "UnlockFailed", "refused")


async def test_16_unlock_not_supported(station: Station, operator: Operator) -> None:
    """A connector has no lock, or there is none of that number (§5.18, errata 3.87)."""
    await booted(station)
    await unlock(station, operator, "NotSupported", "refused")
