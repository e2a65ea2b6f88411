"""REST of the charging profiles of a station: what is installed, installing, clearing, reports, composite schedules."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.common.commands.api.commands import (
    AWAY,
    ISSUED,
    UNKNOWN,
    CommandStatus,
    ExpiresIn,
    GivenTerms,
    Terms,
    Wait,
    issue,
    require_connected,
)
from services.common.commands.service import CommandService
from services.common.postgres.database import Database
from services.common.web.access import Access, Author
from services.common.web.fields import StationId
from services.common.web.openapi import problem_responses
from services.common.web.problem_types import ProblemType
from services.common.web.problems import Problem, field_problem
from services.smartcharging import reported_profiles
from services.smartcharging.api.bodies import InstallBody, ProfileView, ScheduleView, profile_view
from services.smartcharging.api.fields import OPERATE, READ, Unit
from services.smartcharging.api.reports import ReportView, report_view
from services.smartcharging.api.stored import MISSING, find
from services.smartcharging.dialects.dialect import Payload
from services.smartcharging.domain.installed_profiles import InstalledProfile
from services.smartcharging.domain.profile import Purpose, as_json
from services.smartcharging.domain.profile_commands import ClearProfiles, CommandName, ComposeSchedule
from services.smartcharging.domain.site_profiles import FIRST_ID
from services.smartcharging.installed_profiles import installed_on
from services.smartcharging.reads import site_of
from services.smartcharging.remote import read_composite_schedule

EvseQuery = Annotated[int | None, Query(ge=0, le=1000, description="0: the station itself; a connector in OCPP 1.6")]
SETTABLE = Literal[Purpose.STATION_MAX, Purpose.TX_DEFAULT, Purpose.TX]


REFUSED, SILENT = "the station gave no schedule", "the station did not answer"


class InstalledView(BaseModel):
    """A profile as it was asked for, and as the station confirmed it."""

    profile_id: int
    asked: ProfileView | None = Field(description="null: it was asked to be cleared")
    installed: ProfileView | None = Field(description="as last confirmed; null: not that we know")
    of_site: bool = Field(description="it holds a site's limit")
    command_id: str
    status: str = Field(description="of the last command about it")
    response: Any = None
    asked_at: datetime


class ProfilesView(BaseModel):
    """reported: by the station itself, where it was asked to and did (OCPP 2.x)."""

    items: list[InstalledView]
    reported: ReportView | None


class CompositeScheduleView(BaseModel):
    """What a station is going to allow, all of its profiles taken together."""

    station_id: str
    evse_id: int
    command_id: str
    schedule: ScheduleView


def router(database: Database, command_service: CommandService, access: Access) -> APIRouter:
    """/v1/stations/{station_id}/profiles and …/composite-schedule."""
    routes = APIRouter(prefix="/v1/stations/{station_id}", tags=["profiles"])
    read, write = [access.require(READ)], [access.require(OPERATE)]

    @routes.get("/profiles", dependencies=read)
    async def profiles(station_id: StationId) -> ProfilesView:
        """What was asked of a station, what it confirmed, and what it reported itself."""
        async with database.connection() as db:
            found = await installed_on(db, station_id)
            reported = await reported_profiles.newest(db, station_id)
        return ProfilesView(items=[_view(one) for one in found], reported=reported and report_view(reported))

    @routes.post("/profiles", dependencies=write, status_code=202, responses=ISSUED | problem_responses({404: MISSING}))
    async def install(
        station_id: StationId,
        body: InstallBody,
        terms: GivenTerms,
        response: Response,
        wait: Wait = 0,
    ) -> CommandStatus:
        """Installs a profile, or a stored one. 409 where the limits of its sessions are set by its site.

        422 where a station of OCPP 2.x has another one of the purpose and stack level there (K01.FR.06, K01.FR.39).
        """
        if (body.profile is None) == (body.stored is None):
            raise field_problem("body", "give either profile or stored")

        async def resolve() -> Payload:
            chosen = body.profile or (await find(database, body.stored or "")).profile
            profile = chosen.profile(body.evse_id, body.transaction_id)
            if profile.purpose != Purpose.STATION_MAX:
                await _not_of_site(station_id)
            return as_json(profile)

        asked = terms.request(station_id, CommandName.SET.value, body.model_dump(mode="json"))
        return await issue(command_service, asked, wait, response, resolve)

    @routes.delete("/profiles", dependencies=write, status_code=202, responses=ISSUED)
    async def clear(
        station_id: StationId,
        terms: GivenTerms,
        response: Response,
        id: Annotated[int | None, Query(ge=-(2**31), lt=2**31)] = None,
        evse_id: EvseQuery = None,
        purpose: SETTABLE | None = None,
        stack_level: Annotated[int | None, Query(ge=0, le=1000)] = None,
        wait: Wait = 0,
    ) -> CommandStatus:
        """Clears the profiles that match all that is given (K10). 409 where they can be those of its site."""
        criteria = ClearProfiles(id=id, evse_id=evse_id, purpose=purpose, stack_level=stack_level)
        if criteria == ClearProfiles():
            raise field_problem("query", "give at least one of id, evse_id, purpose and stack_level (K10.FR.02)")

        async def resolve() -> Payload:
            if purpose != Purpose.STATION_MAX and (id is None or id >= FIRST_ID):
                await _not_of_site(station_id)
            return asdict(criteria)

        asked = terms.request(station_id, CommandName.CLEAR.value, asdict(criteria))
        return await issue(command_service, asked, wait, response, resolve)

    @routes.post("/profiles/report", dependencies=write, status_code=202, responses=ISSUED)
    async def report(
        station_id: StationId,
        author: Author,
        response: Response,
        evse_id: EvseQuery = None,
        wait: Wait = 0,
        expires_in: ExpiresIn = 60,
    ) -> CommandStatus:
        """Asks a station of OCPP 2.x what it has installed (K09); what it reports is shown with its profiles."""
        return await issue(
            command_service,
            Terms(expires_in, author=author).request(station_id, CommandName.REPORT.value, {"evse_id": evse_id}),
            wait,
            response,
        )

    @routes.get(
        "/composite-schedule",
        dependencies=read,
        responses=problem_responses({404: UNKNOWN, 409: f"{REFUSED}, or {AWAY}", 504: SILENT}),
    )
    async def composite_schedule(
        station_id: StationId,
        author: Author,
        response: Response,
        evse_id: Annotated[int, Query(ge=0, le=1000)] = 0,
        duration: Annotated[int, Query(ge=1, le=366 * 24 * 3600, description="seconds")] = 24 * 3600,
        unit: Unit | None = None,
        wait: Annotated[float, Query(gt=0, le=60, description="seconds to wait for the station")] = 30,
    ) -> CompositeScheduleView:
        """Asks the station what it is going to allow (K08, 1.6 §5.7).

        409 where it refuses or is not connected, 504 where it is silent.
        """
        await require_connected(command_service, station_id)
        command = ComposeSchedule(evse_id, duration, unit)
        asked = Terms(wait, author=author).request(station_id, CommandName.COMPOSE.value, asdict(command))
        issued = await issue(command_service, asked, wait, response)
        response.status_code = 200
        if issued.outcome is None or issued.status == "expired":
            raise Problem(504, SILENT)
        said = issued.response if issued.normalised is None else issued.normalised
        found = read_composite_schedule(issued.version, said)
        if found is None:
            why = issued.error_code or _status(issued.response)
            raise Problem(409, f"{REFUSED}: {why}", kind=ProblemType.STATION_REFUSED)
        where = evse_id if found.evse_id is None else found.evse_id
        schedule = ScheduleView(**asdict(found.schedule))
        return CompositeScheduleView(
            station_id=station_id, evse_id=where, command_id=issued.command_id, schedule=schedule
        )

    async def _not_of_site(station_id: str) -> None:
        async with database.connection() as db:
            site = await site_of(db, station_id)
        if site is not None:
            raise Problem(409, f"the station is in site {site}, which limits its sessions")

    return routes


def _status(response: Any) -> str:
    return str(response.get("status", "")) if isinstance(response, dict) else "its answer cannot be read"


def _view(installed: InstalledProfile) -> InstalledView:
    return InstalledView(
        profile_id=installed.profile_id,
        asked=installed.asked and profile_view(installed.asked),
        installed=installed.installed and profile_view(installed.installed),
        of_site=installed.profile_id >= FIRST_ID,
        command_id=installed.last_command.command_id,
        status=installed.last_command.status,
        response=installed.last_command.response,
        asked_at=installed.last_command.asked_at,
    )
