"""What a version knows of configuration: how settings are called, read and set, and what its answers say of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from services.firmware.configuration.domain.settings import Characteristics, Observation, Result, key
from services.ocpp.masking import is_secret

Payload: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MessageLimits:
    """How much a station takes in one message: items, and bytes where it says so."""

    reads: int
    writes: int
    read_bytes: int | None = None
    write_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Capacity:
    """Where a station says how much of an action it takes in a message. items, bytes: names of settings.

    field: the list that may be long. results: the list in the answer, if there is one. number: the field by which the
    messages that follow an answer name it, if there are any: each request needs one of its own.
    """

    field: str
    items: str
    bytes: str
    results: str | None = None
    number: str | None = None


@dataclass(frozen=True, slots=True)
class CapabilityName:
    """The setting that says what a station can. maximum: not its value does, but the largest that it can have."""

    name: str
    maximum: bool = False


@dataclass(frozen=True, slots=True)
class Write:
    """One CALL that sets settings. values: what it sets, by name."""

    action: str
    payload: Payload
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SetResult:
    """What an answer says of one setting that was to be set. reason: in the station's words."""

    name: str
    wanted: str | None
    result: Result
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ReportReply:
    """What an answer says of a report that was asked for. reason: the status where it is not Accepted."""

    request_id: int
    base: str | None
    accepted: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class SettingsReading:
    """What an answer says of settings. everything: that there are no others."""

    settings: tuple[Observation, ...]
    everything: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsDialect:
    """One version.

    max_value_length: in characters. shared_names: the names that versions share, and what this one calls them.
    canonical_name: a setting's name as it is written here; raises BadName. is_own_name: whether a name looks like one
    of this version. limit_names: the settings that say how much a station takes; limits: what their values say.
    read_all: the request for everything, by the base and the number of a report. read, write: the requests for some.
    read_answers, write_answers, report_answers: by action, what an answer says; a write without an answer (None) says
    what was wanted. capacities: by action, of commands in the version's own words. transaction_limits: the setting that
    says which limits of a transaction a station keeps to, and what each of its words means. downgrade: the setting that
    says whether it may go back from security profile 3 to 2. can: what says what a station can, by the field of
    Capabilities (state.proto); of several settings the first that says something.
    """

    max_value_length: int
    shared_names: Mapping[str, str]
    canonical_name: Callable[[str], str]
    is_own_name: Callable[[str], bool]
    limit_names: tuple[str, ...]
    limits: Callable[[Mapping[str, str]], MessageLimits]
    read_all: Callable[[str, int], tuple[str, Payload]]
    read: Callable[[Sequence[str], MessageLimits], list[tuple[str, Payload]]]
    write: Callable[[Mapping[str, str], MessageLimits], list[Write]]
    read_answers: Mapping[str, Callable[[Payload, Any], SettingsReading]]
    write_answers: Mapping[str, Callable[[Payload, Any], list[SetResult]]]
    report_answers: Mapping[str, Callable[[Payload, Any], ReportReply | None]]
    capacities: Mapping[str, Capacity] = field(default_factory=dict)
    transaction_limits: tuple[str, Mapping[str, str]] | None = None
    downgrade: str | None = None
    can: Mapping[str, tuple[CapabilityName, ...]] = field(default_factory=dict)

    @property
    def actions(self) -> frozenset[str]:
        """Commands about configuration."""
        return frozenset({*self.read_answers, *self.write_answers, *self.report_answers})

    def own_name(self, name: str) -> str:
        """What a shared or own name is called in this version. Raises BadName."""
        return self.shared_names.get(name) or self.canonical_name(name)

    def shared_name(self, name: str) -> str | None:
        """The shared name of a setting, where it has one."""
        return next((shared for shared, own in self.shared_names.items() if key(own) == key(name)), None)

    def concerns(self, name: str) -> bool:
        """Whether a name that stands for no version in particular means something in this one."""
        return name in self.shared_names or self.is_own_name(name)

    def is_secret(self, name: str, characteristics: Characteristics | None = None) -> bool:
        """Whether a setting's value is nobody's business."""
        return is_secret(name) or (characteristics is not None and characteristics.mutability == "WriteOnly")


def positive_integer(values: Mapping[str, str], name: str) -> int | None:
    """A limit as a number above zero; None where the station says none that can be read."""
    text = values.get(key(name), "").strip()
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) else None
