"""A station in OCPP 1.6 over SOAP, which has no security extension."""

from voltbus.simulator.station.types import Call
from voltbus.simulator.station.v16 import V16


class V16Soap(V16):
    """Speaks for a charger."""

    soap = "1.6"

    def security(self, kind: str) -> list[Call]:  # noqa: ARG002
        return []
