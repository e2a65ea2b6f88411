import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CertificateRejectedBy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CERTIFICATE_REJECTED_BY_UNSPECIFIED: _ClassVar[CertificateRejectedBy]
    CERTIFICATE_REJECTED_BY_CSMS: _ClassVar[CertificateRejectedBy]
    CERTIFICATE_REJECTED_BY_OPERATOR: _ClassVar[CertificateRejectedBy]
    CERTIFICATE_REJECTED_BY_AUTHORITY: _ClassVar[CertificateRejectedBy]
    CERTIFICATE_REJECTED_BY_STATION: _ClassVar[CertificateRejectedBy]

class TransactionStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRANSACTION_STATUS_UNSPECIFIED: _ClassVar[TransactionStatus]
    TRANSACTION_STATUS_ACTIVE: _ClassVar[TransactionStatus]
    TRANSACTION_STATUS_ENDED: _ClassVar[TransactionStatus]

class ChargingState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHARGING_STATE_UNSPECIFIED: _ClassVar[ChargingState]
    CHARGING_STATE_UNKNOWN: _ClassVar[ChargingState]
    CHARGING_STATE_IDLE: _ClassVar[ChargingState]
    CHARGING_STATE_EV_CONNECTED: _ClassVar[ChargingState]
    CHARGING_STATE_CHARGING: _ClassVar[ChargingState]
    CHARGING_STATE_SUSPENDED_EV: _ClassVar[ChargingState]
    CHARGING_STATE_SUSPENDED_EVSE: _ClassVar[ChargingState]

class EndedBy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENDED_BY_UNSPECIFIED: _ClassVar[EndedBy]
    ENDED_BY_UNKNOWN: _ClassVar[EndedBy]
    ENDED_BY_STATION: _ClassVar[EndedBy]
    ENDED_BY_SUPERSEDED: _ClassVar[EndedBy]
    ENDED_BY_JOINED: _ClassVar[EndedBy]
    ENDED_BY_AVAILABLE: _ClassVar[EndedBy]
    ENDED_BY_ASKED: _ClassVar[EndedBy]
    ENDED_BY_OPERATOR: _ClassVar[EndedBy]

class Doubt(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DOUBT_UNSPECIFIED: _ClassVar[Doubt]
    DOUBT_CLOCK: _ClassVar[Doubt]
    DOUBT_STOP_BEFORE_START: _ClassVar[Doubt]
    DOUBT_REGISTER_FELL: _ClassVar[Doubt]
    DOUBT_REGISTER_LEAPT: _ClassVar[Doubt]
    DOUBT_REGISTER_WRAPPED: _ClassVar[Doubt]
    DOUBT_ODD_READING: _ClassVar[Doubt]
    DOUBT_UNUSABLE_READING: _ClassVar[Doubt]
    DOUBT_UNIT_MISLABELLED: _ClassVar[Doubt]
    DOUBT_METERS_DISAGREE: _ClassVar[Doubt]
    DOUBT_NO_ENERGY: _ClassVar[Doubt]
    DOUBT_REVIEW_CONTRADICTED: _ClassVar[Doubt]
    DOUBT_TOLD_AGAIN: _ClassVar[Doubt]

class Review(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REVIEW_UNSPECIFIED: _ClassVar[Review]
    REVIEW_UNKNOWN: _ClassVar[Review]
    REVIEW_NONE: _ClassVar[Review]
    REVIEW_HELD: _ClassVar[Review]
    REVIEW_RELEASED: _ClassVar[Review]
    REVIEW_VOID: _ClassVar[Review]

class EnergySource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENERGY_SOURCE_UNSPECIFIED: _ClassVar[EnergySource]
    ENERGY_SOURCE_UNKNOWN: _ClassVar[EnergySource]
    ENERGY_SOURCE_NONE: _ClassVar[EnergySource]
    ENERGY_SOURCE_REGISTER: _ClassVar[EnergySource]
    ENERGY_SOURCE_PHASES: _ClassVar[EnergySource]
    ENERGY_SOURCE_INTERVALS: _ClassVar[EnergySource]
    ENERGY_SOURCE_STEPS: _ClassVar[EnergySource]
    ENERGY_SOURCE_SAMPLES: _ClassVar[EnergySource]
    ENERGY_SOURCE_OPERATOR: _ClassVar[EnergySource]

class RevisionReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REVISION_REASON_UNSPECIFIED: _ClassVar[RevisionReason]
    REVISION_REASON_LATE_END: _ClassVar[RevisionReason]
    REVISION_REASON_LATE_REPORT: _ClassVar[RevisionReason]
    REVISION_REASON_REVIEWED: _ClassVar[RevisionReason]
    REVISION_REASON_GOES_ON: _ClassVar[RevisionReason]

class CommandStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMMAND_STATUS_UNSPECIFIED: _ClassVar[CommandStatus]
    COMMAND_STATUS_ACCEPTED: _ClassVar[CommandStatus]
    COMMAND_STATUS_SENT: _ClassVar[CommandStatus]
    COMMAND_STATUS_ANSWERED: _ClassVar[CommandStatus]
    COMMAND_STATUS_REJECTED: _ClassVar[CommandStatus]
    COMMAND_STATUS_EXPIRED: _ClassVar[CommandStatus]
    COMMAND_STATUS_UNDELIVERABLE: _ClassVar[CommandStatus]
    COMMAND_STATUS_CANCELLED: _ClassVar[CommandStatus]

class CommandOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMMAND_OUTCOME_UNSPECIFIED: _ClassVar[CommandOutcome]
    COMMAND_OUTCOME_ANSWERED: _ClassVar[CommandOutcome]
    COMMAND_OUTCOME_REFUSED: _ClassVar[CommandOutcome]
    COMMAND_OUTCOME_INVALID: _ClassVar[CommandOutcome]
    COMMAND_OUTCOME_UNRENDERABLE: _ClassVar[CommandOutcome]
    COMMAND_OUTCOME_UNDELIVERED: _ClassVar[CommandOutcome]
    COMMAND_OUTCOME_EXPIRED: _ClassVar[CommandOutcome]
    COMMAND_OUTCOME_TIMED_OUT: _ClassVar[CommandOutcome]
    COMMAND_OUTCOME_LATE: _ClassVar[CommandOutcome]
    COMMAND_OUTCOME_CANCELLED: _ClassVar[CommandOutcome]
    COMMAND_OUTCOME_PARTIAL: _ClassVar[CommandOutcome]

class CommandEffect(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMMAND_EFFECT_UNSPECIFIED: _ClassVar[CommandEffect]
    COMMAND_EFFECT_ACCEPTED: _ClassVar[CommandEffect]
    COMMAND_EFFECT_REFUSED: _ClassVar[CommandEffect]
    COMMAND_EFFECT_SCHEDULED: _ClassVar[CommandEffect]
    COMMAND_EFFECT_DONE: _ClassVar[CommandEffect]
    COMMAND_EFFECT_SUPERSEDED: _ClassVar[CommandEffect]
    COMMAND_EFFECT_UNCONFIRMED: _ClassVar[CommandEffect]

class RegistrationStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REGISTRATION_STATUS_UNSPECIFIED: _ClassVar[RegistrationStatus]
    REGISTRATION_STATUS_ACCEPTED: _ClassVar[RegistrationStatus]
    REGISTRATION_STATUS_PENDING: _ClassVar[RegistrationStatus]
    REGISTRATION_STATUS_REJECTED: _ClassVar[RegistrationStatus]

class DeviationKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DEVIATION_KIND_UNSPECIFIED: _ClassVar[DeviationKind]
    DEVIATION_KIND_UNKNOWN: _ClassVar[DeviationKind]
    DEVIATION_KIND_UNKNOWN_PROPERTY: _ClassVar[DeviationKind]
    DEVIATION_KIND_NULL: _ClassVar[DeviationKind]
    DEVIATION_KIND_EMPTY_TEXT: _ClassVar[DeviationKind]
    DEVIATION_KIND_EMPTY_LIST: _ClassVar[DeviationKind]
    DEVIATION_KIND_UNUSABLE: _ClassVar[DeviationKind]
    DEVIATION_KIND_BAD_ITEM: _ClassVar[DeviationKind]
    DEVIATION_KIND_CONVERTED: _ClassVar[DeviationKind]
    DEVIATION_KIND_WHOLE_AS_DECIMAL: _ClassVar[DeviationKind]
    DEVIATION_KIND_FRACTION: _ClassVar[DeviationKind]
    DEVIATION_KIND_SPELLING: _ClassVar[DeviationKind]
    DEVIATION_KIND_NOT_A_LIST: _ClassVar[DeviationKind]
    DEVIATION_KIND_NUL: _ClassVar[DeviationKind]
    DEVIATION_KIND_UNKNOWN_VALUE: _ClassVar[DeviationKind]
    DEVIATION_KIND_LONG_TEXT: _ClassVar[DeviationKind]
    DEVIATION_KIND_LONG_LIST: _ClassVar[DeviationKind]
    DEVIATION_KIND_OUT_OF_RANGE: _ClassVar[DeviationKind]
    DEVIATION_KIND_TIMESTAMP: _ClassVar[DeviationKind]
    DEVIATION_KIND_MISSING: _ClassVar[DeviationKind]
    DEVIATION_KIND_REFUSED: _ClassVar[DeviationKind]

class SecurityEventOrigin(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SECURITY_EVENT_ORIGIN_UNSPECIFIED: _ClassVar[SecurityEventOrigin]
    SECURITY_EVENT_ORIGIN_STATION: _ClassVar[SecurityEventOrigin]
    SECURITY_EVENT_ORIGIN_CSMS: _ClassVar[SecurityEventOrigin]

class CertificateFault(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CERTIFICATE_FAULT_UNSPECIFIED: _ClassVar[CertificateFault]
    CERTIFICATE_FAULT_FOREIGN: _ClassVar[CertificateFault]
    CERTIFICATE_FAULT_OF_ANOTHER: _ClassVar[CertificateFault]
    CERTIFICATE_FAULT_EXPIRED: _ClassVar[CertificateFault]
    CERTIFICATE_FAULT_REVOKED: _ClassVar[CertificateFault]
    CERTIFICATE_FAULT_OTHER_SERIAL_NUMBER: _ClassVar[CertificateFault]
    CERTIFICATE_FAULT_UNTRUSTED: _ClassVar[CertificateFault]

class ConnectorStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONNECTOR_STATUS_UNSPECIFIED: _ClassVar[ConnectorStatus]
    CONNECTOR_STATUS_UNKNOWN: _ClassVar[ConnectorStatus]
    CONNECTOR_STATUS_AVAILABLE: _ClassVar[ConnectorStatus]
    CONNECTOR_STATUS_OCCUPIED: _ClassVar[ConnectorStatus]
    CONNECTOR_STATUS_RESERVED: _ClassVar[ConnectorStatus]
    CONNECTOR_STATUS_UNAVAILABLE: _ClassVar[ConnectorStatus]
    CONNECTOR_STATUS_FAULTED: _ClassVar[ConnectorStatus]

class SettingStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SETTING_STATUS_UNSPECIFIED: _ClassVar[SettingStatus]
    SETTING_STATUS_APPLIED: _ClassVar[SettingStatus]
    SETTING_STATUS_REBOOT_REQUIRED: _ClassVar[SettingStatus]
    SETTING_STATUS_READ_ONLY: _ClassVar[SettingStatus]
    SETTING_STATUS_UNKNOWN: _ClassVar[SettingStatus]
    SETTING_STATUS_REJECTED: _ClassVar[SettingStatus]
    SETTING_STATUS_EXPIRED: _ClassVar[SettingStatus]
    SETTING_STATUS_UNDELIVERABLE: _ClassVar[SettingStatus]
    SETTING_STATUS_CANCELLED: _ClassVar[SettingStatus]
    SETTING_STATUS_OBSERVED: _ClassVar[SettingStatus]

class ReportStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REPORT_STATUS_UNSPECIFIED: _ClassVar[ReportStatus]
    REPORT_STATUS_COMPLETE: _ClassVar[ReportStatus]
    REPORT_STATUS_INCOMPLETE: _ClassVar[ReportStatus]
    REPORT_STATUS_REFUSED: _ClassVar[ReportStatus]
CERTIFICATE_REJECTED_BY_UNSPECIFIED: CertificateRejectedBy
CERTIFICATE_REJECTED_BY_CSMS: CertificateRejectedBy
CERTIFICATE_REJECTED_BY_OPERATOR: CertificateRejectedBy
CERTIFICATE_REJECTED_BY_AUTHORITY: CertificateRejectedBy
CERTIFICATE_REJECTED_BY_STATION: CertificateRejectedBy
TRANSACTION_STATUS_UNSPECIFIED: TransactionStatus
TRANSACTION_STATUS_ACTIVE: TransactionStatus
TRANSACTION_STATUS_ENDED: TransactionStatus
CHARGING_STATE_UNSPECIFIED: ChargingState
CHARGING_STATE_UNKNOWN: ChargingState
CHARGING_STATE_IDLE: ChargingState
CHARGING_STATE_EV_CONNECTED: ChargingState
CHARGING_STATE_CHARGING: ChargingState
CHARGING_STATE_SUSPENDED_EV: ChargingState
CHARGING_STATE_SUSPENDED_EVSE: ChargingState
ENDED_BY_UNSPECIFIED: EndedBy
ENDED_BY_UNKNOWN: EndedBy
ENDED_BY_STATION: EndedBy
ENDED_BY_SUPERSEDED: EndedBy
ENDED_BY_JOINED: EndedBy
ENDED_BY_AVAILABLE: EndedBy
ENDED_BY_ASKED: EndedBy
ENDED_BY_OPERATOR: EndedBy
DOUBT_UNSPECIFIED: Doubt
DOUBT_CLOCK: Doubt
DOUBT_STOP_BEFORE_START: Doubt
DOUBT_REGISTER_FELL: Doubt
DOUBT_REGISTER_LEAPT: Doubt
DOUBT_REGISTER_WRAPPED: Doubt
DOUBT_ODD_READING: Doubt
DOUBT_UNUSABLE_READING: Doubt
DOUBT_UNIT_MISLABELLED: Doubt
DOUBT_METERS_DISAGREE: Doubt
DOUBT_NO_ENERGY: Doubt
DOUBT_REVIEW_CONTRADICTED: Doubt
DOUBT_TOLD_AGAIN: Doubt
REVIEW_UNSPECIFIED: Review
REVIEW_UNKNOWN: Review
REVIEW_NONE: Review
REVIEW_HELD: Review
REVIEW_RELEASED: Review
REVIEW_VOID: Review
ENERGY_SOURCE_UNSPECIFIED: EnergySource
ENERGY_SOURCE_UNKNOWN: EnergySource
ENERGY_SOURCE_NONE: EnergySource
ENERGY_SOURCE_REGISTER: EnergySource
ENERGY_SOURCE_PHASES: EnergySource
ENERGY_SOURCE_INTERVALS: EnergySource
ENERGY_SOURCE_STEPS: EnergySource
ENERGY_SOURCE_SAMPLES: EnergySource
ENERGY_SOURCE_OPERATOR: EnergySource
REVISION_REASON_UNSPECIFIED: RevisionReason
REVISION_REASON_LATE_END: RevisionReason
REVISION_REASON_LATE_REPORT: RevisionReason
REVISION_REASON_REVIEWED: RevisionReason
REVISION_REASON_GOES_ON: RevisionReason
COMMAND_STATUS_UNSPECIFIED: CommandStatus
COMMAND_STATUS_ACCEPTED: CommandStatus
COMMAND_STATUS_SENT: CommandStatus
COMMAND_STATUS_ANSWERED: CommandStatus
COMMAND_STATUS_REJECTED: CommandStatus
COMMAND_STATUS_EXPIRED: CommandStatus
COMMAND_STATUS_UNDELIVERABLE: CommandStatus
COMMAND_STATUS_CANCELLED: CommandStatus
COMMAND_OUTCOME_UNSPECIFIED: CommandOutcome
COMMAND_OUTCOME_ANSWERED: CommandOutcome
COMMAND_OUTCOME_REFUSED: CommandOutcome
COMMAND_OUTCOME_INVALID: CommandOutcome
COMMAND_OUTCOME_UNRENDERABLE: CommandOutcome
COMMAND_OUTCOME_UNDELIVERED: CommandOutcome
COMMAND_OUTCOME_EXPIRED: CommandOutcome
COMMAND_OUTCOME_TIMED_OUT: CommandOutcome
COMMAND_OUTCOME_LATE: CommandOutcome
COMMAND_OUTCOME_CANCELLED: CommandOutcome
COMMAND_OUTCOME_PARTIAL: CommandOutcome
COMMAND_EFFECT_UNSPECIFIED: CommandEffect
COMMAND_EFFECT_ACCEPTED: CommandEffect
COMMAND_EFFECT_REFUSED: CommandEffect
COMMAND_EFFECT_SCHEDULED: CommandEffect
COMMAND_EFFECT_DONE: CommandEffect
COMMAND_EFFECT_SUPERSEDED: CommandEffect
COMMAND_EFFECT_UNCONFIRMED: CommandEffect
REGISTRATION_STATUS_UNSPECIFIED: RegistrationStatus
REGISTRATION_STATUS_ACCEPTED: RegistrationStatus
REGISTRATION_STATUS_PENDING: RegistrationStatus
REGISTRATION_STATUS_REJECTED: RegistrationStatus
DEVIATION_KIND_UNSPECIFIED: DeviationKind
DEVIATION_KIND_UNKNOWN: DeviationKind
DEVIATION_KIND_UNKNOWN_PROPERTY: DeviationKind
DEVIATION_KIND_NULL: DeviationKind
DEVIATION_KIND_EMPTY_TEXT: DeviationKind
DEVIATION_KIND_EMPTY_LIST: DeviationKind
DEVIATION_KIND_UNUSABLE: DeviationKind
DEVIATION_KIND_BAD_ITEM: DeviationKind
DEVIATION_KIND_CONVERTED: DeviationKind
DEVIATION_KIND_WHOLE_AS_DECIMAL: DeviationKind
DEVIATION_KIND_FRACTION: DeviationKind
DEVIATION_KIND_SPELLING: DeviationKind
DEVIATION_KIND_NOT_A_LIST: DeviationKind
DEVIATION_KIND_NUL: DeviationKind
DEVIATION_KIND_UNKNOWN_VALUE: DeviationKind
DEVIATION_KIND_LONG_TEXT: DeviationKind
DEVIATION_KIND_LONG_LIST: DeviationKind
DEVIATION_KIND_OUT_OF_RANGE: DeviationKind
DEVIATION_KIND_TIMESTAMP: DeviationKind
DEVIATION_KIND_MISSING: DeviationKind
DEVIATION_KIND_REFUSED: DeviationKind
SECURITY_EVENT_ORIGIN_UNSPECIFIED: SecurityEventOrigin
SECURITY_EVENT_ORIGIN_STATION: SecurityEventOrigin
SECURITY_EVENT_ORIGIN_CSMS: SecurityEventOrigin
CERTIFICATE_FAULT_UNSPECIFIED: CertificateFault
CERTIFICATE_FAULT_FOREIGN: CertificateFault
CERTIFICATE_FAULT_OF_ANOTHER: CertificateFault
CERTIFICATE_FAULT_EXPIRED: CertificateFault
CERTIFICATE_FAULT_REVOKED: CertificateFault
CERTIFICATE_FAULT_OTHER_SERIAL_NUMBER: CertificateFault
CERTIFICATE_FAULT_UNTRUSTED: CertificateFault
CONNECTOR_STATUS_UNSPECIFIED: ConnectorStatus
CONNECTOR_STATUS_UNKNOWN: ConnectorStatus
CONNECTOR_STATUS_AVAILABLE: ConnectorStatus
CONNECTOR_STATUS_OCCUPIED: ConnectorStatus
CONNECTOR_STATUS_RESERVED: ConnectorStatus
CONNECTOR_STATUS_UNAVAILABLE: ConnectorStatus
CONNECTOR_STATUS_FAULTED: ConnectorStatus
SETTING_STATUS_UNSPECIFIED: SettingStatus
SETTING_STATUS_APPLIED: SettingStatus
SETTING_STATUS_REBOOT_REQUIRED: SettingStatus
SETTING_STATUS_READ_ONLY: SettingStatus
SETTING_STATUS_UNKNOWN: SettingStatus
SETTING_STATUS_REJECTED: SettingStatus
SETTING_STATUS_EXPIRED: SettingStatus
SETTING_STATUS_UNDELIVERABLE: SettingStatus
SETTING_STATUS_CANCELLED: SettingStatus
SETTING_STATUS_OBSERVED: SettingStatus
REPORT_STATUS_UNSPECIFIED: ReportStatus
REPORT_STATUS_COMPLETE: ReportStatus
REPORT_STATUS_INCOMPLETE: ReportStatus
REPORT_STATUS_REFUSED: ReportStatus

class MessageRecorded(_message.Message):
    __slots__ = ("station_id", "version", "action", "message_id", "payload", "received_at", "groups", "location_id")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    version: str
    action: str
    message_id: str
    payload: str
    received_at: _timestamp_pb2.Timestamp
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    def __init__(self, station_id: _Optional[str] = ..., version: _Optional[str] = ..., action: _Optional[str] = ..., message_id: _Optional[str] = ..., payload: _Optional[str] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ...) -> None: ...

class StationRegistered(_message.Message):
    __slots__ = ("station_id", "at", "groups", "location_id", "author")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    at: _timestamp_pb2.Timestamp
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    author: str
    def __init__(self, station_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ..., author: _Optional[str] = ...) -> None: ...

class StationChanged(_message.Message):
    __slots__ = ("station_id", "at", "groups", "location_id", "author")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    at: _timestamp_pb2.Timestamp
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    author: str
    def __init__(self, station_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ..., author: _Optional[str] = ...) -> None: ...

class StationRemoved(_message.Message):
    __slots__ = ("station_id", "at", "groups", "location_id", "author")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    at: _timestamp_pb2.Timestamp
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    author: str
    def __init__(self, station_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ..., author: _Optional[str] = ...) -> None: ...

class TokenChanged(_message.Message):
    __slots__ = ("id_token", "type", "status", "at", "author")
    ID_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    id_token: str
    type: str
    status: str
    at: _timestamp_pb2.Timestamp
    author: str
    def __init__(self, id_token: _Optional[str] = ..., type: _Optional[str] = ..., status: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ...) -> None: ...

class TokenRemoved(_message.Message):
    __slots__ = ("id_token", "at", "type", "author")
    ID_TOKEN_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    id_token: str
    at: _timestamp_pb2.Timestamp
    type: str
    author: str
    def __init__(self, id_token: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., type: _Optional[str] = ..., author: _Optional[str] = ...) -> None: ...

class LocationChanged(_message.Message):
    __slots__ = ("location_id", "at", "author")
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    location_id: str
    at: _timestamp_pb2.Timestamp
    author: str
    def __init__(self, location_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ...) -> None: ...

class LocationRemoved(_message.Message):
    __slots__ = ("location_id", "at", "author")
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    location_id: str
    at: _timestamp_pb2.Timestamp
    author: str
    def __init__(self, location_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ...) -> None: ...

class CertificateRevoked(_message.Message):
    __slots__ = ("revocation_id", "at", "author", "fingerprint", "serial_number", "issuer", "reason")
    REVOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    SERIAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    revocation_id: str
    at: _timestamp_pb2.Timestamp
    author: str
    fingerprint: str
    serial_number: str
    issuer: str
    reason: str
    def __init__(self, revocation_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ..., fingerprint: _Optional[str] = ..., serial_number: _Optional[str] = ..., issuer: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class CertificateRevocationWithdrawn(_message.Message):
    __slots__ = ("revocation_id", "at", "author", "fingerprint", "serial_number", "issuer", "reason")
    REVOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    SERIAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    revocation_id: str
    at: _timestamp_pb2.Timestamp
    author: str
    fingerprint: str
    serial_number: str
    issuer: str
    reason: str
    def __init__(self, revocation_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ..., fingerprint: _Optional[str] = ..., serial_number: _Optional[str] = ..., issuer: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ContractCertificateAsked(_message.Message):
    __slots__ = ("station_id", "at", "action", "given", "reason", "groups", "location_id")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    GIVEN_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    at: _timestamp_pb2.Timestamp
    action: str
    given: bool
    reason: str
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    def __init__(self, station_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., action: _Optional[str] = ..., given: _Optional[bool] = ..., reason: _Optional[str] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ...) -> None: ...

class AuthorityAdded(_message.Message):
    __slots__ = ("authority_id", "at", "author", "kind", "label", "subject")
    AUTHORITY_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    authority_id: str
    at: _timestamp_pb2.Timestamp
    author: str
    kind: str
    label: str
    subject: str
    def __init__(self, authority_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ..., kind: _Optional[str] = ..., label: _Optional[str] = ..., subject: _Optional[str] = ...) -> None: ...

class AuthorityRemoved(_message.Message):
    __slots__ = ("authority_id", "at", "author", "kind", "label", "subject")
    AUTHORITY_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    authority_id: str
    at: _timestamp_pb2.Timestamp
    author: str
    kind: str
    label: str
    subject: str
    def __init__(self, authority_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ..., kind: _Optional[str] = ..., label: _Optional[str] = ..., subject: _Optional[str] = ...) -> None: ...

class CertificateIssued(_message.Message):
    __slots__ = ("station_id", "at", "signing_request_id", "certificate_type", "common_name", "serial_number", "issuer", "fingerprint", "begins_at", "ends_at", "author", "groups", "location_id")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    SIGNING_REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    COMMON_NAME_FIELD_NUMBER: _ClassVar[int]
    SERIAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    BEGINS_AT_FIELD_NUMBER: _ClassVar[int]
    ENDS_AT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    at: _timestamp_pb2.Timestamp
    signing_request_id: str
    certificate_type: str
    common_name: str
    serial_number: str
    issuer: str
    fingerprint: str
    begins_at: _timestamp_pb2.Timestamp
    ends_at: _timestamp_pb2.Timestamp
    author: str
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    def __init__(self, station_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., signing_request_id: _Optional[str] = ..., certificate_type: _Optional[str] = ..., common_name: _Optional[str] = ..., serial_number: _Optional[str] = ..., issuer: _Optional[str] = ..., fingerprint: _Optional[str] = ..., begins_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ends_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ...) -> None: ...

class CertificateInstalled(_message.Message):
    __slots__ = ("station_id", "at", "signing_request_id", "certificate_type", "common_name", "serial_number", "issuer", "fingerprint", "begins_at", "ends_at", "groups", "location_id")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    SIGNING_REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    COMMON_NAME_FIELD_NUMBER: _ClassVar[int]
    SERIAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    BEGINS_AT_FIELD_NUMBER: _ClassVar[int]
    ENDS_AT_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    at: _timestamp_pb2.Timestamp
    signing_request_id: str
    certificate_type: str
    common_name: str
    serial_number: str
    issuer: str
    fingerprint: str
    begins_at: _timestamp_pb2.Timestamp
    ends_at: _timestamp_pb2.Timestamp
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    def __init__(self, station_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., signing_request_id: _Optional[str] = ..., certificate_type: _Optional[str] = ..., common_name: _Optional[str] = ..., serial_number: _Optional[str] = ..., issuer: _Optional[str] = ..., fingerprint: _Optional[str] = ..., begins_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ends_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ...) -> None: ...

class CertificateRejected(_message.Message):
    __slots__ = ("station_id", "at", "signing_request_id", "certificate_type", "by", "reason", "author", "groups", "location_id")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    SIGNING_REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    at: _timestamp_pb2.Timestamp
    signing_request_id: str
    certificate_type: str
    by: CertificateRejectedBy
    reason: str
    author: str
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    def __init__(self, station_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., signing_request_id: _Optional[str] = ..., certificate_type: _Optional[str] = ..., by: _Optional[_Union[CertificateRejectedBy, str]] = ..., reason: _Optional[str] = ..., author: _Optional[str] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ...) -> None: ...

class GroupChanged(_message.Message):
    __slots__ = ("group", "at", "author", "free_vend", "free_vend_account")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    FREE_VEND_FIELD_NUMBER: _ClassVar[int]
    FREE_VEND_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    group: str
    at: _timestamp_pb2.Timestamp
    author: str
    free_vend: bool
    free_vend_account: str
    def __init__(self, group: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ..., free_vend: _Optional[bool] = ..., free_vend_account: _Optional[str] = ...) -> None: ...

class GroupLocalListChanged(_message.Message):
    __slots__ = ("group", "at", "author")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    group: str
    at: _timestamp_pb2.Timestamp
    author: str
    def __init__(self, group: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ...) -> None: ...

class GroupLocalListRemoved(_message.Message):
    __slots__ = ("group", "at", "author")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    group: str
    at: _timestamp_pb2.Timestamp
    author: str
    def __init__(self, group: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ...) -> None: ...

class AuthorizationDecided(_message.Message):
    __slots__ = ("station_id", "id_token", "status", "at", "id_token_type", "groups", "location_id")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    ID_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    ID_TOKEN_TYPE_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    id_token: str
    status: str
    at: _timestamp_pb2.Timestamp
    id_token_type: str
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    def __init__(self, station_id: _Optional[str] = ..., id_token: _Optional[str] = ..., status: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., id_token_type: _Optional[str] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ...) -> None: ...

class Reading(_message.Message):
    __slots__ = ("value", "measurand", "unit", "phase", "context", "location", "signed_value")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    MEASURAND_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    SIGNED_VALUE_FIELD_NUMBER: _ClassVar[int]
    value: float
    measurand: str
    unit: str
    phase: str
    context: str
    location: str
    signed_value: str
    def __init__(self, value: _Optional[float] = ..., measurand: _Optional[str] = ..., unit: _Optional[str] = ..., phase: _Optional[str] = ..., context: _Optional[str] = ..., location: _Optional[str] = ..., signed_value: _Optional[str] = ...) -> None: ...

class MeterValue(_message.Message):
    __slots__ = ("taken_at", "received_at", "readings")
    TAKEN_AT_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    READINGS_FIELD_NUMBER: _ClassVar[int]
    taken_at: _timestamp_pb2.Timestamp
    received_at: _timestamp_pb2.Timestamp
    readings: _containers.RepeatedCompositeFieldContainer[Reading]
    def __init__(self, taken_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., readings: _Optional[_Iterable[_Union[Reading, _Mapping]]] = ...) -> None: ...

class Transaction(_message.Message):
    __slots__ = ("id", "station_id", "evse_id", "connector_id", "transaction_id", "id_token", "started_at", "stopped_at", "meter_start_wh", "meter_stop_wh", "energy_wh", "stop_reason", "reported_charging_state", "authorization", "missing_seq_nos", "register_jumped_back", "command_id", "stop_id_token", "status", "charging_state", "version", "id_token_type", "groups", "location_id", "ended_by", "complete", "doubts", "superseded_by", "energy_source", "review", "revision", "free_vend", "free_vend_account", "limit")
    ID_FIELD_NUMBER: _ClassVar[int]
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    EVSE_ID_FIELD_NUMBER: _ClassVar[int]
    CONNECTOR_ID_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_ID_FIELD_NUMBER: _ClassVar[int]
    ID_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    STOPPED_AT_FIELD_NUMBER: _ClassVar[int]
    METER_START_WH_FIELD_NUMBER: _ClassVar[int]
    METER_STOP_WH_FIELD_NUMBER: _ClassVar[int]
    ENERGY_WH_FIELD_NUMBER: _ClassVar[int]
    STOP_REASON_FIELD_NUMBER: _ClassVar[int]
    REPORTED_CHARGING_STATE_FIELD_NUMBER: _ClassVar[int]
    AUTHORIZATION_FIELD_NUMBER: _ClassVar[int]
    MISSING_SEQ_NOS_FIELD_NUMBER: _ClassVar[int]
    REGISTER_JUMPED_BACK_FIELD_NUMBER: _ClassVar[int]
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    STOP_ID_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CHARGING_STATE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ID_TOKEN_TYPE_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    ENDED_BY_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    DOUBTS_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDED_BY_FIELD_NUMBER: _ClassVar[int]
    ENERGY_SOURCE_FIELD_NUMBER: _ClassVar[int]
    REVIEW_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    FREE_VEND_FIELD_NUMBER: _ClassVar[int]
    FREE_VEND_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    id: int
    station_id: str
    evse_id: int
    connector_id: int
    transaction_id: str
    id_token: str
    started_at: _timestamp_pb2.Timestamp
    stopped_at: _timestamp_pb2.Timestamp
    meter_start_wh: float
    meter_stop_wh: float
    energy_wh: float
    stop_reason: str
    reported_charging_state: str
    authorization: str
    missing_seq_nos: _containers.RepeatedScalarFieldContainer[int]
    register_jumped_back: bool
    command_id: str
    stop_id_token: str
    status: TransactionStatus
    charging_state: ChargingState
    version: str
    id_token_type: str
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    ended_by: EndedBy
    complete: bool
    doubts: _containers.RepeatedScalarFieldContainer[Doubt]
    superseded_by: int
    energy_source: EnergySource
    review: Review
    revision: int
    free_vend: bool
    free_vend_account: str
    limit: TransactionLimit
    def __init__(self, id: _Optional[int] = ..., station_id: _Optional[str] = ..., evse_id: _Optional[int] = ..., connector_id: _Optional[int] = ..., transaction_id: _Optional[str] = ..., id_token: _Optional[str] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., stopped_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., meter_start_wh: _Optional[float] = ..., meter_stop_wh: _Optional[float] = ..., energy_wh: _Optional[float] = ..., stop_reason: _Optional[str] = ..., reported_charging_state: _Optional[str] = ..., authorization: _Optional[str] = ..., missing_seq_nos: _Optional[_Iterable[int]] = ..., register_jumped_back: _Optional[bool] = ..., command_id: _Optional[str] = ..., stop_id_token: _Optional[str] = ..., status: _Optional[_Union[TransactionStatus, str]] = ..., charging_state: _Optional[_Union[ChargingState, str]] = ..., version: _Optional[str] = ..., id_token_type: _Optional[str] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ..., ended_by: _Optional[_Union[EndedBy, str]] = ..., complete: _Optional[bool] = ..., doubts: _Optional[_Iterable[_Union[Doubt, str]]] = ..., superseded_by: _Optional[int] = ..., energy_source: _Optional[_Union[EnergySource, str]] = ..., review: _Optional[_Union[Review, str]] = ..., revision: _Optional[int] = ..., free_vend: _Optional[bool] = ..., free_vend_account: _Optional[str] = ..., limit: _Optional[_Union[TransactionLimit, _Mapping]] = ...) -> None: ...

class TransactionLimit(_message.Message):
    __slots__ = ("cost", "energy_wh", "time_s", "soc", "author")
    COST_FIELD_NUMBER: _ClassVar[int]
    ENERGY_WH_FIELD_NUMBER: _ClassVar[int]
    TIME_S_FIELD_NUMBER: _ClassVar[int]
    SOC_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    cost: str
    energy_wh: float
    time_s: int
    soc: int
    author: str
    def __init__(self, cost: _Optional[str] = ..., energy_wh: _Optional[float] = ..., time_s: _Optional[int] = ..., soc: _Optional[int] = ..., author: _Optional[str] = ...) -> None: ...

class TransactionStarted(_message.Message):
    __slots__ = ("transaction", "meter_values", "offline")
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    METER_VALUES_FIELD_NUMBER: _ClassVar[int]
    OFFLINE_FIELD_NUMBER: _ClassVar[int]
    transaction: Transaction
    meter_values: _containers.RepeatedCompositeFieldContainer[MeterValue]
    offline: bool
    def __init__(self, transaction: _Optional[_Union[Transaction, _Mapping]] = ..., meter_values: _Optional[_Iterable[_Union[MeterValue, _Mapping]]] = ..., offline: _Optional[bool] = ...) -> None: ...

class TransactionUpdated(_message.Message):
    __slots__ = ("transaction", "meter_values", "trigger_reason", "offline")
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    METER_VALUES_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_REASON_FIELD_NUMBER: _ClassVar[int]
    OFFLINE_FIELD_NUMBER: _ClassVar[int]
    transaction: Transaction
    meter_values: _containers.RepeatedCompositeFieldContainer[MeterValue]
    trigger_reason: str
    offline: bool
    def __init__(self, transaction: _Optional[_Union[Transaction, _Mapping]] = ..., meter_values: _Optional[_Iterable[_Union[MeterValue, _Mapping]]] = ..., trigger_reason: _Optional[str] = ..., offline: _Optional[bool] = ...) -> None: ...

class TransactionEnded(_message.Message):
    __slots__ = ("transaction", "meter_values", "offline", "author", "note")
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    METER_VALUES_FIELD_NUMBER: _ClassVar[int]
    OFFLINE_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    transaction: Transaction
    meter_values: _containers.RepeatedCompositeFieldContainer[MeterValue]
    offline: bool
    author: str
    note: str
    def __init__(self, transaction: _Optional[_Union[Transaction, _Mapping]] = ..., meter_values: _Optional[_Iterable[_Union[MeterValue, _Mapping]]] = ..., offline: _Optional[bool] = ..., author: _Optional[str] = ..., note: _Optional[str] = ...) -> None: ...

class FieldChange(_message.Message):
    __slots__ = ("field", "before", "after")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    field: str
    before: str
    after: str
    def __init__(self, field: _Optional[str] = ..., before: _Optional[str] = ..., after: _Optional[str] = ...) -> None: ...

class TransactionRevised(_message.Message):
    __slots__ = ("transaction", "revision", "reason", "changes", "meter_values", "offline", "author", "note")
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    METER_VALUES_FIELD_NUMBER: _ClassVar[int]
    OFFLINE_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    transaction: Transaction
    revision: int
    reason: RevisionReason
    changes: _containers.RepeatedCompositeFieldContainer[FieldChange]
    meter_values: _containers.RepeatedCompositeFieldContainer[MeterValue]
    offline: bool
    author: str
    note: str
    def __init__(self, transaction: _Optional[_Union[Transaction, _Mapping]] = ..., revision: _Optional[int] = ..., reason: _Optional[_Union[RevisionReason, str]] = ..., changes: _Optional[_Iterable[_Union[FieldChange, _Mapping]]] = ..., meter_values: _Optional[_Iterable[_Union[MeterValue, _Mapping]]] = ..., offline: _Optional[bool] = ..., author: _Optional[str] = ..., note: _Optional[str] = ...) -> None: ...

class OrphanStopRecorded(_message.Message):
    __slots__ = ("station_id", "transaction_id", "meter_stop_wh", "stopped_at", "received_at", "groups", "location_id")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_ID_FIELD_NUMBER: _ClassVar[int]
    METER_STOP_WH_FIELD_NUMBER: _ClassVar[int]
    STOPPED_AT_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    transaction_id: str
    meter_stop_wh: float
    stopped_at: _timestamp_pb2.Timestamp
    received_at: _timestamp_pb2.Timestamp
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    def __init__(self, station_id: _Optional[str] = ..., transaction_id: _Optional[str] = ..., meter_stop_wh: _Optional[float] = ..., stopped_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ...) -> None: ...

class MeterValuesRecorded(_message.Message):
    __slots__ = ("station_id", "evse_id", "connector_id", "meter_values", "groups", "location_id")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    EVSE_ID_FIELD_NUMBER: _ClassVar[int]
    CONNECTOR_ID_FIELD_NUMBER: _ClassVar[int]
    METER_VALUES_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    evse_id: int
    connector_id: int
    meter_values: _containers.RepeatedCompositeFieldContainer[MeterValue]
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    def __init__(self, station_id: _Optional[str] = ..., evse_id: _Optional[int] = ..., connector_id: _Optional[int] = ..., meter_values: _Optional[_Iterable[_Union[MeterValue, _Mapping]]] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ...) -> None: ...

class CommandChanged(_message.Message):
    __slots__ = ("command_id", "station_id", "action", "response", "error_code", "error_description", "at", "batch_id", "status", "outcome", "effect", "groups", "location_id", "author", "cancelled_by")
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    ERROR_DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_BY_FIELD_NUMBER: _ClassVar[int]
    command_id: str
    station_id: str
    action: str
    response: str
    error_code: str
    error_description: str
    at: _timestamp_pb2.Timestamp
    batch_id: str
    status: CommandStatus
    outcome: CommandOutcome
    effect: CommandEffect
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    author: str
    cancelled_by: str
    def __init__(self, command_id: _Optional[str] = ..., station_id: _Optional[str] = ..., action: _Optional[str] = ..., response: _Optional[str] = ..., error_code: _Optional[str] = ..., error_description: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., batch_id: _Optional[str] = ..., status: _Optional[_Union[CommandStatus, str]] = ..., outcome: _Optional[_Union[CommandOutcome, str]] = ..., effect: _Optional[_Union[CommandEffect, str]] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ..., author: _Optional[str] = ..., cancelled_by: _Optional[str] = ...) -> None: ...

class WebhookChanged(_message.Message):
    __slots__ = ("webhook_id", "at", "author", "enabled")
    WEBHOOK_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    webhook_id: str
    at: _timestamp_pb2.Timestamp
    author: str
    enabled: bool
    def __init__(self, webhook_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ..., enabled: _Optional[bool] = ...) -> None: ...

class WebhookRemoved(_message.Message):
    __slots__ = ("webhook_id", "at", "author")
    WEBHOOK_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    webhook_id: str
    at: _timestamp_pb2.Timestamp
    author: str
    def __init__(self, webhook_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ...) -> None: ...

class StationBooted(_message.Message):
    __slots__ = ("station_id", "version", "vendor", "model", "serial_number", "firmware_version", "reason", "at", "status", "groups", "location_id")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    VENDOR_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SERIAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    FIRMWARE_VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    version: str
    vendor: str
    model: str
    serial_number: str
    firmware_version: str
    reason: str
    at: _timestamp_pb2.Timestamp
    status: RegistrationStatus
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    def __init__(self, station_id: _Optional[str] = ..., version: _Optional[str] = ..., vendor: _Optional[str] = ..., model: _Optional[str] = ..., serial_number: _Optional[str] = ..., firmware_version: _Optional[str] = ..., reason: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., status: _Optional[_Union[RegistrationStatus, str]] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ...) -> None: ...

class BootOrderChanged(_message.Message):
    __slots__ = ("station_id", "at", "author", "status", "interval", "groups", "location_id")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    at: _timestamp_pb2.Timestamp
    author: str
    status: RegistrationStatus
    interval: int
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    def __init__(self, station_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ..., status: _Optional[_Union[RegistrationStatus, str]] = ..., interval: _Optional[int] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ...) -> None: ...

class StationConnected(_message.Message):
    __slots__ = ("station_id", "version", "at", "groups", "location_id", "security_profile")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    SECURITY_PROFILE_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    version: str
    at: _timestamp_pb2.Timestamp
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    security_profile: int
    def __init__(self, station_id: _Optional[str] = ..., version: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ..., security_profile: _Optional[int] = ...) -> None: ...

class StationDisconnected(_message.Message):
    __slots__ = ("station_id", "at", "groups", "location_id")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    at: _timestamp_pb2.Timestamp
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    def __init__(self, station_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ...) -> None: ...

class StationDeviates(_message.Message):
    __slots__ = ("station_id", "version", "vendor", "model", "firmware_version", "deviations", "at", "groups", "location_id")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    VENDOR_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    FIRMWARE_VERSION_FIELD_NUMBER: _ClassVar[int]
    DEVIATIONS_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    version: str
    vendor: str
    model: str
    firmware_version: str
    deviations: _containers.RepeatedCompositeFieldContainer[DeviationCount]
    at: _timestamp_pb2.Timestamp
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    def __init__(self, station_id: _Optional[str] = ..., version: _Optional[str] = ..., vendor: _Optional[str] = ..., model: _Optional[str] = ..., firmware_version: _Optional[str] = ..., deviations: _Optional[_Iterable[_Union[DeviationCount, _Mapping]]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ...) -> None: ...

class DeviationCount(_message.Message):
    __slots__ = ("action", "kind", "path", "times")
    ACTION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    action: str
    kind: DeviationKind
    path: str
    times: int
    def __init__(self, action: _Optional[str] = ..., kind: _Optional[_Union[DeviationKind, str]] = ..., path: _Optional[str] = ..., times: _Optional[int] = ...) -> None: ...

class SecurityEventReported(_message.Message):
    __slots__ = ("station_id", "type", "tech_info", "occurred_at", "received_at", "groups", "location_id", "origin", "critical", "times", "remote_address")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TECH_INFO_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    CRITICAL_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    REMOTE_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    type: str
    tech_info: str
    occurred_at: _timestamp_pb2.Timestamp
    received_at: _timestamp_pb2.Timestamp
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    origin: SecurityEventOrigin
    critical: bool
    times: int
    remote_address: str
    def __init__(self, station_id: _Optional[str] = ..., type: _Optional[str] = ..., tech_info: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ..., origin: _Optional[_Union[SecurityEventOrigin, str]] = ..., critical: _Optional[bool] = ..., times: _Optional[int] = ..., remote_address: _Optional[str] = ...) -> None: ...

class CertificateRefused(_message.Message):
    __slots__ = ("station_id", "fault", "times", "first_at", "last_at", "remote_address", "groups", "location_id")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    FIRST_AT_FIELD_NUMBER: _ClassVar[int]
    LAST_AT_FIELD_NUMBER: _ClassVar[int]
    REMOTE_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    fault: CertificateFault
    times: int
    first_at: _timestamp_pb2.Timestamp
    last_at: _timestamp_pb2.Timestamp
    remote_address: str
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    def __init__(self, station_id: _Optional[str] = ..., fault: _Optional[_Union[CertificateFault, str]] = ..., times: _Optional[int] = ..., first_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., remote_address: _Optional[str] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ...) -> None: ...

class ConnectorStatusChanged(_message.Message):
    __slots__ = ("station_id", "evse_id", "connector_id", "reported_status", "error_code", "at", "status", "reported_at", "groups", "location_id")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    EVSE_ID_FIELD_NUMBER: _ClassVar[int]
    CONNECTOR_ID_FIELD_NUMBER: _ClassVar[int]
    REPORTED_STATUS_FIELD_NUMBER: _ClassVar[int]
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REPORTED_AT_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    evse_id: int
    connector_id: int
    reported_status: str
    error_code: str
    at: _timestamp_pb2.Timestamp
    status: ConnectorStatus
    reported_at: _timestamp_pb2.Timestamp
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    def __init__(self, station_id: _Optional[str] = ..., evse_id: _Optional[int] = ..., connector_id: _Optional[int] = ..., reported_status: _Optional[str] = ..., error_code: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., status: _Optional[_Union[ConnectorStatus, str]] = ..., reported_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ...) -> None: ...

class ConnectorRemoved(_message.Message):
    __slots__ = ("station_id", "evse_id", "connector_id", "at", "author", "existed", "groups", "location_id")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    EVSE_ID_FIELD_NUMBER: _ClassVar[int]
    CONNECTOR_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    EXISTED_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    evse_id: int
    connector_id: int
    at: _timestamp_pb2.Timestamp
    author: str
    existed: bool
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    def __init__(self, station_id: _Optional[str] = ..., evse_id: _Optional[int] = ..., connector_id: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ..., existed: _Optional[bool] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ...) -> None: ...

class MaintenanceWindowChanged(_message.Message):
    __slots__ = ("window_id", "at", "author", "begin_at", "end_at", "station_id", "group", "location_id")
    WINDOW_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    BEGIN_AT_FIELD_NUMBER: _ClassVar[int]
    END_AT_FIELD_NUMBER: _ClassVar[int]
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    window_id: str
    at: _timestamp_pb2.Timestamp
    author: str
    begin_at: _timestamp_pb2.Timestamp
    end_at: _timestamp_pb2.Timestamp
    station_id: str
    group: str
    location_id: str
    def __init__(self, window_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ..., begin_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., station_id: _Optional[str] = ..., group: _Optional[str] = ..., location_id: _Optional[str] = ...) -> None: ...

class MaintenanceWindowRemoved(_message.Message):
    __slots__ = ("window_id", "at", "author")
    WINDOW_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    window_id: str
    at: _timestamp_pb2.Timestamp
    author: str
    def __init__(self, window_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ...) -> None: ...

class ConfigurationChanged(_message.Message):
    __slots__ = ("station_id", "settings", "command_id", "at", "groups", "location_id")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    settings: _containers.RepeatedCompositeFieldContainer[SettingChange]
    command_id: str
    at: _timestamp_pb2.Timestamp
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    def __init__(self, station_id: _Optional[str] = ..., settings: _Optional[_Iterable[_Union[SettingChange, _Mapping]]] = ..., command_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ...) -> None: ...

class SettingChange(_message.Message):
    __slots__ = ("name", "status")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    name: str
    status: SettingStatus
    def __init__(self, name: _Optional[str] = ..., status: _Optional[_Union[SettingStatus, str]] = ...) -> None: ...

class ConfigurationReported(_message.Message):
    __slots__ = ("station_id", "request_id", "base", "missing_seq_nos", "command_id", "at", "status", "groups", "location_id")
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    MISSING_SEQ_NOS_FIELD_NUMBER: _ClassVar[int]
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    station_id: str
    request_id: int
    base: str
    missing_seq_nos: _containers.RepeatedScalarFieldContainer[int]
    command_id: str
    at: _timestamp_pb2.Timestamp
    status: ReportStatus
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    def __init__(self, station_id: _Optional[str] = ..., request_id: _Optional[int] = ..., base: _Optional[str] = ..., missing_seq_nos: _Optional[_Iterable[int]] = ..., command_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., status: _Optional[_Union[ReportStatus, str]] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ...) -> None: ...

class GroupConfigurationChanged(_message.Message):
    __slots__ = ("group", "at", "author")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    group: str
    at: _timestamp_pb2.Timestamp
    author: str
    def __init__(self, group: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ...) -> None: ...

class GroupConfigurationRemoved(_message.Message):
    __slots__ = ("group", "at", "author")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    group: str
    at: _timestamp_pb2.Timestamp
    author: str
    def __init__(self, group: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ...) -> None: ...

class SiteChanged(_message.Message):
    __slots__ = ("site_id", "limit", "unit", "phases", "station_ids", "removed", "at", "author")
    SITE_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    PHASES_FIELD_NUMBER: _ClassVar[int]
    STATION_IDS_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    site_id: str
    limit: float
    unit: str
    phases: int
    station_ids: _containers.RepeatedScalarFieldContainer[str]
    removed: bool
    at: _timestamp_pb2.Timestamp
    author: str
    def __init__(self, site_id: _Optional[str] = ..., limit: _Optional[float] = ..., unit: _Optional[str] = ..., phases: _Optional[int] = ..., station_ids: _Optional[_Iterable[str]] = ..., removed: _Optional[bool] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ...) -> None: ...

class TransactionRef(_message.Message):
    __slots__ = ("id", "transaction_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    transaction_id: str
    def __init__(self, id: _Optional[int] = ..., transaction_id: _Optional[str] = ...) -> None: ...

class ShareChanged(_message.Message):
    __slots__ = ("site_id", "station_id", "evse_id", "granted_a", "paused", "command_id", "at", "transaction", "groups", "location_id")
    SITE_ID_FIELD_NUMBER: _ClassVar[int]
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    EVSE_ID_FIELD_NUMBER: _ClassVar[int]
    GRANTED_A_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    site_id: str
    station_id: str
    evse_id: int
    granted_a: float
    paused: bool
    command_id: str
    at: _timestamp_pb2.Timestamp
    transaction: TransactionRef
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    def __init__(self, site_id: _Optional[str] = ..., station_id: _Optional[str] = ..., evse_id: _Optional[int] = ..., granted_a: _Optional[float] = ..., paused: _Optional[bool] = ..., command_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., transaction: _Optional[_Union[TransactionRef, _Mapping]] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ...) -> None: ...

class SessionPreferencesChanged(_message.Message):
    __slots__ = ("site_id", "at", "author", "station_id", "transaction", "priority", "minimum_a", "maximum_a", "groups", "location_id")
    SITE_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    STATION_ID_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_A_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_A_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    site_id: str
    at: _timestamp_pb2.Timestamp
    author: str
    station_id: str
    transaction: TransactionRef
    priority: int
    minimum_a: float
    maximum_a: float
    groups: _containers.RepeatedScalarFieldContainer[str]
    location_id: str
    def __init__(self, site_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ..., station_id: _Optional[str] = ..., transaction: _Optional[_Union[TransactionRef, _Mapping]] = ..., priority: _Optional[int] = ..., minimum_a: _Optional[float] = ..., maximum_a: _Optional[float] = ..., groups: _Optional[_Iterable[str]] = ..., location_id: _Optional[str] = ...) -> None: ...

class SiteOverCommitted(_message.Message):
    __slots__ = ("site_id", "over_committed", "loads", "at")
    SITE_ID_FIELD_NUMBER: _ClassVar[int]
    OVER_COMMITTED_FIELD_NUMBER: _ClassVar[int]
    LOADS_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    site_id: str
    over_committed: bool
    loads: _containers.RepeatedCompositeFieldContainer[SiteLoad]
    at: _timestamp_pb2.Timestamp
    def __init__(self, site_id: _Optional[str] = ..., over_committed: _Optional[bool] = ..., loads: _Optional[_Iterable[_Union[SiteLoad, _Mapping]]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class StoredProfileChanged(_message.Message):
    __slots__ = ("name", "at", "author")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    name: str
    at: _timestamp_pb2.Timestamp
    author: str
    def __init__(self, name: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ...) -> None: ...

class StoredProfileRemoved(_message.Message):
    __slots__ = ("name", "at", "author")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    name: str
    at: _timestamp_pb2.Timestamp
    author: str
    def __init__(self, name: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., author: _Optional[str] = ...) -> None: ...

class SiteLoad(_message.Message):
    __slots__ = ("name", "limit_a", "set_aside_a")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LIMIT_A_FIELD_NUMBER: _ClassVar[int]
    SET_ASIDE_A_FIELD_NUMBER: _ClassVar[int]
    name: str
    limit_a: float
    set_aside_a: float
    def __init__(self, name: _Optional[str] = ..., limit_a: _Optional[float] = ..., set_aside_a: _Optional[float] = ...) -> None: ...
