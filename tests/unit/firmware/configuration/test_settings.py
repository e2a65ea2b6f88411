"""A setting: what is known of it, what became of setting it, how it stands to what is desired."""

from itertools import permutations
from typing import Any

import pytest
from msgspec.structs import replace

from services.firmware.configuration.domain.settings import (
    Attempt,
    Characteristics,
    Observation,
    Result,
    Setting,
    State,
    attempted,
    awaits_reboot,
    needs_write,
    observed,
    state,
    values_equal,
)
from tests.unit.firmware.tables import at

READ_ONLY = Characteristics("ReadOnly")
NAME = "HeartbeatInterval"


def attempt(result: Result, wanted: str | None = "60", seconds: float = 10, command: str = "c1") -> Attempt:
    return Attempt(wanted, result, None, at(seconds - 1), at(seconds), command)


def setting(value: str | None = "300", characteristics: Characteristics | None = None, **more: Any) -> Setting:
    return Setting(NAME, value, characteristics, source="get", known_at=at(0), **more)


def test_news_counts_whatever_the_order_it_comes_in() -> None:
    news = [(Observation(NAME, str(n), "report", Characteristics(unit=str(n))), at(n)) for n in range(3)]
    for order in permutations(news):
        known = None
        for told, moment in order:
            known = observed(known, told, moment)
        assert known == Setting(NAME, "2", Characteristics(unit="2"), source="report", known_at=at(2))


def test_a_value_alone_takes_nothing_from_what_a_setting_is() -> None:
    """GetVariables says values only."""
    known = observed(setting(characteristics=READ_ONLY), Observation(NAME, "60", "get"), at(1))
    assert (known.value, known.characteristics) == ("60", READ_ONLY)
    late = observed(replace(known, characteristics=None), Observation(NAME, "300", "report", READ_ONLY), at(0))
    assert (late.value, late.characteristics) == ("60", READ_ONLY)


def test_what_is_write_only_is_not_kept() -> None:
    """B06.FR.09, SecurityCtrlr.BasicAuthPassword."""
    known = observed(None, Observation("x", "secret", "report", Characteristics("WriteOnly")), at(0))
    assert known.value is None
    assert observed(known, Observation("x", "secret", "get"), at(1)).value is None


def test_what_was_wanted_of_what_is_write_only_is_not_kept_either() -> None:
    """Whichever is known first."""
    hidden = attempted(setting(None, Characteristics("WriteOnly")), NAME, attempt(Result.APPLIED, "secret"))
    told = observed(
        attempted(None, NAME, attempt(Result.APPLIED, "secret")),
        Observation(NAME, None, "get", Characteristics("WriteOnly")),
        at(20),
    )
    for known in (hidden, told):
        assert known.attempt == attempt(Result.APPLIED, None)
        assert known.value is None


def test_an_unknown_setting_keeps_its_spelling_and_loses_its_value() -> None:
    known = observed(setting(), Observation(NAME.lower(), None, "get", unknown=True), at(1))
    assert (known.name, known.value, known.unknown) == (NAME, None, True)
    assert observed(known, Observation(NAME, "5", "get"), at(2)).unknown is False


@pytest.mark.parametrize(
    ("result", "characteristics", "value", "stays"),
    [
        (Result.APPLIED, None, "60", Result.APPLIED),
        (Result.REBOOT_REQUIRED, None, "300", Result.REBOOT_REQUIRED),
        (Result.REJECTED, None, "300", Result.REJECTED),
        (Result.REJECTED, READ_ONLY, "300", Result.READ_ONLY),
        (Result.UNKNOWN, None, "300", Result.UNKNOWN),
        (Result.PENDING, None, "300", Result.PENDING),
    ],
)
def test_what_an_attempt_comes_to(
    result: Result, characteristics: Characteristics | None, value: str, stays: Result
) -> None:
    """B05.FR.04 to FR.10; 1.6 §5.3."""
    after = attempted(setting(characteristics=characteristics), NAME, attempt(result))
    assert (after.value, after.attempt and after.attempt.result) == (value, stays)


def test_the_attempt_that_was_asked_for_last_stays_the_last() -> None:
    second = attempt(Result.PENDING, "60", 20, "c2")
    known = attempted(setting(attempt=second), NAME, attempt(Result.APPLIED, "30", 15, "c1"))
    assert (known.value, known.attempt) == ("30", second)
    done = attempted(known, NAME, replace(second, result=Result.APPLIED, at=at(30)))
    assert (done.value, done.attempt and done.attempt.result) == ("60", Result.APPLIED)


BOOTED = at(5)


@pytest.mark.parametrize(
    ("known", "expected", "sent"),
    [
        (None, State.NOT_YET_APPLIED, True),
        (setting("60"), State.IN_SYNC, False),
        (setting("300"), State.DIFFERS, True),
        (setting("300", READ_ONLY), State.READ_ONLY, False),
        (setting("60", READ_ONLY), State.IN_SYNC, False),
        (setting(None, Characteristics("WriteOnly")), State.WRITE_ONLY, False),
        (setting(None), State.NOT_YET_APPLIED, True),
        (setting(None, unknown=True), State.UNKNOWN, False),
        (setting(attempt=attempt(Result.PENDING)), State.PENDING, False),
        (setting(attempt=attempt(Result.REBOOT_REQUIRED)), State.PENDING_REBOOT, False),
        (setting(attempt=attempt(Result.REBOOT_REQUIRED, seconds=3)), State.NOT_YET_APPLIED, True),
        (replace(setting(attempt=attempt(Result.REBOOT_REQUIRED, seconds=3)), known_at=at(6)), State.DIFFERS, True),
        (setting(attempt=attempt(Result.REJECTED)), State.REJECTED, True),
        (setting(attempt=attempt(Result.READ_ONLY)), State.READ_ONLY, False),
        (setting(None, attempt=attempt(Result.UNKNOWN)), State.UNKNOWN, True),
        (setting(attempt=attempt(Result.EXPIRED)), State.NOT_YET_APPLIED, True),
        (setting(attempt=attempt(Result.APPLIED)), State.DIFFERS, True),
        # An attempt at another value says nothing about this one.
        (setting(attempt=attempt(Result.REJECTED, "7")), State.DIFFERS, True),
    ],
)
def test_how_a_setting_stands_to_what_is_desired(known: Setting | None, expected: State, sent: bool) -> None:
    assert state(known, "60", BOOTED) == expected
    assert needs_write(known, "60", BOOTED) is sent


def test_a_reboot_is_awaited_until_it_came() -> None:
    taken = setting(attempt=attempt(Result.REBOOT_REQUIRED, seconds=10))
    assert awaits_reboot(taken, at(9))
    assert awaits_reboot(taken, None)
    assert not awaits_reboot(taken, at(11))
    assert not awaits_reboot(setting(), None)


@pytest.mark.parametrize(
    ("actual", "wanted", "kind", "expected"),
    [
        ("a", "a", None, True),
        ("True", "true", None, True),
        ("true", "false", None, False),
        ("60", " 60", None, True),
        ("60.0", "60", "decimal", True),
        ("60", "61", "integer", False),
        # A code that looks like a number is none.
        ("007", "7", None, False),
        ("7.0", "7", "string", False),
        ("A,B", "A, B", None, True),
        ("A,B", "B,A", None, False),
        ("A,B", "B, A", "MemberList", True),
        ("1e99999999", "1", None, False),
    ],
)
def test_values_that_are_one(actual: str, wanted: str, kind: str | None, expected: bool) -> None:
    characteristics = Characteristics(data_type=kind)
    assert values_equal(actual, wanted, characteristics) is expected
    assert values_equal(wanted, actual, characteristics) is expected
