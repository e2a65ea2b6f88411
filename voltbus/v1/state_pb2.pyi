import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Registration(_message.Message):
    __slots__ = ("station_id", "groups", "location_id", "changed_at", "reading", "rated_power_w", "free_vend", "free_vend_account", "security_profile", "serial_number")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    READING_FIELD_NUMBER: _ClassVar[int]
    RATED_POWER_W_FIELD_NUMBER: _ClassVar[int]
    FREE_VEND_FIELD_NUMBER: _ClassVar[int]
    FREE_VEND_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    SECURITY_PROFILE_FIELD_NUMBER: _ClassVar[int]
    SERIAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    changed_at: _timestamp_pb2.Timestamp
    reading: str
    rated_power_w: float
    free_vend: bool
    free_vend_account: str
    security_profile: int
    serial_number: str
    def __init__(self, station_id: _Optional[str] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reading: _Optional[str] = ..., rated_power_w: _Optional[float] = ..., free_vend: _Optional[bool] = ..., free_vend_account: _Optional[str] = ..., security_profile: _Optional[int] = ..., serial_number: _Optional[str] = ...) -> None: ...

class Location(_message.Message):
    __slots__ = ("location_id", "name", "address", "country", "latitude", "longitude", "time_zone", "changed_at")
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    LATITUDE_FIELD_NUMBER: _ClassVar[int]
    LONGITUDE_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    location_id: str
    name: str
    address: str
    country: str
    latitude: float
    longitude: float
    time_zone: str
    changed_at: _timestamp_pb2.Timestamp
    def __init__(self, location_id: _Optional[str] = ..., name: _Optional[str] = ..., address: _Optional[str] = ..., country: _Optional[str] = ..., latitude: _Optional[float] = ..., longitude: _Optional[float] = ..., time_zone: _Optional[str] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Inventory(_message.Message):
    __slots__ = ("station_id", "version", "vendor", "model", "serial_number", "firmware_version", "changed_at", "transaction_limits", "downgrade_allowed", "capabilities")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    VENDOR_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SERIAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    FIRMWARE_VERSION_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_LIMITS_FIELD_NUMBER: _ClassVar[int]
    DOWNGRADE_ALLOWED_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    version: str
    vendor: str
    model: str
    serial_number: str
    firmware_version: str
    changed_at: _timestamp_pb2.Timestamp
    transaction_limits: _containers.RepeatedScalarFieldContainer[str]
    downgrade_allowed: bool
    capabilities: Capabilities
    def __init__(self, station_id: _Optional[str] = ..., version: _Optional[str] = ..., vendor: _Optional[str] = ..., model: _Optional[str] = ..., serial_number: _Optional[str] = ..., firmware_version: _Optional[str] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., transaction_limits: _Optional[_Iterable[str]] = ..., downgrade_allowed: _Optional[bool] = ..., capabilities: _Optional[_Union[Capabilities, _Mapping]] = ...) -> None: ...

class Capabilities(_message.Message):
    __slots__ = ("local_list_entries", "local_list_items_per_message", "local_list_bytes_per_message", "certificate_chain_size", "certificate_entries", "additional_root_certificate_check")
    LOCAL_LIST_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    LOCAL_LIST_ITEMS_PER_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    LOCAL_LIST_BYTES_PER_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_CHAIN_SIZE_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    ADDITIONAL_ROOT_CERTIFICATE_CHECK_FIELD_NUMBER: _ClassVar[int]
    local_list_entries: int
    local_list_items_per_message: int
    local_list_bytes_per_message: int
    certificate_chain_size: int
    certificate_entries: int
    additional_root_certificate_check: bool
    def __init__(self, local_list_entries: _Optional[int] = ..., local_list_items_per_message: _Optional[int] = ..., local_list_bytes_per_message: _Optional[int] = ..., certificate_chain_size: _Optional[int] = ..., certificate_entries: _Optional[int] = ..., additional_root_certificate_check: _Optional[bool] = ...) -> None: ...

class Token(_message.Message):
    __slots__ = ("id_token", "type", "status", "expires_at", "group_id", "cache_expires_at", "language", "changed_at", "on_block", "language2", "valid_from", "allowed_groups", "allowed_stations", "denied_groups", "denied_stations", "evses", "max_sessions", "master_pass", "outside_until")
    ID_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    CACHE_EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    ON_BLOCK_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE2_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_GROUPS_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_STATIONS_FIELD_NUMBER: _ClassVar[int]
    DENIED_GROUPS_FIELD_NUMBER: _ClassVar[int]
    DENIED_STATIONS_FIELD_NUMBER: _ClassVar[int]
    EVSES_FIELD_NUMBER: _ClassVar[int]
    MAX_SESSIONS_FIELD_NUMBER: _ClassVar[int]
    MASTER_PASS_FIELD_NUMBER: _ClassVar[int]
    OUTSIDE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    id_token: str
    type: str
    status: str
    expires_at: _timestamp_pb2.Timestamp
    group_id: str
    cache_expires_at: _timestamp_pb2.Timestamp
    language: str
    changed_at: _timestamp_pb2.Timestamp
    on_block: str
    language2: str
    valid_from: _timestamp_pb2.Timestamp
    allowed_groups: _containers.RepeatedScalarFieldContainer[str]
    allowed_stations: _containers.RepeatedScalarFieldContainer[str]
    denied_groups: _containers.RepeatedScalarFieldContainer[str]
    denied_stations: _containers.RepeatedScalarFieldContainer[str]
    evses: _containers.RepeatedScalarFieldContainer[str]
    max_sessions: int
    master_pass: bool
    outside_until: _timestamp_pb2.Timestamp
    def __init__(self, id_token: _Optional[str] = ..., type: _Optional[str] = ..., status: _Optional[str] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., group_id: _Optional[str] = ..., cache_expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., language: _Optional[str] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., on_block: _Optional[str] = ..., language2: _Optional[str] = ..., valid_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., allowed_groups: _Optional[_Iterable[str]] = ..., allowed_stations: _Optional[_Iterable[str]] = ..., denied_groups: _Optional[_Iterable[str]] = ..., denied_stations: _Optional[_Iterable[str]] = ..., evses: _Optional[_Iterable[str]] = ..., max_sessions: _Optional[int] = ..., master_pass: _Optional[bool] = ..., outside_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
