"""What stations can is told with what they are: topic inventory."""

import pytest

from services.ocpp import topics
from tests.integration.firmware.configuration.stations import Field, New, Newest, Old, Station, read
from voltbus.v1.state_pb2 import Capabilities, Inventory

LIMITS, DOWNGRADE = "TxCtrlr.SupportedLimits", "SecurityCtrlr.AllowSecurityProfileDowngrade"


def told(field: Field) -> list[tuple[str, list[str]]]:
    """Firmware and limits of transactions, one after the other."""
    found = [Inventory.FromString(one.value or b"") for one in field.world.bus.all(topics.INVENTORY.name)]
    return [(one.firmware_version, [*one.transaction_limits]) for one in found]


async def test_which_limits_of_transactions_a_station_keeps_to(field: Field) -> None:
    """2.1 E16.FR.12: by TxCtrlr.SupportedLimits, whose list calls maxTime maxLength; whatever is told first."""
    station = Newest("CP1", {LIMITS: "maxEnergy, maxLength,maxMoon", "OCPPCommCtrlr.HeartbeatInterval": "300"})
    await read(field, station)
    kept = ["energy", "time"]
    await field.world.until(lambda: told(field)[-1] == ("1", kept))
    await field.boot(station, "2")
    await field.world.until(lambda: told(field)[-1] == ("2", kept))
    # What a whole report no longer names is gone.
    del station.values[LIMITS]
    await read(field, station, "3")
    await field.world.until(lambda: told(field)[-1] == ("3", []))


@pytest.mark.parametrize("kind", [New, Newest])
async def test_whether_a_station_may_downgrade(field: Field, kind: type[New]) -> None:
    """A05.FR.08: by SecurityCtrlr.AllowSecurityProfileDowngrade, as reports and answers say it, until it is gone."""

    def allowed() -> bool:
        last = field.world.bus.all(topics.INVENTORY.name)[-1]
        return Inventory.FromString(last.value or b"").downgrade_allowed

    station = kind("CP1", {DOWNGRADE: "True", "OCPPCommCtrlr.HeartbeatInterval": "300"})
    await read(field, station)
    await field.world.until(allowed)
    for value in ("false", "true"):
        station.values[DOWNGRADE] = value
        await read(field, station, value)
        await field.world.until(lambda: allowed() == (value == "true"))  # noqa: B023
    del station.values[DOWNGRADE]
    await read(field, station, "gone")
    await field.world.until(lambda: not allowed())


LIST, SECURITY = "LocalAuthListCtrlr", "SecurityCtrlr"
OF_16 = {
    "LocalAuthListMaxLength": "5000",
    "SendLocalListMaxLength": "50",
    "CertificateSignedMaxChainSize": "5600",
    "CertificateStoreMaxLength": "4",
    "AdditionalRootCertificateCheck": "TRUE",
}
OF_2X = {
    f"{LIST}.Entries": "12",
    f"{LIST}.ItemsPerMessage": "50",
    f"{LIST}.BytesPerMessage": "8000",
    f"{SECURITY}.MaxCertificateChainSize": "5600",
    f"{SECURITY}.CertificateEntries": "3",
    f"{SECURITY}.AdditionalRootCertificateCheck": "true",
}
MAXIMA: dict[str, float] = {f"{LIST}.Entries": 5000, f"{SECURITY}.CertificateEntries": 4}


def told_capabilities(field: Field) -> Capabilities:
    """What is told of them last."""
    return Inventory.FromString(field.world.bus.all(topics.INVENTORY.name)[-1].value or b"").capabilities


@pytest.mark.parametrize(
    ("station", "size"),
    [(Old("CP1", OF_16), 0), (New("CP1", OF_2X, maxima=MAXIMA), 8000), (Newest("CP1", OF_2X, maxima=MAXIMA), 8000)],
    ids=lambda one: getattr(one, "version", ""),
)
async def test_what_a_station_can_take(field: Field, station: Station, size: int) -> None:
    """1.6 §9.2 and whitepaper §7; 2.x §2.2, §2.5, of which two are the maxLimit of a variable."""
    expected = Capabilities(
        local_list_entries=5000,
        local_list_items_per_message=50,
        local_list_bytes_per_message=size or None,
        certificate_chain_size=5600,
        certificate_entries=4,
        additional_root_certificate_check=True,
    )
    await read(field, station)
    await field.world.until(lambda: told_capabilities(field) == expected)


async def test_what_a_station_can_take_changes_with_its_firmware(field: Field) -> None:
    """A larger maximum of the same value is told; what cannot be read, or is not named any more, is not known."""
    station = New("CP1", {f"{LIST}.Entries": "12", f"{LIST}.ItemsPerMessage": "many"}, maxima={f"{LIST}.Entries": 100})
    await read(field, station)
    await field.world.until(lambda: told_capabilities(field) == Capabilities(local_list_entries=100))
    station.maxima = {f"{LIST}.Entries": 200}
    await read(field, station, "2")
    await field.world.until(lambda: told_capabilities(field) == Capabilities(local_list_entries=200))
    station.values = {f"{LIST}.ItemsPerMessage": "0"}
    await read(field, station, "3")
    await field.world.until(lambda: told_capabilities(field) == Capabilities())
