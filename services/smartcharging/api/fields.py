"""What the fields of smartcharging's REST API may hold."""

from typing import Annotated, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.common.web.fields import NO_NUL, Float, Int
from services.common.web.problems import field_problem
from services.common.web.roles import rights
from services.smartcharging.domain.loads import tenths
from services.smartcharging.domain.site import PHASES, Limit, Member, Site
from services.smartcharging.domain.site_state import Preferences

READ, OPERATE, ADMINISTER = rights("smartcharging")

# A name of a path, which a slash would end.
NAME = r"^[^\x00-\x1f\x7f/]+$"
SiteId = Annotated[str, Path(min_length=1, max_length=100, pattern=NAME, examples=["garage-7"])]
ProfileName = Annotated[str, Path(min_length=1, max_length=100, pattern=NAME, examples=["night"])]
StationName = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=NO_NUL)]
EvseId = Annotated[Int, Field(ge=1, le=1000)]
Unit = Literal["A", "W"]
Phase = Literal["L1", "L2", "L3"]
Amperes = Annotated[Float, Field(ge=0, le=10_000, allow_inf_nan=False)]
Priority = Annotated[Int, Field(ge=-1000, le=1000, description="the higher is served first")]
MOST_STATIONS = 1000


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LimitBody(Strict):
    """What all sessions of a site may draw together."""

    value: Float = Field(ge=0, le=100_000_000, allow_inf_nan=False, examples=[96])
    unit: Unit = Field("A", description="A: for each phase; W: for all phases together")


class StationBody(Strict):
    """A station of a site."""

    station_id: StationName
    evse_ids: list[EvseId] | None = Field(
        None, min_length=1, max_length=100, description="which of its EVSEs (1.6: connectors); null: all of them"
    )
    phases: list[Phase] | Int | None = Field(
        None,
        description="the site's phases that it is connected to, in the order of its own conductors; a number: so many "
        "from L1 on; null: all the site has",
        examples=[["L2", "L3", "L1"]],
    )
    max_a: Amperes = Field(
        32, description="what an EVSE can take of each phase; set aside where no less can be asked of it"
    )
    minimum_a: Amperes = Field(6, description="below it a session is paused")
    priority: Priority = 0
    unit: Unit = Field("A", description="of the profiles it is sent")

    @model_validator(mode="after")
    def _fits(self) -> "StationBody":
        if self.minimum_a < 1 or self.minimum_a > self.max_a:
            raise ValueError("minimum_a must be at least 1 and at most max_a")
        if isinstance(self.phases, int) and not 1 <= self.phases <= len(PHASES):
            raise ValueError("phases must be a number from 1 to 3, or a list of names")
        if isinstance(self.phases, list) and (not self.phases or len(set(self.phases)) < len(self.phases)):
            raise ValueError("phases must name at least one phase, and none twice")
        if self.evse_ids and len(set(self.evse_ids)) < len(self.evse_ids):
            raise ValueError("evse_ids must not name an EVSE twice")
        return self

    def member(self, phases: int) -> Member:
        names = self.phases if isinstance(self.phases, list) else PHASES[: self.phases or phases]
        return Member(
            station_id=self.station_id,
            evse_ids=None if self.evse_ids is None else tuple(self.evse_ids),
            phases=tuple(names),
            minimum=tenths(self.minimum_a),
            maximum=tenths(self.max_a),
            priority=self.priority,
            unit=self.unit,
        )


class SiteBody(Strict):
    """A site as it should be."""

    limit: LimitBody
    phases: Int = Field(3, ge=1, le=3)
    voltage: Float = Field(230, ge=50, le=1000, allow_inf_nan=False, description="between a phase and neutral, in V")
    default_a: Amperes | None = Field(
        None,
        description="what a session may draw that starts before we know of it, while its station is away; it is set "
        "aside for every EVSE. null: the minimum where that is a small part of the limit, otherwise nothing",
    )
    stations: list[StationName | StationBody] = Field([], max_length=MOST_STATIONS, examples=[["CP001", "CP002"]])

    def site(self, site_id: str) -> Site:
        """Raises Problem where parts of it do not fit together."""
        bodies = [one if isinstance(one, StationBody) else StationBody(station_id=one) for one in self.stations]
        members = tuple(body.member(self.phases) for body in bodies)
        default = None if self.default_a is None else tenths(self.default_a)
        if fault := _contradiction(self, members, default):
            raise field_problem(f"body.{fault[0]}", fault[1])
        return Site(
            site_id=site_id,
            limit=Limit(self.limit.value, self.limit.unit),
            members=members,
            phases=self.phases,
            voltage=self.voltage,
            default=default,
        )


def _contradiction(body: SiteBody, members: tuple[Member, ...], default: int | None) -> tuple[str, str] | None:
    for place, member in enumerate(members):
        if not set(member.phases) <= set(PHASES[: body.phases]):
            return f"stations.{place}.phases", "must be phases that the site has"
        if default and not member.minimum <= default <= member.maximum:
            return "default_a", f"must be 0, or between the minimum and the maximum of {member.station_id}"
    if len({member.station_id for member in members}) < len(members):
        return "stations", "must not list a station twice"
    return None


class SessionPreferencesBody(Strict):
    """What an operator wants for one session; null: as for its station."""

    priority: Priority | None = None
    minimum_a: Amperes | None = Field(None, ge=1, examples=[10])
    maximum_a: Amperes | None = Field(None, description="never more than its station's max_a")

    @model_validator(mode="after")
    def _fits(self) -> "SessionPreferencesBody":
        if self.minimum_a is not None and self.maximum_a is not None and self.minimum_a > self.maximum_a:
            raise ValueError("minimum_a must be at most maximum_a")
        return self

    def preferences(self) -> Preferences:
        minimum, maximum = (None if one is None else tenths(one) for one in (self.minimum_a, self.maximum_a))
        return Preferences(self.priority, minimum, maximum)
