"""Which service owns which action: all that the gateway knows of services."""

from collections.abc import Mapping

AUTH, TRANSACTIONS, SMARTCHARGING, FIRMWARE = "auth", "transactions", "smartcharging", "firmware"

V16: Mapping[str, str] = {
    "Authorize": AUTH,
    "SignCertificate": AUTH,
    "MeterValues": TRANSACTIONS,
    "StartTransaction": TRANSACTIONS,
    "StopTransaction": TRANSACTIONS,
    "BootNotification": FIRMWARE,
    "DataTransfer": FIRMWARE,
    "DiagnosticsStatusNotification": FIRMWARE,
    "FirmwareStatusNotification": FIRMWARE,
    "Heartbeat": FIRMWARE,
    "LogStatusNotification": FIRMWARE,
    "SecurityEventNotification": FIRMWARE,
    "SignedFirmwareStatusNotification": FIRMWARE,
    "StatusNotification": FIRMWARE,
}

V201: Mapping[str, str] = {
    "Authorize": AUTH,
    "Get15118EVCertificate": AUTH,
    "GetCertificateStatus": AUTH,
    "NotifyCustomerInformation": AUTH,
    "SignCertificate": AUTH,
    "MeterValues": TRANSACTIONS,
    "ReservationStatusUpdate": TRANSACTIONS,
    "TransactionEvent": TRANSACTIONS,
    "ClearedChargingLimit": SMARTCHARGING,
    "NotifyChargingLimit": SMARTCHARGING,
    "NotifyEVChargingNeeds": SMARTCHARGING,
    "NotifyEVChargingSchedule": SMARTCHARGING,
    "ReportChargingProfiles": SMARTCHARGING,
    "BootNotification": FIRMWARE,
    "DataTransfer": FIRMWARE,
    "FirmwareStatusNotification": FIRMWARE,
    "Heartbeat": FIRMWARE,
    "LogStatusNotification": FIRMWARE,
    "NotifyDisplayMessages": FIRMWARE,
    "NotifyEvent": FIRMWARE,
    "NotifyMonitoringReport": FIRMWARE,
    "NotifyReport": FIRMWARE,
    "PublishFirmwareStatusNotification": FIRMWARE,
    "SecurityEventNotification": FIRMWARE,
    "StatusNotification": FIRMWARE,
}

OWNERS: Mapping[str, Mapping[str, str]] = {"1.6": V16, "2.0.1": V201}
"""By the name of the version, then by action."""
