"""REST of passwords that are changed at their stations."""

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from services.auth.api.fields import ADMINISTER, READ, ChosenPassword, IdempotencyKey, StationId, not_found
from services.auth.dialects import BY_VERSION
from services.auth.domain.password_changes import ChangeState, PasswordChange
from services.auth.password_changing import ChangeUnderWay, NoSuchStation, PasswordChanging
from services.common.calls.stations import Stations
from services.common.commands.api.commands import ExpiresIn, Wait, reused
from services.common.commands.idempotency import KeyReused
from services.common.web.access import Access, Author
from services.common.web.openapi import LOCATION, problem_responses
from services.common.web.problems import Problem, field_problem

UNDER_WAY = "a change of its password is under way, or of too many it is not known what became of them"


class PasswordChangeBody(BaseModel):
    """A password that the station is to take."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"password": "0123456789abcdef0123456789abcdef01234567"}]}
    )

    password: ChosenPassword | None = Field(
        None,
        description="chosen instead of generated. A station of OCPP 1.6 needs 32 to 40 hexadecimal digits.",
    )


class PasswordChangeView(BaseModel):
    """A change of a password at its station."""

    station_id: str = Field(examples=["CP001"])
    command_id: str = Field(description="by which the station is asked")
    state: ChangeState = Field(
        description="asked: no answer yet; taken: the new password counts, the old one no more; kept: it does; "
        "awaited: the new one counts once the station has booted; doubtful: no answer. While it is asked, awaited or "
        "doubtful, the station is let in with either, and has taken it when it comes with the new one. superseded: it "
        "has taken a later one"
    )
    reason: str | None = Field(description="in the station's words, or why there is no answer")
    asked_at: datetime
    changed_at: datetime


class NewPasswordView(PasswordChangeView):
    """A change with the password that was generated for it, which is shown now and never again."""

    password: str | None = Field(None, description="null where it was chosen", examples=["0123456789abcdef" * 2])


class PasswordState(BaseModel):
    """Whether a station needs a password, and how far changes of it have come."""

    station_id: str
    auth: Literal["basic", "none"] = Field(description="basic: a password is required")
    changes: list[PasswordChangeView] = Field(description="newest first: the last, and those that are not yet decided")


CHANGED: dict[int | str, dict[str, Any]] = {
    200: {"model": NewPasswordView, "description": "the station has answered, or cannot", "headers": LOCATION},
    202: {"description": "the station has not answered yet", "headers": LOCATION},
    **problem_responses({404: "there is no such station", 409: UNDER_WAY}),
}


def router(changing: PasswordChanging, known: Stations, access: Access) -> APIRouter:
    """What is below /v1/stations/{station_id}/password."""
    routes = APIRouter(prefix="/v1/stations/{station_id}/password", tags=["stations"])

    @routes.post("/change", status_code=202, dependencies=[access.require(ADMINISTER)], responses=CHANGED)
    async def change(
        station_id: StationId,
        author: Author,
        response: Response,
        body: PasswordChangeBody | None = None,
        wait: Wait = 0,
        expires_in: ExpiresIn = 60,
        idempotency_key: IdempotencyKey = None,
    ) -> NewPasswordView:
        """Changes the password at the station: asks it to take a new one, which counts when it says Accepted.

        The old one counts otherwise. With an Idempotency-Key, the same request again gets the same password.
        """
        chosen = body.password.get_secret_value() if body and body.password else None
        if chosen and (fault := _fault(chosen, known.version(station_id))):
            raise field_problem("body.password", fault)
        try:
            asked, text = await changing.ask(station_id, chosen, expires_in, idempotency_key, author)
        except NoSuchStation:
            raise not_found("station") from None
        except ChangeUnderWay as error:
            raise Problem(409, str(error)) from None
        except KeyReused as error:
            raise reused(error) from None
        latest = await changing.wait(asked, wait)
        response.status_code = 202 if latest.state is ChangeState.ASKED else 200
        response.headers["Location"] = f"/v1/commands/{latest.command_id}"
        return NewPasswordView(**_shown(latest), password=None if chosen else text)

    @routes.get("", dependencies=[access.require(READ)], responses=problem_responses({404: "there is no such station"}))
    async def password(station_id: StationId) -> PasswordState:
        """Whether a station needs a password, and what became of changes of it; never the password."""
        station = await changing.store.station(station_id)
        if station is None:
            raise not_found("station")
        changes = await changing.of_station(station_id)
        return PasswordState(
            station_id=station_id,
            auth="basic" if station.password else "none",
            changes=[PasswordChangeView(**_shown(one)) for one in reversed(changes)],
        )

    return routes


def _fault(password: str, version: str | None) -> str | None:
    """Why a station of this version cannot have it; None: of a version that is not known yet."""
    spoken = [dialect for name, dialect in BY_VERSION.items() if version not in BY_VERSION or name == version]
    return next((fault for dialect in spoken if (fault := dialect.password_fault(password))), None)


def _shown(change: PasswordChange) -> dict[str, Any]:
    return {name: getattr(change, name) for name in PasswordChangeView.model_fields}
