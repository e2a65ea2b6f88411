import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Credentials(_message.Message):
    __slots__ = ("station_id", "password_hash", "changed_at", "reading", "changes", "replaced_hash", "security_profile", "downgrade_allowed", "serial_number", "expired_certificate_allowed")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_HASH_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    READING_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    REPLACED_HASH_FIELD_NUMBER: _ClassVar[int]
    SECURITY_PROFILE_FIELD_NUMBER: _ClassVar[int]
    DOWNGRADE_ALLOWED_FIELD_NUMBER: _ClassVar[int]
    SERIAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    EXPIRED_CERTIFICATE_ALLOWED_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    password_hash: bytes
    changed_at: _timestamp_pb2.Timestamp
    reading: str
    changes: _containers.RepeatedCompositeFieldContainer[PasswordChange]
    replaced_hash: bytes
    security_profile: int
    downgrade_allowed: bool
    serial_number: str
    expired_certificate_allowed: bool
    def __init__(self, station_id: _Optional[str] = ..., password_hash: _Optional[bytes] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reading: _Optional[str] = ..., changes: _Optional[_Iterable[_Union[PasswordChange, _Mapping]]] = ..., replaced_hash: _Optional[bytes] = ..., security_profile: _Optional[int] = ..., downgrade_allowed: _Optional[bool] = ..., serial_number: _Optional[str] = ..., expired_certificate_allowed: _Optional[bool] = ...) -> None: ...

class Revocation(_message.Message):
    __slots__ = ("revoked_at",)
    REVOKED_AT_FIELD_NUMBER: _ClassVar[int]
    revoked_at: _timestamp_pb2.Timestamp
    def __init__(self, revoked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PasswordChange(_message.Message):
    __slots__ = ("command_id", "password_hash")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_HASH_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    password_hash: bytes
    def __init__(self, command_id: _Optional[str] = ..., password_hash: _Optional[bytes] = ...) -> None: ...
