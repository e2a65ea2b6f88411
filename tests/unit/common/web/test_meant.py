"""Fields that a body cannot have there, and where they would be right."""

from typing import Any

import pytest
from pydantic import BaseModel

from services.common.web.meant import meant, paths_of


class Period(BaseModel):
    start: int
    limit: float


class Profile(BaseModel):
    purpose: str
    periods: list[Period]
    before: "Profile | None" = None


class Body(BaseModel):
    evse_id: int
    profile: Profile | None
    by_name: dict[str, Period] = {}


KNOWN = paths_of(Body.model_json_schema())


@pytest.mark.parametrize(
    ("path", "where"),
    [
        (("purpose",), "profile.purpose"),
        (("limit",), "by_name.limit"),
        (("profile", "limit"), "by_name.limit"),
        (("profile", "evse_id"), "evse_id, beside profile"),
        (("profile", "periods", 0, "evse_id"), "evse_id, beside profile"),
        (("profile", "periods", 3, "Limit"), "limit"),
        (("profile", "periods", 0, "strat"), "start"),
        (("evseid",), "evse_id"),
        (("profil",), "profile"),
        (("colour",), None),
    ],
)
def test_a_field_in_the_wrong_place_is_told_the_right_one(path: Any, where: str | None) -> None:
    """ "unknown; did you mean purpose?" was said of `purpose`."""
    assert meant(path, KNOWN) == where


def test_what_holds_itself_ends() -> None:
    assert ("profile", "before") in KNOWN
    assert max(map(len, KNOWN)) < 5
