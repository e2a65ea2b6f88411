"""Framing rules of OCPP 2.0.1 part 4: message id "-1" if it cannot be read (§4.2.3), unknown types answered (§4.4)."""

from services.gateway.ocppj.dialects.dialect import Dialect
from services.ocpp.versions import VERSIONS

DIALECT = Dialect(
    version=VERSIONS["2.0.1"],
    unreadable_id="-1",
    answers_unknown_types=True,
    # B02.FR.05.
    not_while_pending=frozenset({"RequestStartTransaction", "RequestStopTransaction"}),
    reports={"GetBaseReport": "NotifyReport", "GetReport": "NotifyReport"},
    trigger_place="evse",
    trigger_names={
        "SignChargingStationCertificate": "SignCertificate",
        "SignV2GCertificate": "SignCertificate",
        "SignCombinedCertificate": "SignCertificate",
    },
    places=("evseId", "connectorId", "transactionInfo.transactionId"),
    serial_numbers=("chargingStation.serialNumber",),
)
