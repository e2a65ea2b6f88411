"""Remote start and stop as commands: stored independent of version, rendered in the station's when they are sent."""

from collections.abc import Callable, Mapping
from typing import Any

from services.common.commands.catalogue import Render
from services.common.commands.command import Command, Unrenderable
from services.ocpp.errors import ErrorCode, OcppError
from services.ocpp.versions import VERSIONS
from services.transactions.dialects import v16, v201
from services.transactions.dialects.words import Rendered
from services.transactions.domain.remote import RemoteStart, RemoteStop

START, STOP = "RemoteStart", "RemoteStop"

Request = Callable[[Any], Rendered]
REQUESTS: Mapping[str, Mapping[str, Request]] = {
    "1.6": {START: v16.remote_start, STOP: v16.remote_stop},
    "2.0.1": {START: v201.remote_start, STOP: v201.remote_stop},
}
READERS: Mapping[str, Callable[[Command], Any]] = {
    START: lambda command: RemoteStart(number=command.number, **command.payload),
    STOP: lambda command: RemoteStop(**command.payload),
}


def render(command: Command, version: str) -> tuple[str, Mapping[str, Any]]:
    """The CALL in the station's version, valid against its schema. Raises Unrenderable."""
    requests = REQUESTS.get(version)
    if requests is None:
        raise Unrenderable(ErrorCode.NOT_SUPPORTED, f"no remote control of OCPP {version} here")
    action, payload = requests[command.action](READERS[command.action](command))
    try:
        VERSIONS[version].schemas.check_request(action, payload)
    except OcppError as error:
        raise Unrenderable(error.code, error.description) from None
    return action, payload


RENDERERS: Mapping[str, Render] = {START: render, STOP: render}
