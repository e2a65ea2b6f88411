"""The fields of auth's REST API."""

import dataclasses
from typing import Annotated, Any

from fastapi import Header, Path
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints

from services.common.web.fields import NO_DOTS, VISIBLE
from services.common.web.problems import Problem
from services.common.web.roles import rights
from services.ocpp.id_tokens import LONGEST_ID_TOKEN
from services.ocpp.passwords import is_password_string

READ, OPERATE, ADMINISTER = rights("auth")

AUTHOR = "`sub` of the bearer token that changed it last; null: not known, or a service of its own accord"
# Any identity of a 1.6 station ("RDAM 123", 1.6-J §3.1.1), except for the colon, which ends a user name (2.0.1 part 4
# §3.1.1), and the slash, which ends a path segment.
StationId = Annotated[
    str,
    Path(
        min_length=1,
        max_length=48,
        pattern=r"^[^\x00-\x1f\x7f:/]+$",
        description="as the station connects with it",
        examples=["CP001"],
    ),
]
# What a gateway lets in.
NewStationId = Annotated[StationId, NO_DOTS, VISIBLE]
# CiString20Type of 1.6 allows any printable ASCII, identifierString of 2.0.1 a subset.
ID_TOKEN = r"^[!-~]([ -~]*[!-~])?$"
IdTokenPath = Annotated[
    str,
    Path(
        min_length=1,
        max_length=LONGEST_ID_TOKEN,
        pattern=ID_TOKEN,
        description="case-insensitive; OCPP 1.6 can present 20 characters at the most, 2.0.1 36",
        examples=["04A2B3C4D5E6F7"],
    ),
]
NewIdToken = Annotated[IdTokenPath, NO_DOTS]
GroupId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=36,
        pattern=ID_TOKEN,
        description="shared by idTokens that may stop each other's sessions; 1.6 has room for 20 characters",
        examples=["FLEET-7"],
    ),
]
Account = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
Language = Annotated[
    str, Field(max_length=8, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,})*$", description="RFC 5646", examples=["en-US"])
]
# 0 is the whole station; no station has a million.
Evse = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f:/]{1,48}/[1-9][0-9]{0,5}$")]
Text = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Group = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
LocationId = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f/]+$"), NO_DOTS, VISIBLE
]


def _no_flag(value: object) -> object:
    """A file has it as text; JSON's false is no 0."""
    if isinstance(value, bool):
        raise ValueError("must be a whole number")
    return value


def _no_number(value: object) -> object:
    """A file has it as text; 0 is not JSON's false."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


# What a common name can be (RFC 5280, ub-common-name).
SerialNumber = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
Profile = Annotated[int, BeforeValidator(_no_flag), Field(ge=0, le=3)]
SessionCount = Annotated[int, BeforeValidator(_no_flag), Field(ge=1, le=1000)]
Flag = Annotated[bool, BeforeValidator(_no_number)]
# From a socket of the household to a truck; less is rather a mistake of units.
RatedPower = Annotated[float, Field(ge=1000, le=1e7, allow_inf_nan=False)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="a request that is sent again with the same key does nothing new",
    ),
]


def _password(password: SecretStr) -> SecretStr:
    if not is_password_string(password.get_secret_value()):
        raise ValueError("must have 16 to 64 characters of a-z A-Z 0-9 * - _ = : + | @ .")
    return password


ChosenPassword = Annotated[SecretStr, AfterValidator(_password)]


def fields_of(state: Any) -> dict[str, Any]:
    """By name, those of a dataclass: asdict() would copy each, which takes ten times as long."""
    return {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}


def not_found(kind: str) -> Problem:
    """404; without the id, for idTokens are confidential."""
    return Problem(404, f"there is no such {kind}")
