"""Framing rules of OCPP 1.6-J: no answer without a readable message id, unknown types are ignored (§4.1.3)."""

from services.gateway.ocppj.dialects.dialect import Dialect
from services.ocpp.versions import VERSIONS

DIALECT = Dialect(
    version=VERSIONS["1.6"],
    unreadable_id=None,
    answers_unknown_types=False,
    # §4.2.
    not_while_pending=frozenset({"RemoteStartTransaction", "RemoteStopTransaction"}),
    trigger_actions=frozenset({"TriggerMessage", "ExtendedTriggerMessage"}),
    trigger_place="connectorId",
    trigger_names={"SignChargePointCertificate": "SignCertificate"},
    places=("connectorId",),
    serial_numbers=("chargePointSerialNumber", "chargeBoxSerialNumber"),
)
