"""OCPP 2.1: as 2.0.1, and streams of what monitors see (N11 to N15)."""

from dataclasses import replace
from typing import Any

from services.common.calls.call import Call
from services.firmware.configuration.dialects import v21 as settings
from services.firmware.dialects import v201
from services.firmware.dialects.words import notification
from services.firmware.domain.messages import Command, OpenStream, StreamAccepted


def open_stream(_: Call) -> Command:
    return OpenStream()


def stream_accepted(_: StreamAccepted) -> dict[str, Any]:
    return {"status": "Accepted"}


DIALECT = replace(
    v201.DIALECT,
    read={
        **v201.DIALECT.read,
        "ClosePeriodicEventStream": notification,
        "NotifyPeriodicEventStream": notification,
        "OpenPeriodicEventStream": open_stream,
    },
    write={**v201.DIALECT.write, StreamAccepted: stream_accepted},
    settings=settings.DIALECT,
)
