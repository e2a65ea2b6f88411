"""Which stations an action for many is for: named, chosen by a filter, or all that there are."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema

from services.common.calls.stations import StationFilter
from services.common.web.fields import NO_NUL, without_default

MOST = 10_000

# How stations are chosen, of which a request has one.
WAYS = ("stations", "filter", "all")

StationName = Annotated[str, Field(min_length=1, max_length=255, pattern=NO_NUL)]
Text = Annotated[StationName | SkipJsonSchema[None], Field(json_schema_extra=without_default)]


def _not_null(value: object) -> object:
    if value is None:
        raise ValueError("must not be null")
    return value


class Chosen(BaseModel):
    """Stations that are registered or have ever connected. All that is named must match; something must be named."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"minProperties": 1})

    group: Text = Field(None, description="as registered in auth")
    version: Text = Field(None, description="of OCPP, on its last connection", examples=["2.0.1"])
    vendor: Text = None
    model: Text = None
    firmware_version: Text = None

    _named = field_validator("*")(_not_null)

    @model_validator(mode="after")
    def _something(self) -> "Chosen":
        if self.selection() == StationFilter():
            raise ValueError('names nothing: for every station give "all": true in its place')
        return self

    def selection(self) -> StationFilter:
        return StationFilter(**self.model_dump())


class Selection(BaseModel):
    """Stations that a filter fits, or all that there are."""

    model_config = ConfigDict(extra="forbid")

    filter: Chosen | SkipJsonSchema[None] = Field(None, json_schema_extra=without_default)
    all: Literal[True] | SkipJsonSchema[None] = Field(
        None, description="every station that is registered or has ever connected", json_schema_extra=without_default
    )

    _named = field_validator("stations", "filter", "all", check_fields=False)(_not_null)

    @model_validator(mode="after")
    def _in_one_way(self) -> Self:
        ways = [name for name in WAYS if name in type(self).model_fields]
        if len(self.model_fields_set.intersection(ways)) != 1:
            raise ValueError(f"give one of {', '.join(ways)}")
        return self

    def selection(self) -> StationFilter:
        """Where none are named."""
        return self.filter.selection() if self.filter else StationFilter()


class ManyStations(Selection):
    """Stations that are named, that a filter fits, or all that there are."""

    stations: Annotated[list[StationName], Field(min_length=1, max_length=MOST)] | SkipJsonSchema[None] = Field(
        None, json_schema_extra=without_default
    )

    @property
    def chosen(self) -> dict[str, Any]:
        """The one way that was given, as it was."""
        return next({way: said} for way, said in self.model_dump(include={*WAYS}).items() if said is not None)
