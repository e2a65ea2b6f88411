"""The versions that smartcharging speaks; 1.5 has no smart charging."""

from collections.abc import Mapping

from services.common.calls.dialects import Dialects
from services.smartcharging.dialects import v16, v21, v201
from services.smartcharging.dialects.dialect import Dialect
from services.smartcharging.domain.reports import Report

BY_VERSION: Mapping[str, Dialect] = {"1.6": v16.DIALECT, "2.0.1": v201.DIALECT, "2.1": v21.DIALECT}
DIALECTS: Dialects[Report] = Dialects(BY_VERSION)
