"""Commands by REST, the same for every service: handing one in, waiting for it, reading it."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, Field

from services.common.access import Access
from services.common.commands import Command, Status, Unrenderable
from services.common.commands_desk import Asked, Desk, KeyReused
from services.common.problems import Problem

Wait = Annotated[float, Query(ge=0, le=60, description="seconds to wait for the station's answer")]
IdempotencyKey = Annotated[
    str | None, Header(min_length=1, max_length=200, description="the same key is the same command, however often sent")
]


class CommandStatus(BaseModel):
    """A command and what became of it."""

    command_id: str
    station_id: str
    action: str
    status: Status = Field(description="accepted and sent go on; the others are final")
    response: Any = Field(None, description="the station's payload")
    error_code: str | None = Field(None, description="why it was rejected, expired or undeliverable")
    error_description: str | None = None
    version: str | None = Field(None, description="of OCPP, in which it was sent")
    created_at: datetime
    expires_at: datetime
    sent_at: datetime | None = None
    ended_at: datetime | None = None


def view(command: Command) -> CommandStatus:
    names = set(CommandStatus.model_fields) - {"command_id"}
    return CommandStatus(command_id=command.id, **{name: getattr(command, name) for name in names})


async def issue(desk: Desk, asked: Asked, wait: float, response: Response) -> CommandStatus:
    """Hands a command in; 200 where it has ended when we answer, 202 where it goes on. Raises Problem."""
    try:
        command = await desk.accept(asked)
    except KeyReused as error:
        errors = [{"field": "header.idempotency-key", "message": "used for another command"}]
        raise Problem(409, str(error), errors) from None
    except Unrenderable as error:
        raise Problem(422, error.description, [{"field": "body", "message": error.description}]) from None
    latest = await desk.wait(command.id, wait) or command
    response.status_code = 200 if latest.final else 202
    response.headers["Location"] = f"/v1/commands/{command.id}"
    return view(latest)


def router(desk: Desk, access: Access, scope: str) -> APIRouter:
    """GET /v1/commands/{command_id}, for tokens that hold the scope."""
    routes = APIRouter(prefix="/v1/commands", tags=["commands"], dependencies=[access.require(scope)])

    @routes.get("/{command_id}")
    async def command(command_id: str, wait: Wait = 0) -> CommandStatus:
        """A command as it stands, or as it ends within the time."""
        found = await desk.wait(command_id, wait)
        if found is None:
            raise Problem(404, "there is no such command")
        return view(found)

    return routes
