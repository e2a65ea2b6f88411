"""What fields of REST take."""

from datetime import UTC, datetime
from typing import Annotated

import pytest
from pydantic import TypeAdapter, ValidationError

from services.common.web.fields import NO_DOTS, VISIBLE, UtcDatetime

NAME: TypeAdapter[str] = TypeAdapter(Annotated[str, NO_DOTS, VISIBLE])
TIME: TypeAdapter[datetime] = TypeAdapter(UtcDatetime)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2026-03-01T12:00:00+02:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("1900-01-01T00:00:00Z", datetime(1900, 1, 1, tzinfo=UTC)),
        # What others write for "ever" and "never"; for Postgres, infinity, which in a card stopped every Authorize.
        ("0001-01-01T00:00:00Z", datetime(1900, 1, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00-02:00", datetime(1900, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_time(said: str, meant: datetime) -> None:
    assert TIME.validate_python(said) == meant


@pytest.mark.parametrize("said", ["0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-01:00"])
def test_a_time_that_is_none(said: str) -> None:
    with pytest.raises(ValidationError, match="within the years 1 to 9999"):
        TIME.validate_python(said)


@pytest.mark.parametrize("name", ["CP1", "RDAM 123", "...", "a.b", "äß漢"])
def test_a_name_of_a_path(name: str) -> None:
    assert NAME.validate_python(name) == name


@pytest.mark.parametrize("name", [".", "..", "a/..", "\u00a0W34", "W\u200b35", "W\u202e", "W\t", "\ufeffW"])
def test_a_name_that_no_client_can_write_or_nobody_can_read(name: str) -> None:
    with pytest.raises(ValidationError, match=r"must not be|nobody sees"):
        NAME.validate_python(name)
