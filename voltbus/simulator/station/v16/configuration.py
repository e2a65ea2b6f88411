"""The configuration keys of a 1.6 station (§9, and the security whitepaper)."""

from collections.abc import Iterator

from voltbus.local.certificates import ORGANIZATION
from voltbus.simulator.station.charger import Charger
from voltbus.simulator.station.variables import BOOLEAN, INTEGER, MEMBERS, OPTION, READ_ONLY, WRITE_ONLY, Variable

SAMPLE_INTERVAL, AUTHORIZATION_KEY = "MeterValueSampleInterval", "AuthorizationKey"
HEARTBEAT_INTERVAL = "HeartbeatInterval"
CPO_NAME = "CpoName"
PROFILES = "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger"
MEASURANDS = ("Energy.Active.Import.Register", "Power.Active.Import", "Current.Import", "Voltage", "SoC")


def keys(charger: Charger, sample_seconds: int) -> Iterator[tuple[str, Variable]]:
    """All of them."""
    for name, value in _read_only(charger).items():
        yield name, Variable(value, access=READ_ONLY)
    for name, flag in _FLAGS.items():
        yield name, Variable(flag, BOOLEAN)
    for name, number in (_NUMBERS | {SAMPLE_INTERVAL: sample_seconds}).items():
        yield name, Variable(str(number), INTEGER, least=0)
    for name in ("MeterValuesSampledData", "StopTxnSampledData"):
        yield name, Variable(",".join(MEASURANDS), MEMBERS, options=MEASURANDS)
    for name in ("MeterValuesAlignedData", "StopTxnAlignedData"):
        yield name, Variable("", MEMBERS, options=MEASURANDS)
    yield "ConnectorPhaseRotation", Variable("NotApplicable", MEMBERS)
    yield CPO_NAME, Variable(ORGANIZATION, most=50)
    yield "SecurityProfile", Variable("1", OPTION, reboot=True, options=("1", "2", "3"))
    yield AUTHORIZATION_KEY, Variable("", access=WRITE_ONLY, least=16, most=40)


def _read_only(charger: Charger) -> dict[str, str]:
    return {
        "AdditionalRootCertificateCheck": "false",
        "ChargeProfileMaxStackLevel": "20",
        "ChargingScheduleAllowedChargingRateUnit": "Current,Power",
        "ChargingScheduleMaxPeriods": "96",
        "ConnectorSwitch3to1PhaseSupported": "false",
        "GetConfigurationMaxKeys": "50",
        "LocalAuthListMaxLength": "10000",
        "MaxChargingProfilesInstalled": "50",
        "NumberOfConnectors": str(len(charger.outlets)),
        "ReserveConnectorZeroSupported": "true",
        "SendLocalListMaxLength": "1000",
        "SupportedFeatureProfiles": PROFILES,
    }


_FLAGS = {
    "AllowOfflineTxForUnknownId": "false",
    "AuthorizationCacheEnabled": "true",
    "AuthorizeRemoteTxRequests": "false",
    "LocalAuthListEnabled": "true",
    "LocalAuthorizeOffline": "true",
    "LocalPreAuthorize": "false",
    "StopTransactionOnEVSideDisconnect": "true",
    "StopTransactionOnInvalidId": "true",
    "UnlockConnectorOnEVSideDisconnect": "true",
}
_NUMBERS = {
    "BlinkRepeat": 3,
    "CertSigningRepeatTimes": 3,
    "CertSigningWaitMinimum": 30,
    "ClockAlignedDataInterval": 0,
    "ConnectionTimeOut": 60,
    HEARTBEAT_INTERVAL: 300,
    "LightIntensity": 50,
    "MaxEnergyOnInvalidId": 0,
    "MinimumStatusDuration": 0,
    "ResetRetries": 1,
    "TransactionMessageAttempts": 3,
    "TransactionMessageRetryInterval": 5,
    "WebSocketPingInterval": 60,
}
