"""Times that are typed: how long ago, or RFC 3339; where a wrong one would do harm, with a zone and in the past."""

import sys
from datetime import UTC, datetime, timedelta

import pytest

from voltbus.errors import LocalError
from voltbus.operator import rewind
from voltbus.operator.times import parse_past

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("10m", NOW - timedelta(minutes=10)),
        ("2026-11-30T02:00:00Z", NOW - timedelta(hours=10)),
        ("2026-11-30T02:00:00+01:00", NOW - timedelta(hours=11)),
    ],
)
def test_what_is_past_and_has_a_zone(text: str, moment: datetime) -> None:
    assert parse_past(text, NOW) == moment


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-11-30T02:00:00", "has no zone"),
        ("2026-11-30", "has no zone"),
        ("2026-12-30T02:00:00Z", "is to come"),
        ("yesterday", "is not a time"),
    ],
)
def test_what_could_be_another_time_is_refused(text: str, why: str) -> None:
    with pytest.raises(LocalError, match=f"{text} {why}"):
        parse_past(text, NOW)


@pytest.mark.parametrize("word", ["-5m", "yesterday"])
def test_a_time_with_a_minus_is_said_to_be_none(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    """And not how the command is used, as argparse has it of what begins like an option."""
    monkeypatch.setattr(sys, "argv", ["rewind", "auth", "--to", word])
    with pytest.raises(SystemExit, match=f"^voltbus: {word} is not a time: give how long ago"):
        rewind.main()
