"""REST of stations."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import uuid4

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from services.auth.api.fields import (
    ADMINISTER,
    AUTHOR,
    READ,
    Account,
    ChosenPassword,
    Flag,
    Group,
    IdempotencyKey,
    LocationId,
    NewStationId,
    Profile,
    RatedPower,
    SerialNumber,
    StationId,
    Text,
    fields_of,
    not_found,
)
from services.auth.domain import serial_numbers
from services.auth.domain import stations as domain
from services.auth.domain.imports import SECURITY
from services.auth.domain.stations import Password, PasswordPolicy, RegisterStation
from services.auth.password_changing import PasswordChanging
from services.auth.passwords import Passwords
from services.auth.store import Store, UnitOfWork
from services.common.calls.stations import Stations
from services.common.commands.api.selection import Selection
from services.common.commands.idempotency import own_key
from services.common.process.clock import Clock
from services.common.web.access import Access, Author
from services.common.web.callers import EVERY_GROUP
from services.common.web.fields import NO_NUL
from services.common.web.openapi import problem_responses
from services.common.web.pages import Cursor, Limit, Page, read_cursor, write_cursor
from services.common.web.problems import Problem, field_problem

Reading = Literal["tolerant", "strict"]
# Attributes that are changed one by one, each to what is named.
PLAIN = ("description", "location_id", "reading", "rated_power_w", "free_vend", *SECURITY)
# Stations that are changed in one transaction.
AT_ONCE = 200


class FreeVend(BaseModel):
    """Whoever comes may charge, with any idToken or none."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"account": "ACME"}]})

    account: Account | None = Field(None, description="on whose account; null: on nobody's")


class Attributes(BaseModel):
    """What an operator notes about a station. In PATCH, what is absent stays unchanged."""

    model_config = ConfigDict(extra="forbid")

    description: Text | None = Field(None, examples=["Car park, level 2"])
    group: Text | None = Field(None, description="the first of its groups; when set, the only one", examples=["vienna"])
    groups: Annotated[list[Group], Field(max_length=100, json_schema_extra={"uniqueItems": True})] | None = Field(
        None, description="free text to choose stations by, in order", examples=[["vienna", "level 2"]]
    )
    location_id: LocationId | None = Field(None, description="where it is", examples=["garage-7"])
    reading: Reading | None = Field(
        None,
        description="of messages that break their schemas: tolerant takes what can be used of them, strict refuses "
        "them; null: as the gateways are set",
    )
    rated_power_w: RatedPower | None = Field(
        None,
        description="what each of its EVSEs can deliver at most; energy beyond it is doubtful, of transactions that "
        "begin from now on; null: 1 MW",
        examples=[22000],
    )
    free_vend: FreeVend | None = Field(
        None, description="whoever comes may charge; null: as the first of its groups says that says anything"
    )

    serial_number: SerialNumber | None = Field(
        None,
        description="common name of its certificate (security profile 3), of this station alone; null: that is its id",
        examples=["SN-0042"],
    )
    security_profile: Profile | None = Field(
        None,
        description="the least security profile with which it is let in: 0 (no password), 1 (a password), 2 (TLS), "
        "3 (a certificate). It rises by itself when the station connects with a higher one, and is never lowered here: "
        "`POST …/security-profile` does. 0 and 1 are told apart by `auth`; null: as it is",
        examples=[2],
    )
    downgrade_allowed: Flag = Field(
        False, description="it may go back from profile 3 to 2: its AllowSecurityProfileDowngrade is true"
    )
    expired_certificate_allowed: Flag = Field(
        False,
        description="it is let in with a certificate that has expired, and waits (Pending) for a new one",
    )

    @field_validator("group", "groups")
    @classmethod
    def _is_one(cls, given: str | list[str] | None) -> str | list[str] | None:
        if EVERY_GROUP in ([given] if isinstance(given, str) else given or ()):
            raise ValueError("* is what a bearer token says that is limited to no group: give another name")
        return given

    @field_validator("groups")
    @classmethod
    def _each_once(cls, groups: list[str] | None, info: ValidationInfo) -> list[str] | None:
        if len(set(groups or ())) < len(groups or ()):
            raise ValueError("must not name a group twice")
        if (group := info.data.get("group")) and [group] != (groups or ())[:1]:
            raise ValueError("group is the first of groups: give one of them")
        return groups

    def named(self) -> dict[str, Any]:
        """PLAIN of what was given."""
        named = self.model_dump(include={*PLAIN}, exclude_unset=True)
        return named | ({"free_vend": account_of(self.free_vend)} if "free_vend" in named else {})

    def groups_or(self, current: tuple[str, ...]) -> tuple[str, ...]:
        """As requested; current: if neither field is given."""
        if "groups" in self.model_fields_set:
            return tuple(self.groups or ())
        if "group" in self.model_fields_set:
            return (self.group,) if self.group else ()
        return current


class StationBody(Attributes):
    """A station as requested."""

    auth: Literal["basic", "none"] | None = Field(
        None, description="none: no password is required; basic: one is required; absent: unchanged, basic when new"
    )
    password: ChosenPassword | None = Field(
        None,
        description="chosen instead of generated; null is auth none. Of a station of 1.6 it is its AuthorizationKey in "
        "hexadecimal; one of 2.x takes up to 40 characters, more only if it says so.",
        examples=["0123456789abcdef0123456789abcdef01234567"],
    )

    @field_validator("password")
    @classmethod
    def _not_both(cls, password: object, info: ValidationInfo) -> object:
        if password is not None and info.data.get("auth") == "none":
            raise ValueError("must not be given with auth none")
        if password is None and info.data.get("auth") == "basic":
            raise ValueError("must not be null with auth basic")
        return password


class ManyBody(Selection):
    """A change of the registered stations that a filter fits, or of all."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["filter"]}, {"required": ["all"]}],
            "examples": [{"filter": {"vendor": "V", "model": "M"}, "reading": "strict"}],
        }
    )

    reading: Reading | None = Field(description="null: as the gateways are set")


class ManyView(BaseModel):
    """How many registered stations the filter fits, and how many were different before."""

    matched: int
    changed: int


class StationView(BaseModel):
    """A station that may connect."""

    station_id: str = Field(examples=["CP001"])
    auth: Literal["basic", "none"] = Field(description="basic: a password is required")
    description: str | None
    group: str | None = Field(description="the first of its groups")
    groups: list[str]
    location_id: str | None
    reading: Reading | None = Field(description="null: as the gateways are set")
    rated_power_w: float | None = Field(description="what each of its EVSEs can deliver at most")
    free_vend: FreeVend | None = Field(description="its own; null: as its groups have it")
    serial_number: str | None = Field(description="common name of its certificate; null: its id")
    security_profile: int = Field(description="the least security profile with which it is let in")
    downgrade_allowed: bool
    downgrade_told: bool = Field(description="the station itself says that it may: its AllowSecurityProfileDowngrade")
    expired_certificate_allowed: bool
    registered_at: datetime
    changed_at: datetime
    author: str | None = Field(description=AUTHOR)


class StationWithPassword(StationView):
    """A station with the password that was generated for it, which is shown now and never again."""

    password: str = Field(examples=["0123456789abcdef0123456789abcdef01234567"])


class ProfileBody(BaseModel):
    """A security profile."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"security_profile": 1}]})

    security_profile: Profile


class PasswordView(BaseModel):
    """A password, which is shown now and never again."""

    station_id: str
    password: str = Field(examples=["0123456789abcdef0123456789abcdef01234567"])


TAKEN = "it is registered under an id that differs in case alone, or another has its serial_number"
CREATED: dict[int | str, dict[str, Any]] = {
    200: {"description": "it existed, and is now as requested"},
    201: {"model": StationWithPassword | StationView, "description": "it is new"},
    **problem_responses({409: TAKEN}),
}
ALREADY = "the station is registered: PATCH changes it, and POST …/password gives it a new password"
MISSING = problem_responses({404: "there is no such station"})
UNFIT = problem_responses({404: "there is no such station", 409: "its security profile does not fit"})


def router(
    store: Store, passwords: Passwords, changing: PasswordChanging, known: Stations, access: Access, clock: Clock
) -> APIRouter:
    """/v1/stations."""
    routes = APIRouter(prefix="/v1/stations", tags=["stations"])
    read, write = [access.require(READ)], [access.require(ADMINISTER)]

    @routes.put("/{station_id}", dependencies=write, responses=CREATED)
    async def register(
        station_id: NewStationId, author: Author, response: Response, body: StationBody | None = None
    ) -> StationWithPassword | StationView:
        """Registers a station, or replaces its attributes. A password that is generated is shown only this once."""
        view, existed = await registered(station_id, body, author, again=True)
        response.status_code = 200 if existed else 201
        return view

    async def registered(
        station_id: str, body: StationBody | None, author: str | None, *, again: bool
    ) -> tuple[StationWithPassword | StationView, bool]:
        """The station, and whether it was there. again: one that is there is replaced; else it is a Problem."""
        text, generated = passwords.generate()
        command = _register(station_id, body or StationBody(), passwords)
        async with store.change() as work:
            current = await work.station(station_id)
            if current and not again:
                raise Problem(409, ALREADY)
            if not current and (other := (await work.spelled_otherwise([station_id])).get(station_id)):
                raise Problem(409, f"the station {domain.registered_as(other.station_id)}")
            with fit_profiles():
                decision = domain.register(current, command, generated, clock(), author)
            await require_own_serial_number(work, current, decision.station)
            await work.save_station(decision, uuid4().hex)
        if current and domain.is_given_another(current, decision.station):
            await changing.withdraw(station_id, author)
        return _view(decision.station, text if decision.station.password is generated else None), current is not None

    @routes.post(
        "/refused/{station_id}/accept",
        dependencies=write,
        status_code=201,
        responses=problem_responses({409: ALREADY}),
    )
    async def accept(
        station_id: NewStationId, author: Author, body: StationBody | None = None
    ) -> StationWithPassword | StationView:
        """Takes in a station that was refused (`GET /v1/stations/refused` of firmware): registers it, as PUT does.

        One that is registered stays as it is.
        """
        return (await registered(station_id, body, author, again=False))[0]

    @routes.get("", dependencies=read)
    async def stations(
        group: Annotated[str | None, Query(max_length=200, pattern=NO_NUL, description="one of its groups")] = None,
        location_id: Annotated[str | None, Query(max_length=64, pattern=NO_NUL)] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[StationView]:
        """Stations by id."""
        position = read_cursor(cursor, str)
        found = await store.stations(str(position[0]) if position else "", group, location_id, limit + 1)
        after = write_cursor(found[limit - 1].station_id) if len(found) > limit else None
        return Page(items=[_view(station) for station in found[:limit]], next=after)

    @routes.patch("", dependencies=write)
    async def change_many(body: ManyBody, author: Author) -> ManyView:
        """Changes how the messages of many stations are read. The same again changes nothing."""
        names = known.matching(body.selection())
        matched = changed = 0
        for begin in range(0, len(names), AT_ONCE):
            async with store.change() as work:
                for station_id in names[begin : begin + AT_ONCE]:
                    if (current := await work.station(station_id)) is None:
                        continue
                    decision = domain.read_as(current, body.reading, clock(), author)
                    await work.save_station(decision, uuid4().hex)
                    matched, changed = matched + 1, changed + bool(decision.events)
        return ManyView(matched=matched, changed=changed)

    @routes.get("/{station_id}", dependencies=read, responses=MISSING)
    async def station(station_id: StationId) -> StationView:
        """One station."""
        if (current := await store.station(station_id)) is None:
            raise not_found("station")
        return _view(current)

    @routes.patch("/{station_id}", dependencies=write, responses=UNFIT)
    async def change(station_id: StationId, author: Author, body: Attributes) -> StationView:
        """Changes the attributes that are given; null removes one."""
        async with store.change() as work:
            if (current := await work.station(station_id)) is None:
                raise not_found("station")
            attributes = {name: getattr(current, name) for name in PLAIN} | body.named()
            groups = body.groups_or(current.groups)
            with fit_profiles():
                decision = domain.change(
                    current, **attributes, groups=groups, password=current.password, now=clock(), author=author
                )
            await require_own_serial_number(work, current, decision.station)
            await work.save_station(decision, uuid4().hex)
        return _view(decision.station)

    @routes.post("/{station_id}/security-profile", dependencies=write, responses=UNFIT)
    async def lower(station_id: StationId, author: Author, body: ProfileBody) -> StationView:
        """Sets the security profile of a station, also to a lower one, such as for one whose board was replaced.

        Nothing else lowers it. Who did it stands in `author`. It rises again when the station comes with a higher one.
        """
        async with store.change() as work:
            if (current := await work.station(station_id)) is None:
                raise not_found("station")
            with fit_profiles():
                decision = domain.lowered(current, body.security_profile, clock(), author)
            await work.save_station(decision, uuid4().hex)
        return _view(decision.station)

    @routes.delete("/{station_id}", dependencies=write, status_code=204, responses=MISSING)
    async def remove(station_id: StationId, author: Author) -> None:
        """Removes a station; it is unknown from now on."""
        async with store.change() as work:
            if (current := await work.station(station_id)) is None:
                raise not_found("station")
            await work.remove_station(domain.remove(current, clock(), author), uuid4().hex)

    @routes.post("/{station_id}/password", dependencies=write, responses=MISSING)
    async def rotate(station_id: StationId, author: Author, idempotency_key: IdempotencyKey = None) -> PasswordView:
        """Gives a station a new password, to be set at the station by hand; the old one is worth nothing from now on.

        A station that is connected is asked to take a new one by `POST …/password/change`.
        With an Idempotency-Key, the same request of the same caller gets the same password while it is the newest.
        """
        async with store.change() as work:
            if (current := await work.station(station_id)) is None:
                raise not_found("station")
            own = own_key(idempotency_key, author) if idempotency_key is not None else None
            text, password = passwords.rotate(current, own)
            decision = domain.with_password(current, password, clock(), author)
            await work.save_station(decision, uuid4().hex)
        await changing.withdraw(station_id, author)
        return PasswordView(station_id=station_id, password=text)

    return routes


def _register(station_id: str, body: StationBody, passwords: Passwords) -> RegisterStation:
    return RegisterStation(
        station_id=station_id,
        password=password_of(body, passwords),
        description=body.description,
        groups=body.groups_or(()),
        location_id=body.location_id,
        reading=body.reading,
        rated_power_w=body.rated_power_w,
        free_vend=account_of(body.free_vend),
        serial_number=body.serial_number,
        security_profile=body.security_profile,
        downgrade_allowed=body.downgrade_allowed,
        expired_certificate_allowed=body.expired_certificate_allowed,
    )


async def require_own_serial_number(work: UnitOfWork, current: domain.Station | None, wanted: domain.Station) -> None:
    """Raises Problem where another station has it."""
    said = serial_numbers.set_anew(current, wanted)
    if said and (other := await work.of_serial_number(said, wanted.station_id)):
        raise field_problem("body.serial_number", serial_numbers.is_of(other), 409)


@contextmanager
def fit_profiles() -> Iterator[None]:
    """Says what is wrong with a security profile."""
    try:
        yield
    except domain.UnfitProfile as error:
        raise field_problem("body.security_profile", str(error), 409) from None


def account_of(free_vend: FreeVend | None) -> str | None:
    """As the domain has it."""
    return (free_vend.account or "") if free_vend else None


def free_vend_of(account: str | None) -> FreeVend | None:
    """As REST shows it."""
    return None if account is None else FreeVend(account=account or None)


def password_of(body: StationBody, passwords: Passwords) -> Password | PasswordPolicy:
    """The password that is requested, or the policy for it."""
    if body.password is not None:
        return passwords.hashed(body.password.get_secret_value())
    if body.auth == "none" or "password" in body.model_fields_set:
        return PasswordPolicy.NONE
    return PasswordPolicy.REQUIRE if body.auth == "basic" else PasswordPolicy.KEEP


def _view(station: domain.Station, password: str | None = None) -> StationWithPassword | StationView:
    fields = fields_of(station)
    del fields["password"], fields["profile_lowered_at"], fields["downgrade_told_at"]
    fields["security_profile"] = domain.profile(station)
    fields |= {"auth": "basic" if station.password else "none", "group": next(iter(station.groups), None)}
    fields |= {"free_vend": free_vend_of(station.free_vend)}
    if password is None:
        return StationView(**fields)
    return StationWithPassword(**fields, password=password)
