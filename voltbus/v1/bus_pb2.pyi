import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_ANSWERED: _ClassVar[Outcome]
    OUTCOME_REFUSED: _ClassVar[Outcome]
    OUTCOME_TIMED_OUT: _ClassVar[Outcome]
    OUTCOME_UNDELIVERED: _ClassVar[Outcome]
    OUTCOME_INVALID: _ClassVar[Outcome]
    OUTCOME_LATE: _ClassVar[Outcome]
    OUTCOME_CONFIRMED: _ClassVar[Outcome]
    OUTCOME_SECURED: _ClassVar[Outcome]

class ConnectionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONNECTION_STATE_UNSPECIFIED: _ClassVar[ConnectionState]
    CONNECTION_STATE_CONNECTED: _ClassVar[ConnectionState]
    CONNECTION_STATE_ALIVE: _ClassVar[ConnectionState]
    CONNECTION_STATE_DISCONNECTED: _ClassVar[ConnectionState]
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_ANSWERED: Outcome
OUTCOME_REFUSED: Outcome
OUTCOME_TIMED_OUT: Outcome
OUTCOME_UNDELIVERED: Outcome
OUTCOME_INVALID: Outcome
OUTCOME_LATE: Outcome
OUTCOME_CONFIRMED: Outcome
OUTCOME_SECURED: Outcome
CONNECTION_STATE_UNSPECIFIED: ConnectionState
CONNECTION_STATE_CONNECTED: ConnectionState
CONNECTION_STATE_ALIVE: ConnectionState
CONNECTION_STATE_DISCONNECTED: ConnectionState

class Call(_message.Message):
    __slots__ = ("id", "station_id", "connection_id", "slot", "message_id", "version", "action", "payload", "received_at", "answered", "quarantined", "tolerated", "certificate_expired", "send")
    ID_FIELD_NUMBER: _ClassVar[int]
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_ID_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    QUARANTINED_FIELD_NUMBER: _ClassVar[int]
    TOLERATED_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_EXPIRED_FIELD_NUMBER: _ClassVar[int]
    SEND_FIELD_NUMBER: _ClassVar[int]
    id: str
    station_id: str
    connection_id: str
    slot: int
    message_id: str
    version: str
    action: str
    payload: bytes
    received_at: _timestamp_pb2.Timestamp
    answered: bool
    quarantined: bool
    tolerated: Tolerated
    certificate_expired: bool
    send: bool
    def __init__(self, id: _Optional[str] = ..., station_id: _Optional[str] = ..., connection_id: _Optional[str] = ..., slot: _Optional[int] = ..., message_id: _Optional[str] = ..., version: _Optional[str] = ..., action: _Optional[str] = ..., payload: _Optional[bytes] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., answered: _Optional[bool] = ..., quarantined: _Optional[bool] = ..., tolerated: _Optional[_Union[Tolerated, _Mapping]] = ..., certificate_expired: _Optional[bool] = ..., send: _Optional[bool] = ...) -> None: ...

class Tolerated(_message.Message):
    __slots__ = ("raw", "deviations")
    RAW_FIELD_NUMBER: _ClassVar[int]
    DEVIATIONS_FIELD_NUMBER: _ClassVar[int]
    raw: bytes
    deviations: _containers.RepeatedCompositeFieldContainer[Deviation]
    def __init__(self, raw: _Optional[bytes] = ..., deviations: _Optional[_Iterable[_Union[Deviation, _Mapping]]] = ...) -> None: ...

class Deviation(_message.Message):
    __slots__ = ("action", "kind", "path", "times")
    ACTION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    action: str
    kind: str
    path: str
    times: int
    def __init__(self, action: _Optional[str] = ..., kind: _Optional[str] = ..., path: _Optional[str] = ..., times: _Optional[int] = ...) -> None: ...

class Outbound(_message.Message):
    __slots__ = ("station_id", "connection_id", "reply", "command", "close", "probe")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_ID_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    PROBE_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    connection_id: str
    reply: Reply
    command: Command
    close: Close
    probe: Probe
    def __init__(self, station_id: _Optional[str] = ..., connection_id: _Optional[str] = ..., reply: _Optional[_Union[Reply, _Mapping]] = ..., command: _Optional[_Union[Command, _Mapping]] = ..., close: _Optional[_Union[Close, _Mapping]] = ..., probe: _Optional[_Union[Probe, _Mapping]] = ...) -> None: ...

class Reply(_message.Message):
    __slots__ = ("message_id", "action", "payload", "refusal", "call_id")
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    message_id: str
    action: str
    payload: bytes
    refusal: Refusal
    call_id: str
    def __init__(self, message_id: _Optional[str] = ..., action: _Optional[str] = ..., payload: _Optional[bytes] = ..., refusal: _Optional[_Union[Refusal, _Mapping]] = ..., call_id: _Optional[str] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("code", "description", "details")
    CODE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    code: str
    description: str
    details: bytes
    def __init__(self, code: _Optional[str] = ..., description: _Optional[str] = ..., details: _Optional[bytes] = ...) -> None: ...

class Command(_message.Message):
    __slots__ = ("id", "service", "action", "payload", "expires_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    service: str
    action: str
    payload: bytes
    expires_at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., service: _Optional[str] = ..., action: _Optional[str] = ..., payload: _Optional[bytes] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Close(_message.Message):
    __slots__ = ("reason", "code", "replaced_by")
    REASON_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    REPLACED_BY_FIELD_NUMBER: _ClassVar[int]
    reason: str
    code: int
    replaced_by: str
    def __init__(self, reason: _Optional[str] = ..., code: _Optional[int] = ..., replaced_by: _Optional[str] = ...) -> None: ...

class Probe(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Result(_message.Message):
    __slots__ = ("command_id", "station_id", "connection_id", "version", "action", "request", "outcome", "payload", "error_code", "error_description", "at", "tolerated", "sent_at", "security_profile")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    ERROR_DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    TOLERATED_FIELD_NUMBER: _ClassVar[int]
    SENT_AT_FIELD_NUMBER: _ClassVar[int]
    SECURITY_PROFILE_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    station_id: str
    connection_id: str
    version: str
    action: str
    request: bytes
    outcome: Outcome
    payload: bytes
    error_code: str
    error_description: str
    at: _timestamp_pb2.Timestamp
    tolerated: Tolerated
    sent_at: _timestamp_pb2.Timestamp
    security_profile: int
    def __init__(self, command_id: _Optional[str] = ..., station_id: _Optional[str] = ..., connection_id: _Optional[str] = ..., version: _Optional[str] = ..., action: _Optional[str] = ..., request: _Optional[bytes] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., payload: _Optional[bytes] = ..., error_code: _Optional[str] = ..., error_description: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tolerated: _Optional[_Union[Tolerated, _Mapping]] = ..., sent_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., security_profile: _Optional[int] = ...) -> None: ...

class ConnectionChange(_message.Message):
    __slots__ = ("station_id", "connection_id", "slot", "version", "state", "at", "last_seen_at", "remote_address", "quarantined", "deviations", "refused", "reason", "security")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_ID_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    REMOTE_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    QUARANTINED_FIELD_NUMBER: _ClassVar[int]
    DEVIATIONS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SECURITY_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    connection_id: str
    slot: int
    version: str
    state: ConnectionState
    at: _timestamp_pb2.Timestamp
    last_seen_at: _timestamp_pb2.Timestamp
    remote_address: str
    quarantined: bool
    deviations: _containers.RepeatedCompositeFieldContainer[Deviation]
    refused: RefusedMessage
    reason: str
    security: ConnectionSecurity
    def __init__(self, station_id: _Optional[str] = ..., connection_id: _Optional[str] = ..., slot: _Optional[int] = ..., version: _Optional[str] = ..., state: _Optional[_Union[ConnectionState, str]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., remote_address: _Optional[str] = ..., quarantined: _Optional[bool] = ..., deviations: _Optional[_Iterable[_Union[Deviation, _Mapping]]] = ..., refused: _Optional[_Union[RefusedMessage, _Mapping]] = ..., reason: _Optional[str] = ..., security: _Optional[_Union[ConnectionSecurity, _Mapping]] = ...) -> None: ...

class ConnectionSecurity(_message.Message):
    __slots__ = ("profile", "tls_version", "tls_cipher", "certificate")
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    TLS_VERSION_FIELD_NUMBER: _ClassVar[int]
    TLS_CIPHER_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    profile: int
    tls_version: str
    tls_cipher: str
    certificate: ShownCertificate
    def __init__(self, profile: _Optional[int] = ..., tls_version: _Optional[str] = ..., tls_cipher: _Optional[str] = ..., certificate: _Optional[_Union[ShownCertificate, _Mapping]] = ...) -> None: ...

class ShownCertificate(_message.Message):
    __slots__ = ("subject", "issuer", "serial_number", "not_after")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    SERIAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    NOT_AFTER_FIELD_NUMBER: _ClassVar[int]
    subject: str
    issuer: str
    serial_number: str
    not_after: _timestamp_pb2.Timestamp
    def __init__(self, subject: _Optional[str] = ..., issuer: _Optional[str] = ..., serial_number: _Optional[str] = ..., not_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RefusedMessage(_message.Message):
    __slots__ = ("message_id", "action", "code", "description", "frame")
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    message_id: str
    action: str
    code: str
    description: str
    frame: str
    def __init__(self, message_id: _Optional[str] = ..., action: _Optional[str] = ..., code: _Optional[str] = ..., description: _Optional[str] = ..., frame: _Optional[str] = ...) -> None: ...

class Frame(_message.Message):
    __slots__ = ("station_id", "connection_id", "version", "at", "message_id", "action", "frame", "size", "code", "description", "answered", "dropped", "left_out")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    connection_id: str
    version: str
    at: _timestamp_pb2.Timestamp
    message_id: str
    action: str
    frame: bytes
    size: int
    code: str
    description: str
    answered: bool
    dropped: str
    left_out: int
    def __init__(self, station_id: _Optional[str] = ..., connection_id: _Optional[str] = ..., version: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., message_id: _Optional[str] = ..., action: _Optional[str] = ..., frame: _Optional[bytes] = ..., size: _Optional[int] = ..., code: _Optional[str] = ..., description: _Optional[str] = ..., answered: _Optional[bool] = ..., dropped: _Optional[str] = ..., left_out: _Optional[int] = ...) -> None: ...

class RefusedHandshakes(_message.Message):
    __slots__ = ("gateway", "at", "handshakes")
    GATEWAY_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    HANDSHAKES_FIELD_NUMBER: _ClassVar[int]
    gateway: str
    at: _timestamp_pb2.Timestamp
    handshakes: _containers.RepeatedCompositeFieldContainer[RefusedHandshake]
    def __init__(self, gateway: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., handshakes: _Optional[_Iterable[_Union[RefusedHandshake, _Mapping]]] = ...) -> None: ...

class RefusedHandshake(_message.Message):
    __slots__ = ("station_id", "reason", "times", "first_at", "last_at", "remote_address", "subprotocols")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    FIRST_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_AT_FIELD_NUMBER: _ClassVar[int]
    REMOTE_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    SUBPROTOCOLS_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    reason: str
    times: int
    first_at: _timestamp_pb2.Timestamp
    last_at: _timestamp_pb2.Timestamp
    remote_address: str
    subprotocols: str
    def __init__(self, station_id: _Optional[str] = ..., reason: _Optional[str] = ..., times: _Optional[int] = ..., first_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., remote_address: _Optional[str] = ..., subprotocols: _Optional[str] = ...) -> None: ...
