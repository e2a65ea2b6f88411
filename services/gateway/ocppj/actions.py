"""What a session returns to the shell around it: the outcomes of everything that happens to a connection."""

from enum import StrEnum

import msgspec

from services.ocpp.deviations import Told
from services.ocpp.errors import ErrorCode
from voltbus.v1.bus_pb2 import Call, Result


class MessageType(StrEnum):
    """Message types of OCPP-J, as metrics have them."""

    CALL = "call"
    RESULT = "result"
    ERROR = "error"
    RESULT_ERROR = "result_error"
    SEND = "send"


class Reason(StrEnum):
    """Why a frame or a record was dropped."""

    NOT_JSON = "not_json"
    MALFORMED = "malformed"
    UNKNOWN_TYPE = "unknown_type"
    NO_SUCH_CALL = "no_such_call"
    # An answer of ours that the station could not use, by its CALLRESULTERROR.
    RESULT_REFUSED = "result_refused"
    TOO_LONG = "too_long"
    UNANSWERED = "unanswered"
    LATE_REPLY = "late_reply"
    NO_CONNECTION = "no_connection"
    NOT_ACKNOWLEDGED = "not_acknowledged"
    UNREADABLE_RECORD = "unreadable_record"


class Send(msgspec.Struct, frozen=True):
    """A frame for the station. action: known actions only, else empty. latency: seconds since the CALL it answers."""

    frame: bytes
    message_type: MessageType
    action: str
    message_id: str
    latency: float | None = None


class Forward(msgspec.Struct, frozen=True):
    """A CALL for its service, or a SEND. acknowledge: the gateway answers it, when Kafka has it.

    deviations: from its schema.
    """

    service: str
    call: Call
    acknowledge: bool = False
    deviations: tuple[Told, ...] = ()
    message_type: MessageType = MessageType.CALL


class Complete(msgspec.Struct, frozen=True):
    """A command has its outcome, for the service that sent it. deviations: of the answer from its schema."""

    service: str
    result: Result
    deviations: tuple[Told, ...] = ()


class Waiting(msgspec.Struct, frozen=True):
    """The queue has changed. size: bytes of the CALLs in it. full: nothing more is to be read from the station."""

    size: int
    full: bool


class Refuse(msgspec.Struct, frozen=True):
    """A message of the station is refused, or cannot even be answered. message_id, action: empty if unreadable.

    answered: by a CALLERROR. deviates: by what it says; else it only may not be sent now. size: bytes of the message,
    where frame is the beginning of it; else 0.
    """

    message_id: str
    action: str
    code: ErrorCode
    description: str
    frame: bytes
    answered: bool = True
    deviates: bool = True
    size: int = 0


class Drop(msgspec.Struct, frozen=True):
    """Something was dropped, to be counted and logged. detail: what it was, never what it contained.

    frame: of the station, where no other action has it; empty: none. size: see Refuse.
    """

    reason: Reason
    message_id: str = ""
    detail: str = ""
    frame: bytes = b""
    size: int = 0


SessionAction = Send | Forward | Complete | Waiting | Refuse | Drop
