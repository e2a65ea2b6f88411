"""Firmware Management profile: updates, and diagnostics that a station uploads."""

from tests.certification.operator import Operator
from tests.certification.station import Station
from tests.certification.v16.states import ago, boot, booted, commanded

UPDATE = {"location": "https://files.example/firmware.bin", "retries": 3, "retryInterval": 60}
DIAGNOSTICS = {"location": "https://files.example/", "startTime": "2026-01-01T00:00:00.000Z"}


async def updating(station: Station, operator: Operator) -> None:
    """A station is told to install a firmware, which it cannot refuse (§5.19)."""
    await booted(station)
    payload = UPDATE | {"retrieveDate": ago(minutes=1)}
    await commanded(station, operator, "UpdateFirmware", payload, {})


async def says(station: Station, *statuses: str) -> None:
    for status in statuses:
        assert await station.call("FirmwareStatusNotification", {"status": status}) == {}


async def shown(station: Station, operator: Operator, *statuses: str) -> None:
    """The inventory has the last of these; all are kept, and others have heard of them."""
    await operator.station(station.id, lambda seen: seen["firmware_status"] == statuses[-1])
    told = await operator.reported("firmware", station.id, "FirmwareStatusNotification", len(statuses))
    assert [one["status"] for one in told] == [*statuses]


async def test_16_update_firmware(station: Station, operator: Operator) -> None:
    """A firmware is installed, with a boot (§4.5, §5.19)."""
    await updating(station, operator)
    await says(station, "Downloading", "Downloaded", "Installing")
    await station.reconnect()
    assert (await boot(station))["status"] == "Accepted"
    await says(station, "Installed")
    await shown(station, operator, "Downloading", "Downloaded", "Installing", "Installed")


async def test_16_update_firmware_download_failed(station: Station, operator: Operator) -> None:
    """A firmware cannot be downloaded (§4.5, §7.25)."""
    await updating(station, operator)
    await says(station, "Downloading", "DownloadFailed")
    await shown(station, operator, "Downloading", "DownloadFailed")


async def test_16_update_firmware_installation_failed(station: Station, operator: Operator) -> None:
    """A firmware cannot be installed (§4.5, §7.25)."""
    await updating(station, operator)
    await says(station, "Downloading", "Downloaded", "Installing", "InstallationFailed")
    await shown(station, operator, "Downloading", "Downloaded", "Installing", "InstallationFailed")


async def test_16_update_firmware_error(station: Station, operator: Operator) -> None:
    """A station that has no Firmware Management says so with an error (§5.19, 1.6-J §4.2.3)."""
    await booted(station)
    payload = UPDATE | {"retrieveDate": ago(minutes=1)}
    command = await operator.command(station.id, "UpdateFirmware", payload)
    await station.fails(await station.next_call("UpdateFirmware"), "NotSupported")
    ended = await command.ended()
    assert (ended["status"], ended["error_code"]) == ("rejected", "NotSupported")


async def diagnostics(station: Station, operator: Operator, *statuses: str) -> None:
    """A station uploads its diagnostics, and tells how far it has come."""
    await booted(station)
    await commanded(station, operator, "GetDiagnostics", DIAGNOSTICS, {"fileName": "log.zip"})
    for status in statuses:
        assert await station.call("DiagnosticsStatusNotification", {"status": status}) == {}
    told = await operator.reported("firmware", station.id, "DiagnosticsStatusNotification", len(statuses))
    assert [one["status"] for one in told] == [*statuses]


async def test_16_get_diagnostics(station: Station, operator: Operator) -> None:
    """A station uploads its diagnostics (§4.4, §5.9)."""
    await diagnostics(station, operator, "Uploading", "Uploaded")


async def test_16_get_diagnostics_failed(station: Station, operator: Operator) -> None:
    """A station cannot upload its diagnostics (§4.4, §7.24)."""
    await diagnostics(station, operator, "Uploading", "UploadFailed")


async def test_16_get_diagnostics_none(station: Station, operator: Operator) -> None:
    """A station has no diagnostics: it names no file (§5.9, §6.26)."""
    await booted(station)
    await commanded(station, operator, "GetDiagnostics", DIAGNOSTICS, {})
