"""What the specification forbids a CSMS to send although the schema allows it: pure guards, in a table a version.

A guard gets a payload that is valid against its schema, and says what is wrong with it, or nothing.
"""

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from services.ocpp.errors import ErrorCode
from services.ocpp.schemas import Fault
from services.ocpp.sealing import is_sealed

Payload: TypeAlias = Mapping[str, Any]
Guard: TypeAlias = Callable[[Payload], Fault | None]
Guards: TypeAlias = Mapping[str, Sequence[Guard]]

PASSWORD = "is a password: auth changes it at the station (POST /v1/stations/{station_id}/password/change)"

# A language, with what narrows it; or a name of somebody's own.
LANGUAGE_TAG = re.compile(r"([a-z]{2,8}|[ix](?=-))(-[a-z0-9]{1,8})*", re.IGNORECASE | re.ASCII)


def above_zero(field: str) -> Guard:
    """A number that means something else below one."""

    def guard(payload: Payload) -> Fault | None:
        return _fault("must be 1 at least", field) if payload[field] < 1 else None

    return guard


def each_once(items: str, identity: Callable[[Payload], Hashable]) -> Guard:
    """A list that names nothing twice."""

    def guard(payload: Payload) -> Fault | None:
        known: dict[Hashable, int] = {}
        for place, item in enumerate(payload.get(items) or ()):
            if (first := known.setdefault(identity(item), place)) != place:
                return _fault(f"is the same as {items}.{first}", f"{items}.{place}", OCCURRENCE)
        return None

    return guard


def any_of(fields: Iterable[str], within: str = "") -> Guard:
    """One of these fields at least. within: the object that has them."""
    names = tuple(fields)

    def guard(payload: Payload) -> Fault | None:
        said = payload.get(within) or {} if within else payload
        if any(said.get(name) is not None for name in names):
            return None
        return _fault(f"needs one of {', '.join(names)}", within, OCCURRENCE)

    return guard


def never(value: str, *path: str) -> Guard:
    """A field that has any value but this one."""

    def guard(payload: Payload) -> Fault | None:
        return _fault(f"must not be {value}", ".".join(path)) if _at(payload, path) == value else None

    return guard


def filled(*path: str) -> Guard:
    """A text that is left out where there is none."""

    def guard(payload: Payload) -> Fault | None:
        return _fault("must not be empty", ".".join(path)) if _at(payload, path) == "" else None

    return guard


def always(value: str, *path: str) -> Guard:
    """A field that has this value, where there is one."""

    def guard(payload: Payload) -> Fault | None:
        return _fault(f"must be {value}", ".".join(path)) if _at(payload, path) not in (None, value) else None

    return guard


def language(*path: str) -> Guard:
    """A language by its tag of RFC 5646; whether there is such a language is not looked up."""

    def guard(payload: Payload) -> Fault | None:
        said = _at(payload, path)
        if said is None or LANGUAGE_TAG.fullmatch(said):
            return None
        return _fault("must be a language tag of RFC 5646, such as en-US", ".".join(path))

    return guard


def needs(field: str, name: str, value: str) -> Guard:
    """A field that is given where the one of that name has that value."""

    def guard(payload: Payload) -> Fault | None:
        if payload.get(name) != value or payload.get(field):
            return None
        return _fault(f"{name} {value} needs it", field, OCCURRENCE)

    return guard


def absent(*path: str) -> Guard:
    """A field that is not given."""

    def guard(payload: Payload) -> Fault | None:
        return None if _at(payload, path) is None else _fault("must not be given", ".".join(path), OCCURRENCE)

    return guard


def no_password(items: str, name: Callable[[Payload], str], value: str, secret: str) -> Guard:
    """A setting that is no password, or one whose password is sealed. items: of the list; empty: the payload itself.

    name, value: of the setting. secret: the name of the password.
    """

    def guard(payload: Payload) -> Fault | None:
        settings = enumerate(payload[items]) if items else [(None, payload)]
        for place, item in settings:
            if name(item).casefold() == secret and not is_sealed(item.get(value)):
                return _fault(PASSWORD, value if place is None else f"{items}.{place}.{value}")
        return None

    return guard


def folded(*values: object) -> Hashable:
    """An identity whose texts have no case (identifierString, CiString)."""
    return tuple(value.casefold() if isinstance(value, str) else value for value in values)


def _at(payload: Payload, path: Iterable[str]) -> Any:
    """What stands there, or None."""
    said: Any = payload
    for name in path:
        said = said.get(name) if isinstance(said, Mapping) else None
    return said


def _fault(message: str, field: str, code: ErrorCode = ErrorCode.PROPERTY_CONSTRAINT_VIOLATION) -> Fault:
    return Fault(code, message, field)


OCCURRENCE = ErrorCode.OCCURRENCE_CONSTRAINT_VIOLATION
