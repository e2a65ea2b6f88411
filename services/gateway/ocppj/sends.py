"""SEND of 2.1: a message that is never answered, whatever is wrong with it (part 4 §4.2.4)."""

from typing import Any, NamedTuple

import orjson

from services.gateway.ocppj import frames
from services.gateway.ocppj.actions import Refuse
from services.gateway.ocppj.reading import Payload, as_text, is_exact, not_for_a_station, read_request
from services.ocpp.deviations import Deviation, Told
from services.ocpp.errors import ErrorCode, OcppError
from services.ocpp.versions import Version


class Sent(NamedTuple):
    """One that can be used. payload: with the deviations of its frame."""

    message_id: str
    action: str
    payload: Payload


def read_send(
    version: Version, message: Any, frame: bytes, deviations: tuple[Told, ...], *, strict: bool
) -> Sent | Refuse:
    """What a frame says, of which nothing is known but its type. deviations: what was mended for it to be JSON."""
    head, envelope, exact = frames.head(frame), frames.envelope(message, frames.SEND), frames.is_send(message)
    if head is None or envelope is None or (strict and not exact):
        return refused_send(frame, ErrorCode.RPC_FRAMEWORK_ERROR, "not a SEND: [6, id, action, payload]")
    action, payload = envelope[0], {} if envelope[1] is None else envelope[1]
    try:
        if action not in version.schemas.sends:
            raise not_for_a_station(version, action, "send")
        raw = frames.call_payload(frame) if exact and not deviations else _written(payload)
        exactly = is_exact(version.schemas.exact_request(action), payload, raw)
        read = Payload(raw) if exactly else read_request(version, action, raw, payload, strict=strict)
    except OcppError as error:
        return refused_send(frame, error.code, error.description, action)
    told = (*deviations, *(() if exact else (Told(Deviation.ENVELOPE, "", 1),)), *read.deviations)
    return Sent(head.message_id, action, Payload(read.read, as_text(frame) if deviations else read.raw, told))


def refused_send(frame: bytes, code: ErrorCode, description: str, action: str = "", size: int = 0) -> Refuse:
    """One that cannot be used, or not be read: nobody is told."""
    head = frames.head(frame)
    return Refuse(head.message_id if head else "", action, code, description, frame, answered=False, size=size)


def _written(payload: Any) -> bytes:
    try:
        return orjson.dumps(payload)
    except orjson.JSONEncodeError:
        raise OcppError(ErrorCode.FORMAT_VIOLATION, "the message is nested too deep") from None
