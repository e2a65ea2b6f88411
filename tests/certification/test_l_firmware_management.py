"""L, firmware management: updates, signed and not, and firmware that a local controller publishes."""

from datetime import timedelta
from typing import Any

from tests.certification.certificates import root
from tests.certification.operator import Command, Operator
from tests.certification.states import ACCEPTED, Session, booted, connectors
from tests.certification.station import Station, now

CERTIFICATE = root("Example firmware")
FIRMWARE = {
    "location": "https://files.example/firmware.bin",
    "retrieveDateTime": "2026-01-01T00:00:00Z",
    "signingCertificate": CERTIFICATE,
    "signature": "c2lnbmF0dXJl",
}
LOADED = ("Downloading", "Downloaded", "SignatureVerified")
INSTALLED = ("Installing", "InstallRebooting")
PUBLISHED = {
    "requestId": 1,
    "location": "https://files.example/firmware.bin",
    "checksum": "d41d8cd98f00b204e9800998ecf8427e",
}
AT_THE_CONTROLLER = "http://controller.example/firmware.bin"


async def update(
    station: Station, operator: Operator, status: str = "Accepted", request_id: int = 1, **when: str
) -> Command:
    """The operator has a signed firmware installed, and the station says status to it. when: its times."""
    firmware = FIRMWARE | when
    command = await operator.command(station.id, "UpdateFirmware", {"requestId": request_id, "firmware": firmware})
    asked = await station.expects("UpdateFirmware", {"status": status})
    assert asked == {"requestId": request_id, "firmware": firmware}
    return command


async def says(station: Station, *statuses: str, request_id: int = 1) -> None:
    """The station tells how far the update is."""
    for status in statuses:
        await station.call("FirmwareStatusNotification", {"status": status, "requestId": request_id})


async def restarted(station: Station, last: str, request_id: int = 1) -> None:
    """The station boots for the update, and tells what became of it."""
    await booted(station, "FirmwareUpdate")
    await says(station, last, request_id=request_id)


async def shown(station: Station, operator: Operator, *statuses: str, request_id: int = 1) -> Any:
    """The station in the inventory, which has the last status; all that it told is kept, and others know of it."""
    seen = await operator.station(station.id, lambda seen: seen["firmware_status"] == statuses[-1])
    assert seen["firmware_request_id"] == request_id
    told = await operator.reported("firmware", station.id, "FirmwareStatusNotification", len(statuses))
    assert [message["status"] for message in told] == [*statuses]
    return seen


async def security_event(station: Station, operator: Operator, kind: str) -> None:
    """The station tells a security event, and others hear of it."""
    await station.call("SecurityEventNotification", {"type": kind, "timestamp": now()})
    await operator.reported("firmware", station.id, "SecurityEventNotification")
    assert (await operator.event(station.id, "SecurityEventReported")).type == kind


async def test_tc_l_01(station: Station, operator: Operator) -> None:
    """A signed firmware is downloaded, verified and installed, with a reboot (L01.FR.01, FR.11, FR.15)."""
    await booted(station)
    command = await update(station, operator)
    await command.answered("accepted")
    await says(station, *LOADED, *INSTALLED)
    await restarted(station, "Installed")
    seen = await shown(station, operator, *LOADED, *INSTALLED, "Installed")
    assert seen["boot_reason"] == "FirmwareUpdate"
    await operator.connector(station.id, "Available")


async def test_tc_l_02(station: Station, operator: Operator) -> None:
    """An update is installed at a time that the operator gives (L01.FR.01, FR.11, FR.15, FR.16)."""
    await booted(station)
    command = await update(station, operator, installDateTime=now(timedelta(hours=1)))
    await command.answered("accepted")
    await says(station, *LOADED, "InstallScheduled", *INSTALLED)
    await restarted(station, "Installed")
    await shown(station, operator, *LOADED, "InstallScheduled", *INSTALLED, "Installed")


async def test_tc_l_03(station: Station, operator: Operator) -> None:
    """An update is downloaded at a time that the operator gives (L01.FR.01, FR.11, FR.13, FR.15)."""
    await booted(station)
    command = await update(station, operator, retrieveDateTime=now(timedelta(hours=1)))
    await command.answered("accepted")
    await says(station, "DownloadScheduled", *LOADED, *INSTALLED)
    await restarted(station, "Installed")
    await shown(station, operator, "DownloadScheduled", *LOADED, *INSTALLED, "Installed")


async def test_tc_l_04(station: Station, operator: Operator) -> None:
    """The certificate that signed the firmware is revoked: the operator sees that it is refused (L01.FR.01)."""
    await booted(station)
    command = await update(station, operator, "RevokedCertificate")
    assert (await command.answered("refused"))["response"] == {"status": "RevokedCertificate"}
    assert (await operator.station(station.id))["firmware_status"] is None


async def test_tc_l_05(station: Station, operator: Operator) -> None:
    """The certificate that signed the firmware is invalid, which is a security event as well (L01.FR.02, FR.22)."""
    await booted(station)
    command = await update(station, operator, "InvalidCertificate")
    assert (await command.answered("refused"))["response"] == {"status": "InvalidCertificate"}
    await security_event(station, operator, "InvalidFirmwareSigningCertificate")


async def test_tc_l_06(station: Station, operator: Operator) -> None:
    """The signature is invalid, which is a security event as well (L01.FR.01, FR.03, FR.11)."""
    await booted(station)
    command = await update(station, operator)
    await command.answered("accepted")
    await says(station, "Downloading", "Downloaded", "InvalidSignature")
    await security_event(station, operator, "InvalidFirmwareSignature")
    await shown(station, operator, "Downloading", "Downloaded", "InvalidSignature")


async def test_tc_l_07(station: Station, operator: Operator) -> None:
    """The firmware cannot be downloaded (L01.FR.01, FR.11, FR.30)."""
    await booted(station)
    command = await update(station, operator)
    await command.answered("accepted")
    await says(station, "Downloading", "DownloadFailed")
    await shown(station, operator, "Downloading", "DownloadFailed")


async def test_tc_l_08(station: Station, operator: Operator) -> None:
    """What is to be installed does not pass the station's own test (L01.FR.01, FR.11, FR.29)."""
    await booted(station)
    command = await update(station, operator)
    await command.answered("accepted")
    await says(station, *LOADED, "Installing", "InstallVerificationFailed")
    await shown(station, operator, *LOADED, "Installing", "InstallVerificationFailed")


async def test_tc_l_09(station: Station, operator: Operator) -> None:
    """The installation fails, which the station tells after its reboot (L01.FR.01, FR.11)."""
    await booted(station)
    command = await update(station, operator)
    await command.answered("accepted")
    await says(station, *LOADED, *INSTALLED)
    await restarted(station, "InstallationFailed")
    await shown(station, operator, *LOADED, *INSTALLED, "InstallationFailed")


async def test_tc_l_10(station: Station, operator: Operator) -> None:
    """A second update, for which the station cancels the first (L01.FR.01, FR.10, FR.11, FR.24)."""
    await booted(station)
    first = await update(station, operator)
    await first.answered("accepted")
    await says(station, "Downloading")
    second = await update(station, operator, "AcceptedCanceled", request_id=2)
    assert (await second.answered("accepted"))["response"] == {"status": "AcceptedCanceled"}
    await says(station, *LOADED, *INSTALLED, request_id=2)
    await restarted(station, "Installed", request_id=2)
    await shown(station, operator, "Downloading", *LOADED, *INSTALLED, "Installed", request_id=2)


async def test_tc_l_11(station: Station, operator: Operator) -> None:
    """A second update, which is refused because the first cannot be canceled (L01.FR.01, FR.10, FR.11, FR.27)."""
    await booted(station)
    first = await update(station, operator)
    await first.answered("accepted")
    await says(station, "Downloading")
    second = await update(station, operator, "Rejected", request_id=2)
    await second.answered("refused")
    await says(station, "Downloaded", "SignatureVerified", *INSTALLED)
    await restarted(station, "Installed")
    await shown(station, operator, *LOADED, *INSTALLED, "Installed")


async def test_tc_l_13(station: Station, session: Session, operator: Operator) -> None:
    """An update waits for a transaction, and nobody else may begin one (L01.FR.01, FR.07, FR.11, FR.13)."""
    await booted(station)
    await session.energy_transfer_started()
    command = await update(station, operator)
    await command.answered("accepted")
    await says(station, "DownloadScheduled")
    await connectors(station, "Unavailable", 2)
    await operator.connector(station.id, "Unavailable", evse_id=2)
    running = await operator.transaction(session.transaction_id, of=station.id)
    assert running["status"] == "active"
    await session.ev_disconnected()
    await says(station, *LOADED, *INSTALLED)
    await restarted(station, "Installed")
    await shown(station, operator, "DownloadScheduled", *LOADED, *INSTALLED, "Installed")
    await operator.connector(station.id, "Available", evse_id=2)
    ended = await operator.transaction(session.transaction_id, lambda seen: seen["status"] == "ended", of=station.id)
    assert ended["complete"]


async def published(station: Station, operator: Operator, *statuses: str, **more: Any) -> None:
    """The operator has a local controller publish a firmware, which tells all these statuses. more: of the last."""
    await booted(station)
    command = await operator.command(station.id, "PublishFirmware", PUBLISHED)
    asked = await station.expects("PublishFirmware", ACCEPTED)
    assert asked == PUBLISHED
    await command.answered("accepted")
    said = [{"status": status, "requestId": asked["requestId"]} for status in statuses]
    said[-1] |= more
    for status in said:
        await station.call("PublishFirmwareStatusNotification", status)
    assert await operator.reported("firmware", station.id, "PublishFirmwareStatusNotification", len(said)) == said


async def test_tc_l_17(station: Station, operator: Operator) -> None:
    """A local controller publishes a firmware (L03.FR.01, FR.04, FR.09)."""
    statuses = ("Downloading", "Downloaded", "ChecksumVerified", "Published")
    await published(station, operator, *statuses, location=[AT_THE_CONTROLLER])


async def test_tc_l_24(station: Station, operator: Operator) -> None:
    """A local controller cannot download the firmware that it is to publish (L03.FR.06)."""
    await published(station, operator, "Downloading", "DownloadFailed")


async def test_tc_l_19(station: Station, operator: Operator) -> None:
    """The checksum of a firmware that is to be published is wrong (L03.FR.07)."""
    await published(station, operator, "Downloading", "Downloaded", "InvalidChecksum")


async def test_tc_l_20(station: Station, operator: Operator) -> None:
    """A local controller fails to publish a firmware (L03.FR.08)."""
    await published(station, operator, "Downloading", "Downloaded", "ChecksumVerified", "PublishFailed")


async def unpublished(station: Station, operator: Operator, status: str, effect: str) -> None:
    """The operator has a local controller take a firmware back, which says status to it."""
    await booted(station)
    checksum = {"checksum": PUBLISHED["checksum"]}
    command = await operator.command(station.id, "UnpublishFirmware", checksum)
    assert await station.expects("UnpublishFirmware", {"status": status}) == checksum
    assert (await command.answered(effect))["response"] == {"status": status}


async def test_tc_l_21(station: Station, operator: Operator) -> None:
    """A local controller takes a firmware back (L04.FR.02)."""
    await unpublished(station, operator, "Unpublished", "accepted")


async def test_tc_l_22(station: Station, operator: Operator) -> None:
    """A firmware that a local controller is to take back was not published (L04.FR.03)."""
    await unpublished(station, operator, "NoFirmware", "refused")


async def test_tc_l_23(station: Station, operator: Operator) -> None:
    """A firmware that a local controller is to take back is being downloaded (L04.FR.04)."""
    await unpublished(station, operator, "DownloadOngoing", "refused")
