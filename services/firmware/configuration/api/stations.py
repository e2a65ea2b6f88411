"""REST of configuration: the picture of a station, setting and reading it."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from services.common.commands.api.commands import REUSED, ExpiresIn, IdempotencyKey, Wait, reused, view
from services.common.commands.command import Command
from services.common.commands.service import CommandService, KeyReused
from services.common.postgres.database import Database
from services.common.process.clock import Clock
from services.common.web.access import Access
from services.common.web.fields import StationId
from services.common.web.openapi import problem_responses
from services.common.web.pages import Cursor, Limit, Page, read_cursor, write_cursor
from services.firmware.configuration import group_settings, reads, reports_store
from services.firmware.configuration.api import groups
from services.firmware.configuration.api.views import (
    ConfigurationView,
    ReadResults,
    ReportView,
    SetResults,
    SettingView,
    ToRead,
    ToSet,
    results,
)
from services.firmware.configuration.dialects.tables import SETTINGS
from services.firmware.configuration.domain.settings import State, key
from services.firmware.configuration.reads import SettingFilter
from services.firmware.configuration.requests import MISSING, SettingsRequests

READ, WRITE = "firmware:read", "firmware:write"
# More than can be desired of a station.
ALL = 2000


def wanted(
    name: Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]+$", description="a part of its name")] = None,
    mutability: Literal["ReadOnly", "WriteOnly", "ReadWrite"] | None = None,
    differing: Annotated[bool, Query(description="only what is desired and not so")] = False,
) -> SettingFilter:
    """The query of a list."""
    return SettingFilter(name, mutability, differing)


def router(database: Database, command_service: CommandService, access: Access, clock: Clock) -> APIRouter:
    """Everything under /v1/stations/{station_id}/configuration and /v1/groups."""
    whole, asking = APIRouter(), SettingsRequests(database, command_service, clock)
    prefix = "/v1/stations/{station_id}/configuration"
    for routes, scope in ((_picture(asking), READ), (_acts(asking), WRITE)):
        whole.include_router(routes, prefix=prefix, tags=["configuration"], dependencies=[access.require(scope)])
    whole.include_router(groups.router(asking, access))
    return whole


def _picture(asking: SettingsRequests) -> APIRouter:
    routes = APIRouter()

    @routes.get("", responses=problem_responses({404: MISSING}))
    async def configuration(
        station_id: StationId,
        wanted: Annotated[SettingFilter, Depends(wanted)],
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> ConfigurationView:
        """All that is known of a station's settings, by name, beside what is desired of them."""
        standing = await asking.standing(station_id)
        position, groups = read_cursor(cursor, str), asking.command_service.stations.registration(station_id).groups
        after, dialect = str(position[0]) if position else None, SETTINGS.get(standing.version or "")
        most = ALL if wanted.desired else limit + 1
        async with asking.database.list_connection() as db:
            found = group_settings.first(await group_settings.load(db, groups), groups)
            rows = await reads.page(db, station_id, found.of(standing.version) if found else {}, wanted, after, most)
            reports = await reports_store.of_station(db, station_id, 1)
        shown = [(row.place, SettingView.of(row, dialect, standing.booted_at)) for row in rows]
        if wanted.desired:
            shown = [(place, one) for place, one in shown if one.state is not State.IN_SYNC]
        return ConfigurationView(
            items=[one for _, one in shown[:limit]],
            next=write_cursor(shown[limit - 1][0]) if len(shown) > limit else None,
            station_id=station_id,
            version=standing.version,
            group=found.group if found else next(iter(groups), None),
            step=standing.step,
            read_at=standing.read_at,
            applied_at=standing.applied_at,
            report=ReportView.of(reports[0]) if reports else None,
        )

    @routes.get("/reports", responses=problem_responses({404: MISSING}))
    async def reports(station_id: StationId, limit: Limit = 20) -> Page[ReportView]:
        """Its reports in parts (2.x), the newest of them, newest first; those that lack parts too."""
        await asking.standing(station_id)
        async with asking.database.connection() as db:
            found = await reports_store.of_station(db, station_id, limit)
        return Page(items=[ReportView.of(report) for report in found])

    return routes


def _acts(asking: SettingsRequests) -> APIRouter:
    routes = APIRouter()

    @routes.put("", status_code=202, responses=_asked(SetResults))
    async def put(
        station_id: StationId,
        body: ToSet,
        response: Response,
        wait: Wait = 0,
        expires_in: ExpiresIn = 60,
        idempotency_key: IdempotencyKey = None,
    ) -> SetResults:
        """Sets settings, whatever the station's version; what it said to each. Others stay as they are."""
        target = await asking.target(station_id)
        try:
            given = await asking.set(target, body.settings, expires_in, idempotency_key)
        except KeyReused as error:
            raise reused(error) from None
        commands = await asking.wait(given, wait)
        asked = {key(target.dialect.own(name)): name for name in body.settings}
        known = await asking.known(station_id, list(asked))
        response.status_code = _status(commands)
        return SetResults(station_id=station_id, settings=results(asked, commands, known))

    @routes.post("/refresh", status_code=202, responses=_asked(ReadResults))
    async def refresh(
        station_id: StationId,
        body: ToRead,
        response: Response,
        wait: Wait = 0,
        expires_in: ExpiresIn = 60,
        idempotency_key: IdempotencyKey = None,
    ) -> ReadResults:
        """Asks the station what its settings are: all, or some by name. A report of 2.x comes after the answer."""
        target = await asking.target(station_id)
        try:
            given = await asking.read(target, body.names, body.report, expires_in, idempotency_key)
        except KeyReused as error:
            raise reused(error) from None
        commands = await asking.wait(given, wait)
        response.status_code = _status(commands)
        number = given[0].payload.get("requestId")
        return ReadResults(station_id=station_id, commands=[view(command) for command in commands], request_id=number)

    return routes


def _asked(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """What asking a station may say."""
    return {
        200: {"model": model, "description": "all have ended"},
        202: {"description": "some go on"},
        **problem_responses(
            {404: MISSING, 409: f"{REUSED}, or the configuration of the station's version is not known"}
        ),
    }


def _status(commands: list[Command]) -> int:
    return 200 if all(command.final for command in commands) else 202
