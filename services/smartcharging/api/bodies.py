"""Charging profiles as clients write them, and as they are shown."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.common.web.fields import Float, Int, UtcDatetime
from services.common.web.problems import Problem
from services.ocpp.timestamps import write_time
from services.smartcharging.api.fields import NAME, EvseId, Strict, Unit
from services.smartcharging.domain.profile import Kind, Period, Profile, Purpose, Schedule, as_json, faults
from services.smartcharging.domain.site_profiles import FIRST_ID

Seconds = Annotated[Int, Field(ge=0, le=2**31 - 1)]
Rate = Annotated[Float, Field(ge=0, le=100_000_000, allow_inf_nan=False)]


TransactionId = Annotated[
    str,
    Field(
        min_length=1, max_length=36, pattern=r"^[ -~]+$", description="as the station knows it; in OCPP 1.6 its number"
    ),
]


class PeriodBody(Strict):
    start: Seconds = Field(description="after the schedule's, in seconds; the first is 0")
    limit: Rate = Field(description="A for each phase, or W; one decimal", examples=[16])
    phases: Int | None = Field(None, ge=1, le=3)
    phase_to_use: Int | None = Field(None, ge=1, le=3, description="of OCPP 2.x")


class ScheduleBody(Strict):
    unit: Unit = "A"
    periods: list[PeriodBody] = Field(min_length=1, max_length=1024)
    start: UtcDatetime | None = Field(None, description="unless the profile is Relative")
    duration: Seconds | None = None
    min_charging_rate: Rate | None = None


class ProfileBody(Strict):
    """A charging profile in no version's words."""

    id: Int = Field(ge=1, lt=FIRST_ID, description="what has the same is replaced; those above are the sites' own")
    purpose: Literal[Purpose.STATION_MAX, Purpose.TX_DEFAULT, Purpose.TX]
    stack_level: Int = Field(0, ge=0, le=1000)
    kind: Literal[Kind.ABSOLUTE, Kind.RECURRING, Kind.RELATIVE] = Kind.RELATIVE
    recurrency: Literal["Daily", "Weekly"] | None = None
    valid_from: UtcDatetime | None = None
    valid_to: UtcDatetime | None = None
    schedule: ScheduleBody

    def profile(self, evse_id: int, transaction_id: str | None) -> Profile:
        """Raises Problem where OCPP does not allow it."""
        body = self.schedule
        periods = tuple(Period(**period.model_dump()) for period in body.periods)
        profile = Profile(
            id=self.id,
            purpose=self.purpose,
            schedule=Schedule(
                unit=body.unit,
                periods=periods,
                start=_time(body.start),
                duration=body.duration,
                min_charging_rate=body.min_charging_rate,
            ),
            evse_id=evse_id,
            stack_level=self.stack_level,
            kind=self.kind,
            recurrency=self.recurrency,
            valid_from=_time(self.valid_from),
            valid_to=_time(self.valid_to),
            transaction_id=transaction_id,
        )
        if found := [{"field": f"body.{field}", "message": why} for field, why in faults(profile)]:
            raise Problem(422, f"{found[0]['field']}: {found[0]['message']}", found)
        return profile


class InstallBody(Strict):
    """What to install: a profile, or the name of a stored one."""

    profile: ProfileBody | None = None
    stored: str | None = Field(None, min_length=1, max_length=100, pattern=NAME, examples=["night"])
    evse_id: EvseId | Literal[0] = Field(0, description="0: the whole station; a connector in OCPP 1.6")
    transaction_id: TransactionId | None = None


FURTHER = Field(None, description="what else its version says of it, in its words")


class ScheduleView(BaseModel):
    """Times as the station or the client wrote them. Periods have `further`, too, where there is anything."""

    unit: str
    periods: list[dict[str, Any]]
    start: str | None
    duration: int | None
    min_charging_rate: float | None
    further: dict[str, Any] | None = FURTHER


class ProfileView(BaseModel):
    """A charging profile in no version's words."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    evse_id: int
    purpose: Purpose
    stack_level: int
    kind: Kind
    recurrency: str | None
    valid_from: str | None
    valid_to: str | None
    transaction_id: str | None
    schedule: ScheduleView
    further: dict[str, Any] | None = FURTHER


def profile_view(profile: Profile) -> ProfileView:
    return ProfileView(**as_json(profile))


def _time(at: datetime | None) -> str | None:
    return None if at is None else write_time(at)
