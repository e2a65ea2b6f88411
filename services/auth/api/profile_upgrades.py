"""REST of security profiles that many stations go up to: how far that is, and each station."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.auth import rollouts_store as store
from services.auth.api.fields import ADMINISTER, READ, Group, not_found
from services.auth.domain.profile_upgrades import Step
from services.auth.domain.rollouts import FEWEST_FAILED, Kind, Rollout, RolloutState, Stage
from services.auth.store import Store
from services.common.postgres.database import Connection
from services.common.process.clock import Clock
from services.common.web.access import Access, Author
from services.common.web.openapi import problem_responses
from services.common.web.pages import Cursor, Limit, Page, read_cursor, write_cursor
from services.common.web.problems import Problem

MOST_STATIONS = 1000
Id = Annotated[
    str,
    Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$", description="chosen", examples=["spring-2027"]),
]
Listed = Annotated[str, StringConstraints(min_length=1, max_length=48, pattern=r"^[^\x00-\x1f\x7f:/]+$")]
OTHERWISE = "there is one with this id that says something else"
STAGES = (
    "waiting: for its turn, until it is here, or has what it needs (`reason`); sent: it is at `step`; seen: it came "
    "with the new profile; rolled_back: it came back with its old one; failed: see `reason`"
)
Url = Annotated[str, StringConstraints(min_length=9, max_length=512, pattern=r"^wss://[!-~]+$")]
INTERFACES = Literal["Wired0", "Wired1", "Wired2", "Wired3", "Wireless0", "Wireless1", "Wireless2", "Wireless3"]


class UpgradeBody(BaseModel):
    """Which stations go to which profile, and how fast."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"group": "vienna", "security_profile": 2, "url": "wss://csms.example:9443/ocpp"}]
        },
    )

    security_profile: Literal[2, 3]
    station_ids: list[Listed] | None = Field(None, min_length=1, max_length=MOST_STATIONS)
    group: Group | None = None
    url: Url | None = Field(None, description="where stations of 2.x connect; they add their id. 1.6 needs none")
    interface: INTERFACES = Field("Wired0", description="that stations of 2.x connect by")
    slots: list[Annotated[int, Field(ge=0, le=1000)]] = Field(
        [1, 2, 3], min_length=1, max_length=20, description="of 2.x; the first that is not in use is written"
    )
    message_timeout: int = Field(30, ge=1, le=600, description="seconds that stations of 2.x wait for answers")
    patience_minutes: int = Field(60, ge=1, le=10080, description="until a station must have come with the new profile")
    at_once: int = Field(5, ge=1, le=1000, description="stations that are under way at a time")
    halt_share: float = Field(
        0.1,
        ge=0,
        le=1,
        description="it halts when more than this share of those that have ended have failed or were rolled back, "
        f"and {FEWEST_FAILED} at the least",
    )

    @model_validator(mode="after")
    def _one_choice(self) -> "UpgradeBody":
        if bool(self.station_ids) == bool(self.group):
            raise ValueError("station_ids or group, one of them")
        return self


class UpgradeView(BaseModel):
    """Stations on their way to a security profile."""

    id: str
    station_ids: list[str] | None
    group: str | None
    security_profile: int
    at_once: int
    halt_share: float
    state: RolloutState = Field(
        description="running; halted: too many have failed; stopped: by an operator; done: none is left to be asked"
    )
    reason: str | None = Field(description="why it is halted")
    stations: dict[Stage, int] = Field(description=f"how many there are of each state. {STAGES}")
    author: str | None = Field(description="who began, stopped or resumed it")
    started_at: datetime
    changed_at: datetime


class UpgradedView(BaseModel):
    """A station on its way."""

    station_id: str
    state: Stage = Field(description=STAGES)
    reason: str | None = Field(description="in the station's words, or why it has failed or waits")
    due_at: datetime = Field(description="it is not asked before")
    step: Step | None = Field(description="at which it is; null: at none")
    command_id: str | None = Field(description="by which it was asked")
    changed_at: datetime


BEGUN: dict[int | str, dict[str, Any]] = {
    200: {"model": UpgradeView, "description": "it is there already"},
    **problem_responses({409: OTHERWISE}),
}
MISSING = problem_responses({404: "there is no such upgrade"})


def router(kept: Store, access: Access, clock: Clock) -> APIRouter:
    """/v1/security-profile-upgrades."""
    routes = APIRouter(prefix="/v1/security-profile-upgrades", tags=["stations"])
    read, write = [access.require(READ)], [access.require(ADMINISTER)]
    database, kind = kept.database, Kind.SECURITY_PROFILES

    @routes.put(
        "/{id}",
        status_code=201,
        dependencies=write,
        responses=BEGUN,
    )
    async def begin(id: Id, body: UpgradeBody, author: Author, response: Response) -> UpgradeView:
        """Begins to bring stations to a higher security profile, a bounded number at a time (A05).

        What they have stays behind it; when one was seen with the new one it is let in with no lower one. The same
        again changes nothing.
        """
        now = clock()
        wanted = {
            "profile": body.security_profile,
            "url": body.url,
            "interface": body.interface,
            "slots": body.slots,
            "timeout": body.message_timeout,
            "patience_minutes": body.patience_minutes,
        }
        one = Rollout(
            kind=kind,
            id=id,
            station_ids=tuple(sorted(set(body.station_ids))) if body.station_ids else None,
            group=body.group,
            wanted=wanted,
            at_once=body.at_once,
            halt_share=body.halt_share,
            state=RolloutState.RUNNING,
            author=author,
            started_at=now,
            changed_at=now,
        )
        async with database.transaction() as db:
            if await store.add(db, one):
                names = await store.newcomers(db, one)
                await store.join(db, one, dict.fromkeys(names, now), now)
            else:
                response.status_code = 200
            known = await _known(db, id)
            if _asked(known) != _asked(one):
                raise Problem(409, OTHERWISE)
            return await _view(db, known)

    @routes.get("", dependencies=read)
    async def upgrades(limit: Limit = 50, cursor: Cursor = None) -> Page[UpgradeView]:
        """Upgrades, the newest first."""
        position = read_cursor(cursor, int)
        async with database.list_connection() as db:
            found = await store.page(db, kind, int(position[0]) if position else None, limit + 1)
            items = [await _view(db, one) for _, one in found[:limit]]
        return Page(items=items, next=write_cursor(found[limit - 1][0]) if len(found) > limit else None)

    @routes.get("/{id}", dependencies=read, responses=MISSING)
    async def upgrade(id: Id) -> UpgradeView:
        """How far it is."""
        async with database.list_connection() as db:
            return await _view(db, await _known(db, id))

    @routes.get("/{id}/stations", dependencies=read, responses=MISSING)
    async def stations(
        id: Id, state: Stage | None = None, limit: Limit = 50, cursor: Cursor = None
    ) -> Page[UpgradedView]:
        """Each of its stations, by id."""
        position = read_cursor(cursor, str)
        async with database.list_connection() as db:
            known = await _known(db, id)
            found = await store.stations(db, known, state, str(position[0]) if position else "", limit + 1)
        fields = UpgradedView.model_fields
        items = [UpgradedView(**{name: getattr(one, name) for name in fields}) for one in found[:limit]]
        return Page(items=items, next=write_cursor(items[-1].station_id) if len(found) > limit else None)

    @routes.post("/{id}/stop", dependencies=write, responses=MISSING)
    async def stop(id: Id, author: Author) -> UpgradeView:
        """No further station begins. Those that have begun go on."""
        return await _turn(id, {RolloutState.RUNNING, RolloutState.HALTED}, RolloutState.STOPPED, author)

    @routes.post("/{id}/resume", dependencies=write, responses=MISSING)
    async def resume(id: Id, author: Author) -> UpgradeView:
        """It goes on after it was halted or stopped, or is done; what has failed is tried again."""
        others = {RolloutState.HALTED, RolloutState.STOPPED, RolloutState.DONE}
        return await _turn(id, others, RolloutState.RUNNING, author)

    async def _turn(id: str, before: set[RolloutState], after: RolloutState, author: str | None) -> UpgradeView:
        async with database.transaction() as db:
            known = await _known(db, id, lock=True)
            if known.state in before:
                known = replace(known, state=after, reason=None, author=author, changed_at=clock())
                await store.save(db, known)
                if after is RolloutState.RUNNING:
                    await store.retry(db, known, known.changed_at)
            return await _view(db, known)

    async def _known(db: Connection, id: str, *, lock: bool = False) -> Rollout:
        known = await store.find(db, kind, id, lock=lock)
        if known is None:
            raise not_found("upgrade")
        return known

    return routes


def _asked(one: Rollout) -> tuple[object, ...]:
    return one.station_ids, one.group, dict(one.wanted), one.at_once, one.halt_share


async def _view(db: Connection, one: Rollout) -> UpgradeView:
    return UpgradeView(
        id=one.id,
        station_ids=None if one.station_ids is None else list(one.station_ids),
        group=one.group,
        security_profile=one.wanted["profile"],
        at_once=one.at_once,
        halt_share=one.halt_share,
        state=one.state,
        reason=one.reason,
        stations={Stage(name): number for name, number in (await store.counts(db, one)).items()},
        author=one.author,
        started_at=one.started_at,
        changed_at=one.changed_at,
    )
