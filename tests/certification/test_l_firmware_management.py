"""L, firmware management: updates, signed and not, and firmware that a local controller publishes."""

from tests.certification.operator import Operator
from tests.certification.states import ACCEPTED, booted
from tests.certification.station import Station

FIRMWARE = {
    "location": "https://files.example/firmware.bin",
    "retrieveDateTime": "2026-01-01T00:00:00Z",
    "signingCertificate": "-----BEGIN CERTIFICATE-----\nexample\n-----END CERTIFICATE-----\n",
    "signature": "c2lnbmF0dXJl",
}


async def test_tc_l_01(station: Station, operator: Operator) -> None:
    """A signed firmware is downloaded, verified and installed, with a reboot (L01.FR.01, FR.11, FR.15)."""
    await booted(station)
    command = await operator.command(station.id, "UpdateFirmware", {"requestId": 1, "firmware": FIRMWARE})
    asked = await station.expects("UpdateFirmware", ACCEPTED)
    assert asked["firmware"]["signingCertificate"] == FIRMWARE["signingCertificate"]
    assert asked["firmware"]["signature"] == FIRMWARE["signature"]
    await command.answered("accepted")
    for status in ("Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting"):
        await station.call("FirmwareStatusNotification", {"status": status, "requestId": asked["requestId"]})
    await booted(station, "FirmwareUpdate")
    await station.call("FirmwareStatusNotification", {"status": "Installed", "requestId": asked["requestId"]})
    seen = await operator.station(station.id, lambda seen: seen["firmware_status"] == "Installed")
    assert (seen["firmware_request_id"], seen["boot_reason"]) == (asked["requestId"], "FirmwareUpdate")
