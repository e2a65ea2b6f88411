"""The newest report of a station's profiles, as it is shown."""

from datetime import datetime

from pydantic import BaseModel, Field

from services.smartcharging.api.bodies import ProfileView, profile_view
from services.smartcharging.reported_profiles import ProfileReport


class ReportedProfileView(BaseModel):
    """source: who set it, such as EMS or CSO (ChargingLimitSourceEnumType)."""

    source: str
    profile: ProfileView


class ReportView(BaseModel):
    """request_id: the number of the command that asked for it."""

    request_id: int
    complete: bool = Field(description="the station has said that no more is to come (K09.FR.02)")
    reported_at: datetime
    profiles: list[ReportedProfileView]


def report_view(report: ProfileReport) -> ReportView:
    return ReportView(
        request_id=report.request_id,
        complete=report.complete,
        reported_at=report.reported_at,
        profiles=[ReportedProfileView(source=source, profile=profile_view(one)) for source, one in report.profiles],
    )
