"""Framing rules of OCPP 2.1 part 4: SEND and CALLRESULTERROR (§4.1.3), unknown types are ignored (§4.4)."""

from dataclasses import replace

from services.gateway.ocppj.dialects import v201
from services.gateway.ocppj.frames import CALLRESULTERROR, SEND
from services.ocpp.versions import VERSIONS

DIALECT = replace(
    v201.DIALECT,
    version=VERSIONS["2.1"],
    answers_unknown_types=False,
    message_types=v201.DIALECT.message_types | {CALLRESULTERROR, SEND},
    trigger_names={**v201.DIALECT.trigger_names, "SignV2G20Certificate": "SignCertificate"},
)
