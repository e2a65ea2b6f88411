"""The versions that auth speaks."""

from services.auth.dialects import v16, v201
from services.auth.domain.requests import Request
from services.common.calls.dialects import Dialects

DIALECTS: Dialects[Request] = Dialects({"1.6": v16.DIALECT, "2.0.1": v201.DIALECT})
