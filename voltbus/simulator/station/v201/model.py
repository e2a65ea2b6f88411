"""The device model of a 2.0.1 station: the components and variables that a small charger has (part 2, appendix)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from voltbus.local.certificates import ORGANIZATION
from voltbus.simulator.station.charger import Charger, Outlet
from voltbus.simulator.station.types import Payload
from voltbus.simulator.station.v201 import messages
from voltbus.simulator.station.variables import (
    BOOLEAN,
    INTEGER,
    MEMBERS,
    OPTION,
    READ_ONLY,
    STRING,
    WRITE_ONLY,
    Variable,
)


class Name(NamedTuple):
    """Where a variable stands; evse None: in the station as a whole."""

    component: str
    variable: str
    instance: str | None = None
    evse: int | None = None
    connector: int | None = None

    @property
    def at(self) -> tuple[str, int | None, int | None]:
        """The component, as it is compared."""
        return self.component.lower(), self.evse, self.connector

    @property
    def which(self) -> tuple[str, str | None]:
        """The variable in it, as it is compared."""
        return self.variable.lower(), self.instance and self.instance.lower()

    def written(self) -> Payload:
        """As a report names it."""
        evse: Payload = {} if self.evse is None else {"evse": {"id": self.evse}}
        if self.connector is not None:
            evse["evse"]["connectorId"] = self.connector
        instance = {} if self.instance is None else {"instance": self.instance}
        return {"component": {"name": self.component, **evse}, "variable": {"name": self.variable, **instance}}


SAMPLE_INTERVAL = Name("SampledDataCtrlr", "TxUpdatedInterval")
ORGANIZATION_NAME = Name("SecurityCtrlr", "OrganizationName")
HEARTBEAT_INTERVAL = Name("OCPPCommCtrlr", "HeartbeatInterval")
PASSWORD = Name("SecurityCtrlr", "BasicAuthPassword")
SECURITY_PROFILE = Name("SecurityCtrlr", "SecurityProfile")
MONITORING_LEVEL = Name("MonitoringCtrlr", "ActiveMonitoringLevel")
MONITORING_BASE = Name("MonitoringCtrlr", "ActiveMonitoringBase")
MEASURANDS = ("Energy.Active.Import.Register", "Power.Active.Import", "Current.Import", "Voltage", "SoC")
SLOTS = ("1", "2", "3")


def read(item: Mapping[str, Any]) -> Name:
    """The name in a request; variable is empty where none is given. An instance of a component stands in its name."""
    component, variable = item["component"], item.get("variable", {"name": ""})
    evse = component.get("evse", {})
    name = component["name"] + (f"/{component['instance']}" if "instance" in component else "")
    return Name(name, variable["name"], variable.get("instance"), evse.get("id"), evse.get("connectorId"))


def find(charger: Charger, wanted: Name) -> tuple[Name | None, str]:
    """The variable of that name; or UnknownComponent, UnknownVariable (B05.FR.04, B05.FR.05)."""
    there = [name for name in _names(charger) if name.at == wanted.at]
    if not there:
        return None, "UnknownComponent"
    found = next((name for name in there if name.which == wanted.which), None)
    return (found, "") if found else (None, "UnknownVariable")


def _names(charger: Charger) -> Iterator[Name]:
    return (name for name in charger.variables.known if isinstance(name, Name))


def variables(charger: Charger, sample_seconds: int) -> Iterator[tuple[Name, Variable]]:
    """All of a station."""
    for name, value in _READ_ONLY.items():
        kind = INTEGER if value.isdecimal() else BOOLEAN if value in ("true", "false") else STRING
        yield name, Variable(value, kind, READ_ONLY)
    for name, flag in _FLAGS.items():
        yield name, Variable(flag, BOOLEAN)
    for name, (number, unit) in _NUMBERS.items():
        yield name, Variable(str(number), INTEGER, unit=unit, least=0)
    yield SAMPLE_INTERVAL, Variable(str(sample_seconds), INTEGER, unit="s", least=0)
    for variable in ("TxStartedMeasurands", "TxUpdatedMeasurands", "TxEndedMeasurands"):
        yield Name("SampledDataCtrlr", variable), Variable(",".join(MEASURANDS), MEMBERS, options=MEASURANDS)
    yield from _security(charger)
    yield from _choices()
    yield from _station(charger)
    for outlet in charger.outlets:
        yield from _evse(charger, outlet)


def _security(charger: Charger) -> Iterator[tuple[Name, Variable]]:
    yield Name("SecurityCtrlr", "Identity"), Variable(charger.id, STRING, READ_ONLY, most=48)
    yield ORGANIZATION_NAME, Variable(ORGANIZATION, STRING, most=50)
    yield SECURITY_PROFILE, Variable("1", INTEGER, READ_ONLY)
    yield PASSWORD, Variable("", STRING, WRITE_ONLY, least=16, most=40)


def _choices() -> Iterator[tuple[Name, Variable]]:
    points = ("EVConnected", "Authorized", "PowerPathClosed", "EnergyTransfer")
    yield Name("TxCtrlr", "TxStartPoint"), Variable("PowerPathClosed", MEMBERS, options=points)
    yield Name("TxCtrlr", "TxStopPoint"), Variable("PowerPathClosed,EVConnected", MEMBERS, options=points)
    yield Name("OCPPCommCtrlr", "NetworkConfigurationPriority"), Variable("1", MEMBERS, reboot=True, options=SLOTS)
    yield Name("ClockCtrlr", "TimeSource"), Variable("Heartbeat", OPTION, options=("Heartbeat", "NTP"))
    yield Name("ClockCtrlr", "TimeZone"), Variable("Etc/UTC", STRING, most=50)
    bases = ("All", "FactoryDefault", "HardWiredOnly")
    yield MONITORING_BASE, Variable("All", OPTION, options=bases)
    yield MONITORING_LEVEL, Variable("9", INTEGER, least=0, most=9)


def _station(charger: Charger) -> Iterator[tuple[Name, Variable]]:
    facts = {"VendorName": charger.make.vendor, "Model": charger.make.model, "SerialNumber": charger.serial}
    for variable, value in facts.items():
        yield Name("ChargingStation", variable), Variable(value, STRING, READ_ONLY)
    yield Name("ChargingStation", "FirmwareVersion"), _seen(lambda: charger.firmware)
    yield Name("ChargingStation", "SupplyPhases"), Variable("3", INTEGER, READ_ONLY)
    yield Name("ChargingStation", "AvailabilityState"), _seen(lambda: _availability(charger), OPTION, _STATES)
    yield Name("LocalAuthListCtrlr", "Entries"), _seen(lambda: len(charger.local_list), INTEGER)
    yield Name("SmartChargingCtrlr", "Entries", "ChargingProfiles"), _seen(lambda: len(charger.profiles), INTEGER)


def _evse(charger: Charger, outlet: Outlet) -> Iterator[tuple[Name, Variable]]:
    number, kind = outlet.number, "cCCS2" if charger.make.direct else "sType2"
    for component, connector in (("EVSE", None), ("Connector", 1)):
        state = _seen(lambda: messages.state(charger, number), OPTION, _STATES)
        yield Name(component, "AvailabilityState", None, number, connector), state
        yield Name(component, "Available", None, number, connector), Variable("true", BOOLEAN, READ_ONLY)
    yield Name("EVSE", "Power", None, number), _seen(lambda: int(outlet.power_w), INTEGER, unit="W", most=outlet.most_w)
    yield Name("EVSE", "Problem", None, number), _seen(lambda: "true" if outlet.fault else "false", BOOLEAN)
    yield Name("EVSE", "SupplyPhases", None, number), Variable(str(outlet.phases), INTEGER, READ_ONLY)
    yield Name("Connector", "ConnectorType", None, number, 1), Variable(kind, STRING, READ_ONLY)


def _seen(read: Callable[[], object], kind: str = STRING, options: tuple[str, ...] = (), **more: Any) -> Variable:
    """One that is read from how the station is, and never set."""
    return Variable(lambda: str(read()), kind, READ_ONLY, options=options, **more)


def _availability(charger: Charger) -> str:
    return "Available" if charger.operative else "Unavailable"


_STATES = ("Available", "Occupied", "Reserved", "Unavailable", "Faulted")
_READ_ONLY = {
    Name("AuthCtrlr", "MasterPassGroupId"): "",
    Name("DeviceDataCtrlr", "BytesPerMessage", "GetReport"): "65536",
    Name("DeviceDataCtrlr", "BytesPerMessage", "GetVariables"): "65536",
    Name("DeviceDataCtrlr", "BytesPerMessage", "SetVariables"): "65536",
    Name("DeviceDataCtrlr", "ItemsPerMessage", "GetReport"): "50",
    Name("DeviceDataCtrlr", "ItemsPerMessage", "GetVariables"): "50",
    Name("DeviceDataCtrlr", "ItemsPerMessage", "SetVariables"): "50",
    Name("DisplayMessageCtrlr", "SupportedFormats"): "ASCII,UTF8",
    Name("LocalAuthListCtrlr", "BytesPerMessage"): "65536",
    Name("LocalAuthListCtrlr", "ItemsPerMessage"): "1000",
    Name("OCPPCommCtrlr", "FileTransferProtocols"): "HTTPS,HTTP",
    Name("OCPPCommCtrlr", "MessageTimeout", "Default"): "30",
    Name("ReservationCtrlr", "NonEvseSpecific"): "true",
    Name("SmartChargingCtrlr", "LimitChangeSignificance"): "1",
    Name("SmartChargingCtrlr", "PeriodsPerSchedule"): "96",
    Name("SmartChargingCtrlr", "ProfileStackLevel"): "20",
    Name("SmartChargingCtrlr", "RateUnit"): "A,W",
}
_FLAGS = {
    Name("AuthCacheCtrlr", "Enabled"): "true",
    Name("AuthCtrlr", "AuthorizeRemoteStart"): "false",
    Name("AuthCtrlr", "LocalAuthorizeOffline"): "true",
    Name("AuthCtrlr", "LocalPreAuthorize"): "false",
    Name("AuthCtrlr", "OfflineTxForUnknownIdEnabled"): "false",
    Name("LocalAuthListCtrlr", "Enabled"): "true",
    Name("MonitoringCtrlr", "Enabled"): "true",
    Name("SmartChargingCtrlr", "Enabled"): "true",
    Name("OCPPCommCtrlr", "UnlockOnEVSideDisconnect"): "true",
    Name("TxCtrlr", "StopTxOnEVSideDisconnect"): "true",
    Name("TxCtrlr", "StopTxOnInvalidId"): "true",
}
_NUMBERS: dict[Name, tuple[int, str | None]] = {
    Name("AlignedDataCtrlr", "Interval"): (0, "s"),
    Name("AlignedDataCtrlr", "TxEndedInterval"): (0, "s"),
    HEARTBEAT_INTERVAL: (300, "s"),
    Name("OCPPCommCtrlr", "MessageAttemptInterval", "TransactionEvent"): (5, "s"),
    Name("OCPPCommCtrlr", "MessageAttempts", "TransactionEvent"): (3, None),
    Name("OCPPCommCtrlr", "NetworkProfileConnectionAttempts"): (3, None),
    Name("OCPPCommCtrlr", "OfflineThreshold"): (60, "s"),
    Name("OCPPCommCtrlr", "ResetRetries"): (1, None),
    Name("OCPPCommCtrlr", "RetryBackOffWaitMinimum"): (1, "s"),
    Name("SampledDataCtrlr", "TxEndedInterval"): (0, "s"),
    Name("SecurityCtrlr", "CertSigningWaitMinimum"): (30, "s"),
    Name("TxCtrlr", "EVConnectionTimeOut"): (60, "s"),
}
