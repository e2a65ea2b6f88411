"""OCPP 1.5 has no JSON: what stations say over SOAP is framed here as 1.6 is (transport/soap)."""

from dataclasses import replace

from services.gateway.ocppj.dialects import v16
from services.ocpp.versions import VERSIONS

DIALECT = replace(v16.DIALECT, version=VERSIONS["1.5"])
