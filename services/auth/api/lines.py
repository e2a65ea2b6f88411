"""Lines of files of stations, idTokens and locations: read and checked, and written."""

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from fastapi import Request
from pydantic import ValidationError

from services.auth.api.fields import NewIdToken, NewStationId, fields_of
from services.auth.api.locations import LocationFields
from services.auth.api.stations import StationBody, password_of
from services.auth.api.tokens import TokenChange
from services.auth.domain.imports import SECURITY, LocationLine, StationLine, TokenLine
from services.auth.domain.locations import Location
from services.auth.domain.stations import Station, profile
from services.auth.domain.tokens import RegisteredToken
from services.auth.importing import LOCATIONS, STATIONS, TOKENS
from services.auth.passwords import Passwords
from services.auth.staging import Staged
from services.common.web.files import lines_of, sent_as
from services.common.web.tables import READERS, Columns, Fault, Row, unknown
from services.ocpp.id_tokens import LISTS, token_key

# What an empty cell must not change: it would take a password away, or accept a blocked card.
STATION_COLUMNS = Columns(
    (
        *(
            "station_id",
            "auth",
            "password",
            "description",
            "group",
            "groups",
            "location_id",
            "reading",
            "rated_power_w",
        ),
        *SECURITY,
    ),
    needed="station_id",
    lists=frozenset({"groups"}),
    kept=frozenset({"auth", "password", "group", *SECURITY} - {"serial_number"}),
    exact=frozenset({"station_id", "password", "location_id", "serial_number"}),
)
EXPORTED_STATION = Columns(
    ("station_id", "auth", "description", "groups", "location_id", "reading", "rated_power_w", *SECURITY),
    needed="station_id",
    exact=STATION_COLUMNS.exact,
)
TOKEN_COLUMNS = Columns(
    (
        *(
            "id_token",
            "type",
            "status",
            "expires_at",
            "group_id",
            "cache_expires_at",
            "language",
            "on_block",
            "language2",
        ),
        *("valid_from", *LISTS, "max_sessions", "master_pass", "note"),
    ),
    needed="id_token",
    lists=frozenset(LISTS),
    kept=frozenset({"type", "status"}),
    exact=frozenset({"id_token", "group_id"}),
)
LOCATION_COLUMNS = Columns(
    ("location_id", "name", "address", "country", "latitude", "longitude", "time_zone"),
    needed="location_id",
    exact=frozenset({"location_id"}),
)


# What a field looks like, where a person may write it otherwise.
FORMS = {"country": "must be the two capital letters of ISO 3166-1, such as AT"}
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


class StationFields(StationBody):
    """A line of a file of stations."""

    station_id: NewStationId


class TokenFields(TokenChange):
    """A line of a file of idTokens."""

    id_token: NewIdToken


class Lines:
    """Lines of a file, read and checked. check: what a row says; raises ValidationError."""

    def __init__(self, columns: Columns, check: Callable[[Row], Staged]) -> None:
        self.columns, self._check = columns, check

    async def of(self, request: Request) -> AsyncIterator[Sequence[Staged | Fault]]:
        """As they arrive. Raises Problem and Faulty."""
        reader = READERS[sent_as(request)](self.columns)
        async for lines in lines_of(request):
            rows = (reader.read(number, line) for number, line in lines)
            yield [one for row in rows if row for one in self.checked(row)]
        if fault := reader.end():
            yield [fault]

    def checked(self, row: Row | Fault) -> Sequence[Staged | Fault]:
        """What a line says, or all that is wrong with it."""
        if isinstance(row, Fault):
            return [row]
        try:
            return [self._check(row)]
        except ValidationError as error:
            return list(dict.fromkeys(self._fault(row, one) for one in error.errors(include_input=False)))

    def _fault(self, row: Row, error: Mapping[str, Any]) -> Fault:
        """A field that there is not may be a secret in the wrong place, and is not repeated."""
        if error["type"] == "extra_forbidden":
            return Fault(row.line, "", unknown(str(error["loc"][0]), "a field", self.columns))
        name, *items = error["loc"]
        where = ".".join([str(name), *(str(one) for one in items if isinstance(one, int))])
        said = str(row.fields.get(str(name)))
        if error["type"] == "string_pattern_mismatch":
            other = "has a line end: write it in one line" if "\n" in said else "has a character that it cannot have"
            return Fault(row.line, where, FORMS.get(where, other))
        if error["type"] == "float_parsing" and DECIMAL_COMMA.fullmatch(said):
            return Fault(row.line, where, "has a decimal comma: write a point")
        return Fault(row.line, where, str(error["msg"]).removeprefix("Value error, "))


def station_lines(passwords: Passwords) -> Lines:
    """Lines of a file of stations."""
    return Lines(STATION_COLUMNS, lambda row: _station(row, passwords))


def token_lines() -> Lines:
    """Lines of a file of idTokens."""
    return Lines(TOKEN_COLUMNS, _token)


def _station(row: Row, passwords: Passwords) -> Staged:
    """Raises ValidationError."""
    fields = StationFields.model_validate(row.fields)
    named = fields.named()
    if {"group", "groups"} & fields.model_fields_set:
        named["groups"] = fields.groups_or(())
    line = StationLine(fields.station_id, password_of(fields, passwords), named)
    return Staged(row.line, line.station_id, STATIONS.pack(line))


def _token(row: Row) -> Staged:
    """Raises ValidationError."""
    named = TokenFields.model_validate(row.fields).model_dump(exclude_unset=True)
    line = TokenLine(named.pop("id_token"), named)
    return Staged(row.line, token_key(line.id_token), TOKENS.pack(line))


def location_lines() -> Lines:
    """Lines of a file of locations."""
    return Lines(LOCATION_COLUMNS, _location)


def _location(row: Row) -> Staged:
    """Raises ValidationError."""
    named = LocationFields.model_validate(row.fields).model_dump(exclude_unset=True)
    line = LocationLine(named.pop("location_id"), named)
    return Staged(row.line, line.location_id, LOCATIONS.pack(line))


def station_fields(station: Station) -> Mapping[str, Any]:
    """EXPORTED_STATION of a station."""
    shown = {"auth": "basic" if station.password else "none", "security_profile": profile(station)}
    return fields_of(station) | shown


def token_fields(registered: RegisteredToken) -> Mapping[str, Any]:
    """TOKEN_COLUMNS of an idToken."""
    return fields_of(registered.token)


def location_fields(location: Location) -> Mapping[str, Any]:
    """LOCATION_COLUMNS of a location."""
    return fields_of(location)
