"""How each OCPP version frames its errors: the gateway's own dialects."""

from collections.abc import Mapping

from services.gateway.ocppj.dialects import v15, v16, v21, v201
from services.gateway.ocppj.dialects.dialect import Dialect

DIALECTS: Mapping[str, Dialect] = {module.DIALECT.version.name: module.DIALECT for module in (v15, v16, v201, v21)}
"""By the name of the version."""

__all__ = ["DIALECTS", "Dialect"]
