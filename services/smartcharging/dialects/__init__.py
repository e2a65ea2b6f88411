"""The versions that smartcharging speaks. OCPP 1.6 has nothing to report here: its stations only take profiles."""

from collections.abc import Mapping

from services.common.calls.dialects import Dialects
from services.smartcharging.dialects import v16, v201
from services.smartcharging.dialects.schedules import Profiles
from services.smartcharging.domain.reports import Report

DIALECTS: Dialects[Report] = Dialects({"2.0.1": v201.DIALECT})
PROFILES: Mapping[str, Profiles] = {"1.6": v16.PROFILES, "2.0.1": v201.PROFILES}
