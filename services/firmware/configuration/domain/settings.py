"""A station's settings, neutral of versions: what each is known to be, and what became of the last attempt to set it.

A setting is called by its name in the station's own words (1.6: the key; 2.x: component, variable and attribute as
dialects/names.py writes them). Two names that differ only in case are one (CiString50Type of 1.6, identifiers of 2.x).
"""

import re
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

# Far more than OCPP allows; with four bytes a character it still fits into an index of Postgres.
LONGEST_NAME = 600
NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
BOOLEANS = frozenset({"true", "false"})


class Result(StrEnum):
    """What became of an attempt to set a setting."""

    PENDING = "pending"
    APPLIED = "applied"
    REBOOT_REQUIRED = "reboot_required"
    READ_ONLY = "read_only"
    UNKNOWN = "unknown"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNDELIVERABLE = "undeliverable"
    CANCELLED = "cancelled"


class State(StrEnum):
    """How a setting stands to what is desired of it."""

    IN_SYNC = "in_sync"
    DIFFERS = "differs"
    PENDING = "pending"
    PENDING_REBOOT = "pending_reboot"
    REJECTED = "rejected"
    READ_ONLY = "read_only"
    WRITE_ONLY = "write_only"
    UNKNOWN = "unknown"
    NOT_YET_APPLIED = "not_yet_applied"
    CONFLICT = "conflict"


class Characteristics(Struct, frozen=True):
    """What a setting is. mutability: ReadOnly, WriteOnly, ReadWrite. values: the list of those that it can have."""

    mutability: str = "ReadWrite"
    data_type: str | None = None
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    values: str | None = None
    persistent: bool | None = None
    constant: bool | None = None


class Observation(Struct, frozen=True):
    """What a station says of a setting. unknown: that it has none of that name.

    characteristics: None where it said none. source: report, get or set.
    """

    name: str
    value: str | None
    source: str
    characteristics: Characteristics | None = None
    unknown: bool = False


class Attempt(Struct, frozen=True):
    """The last attempt to set it. wanted: None for a secret. reason: in the station's words. at: of the result."""

    wanted: str | None
    result: Result
    reason: str | None
    asked_at: datetime
    at: datetime
    command_id: str


class Setting(Struct, frozen=True):
    """One setting of one station. known_at: when value was last said; None where only an attempt is known."""

    name: str
    value: str | None = None
    characteristics: Characteristics | None = None
    unknown: bool = False
    source: str | None = None
    known_at: datetime | None = None
    attempt: Attempt | None = None

    @property
    def read_only(self) -> bool:
        return self.characteristics is not None and self.characteristics.mutability == "ReadOnly"

    @property
    def write_only(self) -> bool:
        return self.characteristics is not None and self.characteristics.mutability == "WriteOnly"


def is_storable(name: str) -> bool:
    """Whether a setting can be kept by its name: an index takes none that is much longer."""
    return len(name) <= LONGEST_NAME


def key(name: str) -> str:
    """By which settings are told apart."""
    return name.casefold()


def observed(setting: Setting | None, observation: Observation, at: datetime) -> Setting:
    """The newest observation counts; one that comes late only adds what the setting is, where that was not known."""
    known = setting or Setting(observation.name)
    if known.known_at and at < known.known_at:
        return known if known.characteristics else replace(known, characteristics=observation.characteristics)
    after = replace(
        known,
        name=known.name if observation.unknown else observation.name,
        value=observation.value,
        characteristics=observation.characteristics or known.characteristics,
        unknown=observation.unknown,
        source=observation.source,
        known_at=at,
    )
    return _without_secret(after)


def attempted(setting: Setting | None, name: str, attempt: Attempt) -> Setting:
    """B05, 1.6 §5.3: what an attempt came to. One that was asked for later stays the last."""
    known = setting or Setting(name)
    if attempt.result is Result.APPLIED:
        known = observed(known, Observation(name, attempt.wanted, "set"), attempt.at)
    elif attempt.result is Result.REJECTED and known.read_only:
        attempt = replace(attempt, result=Result.READ_ONLY)
    last = known.attempt
    if last and last.command_id != attempt.command_id and last.asked_at > attempt.asked_at:
        return known
    return _without_secret(replace(known, attempt=attempt))


def _without_secret(setting: Setting) -> Setting:
    """A value that is write-only is not kept, neither as it is nor as it was wanted."""
    if not setting.write_only:
        return setting
    attempt = replace(setting.attempt, wanted=None) if setting.attempt else None
    return replace(setting, value=None, attempt=attempt)


def state(setting: Setting | None, desired: str, booted_at: datetime | None) -> State:
    """booted_at: when the station last booted, for what waits for that."""
    if setting is None:
        return State.NOT_YET_APPLIED
    if setting.write_only:
        return State.WRITE_ONLY
    if setting.value is not None and values_equal(setting.value, desired, setting.characteristics):
        return State.IN_SYNC
    attempt = setting.attempt
    if attempt and attempt.wanted is not None and values_equal(attempt.wanted, desired, setting.characteristics):
        if attempt.result is Result.REBOOT_REQUIRED:
            return _after_reboot(setting, booted_at)
        if after_attempt := ATTEMPTS.get(attempt.result):
            return after_attempt
    if setting.unknown:
        return State.UNKNOWN
    if setting.read_only:
        return State.READ_ONLY
    return State.NOT_YET_APPLIED if setting.value is None else State.DIFFERS


ATTEMPTS = {
    Result.PENDING: State.PENDING,
    Result.READ_ONLY: State.READ_ONLY,
    Result.UNKNOWN: State.UNKNOWN,
    Result.REJECTED: State.REJECTED,
    Result.EXPIRED: State.NOT_YET_APPLIED,
    Result.UNDELIVERABLE: State.NOT_YET_APPLIED,
    Result.CANCELLED: State.NOT_YET_APPLIED,
}
# What is not sent: it is as desired, or on its way, or cannot be, or is a secret, which is not kept in a command.
SETTLED = frozenset({State.IN_SYNC, State.PENDING, State.PENDING_REBOOT, State.READ_ONLY, State.WRITE_ONLY})


def needs_write(setting: Setting | None, desired: str, booted_at: datetime | None) -> bool:
    """Whether a desired value is to be sent. A value that was rejected is tried again, once a boot."""
    if setting and setting.unknown:
        return False
    return state(setting, desired, booted_at) not in SETTLED


def awaits_reboot(setting: Setting, booted_at: datetime | None) -> bool:
    """Whether a value was taken that counts from the next boot on."""
    attempt = setting.attempt
    if attempt is None or attempt.result is not Result.REBOOT_REQUIRED:
        return False
    return booted_at is None or attempt.at >= booted_at


def values_equal(actual: str, wanted: str, characteristics: Characteristics | None = None) -> bool:
    """Whether two values are one: stations write booleans, numbers and lists in ways of their own."""
    if actual == wanted:
        return True
    kind, one, other = characteristics.data_type if characteristics else None, actual.strip(), wanted.strip()
    if {one.casefold(), other.casefold()} <= BOOLEANS:
        return one.casefold() == other.casefold()
    if kind in (None, "integer", "decimal") and NUMBER.fullmatch(one) and NUMBER.fullmatch(other):
        return Decimal(one) == Decimal(other)
    ones, others = _items(one), _items(other)
    return sorted(ones) == sorted(others) if kind == "MemberList" else ones == others


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",")]


def _after_reboot(setting: Setting, booted_at: datetime | None) -> State:
    if awaits_reboot(setting, booted_at):
        return State.PENDING_REBOOT
    # It has booted since; what came of it is known once it has been read.
    read = setting.known_at is not None and booted_at is not None and setting.known_at >= booted_at
    return State.DIFFERS if read and setting.value is not None else State.NOT_YET_APPLIED
