"""OCPP 2.1: as 2.0.1, and streams of what monitors see (N11 to N15)."""

from dataclasses import replace
from typing import Any

from services.common.calls.call import Call
from services.firmware.configuration.dialects import v21 as settings
from services.firmware.dialects import v201
from services.firmware.dialects.dialect import OcppRequest
from services.firmware.dialects.words import notification
from services.firmware.domain.messages import Command, OpenStream, StreamAccepted
from services.firmware.domain.remote import Reset, ResetType


def open_stream(_: Call) -> Command:
    return OpenStream()


def stream_accepted(_: StreamAccepted) -> dict[str, Any]:
    return {"status": "Accepted"}


def reset(request: Reset) -> OcppRequest:
    """B13, too."""
    if request.type != ResetType.RESUME:
        return v201.reset(request)
    action, payload = v201.reset(replace(request, type=ResetType.IMMEDIATE))
    return action, payload | {"type": "ImmediateAndResume"}


DIALECT = replace(
    v201.DIALECT,
    read={
        **v201.DIALECT.read,
        "ClosePeriodicEventStream": notification,
        "NotifyPeriodicEventStream": notification,
        "OpenPeriodicEventStream": open_stream,
    },
    write={**v201.DIALECT.write, StreamAccepted: stream_accepted},
    requests={**v201.DIALECT.requests, Reset: reset},
    settings=settings.DIALECT,
)
