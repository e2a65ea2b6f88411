"""What fields of the REST APIs hold, where several services have the same."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Path
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, WithJsonSchema

# Postgres has no text with the character NUL.
NO_NUL = r"^[^\x00]+$"
# What comes before and after them is what others write for "ever" and "never": what is added to a time, or taken from
# it, must be a time still, and none may be infinity for Postgres.
FIRST_MOMENT = datetime(1900, 1, 1, tzinfo=UTC)
LAST_MOMENT = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
# Clients take such segments out of an address before they send it (RFC 3986 §5.2.4).
DOTS = frozenset({".", ".."})
StationId = Annotated[str, Path(max_length=255, pattern=NO_NUL, description="as the station names itself")]


def _text(value: object) -> object:
    """Not the numbers that pydantic would take for seconds since 1970."""
    if isinstance(value, datetime) or (isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d[Tt ]\d\d:", value)):
        return value
    raise ValueError("must be a time of RFC 3339, such as 2026-03-01T12:00:00Z")


def _utc(moment: datetime) -> datetime:
    try:
        return min(max(moment.astimezone(UTC), FIRST_MOMENT), LAST_MOMENT)
    except OverflowError:
        raise ValueError("must be within the years 1 to 9999") from None


def _no_dots(name: str) -> str:
    if DOTS & set(name.split("/")):
        raise ValueError("must not be . or .., which clients take out of an address")
    return name


def _visible(name: str) -> str:
    if unseen := next((sign for sign in name if not sign.isprintable()), None):
        raise ValueError(f"has a character that nobody sees (U+{ord(unseen):04X})")
    return name


# Of names that are new: what is there already can still be read and removed.
NO_DOTS, VISIBLE = AfterValidator(_no_dots), AfterValidator(_visible)

UtcDatetime = Annotated[
    AwareDatetime,
    BeforeValidator(_text),
    AfterValidator(_utc),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


def _number(value: object) -> object:
    """Not what pydantic would make one of."""
    if isinstance(value, bool | str):
        raise ValueError("must be a number")
    return value


# Numbers of bodies; those of queries are text.
Int = Annotated[int, BeforeValidator(_number)]
Float = Annotated[float, BeforeValidator(_number)]


def without_default(schema: dict[str, Any]) -> None:
    """For `json_schema_extra` of a field that may be absent but not null: its default is nothing to tell of."""
    schema.pop("default", None)
