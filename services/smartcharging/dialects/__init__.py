"""The versions that smartcharging speaks. OCPP 1.6 has nothing to report here: its stations only take profiles."""

from services.common.dialects import Dialects
from services.smartcharging.dialects import v201
from services.smartcharging.domain.reports import Report

DIALECTS: Dialects[Report] = Dialects({"2.0.1": v201.DIALECT})
