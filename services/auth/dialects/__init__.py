"""The versions that auth speaks."""

from collections.abc import Mapping

from services.auth.dialects import v15, v16, v21, v201
from services.auth.dialects.dialect import Dialect
from services.auth.domain.requests import Request
from services.common.calls.dialects import Dialects

BY_VERSION: Mapping[str, Dialect] = {"1.5": v15.DIALECT, "1.6": v16.DIALECT, "2.0.1": v201.DIALECT, "2.1": v21.DIALECT}
DIALECTS: Dialects[Request] = Dialects(BY_VERSION)
