"""Security whitepaper: passwords, certificates, security events, logs, signed firmware."""

from datetime import timedelta
from typing import Any

import pytest
import websockets

from tests.certification import tls
from tests.certification.certificates import hash_data, root
from tests.certification.operator import Operator
from tests.certification.station import Station, now
from tests.certification.v16.states import ACCEPTED, answered, boot, booted, commanded, sampled
from tests.clients.certificates import Authority, client
from tests.clients.system import eventually

KEY = "00112233445566778899aabbccddeeff"
# With what REST calls them.
KINDS = {"CentralSystemRootCertificate": "csms", "ManufacturerRootCertificate": "manufacturer"}
CSMS_ROOT, MANUFACTURER_ROOT = KINDS
CSR = "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n"
LOG = {"remoteLocation": "https://files.example/", "oldestTimestamp": "2026-01-01T00:00:00.000Z"}
FIRMWARE = {
    "location": "https://files.example/firmware.bin",
    "retrieveDateTime": "2026-01-01T00:00:00.000Z",
    "signingCertificate": root("Example firmware"),
    "signature": "c2lnbmF0dXJl",
}
LOADED = ("Downloading", "Downloaded", "SignatureVerified")


async def test_16_password(station: Station) -> None:
    """A station with its password is let in (whitepaper A00.FR.204, 1.6-J §6.2.2)."""
    await booted(station)


async def test_16_password_wrong(known: Station) -> None:
    """A station with a wrong password, or another's name, is turned away (whitepaper A00.FR.204, 1.6-J §6.2.2)."""
    await refused(known, known.id, "not-the-password-of-it")
    await refused(known, f"{known.id}-ANOTHER", known.password)


async def refused(station: Station, username: str, password: str) -> None:
    """The station is turned away with these."""
    with pytest.raises(websockets.InvalidStatus) as turned_away:
        await station.connect(username=username, password=password)
    assert turned_away.value.response.status_code == 401


async def change_password(station: Station, operator: Operator, status: str, state: str) -> str:
    """The station is told its new password, says status to it, and the operator sees what came of it; the password."""
    await booted(station)
    path = f"/v1/stations/{station.id}/password"
    password = str((await operator.post("auth", f"{path}/change"))["password"])
    asked = await station.expects("ChangeConfiguration", {"status": status})
    assert asked == {"key": "AuthorizationKey", "value": password}
    shown = await operator.until("auth", path, lambda shown: shown["changes"][0]["state"] != "asked")
    assert (shown["changes"][0]["state"], shown["changes"][0]["reason"]) == (state, status)
    return password


async def test_16_password_changed(station: Station, operator: Operator) -> None:
    """A station takes its new password, and the old one counts no more (whitepaper A01.FR.02, FR.03)."""
    password = await change_password(station, operator, "Accepted", "taken")
    await station.close()

    async def turned_away() -> bool:
        try:
            await station.connect()
        except websockets.InvalidStatus as refused:
            return refused.response.status_code == 401
        await station.close()
        return False

    # Gateways hear of it a moment after.
    await eventually(turned_away, bool)
    await station.connect(password=password)
    await booted(station)


async def test_16_password_kept(station: Station, operator: Operator) -> None:
    """A station that refuses its new password, or has none to set, keeps the old one (whitepaper A01.FR.04)."""
    for status in ("Rejected", "NotSupported"):
        await change_password(station, operator, status, "kept")
        await station.reconnect()


async def test_16_password_with_reboot(station: Station, operator: Operator) -> None:
    """A station takes its new password with its next boot: until then both count (whitepaper A01.FR.03, §5.3)."""
    password = await change_password(station, operator, "RebootRequired", "awaited")
    await station.reconnect()
    await station.reconnect(password=password)
    await booted(station)
    path = f"/v1/stations/{station.id}/password"
    await operator.until("auth", path, lambda shown: shown["changes"][0]["state"] == "taken")


async def test_16_password_not_by_hand(station: Station, operator: Operator) -> None:
    """A password is not sent as any other setting, in which others could read it (whitepaper A01.FR.08, FR.09)."""
    await booted(station)
    path = f"/v1/stations/{station.id}/commands/ChangeConfiguration"
    wanted = {"key": "AuthorizationKey", "value": KEY}
    assert (await operator.request("POST", "firmware", path, wanted)).status_code == 422


async def test_16_tls(known: Station) -> None:
    """A station connects with TLS and its password (whitepaper A00.FR.306, FR.312)."""
    await known.connect(tls=client())
    await booted(known)


async def test_16_client_certificate(known: Station, authority: Authority) -> None:
    """A station connects with its own certificate (whitepaper A00.FR.409, FR.410)."""
    await known.connect(tls=client(authority.issue(known.id, tls.CPO)), password="")
    await booted(known)


async def certificate_renewed(station: Station, status: str) -> None:
    """The station asks for a certificate, gets one of its key and name, and says status to it."""
    key = tls.key()
    assert await station.call("SignCertificate", {"csr": tls.signing_request(key, station.id)}) == ACCEPTED
    asked = await station.expects("CertificateSigned", {"status": status})
    assert tls.is_of(asked["certificateChain"], key, station.id)


async def test_16_security_profile(station: Station, operator: Operator) -> None:
    """A station goes over to TLS, when its setting says so (whitepaper A05)."""
    await booted(station)
    await operator.configure(station.id, {"SecurityProfile": "2"})
    assert await station.expects("ChangeConfiguration", ACCEPTED) == {"key": "SecurityProfile", "value": "2"}
    await station.reconnect(tls=client())
    await booted(station)


async def test_16_sign_certificate(station: Station, operator: Operator) -> None:
    """A station is asked to renew its certificate, and gets the new one (whitepaper A02)."""
    await booted(station)
    command = await operator.trigger(station.id, "certificate")
    wanted = {"requestedMessage": "SignChargePointCertificate"}
    await answered(station, command, "ExtendedTriggerMessage", wanted, ACCEPTED, "accepted")
    await certificate_renewed(station, "Accepted")


async def test_16_sign_certificate_refused(station: Station) -> None:
    """A station asks for a certificate of its own accord, and refuses what it gets (whitepaper A03)."""
    await booted(station)
    await certificate_renewed(station, "Rejected")


async def test_16_sign_certificate_rejected(station: Station, operator: Operator) -> None:
    """A station asks for a certificate with what is no request for one, and is told so (whitepaper A03, §5.18)."""
    await booted(station)
    assert await station.call("SignCertificate", {"csr": "no request for a certificate"}) == {"status": "Rejected"}
    assert len(await operator.reported("auth", station.id, "SignCertificate")) == 1


async def test_16_certificate_signed(station: Station, operator: Operator) -> None:
    """A station takes a certificate, or refuses it (whitepaper A02, §6.2)."""
    await booted(station)
    payload = {"certificateChain": root("Example")}
    await commanded(station, operator, "CertificateSigned", payload, ACCEPTED, "accepted")
    await commanded(station, operator, "CertificateSigned", payload, {"status": "Rejected"}, "refused")


async def install(station: Station, operator: Operator, status: str, effect: str, *kinds: str) -> None:
    """Root certificates are installed, and the station says status to each."""
    await booted(station)
    for kind in kinds:
        certificate = root(kind)
        asked = {"type": KINDS[kind], "certificate": certificate}
        command = await operator.act("auth", station.id, "install-root", asked)
        payload = {"certificateType": kind, "certificate": certificate}
        await answered(station, command, "InstallCertificate", payload, {"status": status}, effect)


async def test_16_install_certificate_accepted(station: Station, operator: Operator) -> None:
    """Root certificates are installed: of the central system, of the manufacturer (whitepaper M05)."""
    await install(station, operator, "Accepted", "accepted", *KINDS)


async def test_16_install_certificate_rejected(station: Station, operator: Operator) -> None:
    """A root certificate is not valid (whitepaper M05, §6.3)."""
    await install(station, operator, "Rejected", "refused", CSMS_ROOT)


async def test_16_install_certificate_failed(station: Station, operator: Operator) -> None:
    """A valid root certificate cannot be installed (whitepaper M05, §6.3)."""
    await install(station, operator, "Failed", "refused", CSMS_ROOT)


async def test_16_installed_certificates(station: Station, operator: Operator) -> None:
    """The root certificates of a station are read, or there are none (whitepaper M03)."""
    await booted(station)
    hashes = [hash_data(root("Example"), algorithm) for algorithm in ("SHA256", "SHA384", "SHA512")]
    found = ACCEPTED | {"certificateHashData": hashes}
    payload = {"certificateType": CSMS_ROOT}
    await commanded(station, operator, "GetInstalledCertificateIds", payload, found, "accepted")
    payload = {"certificateType": MANUFACTURER_ROOT}
    await commanded(station, operator, "GetInstalledCertificateIds", payload, {"status": "NotFound"}, "refused")


async def test_16_delete_certificate(station: Station, operator: Operator) -> None:
    """A root certificate is deleted, cannot be, or is not there (whitepaper M04)."""
    await booted(station)
    payload = {"certificateHashData": hash_data(root("Example"))}
    for status, effect in (("Accepted", "accepted"), ("Failed", "refused"), ("NotFound", "refused")):
        await commanded(station, operator, "DeleteCertificate", payload, {"status": status}, effect)


async def test_16_security_event(station: Station, operator: Operator) -> None:
    """A security event is kept, and told to others (whitepaper A04)."""
    await booted(station)
    told = {"type": "TamperDetectionActivated", "timestamp": now(), "techInfo": "lid"}
    assert await station.call("SecurityEventNotification", told) == {}
    assert await operator.reported("firmware", station.id, "SecurityEventNotification") == [told]
    assert (await operator.event(station.id, "SecurityEventReported")).type == "TamperDetectionActivated"


async def get_log(
    station: Station, operator: Operator, status: str, effect: str, kind: str = "SecurityLog", request_id: int = 1
) -> None:
    """A log is asked for, and the station says status to it."""
    payload = {"logType": kind, "requestId": request_id, "log": LOG}
    answer = {"status": status} | ({} if effect == "refused" else {"filename": "log.zip"})
    await commanded(station, operator, "GetLog", payload, answer, effect)


async def uploads(station: Station, operator: Operator, *statuses: str) -> None:
    """The station tells how far its upload is, and all of it is seen."""
    for status in statuses:
        assert await station.call("LogStatusNotification", {"status": status, "requestId": 1}) == {}
    told = await operator.reported("firmware", station.id, "LogStatusNotification", len(statuses))
    assert [one["status"] for one in told] == [*statuses]


async def test_16_get_log_accepted(station: Station, operator: Operator) -> None:
    """A station uploads its security log, and its diagnostics (whitepaper N01)."""
    await booted(station)
    await get_log(station, operator, "Accepted", "accepted")
    await uploads(station, operator, "Uploading", "Uploaded")
    await get_log(station, operator, "Accepted", "accepted", "DiagnosticsLog")


async def test_16_get_log_rejected(station: Station, operator: Operator) -> None:
    """A station has no log to upload (whitepaper N01, §6.15)."""
    await booted(station)
    await get_log(station, operator, "Rejected", "refused")


async def test_16_get_log_canceled(station: Station, operator: Operator) -> None:
    """A second log is asked for, and the station gives up the first (whitepaper N01, §6.15)."""
    await booted(station)
    await get_log(station, operator, "Accepted", "accepted")
    await get_log(station, operator, "AcceptedCanceled", "accepted", request_id=2)


async def test_16_get_log_upload_failed(station: Station, operator: Operator) -> None:
    """Each way in which an upload fails (whitepaper N01, §6.19)."""
    await booted(station)
    await get_log(station, operator, "Accepted", "accepted")
    await uploads(station, operator, "BadMessage", "NotSupportedOperation", "PermissionDenied", "UploadFailure")


async def extended(
    station: Station, operator: Operator, message: str, status: str = "Accepted", effect: str = "accepted", **more: int
) -> None:
    """A station is asked to tell something, and says status to it."""
    payload = {"requestedMessage": message} | more
    await commanded(station, operator, "ExtendedTriggerMessage", payload, {"status": status}, effect)


async def test_16_extended_trigger_accepted(station: Station, operator: Operator) -> None:
    """A station is asked for each message of the extended trigger that tells its state (whitepaper §5.5, §6.16)."""
    await booted(station)
    await extended(station, operator, "LogStatusNotification")
    await station.call("LogStatusNotification", {"status": "Idle"})
    await extended(station, operator, "FirmwareStatusNotification")
    await station.call("SignedFirmwareStatusNotification", {"status": "Idle"})
    await extended(station, operator, "Heartbeat")
    await station.call("Heartbeat")
    await extended(station, operator, "MeterValues", connectorId=1)
    await station.call("MeterValues", {"connectorId": 1, "meterValue": [sampled(1500, context="Trigger")]})
    await operator.station(station.id, lambda seen: seen["firmware_status"] == "Idle")


async def test_16_extended_trigger_pending(station: Station, operator: Operator) -> None:
    """A station that waits is asked for its certificate's renewal, which it then may ask for (§4.2, whitepaper A02)."""
    await operator.boot_verdict(station.id, "Pending")
    assert (await boot(station))["status"] == "Pending"
    assert await station.refused("SignCertificate", {"csr": CSR}) == "SecurityError"
    await extended(station, operator, "SignChargePointCertificate")
    assert "status" in await station.call("SignCertificate", {"csr": CSR})


async def test_16_extended_trigger_refused(station: Station, operator: Operator) -> None:
    """A station does not tell what it is asked for, or cannot (whitepaper §6.17)."""
    await booted(station)
    for status in ("Rejected", "NotImplemented"):
        await extended(station, operator, "LogStatusNotification", status, "refused")


async def update(
    station: Station, operator: Operator, status: str, effect: str, request_id: int = 1, **when: str
) -> None:
    """A signed firmware is to be installed, and the station says status to it."""
    payload: dict[str, Any] = {"requestId": request_id, "firmware": FIRMWARE | when}
    await commanded(station, operator, "SignedUpdateFirmware", payload, {"status": status}, effect)


async def tells(station: Station, operator: Operator, *statuses: str, request_id: int = 1) -> None:
    """The station tells how far the update is, which is seen and told to others."""
    for status in statuses:
        told = {"status": status, "requestId": request_id}
        assert await station.call("SignedFirmwareStatusNotification", told) == {}
    seen = await operator.station(station.id, lambda seen: seen["firmware_status"] == statuses[-1])
    assert seen["firmware_request_id"] == request_id
    kept = await operator.reported("firmware", station.id, "SignedFirmwareStatusNotification", len(statuses))
    assert [one["status"] for one in kept] == [*statuses]


async def test_16_signed_update_accepted(station: Station, operator: Operator) -> None:
    """A signed firmware is installed (whitepaper L01)."""
    await booted(station)
    await update(station, operator, "Accepted", "accepted")
    await tells(station, operator, *LOADED, "Installing", "InstallRebooting", "Installed")


async def test_16_signed_update_scheduled(station: Station, operator: Operator) -> None:
    """A signed firmware is loaded and installed at its times, with a pause (whitepaper L01, §6.8)."""
    await booted(station)
    await update(station, operator, "Accepted", "accepted", installDateTime=now(timedelta(hours=1)))
    loaded = ("DownloadScheduled", "Downloading", "DownloadPaused", "Downloading", "Downloaded", "SignatureVerified")
    await tells(station, operator, *loaded, "InstallScheduled", "Installing", "Installed")


async def test_16_signed_update_rejected(station: Station, operator: Operator) -> None:
    """A station does not update itself (whitepaper L01, §6.18)."""
    await booted(station)
    await update(station, operator, "Rejected", "refused")


async def test_16_signed_update_canceled(station: Station, operator: Operator) -> None:
    """A second update, for which the station gives up the first (whitepaper L01, §6.18)."""
    await booted(station)
    await update(station, operator, "Accepted", "accepted")
    await update(station, operator, "AcceptedCanceled", "accepted", 2)
    await tells(station, operator, "Downloading", request_id=2)


async def test_16_signed_update_certificate(station: Station, operator: Operator) -> None:
    """The certificate that signed a firmware is invalid, or revoked (whitepaper L01, §6.18)."""
    await booted(station)
    for status in ("InvalidCertificate", "RevokedCertificate"):
        await update(station, operator, status, "refused")


async def test_16_signed_update_signature(station: Station, operator: Operator) -> None:
    """The signature of a firmware is invalid, which is a security event as well (whitepaper L01)."""
    await booted(station)
    await update(station, operator, "Accepted", "accepted")
    await tells(station, operator, "Downloading", "Downloaded", "InvalidSignature")
    await station.call("SecurityEventNotification", {"type": "InvalidFirmwareSignature", "timestamp": now()})
    assert (await operator.event(station.id, "SecurityEventReported")).type == "InvalidFirmwareSignature"


async def test_16_signed_update_failed(station: Station, operator: Operator) -> None:
    """Each way in which an update fails once it is under way (whitepaper L01, §6.8)."""
    await booted(station)
    await update(station, operator, "Accepted", "accepted")
    await tells(station, operator, "DownloadFailed", "InstallationFailed", "InstallVerificationFailed")
