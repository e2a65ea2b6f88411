"""Which letters are meant by what is typed."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from services.ocpp.services import SERVICES
from tests.unit.operator.dead_letters.letters import NOW, dead
from voltbus.errors import LocalError
from voltbus.operator.dead_letters.dead_letter import read
from voltbus.operator.dead_letters.filter import Filter, parse

LETTER = read("transactions", replace(dead(why="not a voltbus.v1.Call"), partition=3, offset=17))


@pytest.mark.parametrize(
    ("filter", "fits"),
    [
        (Filter(), True),
        (Filter(services=("auth",)), False),
        (Filter(station="CP1"), True),
        (Filter(station="CP"), False),
        (Filter(reason="VOLTBUS.v1"), True),
        (Filter(reason="timeout"), False),
        (Filter(since=NOW), True),
        (Filter(since=NOW + timedelta(seconds=1)), False),
        (Filter(ids=frozenset({"transactions-3-17"})), True),
        (Filter(ids=frozenset({"transactions-3-18"})), False),
        (Filter(station="CP1", reason="timeout"), False),
    ],
)
def test_all_that_is_given_must_fit(filter: Filter, fits: bool) -> None:
    assert filter.fits(LETTER) is fits
    assert filter.narrow is (filter != Filter())


def test_a_letter_that_does_not_say_when_is_not_since() -> None:
    assert not Filter(since=NOW).fits(dataclasses.replace(LETTER, at=None))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90m", NOW - timedelta(minutes=90)),
        ("24h", NOW - timedelta(hours=24)),
        ("7d", NOW - timedelta(days=7)),
        ("2026-05-01T00:00:00Z", datetime(2026, 5, 1, tzinfo=UTC)),
    ],
)
def test_since_is_a_moment_or_how_long_ago(text: str, moment: datetime) -> None:
    assert parse([], "", "", text, [], NOW).since == moment


def test_only_the_services_of_the_ids_are_read() -> None:
    assert parse([], "", "", "", ["auth-0-1", "firmware-1-2"], NOW).services == ("auth", "firmware")
    assert parse(["auth"], "", "", "", ["auth-0-1", "firmware-1-2"], NOW).services == ("auth",)
    assert parse([], "", "", "", [], NOW).services == tuple(SERVICES)


@pytest.mark.parametrize("since", ["noon", "7", "-1h", "9999999d", "99999999999999999h"])
def test_no_time(since: str) -> None:
    with pytest.raises(LocalError, match="is not a time"):
        parse([], "", "", since, [], NOW)


@pytest.mark.parametrize("name", ["CP001", "transactions-3", "transactions-3-x", "cards-1-2", "transactions-1-2-3"])
def test_no_dead_letter(name: str) -> None:
    with pytest.raises(LocalError, match=f"no dead letter {name}"):
        parse([], "", "", "", [name], NOW)
