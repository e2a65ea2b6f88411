"""Commands to many stations: handed in at once, each station with a command of its own, and what became of them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from fastapi import Response
from pydantic import BaseModel, Field

from services.common.commands import batches
from services.common.commands.api.commands import (
    AUTHOR,
    REUSED,
    CommandStatus,
    Terms,
    page_of,
    reused,
    unknown,
    unsayable,
)
from services.common.commands.api.selection import ManyStations
from services.common.commands.batches import Batch, Tally
from services.common.commands.command import Status, Unrenderable
from services.common.commands.idempotency import KeyReused, keys_of, of_caller
from services.common.commands.idempotency import reused as reused_key
from services.common.commands.service import EXPIRES_IN, CommandRequest, CommandService, UnknownStations
from services.common.commands.store import CommandFilter
from services.common.postgres.database import Connection, Database
from services.common.process.clock import Clock
from services.common.web.openapi import LOCATION, problem_responses
from services.common.web.pages import Page
from services.common.web.problems import Problem, field_problem
from services.ocpp.answers import Effect

SHOWN = 1000
NOBODY = "matches no station"


class BatchStatus(BaseModel):
    """What became of an action for many stations, by the status of each one's command."""

    batch_id: str
    action: str
    stations: int = Field(description="how many stations it is for")
    by_status: dict[Status, int]
    by_effect: dict[Effect, int] = Field(description="of those that were answered: what comes of the answers")
    open: int = Field(description="how many have not ended")
    author: str | None = Field(description=AUTHOR)
    created_at: datetime
    not_before: datetime | None = Field(description="when it is sent, if that was to be later")
    expires_at: datetime
    commands: Page[CommandStatus] = Field(description=f"the newest {SHOWN}; `next` is a cursor of GET /v1/commands")


GIVEN: dict[int | str, dict[str, Any]] = {
    200: {"model": BatchStatus, "description": "all commands have ended", "headers": LOCATION},
    202: {"description": "some commands have not ended yet", "headers": LOCATION},
    **problem_responses({404: f"a station is not known, or the filter {NOBODY}", 409: REUSED}),
}


class Batches:
    """Actions for many stations."""

    def __init__(self, command_service: CommandService, database: Database, clock: Clock) -> None:
        self._command_service, self._database, self._clock = command_service, database, clock

    async def issue(
        self,
        action: str,
        payload: Mapping[str, Any],
        many: ManyStations,
        terms: Terms,
        wait: float,
        response: Response,
        within: str = "body",
    ) -> BatchStatus:
        """Hands it in; 200 where all has ended when we answer, 202 where it goes on. Raises Problem.

        within: where the payload stands in the request.
        """
        try:
            given = await self.give(action, payload, many, terms)
        except KeyReused as error:
            raise reused(error) from None
        except UnknownStations as error:
            raise unknown(error, {one: f"body.stations.{n}" for n, one in enumerate(many.stations or ())}) from None
        except Unrenderable as error:
            raise unsayable(error, within) from None
        found = await self.view(given, wait)
        response.status_code = 202 if found.open else 200
        response.headers["Location"] = f"/v1/batches/{given.id}"
        return found

    async def find(self, batch_id: str) -> Batch | None:
        async with self._database.connection() as db:
            return await batches.one(db, batch_id)

    async def give(self, action: str, payload: Mapping[str, Any], many: ManyStations, terms: Terms) -> Batch:
        """Keeps the batch and a command for each station; the same batch for a caller's same key.

        Raises KeyReused, UnknownStations, and Unrenderable where no version can say the payload.
        """
        self._command_service.catalogue.check(action, payload)
        wanted = self._new(action, payload, many, terms)
        kept, key = await self._kept(wanted)
        if kept:
            return _same(kept[0], wanted)
        stations = await self._stations(many)
        waits = {} if terms.expires_in else await self._command_service.patience(stations)
        longest = max(waits.values(), default=EXPIRES_IN)
        wanted = replace(wanted, expires_at=wanted.expires_at + timedelta(seconds=longest - EXPIRES_IN))
        while not await self._keep(replace(wanted, idempotency_key=key), stations, terms, waits):
            kept, key = await self._kept(wanted)
            if kept:
                return _same(kept[0], wanted)
        self._command_service.notify_changed()
        await self._command_service.send()
        return wanted

    async def cancel(self, batch: Batch, by: str | None) -> None:
        """Takes back what has not been sent. by: who does it."""
        await self._command_service.cancel_batch(batch.id, by)

    async def view(self, batch: Batch, wait: float) -> BatchStatus:
        """As it stands, or when all commands have ended within the time."""

        async def tally() -> Tally:
            async with self._database.connection() as db:
                return await batches.tally(db, batch.id)

        found = await self._command_service.wait_until(tally, lambda tally: not tally.open, wait)
        commands = await self._command_service.page(CommandFilter(batch_id=batch.id), SHOWN + 1)
        return BatchStatus(
            batch_id=batch.id,
            action=batch.action,
            stations=sum(found.by_status.values()),
            by_status=dict(found.by_status),
            by_effect=dict(found.by_effect),
            open=found.open,
            author=batch.author,
            created_at=batch.created_at,
            not_before=batch.not_before,
            expires_at=batch.expires_at,
            commands=page_of(commands, SHOWN),
        )

    async def _kept(self, wanted: Batch) -> tuple[list[Batch], str | None]:
        """The same caller's batch of that key, where there is one already; the key of a new one. Raises KeyReused."""
        if (key := wanted.idempotency_key) is None:
            return [], None
        async with self._database.connection() as db:
            return of_caller(await batches.by_keys(db, keys_of(key, wanted.author)), key, wanted.author)

    def _new(self, action: str, payload: Mapping[str, Any], many: ManyStations, terms: Terms) -> Batch:
        now = self._clock()
        return Batch(
            id=str(uuid4()),
            action=action,
            payload=payload,
            chosen=many.chosen,
            created_at=now,
            expires_at=max(now, terms.not_before or now) + timedelta(seconds=terms.expires_in or EXPIRES_IN),
            idempotency_key=terms.idempotency_key,
            not_before=terms.not_before,
            author=terms.author,
        )

    async def _stations(self, many: ManyStations) -> list[str]:
        if many.stations:
            await self._command_service.require_known(many.stations)
            return sorted(set(many.stations))
        if not self._command_service.stations.ready():
            raise Problem(
                503, "the service is still reading which stations there are: try again", headers={"Retry-After": "1"}
            )
        found = self._command_service.stations.matching(many.selection())
        if not found:
            raise field_problem("body.filter" if many.filter else "body.all", NOBODY, 404)
        return found

    async def _keep(self, batch: Batch, stations: list[str], terms: Terms, waits: Mapping[str, float]) -> bool:
        """A batch with its commands; false where its key was taken meanwhile. waits: see _add."""
        async with self._database.transaction() as db:
            if not await batches.add(db, batch):
                return False
            await self._add(db, batch, stations, terms, waits)
        return True

    async def _add(
        self, db: Connection, batch: Batch, stations: list[str], terms: Terms, waits: Mapping[str, float]
    ) -> None:
        """waits: seconds, of each station, where the terms do not say it."""
        requests = [
            CommandRequest(
                station,
                batch.action,
                batch.payload,
                expires_in=waits.get(station, terms.expires_in),
                batch_id=batch.id,
                not_before=batch.not_before,
                author=batch.author,
            )
            for station in stations
        ]
        await self._command_service.add(db, requests)


def _same(kept: Batch, wanted: Batch) -> Batch:
    words = [(one.action, one.payload, one.chosen, one.not_before) for one in (kept, wanted)]
    if words[0] != words[1]:
        raise reused_key()
    return kept
