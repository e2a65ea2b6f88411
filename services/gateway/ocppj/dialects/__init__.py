"""How each OCPP version frames its errors: the gateway's own dialects."""

from collections.abc import Mapping

from services.gateway.ocppj.dialects import v15, v16, v201
from services.gateway.ocppj.dialects.dialect import Dialect

DIALECTS: Mapping[str, Dialect] = {
    dialect.version.name: dialect for dialect in (v15.DIALECT, v16.DIALECT, v201.DIALECT)
}
"""By the name of the version."""

__all__ = ["DIALECTS", "Dialect"]
