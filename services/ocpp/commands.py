"""Which service owns which command to a station, and how each version says it: its schema, an example, its faults."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from services.ocpp import examples
from services.ocpp.schemas import Fault
from services.ocpp.versions import VERSIONS, Version

AUTH, TRANSACTIONS, SMARTCHARGING, FIRMWARE = "auth", "transactions", "smartcharging", "firmware"

V16: Mapping[str, str] = {
    "CertificateSigned": AUTH,
    "ClearCache": AUTH,
    "DeleteCertificate": AUTH,
    "GetInstalledCertificateIds": AUTH,
    "GetLocalListVersion": AUTH,
    "InstallCertificate": AUTH,
    "SendLocalList": AUTH,
    "CancelReservation": TRANSACTIONS,
    "RemoteStartTransaction": TRANSACTIONS,
    "RemoteStopTransaction": TRANSACTIONS,
    "ReserveNow": TRANSACTIONS,
    "ClearChargingProfile": SMARTCHARGING,
    "GetCompositeSchedule": SMARTCHARGING,
    "SetChargingProfile": SMARTCHARGING,
    "ChangeAvailability": FIRMWARE,
    "ChangeConfiguration": FIRMWARE,
    "DataTransfer": FIRMWARE,
    "ExtendedTriggerMessage": FIRMWARE,
    "GetConfiguration": FIRMWARE,
    "GetDiagnostics": FIRMWARE,
    "GetLog": FIRMWARE,
    "Reset": FIRMWARE,
    "SignedUpdateFirmware": FIRMWARE,
    "TriggerMessage": FIRMWARE,
    "UnlockConnector": FIRMWARE,
    "UpdateFirmware": FIRMWARE,
}

V201: Mapping[str, str] = {
    "CertificateSigned": AUTH,
    "ClearCache": AUTH,
    "CustomerInformation": AUTH,
    "DeleteCertificate": AUTH,
    "GetInstalledCertificateIds": AUTH,
    "GetLocalListVersion": AUTH,
    "InstallCertificate": AUTH,
    "SendLocalList": AUTH,
    "CancelReservation": TRANSACTIONS,
    "CostUpdated": TRANSACTIONS,
    "GetTransactionStatus": TRANSACTIONS,
    "RequestStartTransaction": TRANSACTIONS,
    "RequestStopTransaction": TRANSACTIONS,
    "ReserveNow": TRANSACTIONS,
    "ClearChargingProfile": SMARTCHARGING,
    "GetChargingProfiles": SMARTCHARGING,
    "GetCompositeSchedule": SMARTCHARGING,
    "SetChargingProfile": SMARTCHARGING,
    "ChangeAvailability": FIRMWARE,
    "ClearDisplayMessage": FIRMWARE,
    "ClearVariableMonitoring": FIRMWARE,
    "DataTransfer": FIRMWARE,
    "GetBaseReport": FIRMWARE,
    "GetDisplayMessages": FIRMWARE,
    "GetLog": FIRMWARE,
    "GetMonitoringReport": FIRMWARE,
    "GetReport": FIRMWARE,
    "GetVariables": FIRMWARE,
    "PublishFirmware": FIRMWARE,
    "Reset": FIRMWARE,
    "SetDisplayMessage": FIRMWARE,
    "SetMonitoringBase": FIRMWARE,
    "SetMonitoringLevel": FIRMWARE,
    "SetNetworkProfile": FIRMWARE,
    "SetVariableMonitoring": FIRMWARE,
    "SetVariables": FIRMWARE,
    "TriggerMessage": FIRMWARE,
    "UnlockConnector": FIRMWARE,
    "UnpublishFirmware": FIRMWARE,
    "UpdateFirmware": FIRMWARE,
}

OWNERS: Mapping[str, Mapping[str, str]] = {"1.6": V16, "2.0.1": V201}
"""By the name of the version, then by action."""


@dataclass(frozen=True)
class Form:
    """How one version says an action."""

    version: Version
    action: str

    @cached_property
    def schema(self) -> Mapping[str, Any]:
        """JSON schema of the payload, its references within itself (#/definitions/…)."""
        return self.version.schemas.request_document(self.action)

    @cached_property
    def example(self) -> Any:
        """The least that is valid."""
        return examples.minimal(self.schema)

    def fault(self, payload: object) -> Fault | None:
        """How a payload breaks the schema; None where it does not."""
        return self.version.schemas.request_fault(self.action, payload)


def forms(service: str) -> Mapping[str, Mapping[str, Form]]:
    """Every action that a service owns, with its form in each version that has it."""
    found: dict[str, dict[str, Form]] = {}
    for version, action, owner in _all():
        if owner == service:
            found.setdefault(action, {})[version] = Form(VERSIONS[version], action)
    return dict(sorted(found.items()))


def owners() -> Mapping[str, str]:
    """The service that owns an action, whatever the version."""
    return {action: owner for _, action, owner in _all()}


def _all() -> Iterator[tuple[str, str, str]]:
    return ((version, action, owner) for version, table in OWNERS.items() for action, owner in table.items())
