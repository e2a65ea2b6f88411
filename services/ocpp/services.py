"""The services: a row each. Topics, ports, the stack on a laptop, its banner, scopes and fault tests follow from it."""

from collections.abc import Mapping
from dataclasses import dataclass

AUTH, TRANSACTIONS, SMARTCHARGING, FIRMWARE = "auth", "transactions", "smartcharging", "firmware"


@dataclass(frozen=True, slots=True)
class ServiceInfo:
    """One service that owns actions. port: of its REST API by default. meaning: a line for people."""

    name: str
    port: int
    meaning: str

    @property
    def port_setting(self) -> str:
        """The variable that moves the port."""
        return f"VOLTBUS_{self.name.upper()}_PORT"


SERVICES: Mapping[str, ServiceInfo] = {
    service.name: service
    for service in (
        ServiceInfo(AUTH, 9081, "stations and tokens: who may connect, who may charge"),
        ServiceInfo(TRANSACTIONS, 9082, "transactions, meter values, remote start and stop"),
        ServiceInfo(SMARTCHARGING, 9083, "limits of sites, charging profiles"),
        ServiceInfo(FIRMWARE, 9084, "inventory, settings, firmware, diagnostics"),
    )
}
"""By name."""
MEANINGS: Mapping[str, str] = {name: service.meaning for name, service in SERVICES.items()}
