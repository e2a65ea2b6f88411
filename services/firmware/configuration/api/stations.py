"""REST of configuration: the settings of a station, setting and reading them."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from services.common.commands.api.commands import REUSED, ExpiresIn, IdempotencyKey, Wait, reused, view
from services.common.commands.command import Command
from services.common.commands.idempotency import KeyReused
from services.common.desired.resource import desired_of
from services.common.web.access import Access, Author
from services.common.web.fields import StationId
from services.common.web.openapi import problem_responses
from services.common.web.pages import Cursor, Limit, Page, read_cursor, write_cursor
from services.firmware.configuration import reads, reports_store
from services.firmware.configuration.api.views import (
    ConfigurationView,
    ReadResults,
    ReadSettings,
    ReportView,
    SetResults,
    SetSettings,
    SettingView,
    results,
)
from services.firmware.configuration.domain.settings import State, key
from services.firmware.configuration.reads import SettingFilter
from services.firmware.configuration.requests import MISSING, SettingsRequests
from services.firmware.configuration.resource import RESOURCE, by_name
from services.firmware.configuration.stores import GROUPS
from services.firmware.dialects import SETTINGS
from services.firmware.rights import OPERATE, READ

# More than can be desired of a station.
MAX_DESIRED = 2000


def setting_filter(
    name: Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]+$", description="a part of its name")] = None,
    mutability: Literal["ReadOnly", "WriteOnly", "ReadWrite"] | None = None,
    differing: Annotated[bool, Query(description="only settings that differ from what is desired")] = False,
) -> SettingFilter:
    """The query of a list."""
    return SettingFilter(name, mutability, differing)


def router(requests: SettingsRequests, access: Access) -> APIRouter:
    """Everything under /v1/stations/{station_id}/configuration."""
    all_, prefix = APIRouter(), "/v1/stations/{station_id}/configuration"
    for routes, scope in ((_read_routes(requests), READ), (_write_routes(requests), OPERATE)):
        all_.include_router(routes, prefix=prefix, tags=["configuration"], dependencies=[access.require(scope)])
    return all_


def _read_routes(requests: SettingsRequests) -> APIRouter:
    routes = APIRouter()

    @routes.get("", responses=problem_responses({404: MISSING}))
    async def configuration(
        station_id: StationId,
        wanted: Annotated[SettingFilter, Depends(setting_filter)],
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> ConfigurationView:
        """All that is known of a station's settings, by name, beside what is desired of them."""
        status = await requests.status(station_id)
        position, groups = read_cursor(cursor, str), requests.command_service.stations.registration(station_id).groups
        after, dialect = str(position[0]) if position else None, SETTINGS.get(status.version or "")
        most = MAX_DESIRED if wanted.desired else limit + 1
        async with requests.database.list_connection() as db:
            documents = await GROUPS.load(db, groups)
            desired = desired_of(RESOURCE, groups, documents, status.version or "")
            values = by_name(one.value for one in desired.values())
            rows = await reads.page(db, station_id, values, wanted, after, most)
            reports = await reports_store.of_station(db, station_id, 1)
        shown = [(row.place, SettingView.of(row, dialect, status.booted_at)) for row in rows]
        if wanted.desired:
            shown = [(place, one) for place, one in shown if one.state is not State.IN_SYNC]
        return ConfigurationView(
            items=[one for _, one in shown[:limit]],
            next=write_cursor(shown[limit - 1][0]) if len(shown) > limit else None,
            station_id=station_id,
            version=status.version,
            group=next((name for name in groups if name in documents), next(iter(groups), None)),
            step=status.step,
            read_at=status.read_at,
            applied_at=status.applied_at,
            report=ReportView.of(reports[0]) if reports else None,
        )

    @routes.get("/reports", responses=problem_responses({404: MISSING}))
    async def reports(station_id: StationId, limit: Limit = 20) -> Page[ReportView]:
        """Its reports in parts (2.x), the newest of them, newest first; those that lack parts too."""
        await requests.status(station_id)
        async with requests.database.connection() as db:
            found = await reports_store.of_station(db, station_id, limit)
        return Page(items=[ReportView.of(some) for some in found])

    return routes


def _write_routes(requests: SettingsRequests) -> APIRouter:
    routes = APIRouter()

    @routes.put("", status_code=202, responses=_command_responses(SetResults))
    async def put(
        station_id: StationId,
        body: SetSettings,
        author: Author,
        response: Response,
        wait: Wait = 0,
        expires_in: ExpiresIn = 60,
        idempotency_key: IdempotencyKey = None,
    ) -> SetResults:
        """Sets settings, whatever the station's version; what it said to each. Others stay as they are."""
        station = await requests.station(station_id)
        try:
            accepted = await requests.set(station, body.settings, expires_in, idempotency_key, author)
        except KeyReused as error:
            raise reused(error) from None
        commands = await requests.wait(accepted, wait)
        names = {key(station.dialect.own_name(name)): name for name in body.settings}
        known = await requests.settings(station_id, list(names))
        response.status_code = _status_code(commands)
        return SetResults(station_id=station_id, settings=results(names, commands, known))

    @routes.post("/refresh", status_code=202, responses=_command_responses(ReadResults))
    async def refresh(
        station_id: StationId,
        body: ReadSettings,
        author: Author,
        response: Response,
        wait: Wait = 0,
        expires_in: ExpiresIn = 60,
        idempotency_key: IdempotencyKey = None,
    ) -> ReadResults:
        """Asks the station what its settings are: all, or some by name. A report of 2.x comes after the answer."""
        station = await requests.station(station_id)
        try:
            accepted = await requests.read(station, body.names, body.report, expires_in, idempotency_key, author)
        except KeyReused as error:
            raise reused(error) from None
        commands = await requests.wait(accepted, wait)
        response.status_code = _status_code(commands)
        number = accepted[0].payload.get("requestId")
        return ReadResults(station_id=station_id, commands=[view(command) for command in commands], request_id=number)

    return routes


def _command_responses(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """What asking a station may say."""
    return {
        200: {"model": model, "description": "all commands have ended"},
        202: {"description": "some commands have not ended yet"},
        **problem_responses(
            {404: MISSING, 409: f"{REUSED}, or the configuration of the station's version is not known"}
        ),
    }


def _status_code(commands: list[Command]) -> int:
    return 200 if all(command.final for command in commands) else 202
