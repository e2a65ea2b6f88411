"""Security profiles 2 and 3 on a whole system that serves TLS as `make run` does, by the authority of a machine."""

import json
import ssl
from typing import Any

import pytest
import websockets

from tests.clients.certificates import DAY, Authority, client
from tests.clients.library import dial
from tests.clients.system import System, eventually
from tests.e2e.conftest import Known, said
from voltbus.local.certificates import ORGANIZATION, LocalCertificates
from voltbus.settings import PORTS

BOOT = {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}}


@pytest.mark.parametrize("profile", ["2", "3"])
async def test_the_simulated_station_speaks_it(
    voltbus: System, known: Known, id_token: str, certificates: LocalCertificates, profile: str
) -> None:
    """A00: what the page says, with the names that it says it by."""
    variable, _ = PORTS["auth"]
    await said(
        voltbus,
        *("station", "--id", known.id, "--token", id_token, "--password", known.password, "--fast"),
        *("--url", voltbus.endpoint(secured=True), "--security-profile", profile),
        env={"VOLTBUS_DATA": str(certificates.folder.parent), variable: str(voltbus.processes.ports["auth"])},
    )
    [shown] = json.loads(await said(voltbus, "stations", "--search", known.id, "--json"))
    security = shown["security"]
    assert (security["profile"], security["tls_version"]) == (int(profile), "TLSv1.3")
    if profile == "3":
        assert security["certificate"]["subject"] == f"CN={known.id},O={ORGANIZATION}"
        assert known.id in await said(voltbus, "stations", "--certificate-ends-within", "400")
    path = f"/v1/stations/{known.id}"
    await eventually(lambda: voltbus.get("auth", path), lambda found: found["security_profile"] == int(profile))


async def test_a_certificate_that_has_expired_is_good_for_its_renewal_alone(
    voltbus: System, known: Known, certificates: LocalCertificates
) -> None:
    """A00.FR.407, FR.429: where it is allowed for this station the boot is Pending, until it has another one."""
    path, folder = f"/v1/stations/{known.id}", certificates.folder
    authority = Authority.of((folder / "ca.crt").read_bytes(), (folder / "ca.key").read_bytes())
    expired = client(authority.issue(known.id, ORGANIZATION, expires=-DAY))
    renewed = client(authority.issue(known.id, ORGANIZATION))

    async def boot(context: ssl.SSLContext) -> Any:
        async with await dial(voltbus.endpoint(secured=True), known.id, "ocpp2.0.1", ssl=context) as socket:
            await socket.send(json.dumps([2, "boot", "BootNotification", BOOT]))
            return json.loads(await socket.recv())[2]["status"]

    (await voltbus.ask("PATCH", "auth", path, json={"security_profile": 3})).raise_for_status()
    with pytest.raises(websockets.InvalidStatus):
        await boot(expired)
    (await voltbus.ask("PATCH", "auth", path, json={"expired_certificate_allowed": True})).raise_for_status()
    # Gateways hear of it a moment later.
    assert await eventually(lambda: _or_none(boot(expired)), bool) == "Pending"
    assert await boot(renewed) == "Accepted"
    (await voltbus.ask("PATCH", "auth", path, json={"expired_certificate_allowed": False})).raise_for_status()
    await eventually(lambda: _or_none(boot(expired)), lambda status: status is None)


async def _or_none(boot: Any) -> Any:
    try:
        return await boot
    except websockets.InvalidStatus:
        return None
