"""Variables that nobody reads are told, with what may have been meant."""

import re
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.common.process import environment

ROOT = Path(__file__).parents[4]
# What docstrings call any of them.
MADE_UP = {"VOLTBUS_X", "VOLTBUS_X_FILE", "VOLTBUS_NAME"}
READ = re.compile(r"\bVOLTBUS_[A-Z_]*[A-Z]\b")


def test_the_settings_of_all_processes_are_known() -> None:
    known = environment.variables()
    assert {"VOLTBUS_POSTGRES_DSN", "VOLTBUS_GATEWAY_PORT", "VOLTBUS_FRAME_LOG_DAYS", "VOLTBUS_DATA"} <= known
    assert len(known) > 60


def test_what_the_code_reads_or_speaks_of_is_known() -> None:
    files = [file for folder in ("services", "voltbus") for file in (ROOT / folder).rglob("*.py")]
    spoken = {name for file in files for name in READ.findall(file.read_text())} - MADE_UP
    assert sorted(environment.unread(spoken, environment.variables())) == []


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("VOLTBUS_KAFKA_BOOTSTRAPS", "VOLTBUS_KAFKA_BOOTSTRAP"),
        ("VOLTBUS_PASSWRD_KEY_FILE", "VOLTBUS_PASSWORD_KEY_FILE"),
        ("VOLTBUS_X1", None),
    ],
)
def test_what_nobody_reads_has_its_nearest(monkeypatch: pytest.MonkeyPatch, name: str, nearest: str | None) -> None:
    known = environment.variables()
    assert environment.unread([name, "VOLTBUS_HOST", "VOLTBUS_JWT_SECRET_FILE", "PATH"], known) == {name: nearest}
    monkeypatch.setenv(name, "secret")
    with capture_logs() as logs:
        environment.warn_of_unread()
    told = {"event": "nobody reads this variable", "variable": name, "nearest": nearest, "log_level": "warning"}
    assert told in logs
    assert f"nobody reads {name}" + (f": is it {nearest}?" if nearest else "") in environment.sentences()


def test_what_is_empty_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can tell whether 0 was meant, or nothing at all."""
    assert environment.empty({"VOLTBUS_TOPIC_PREFIX": "", "VOLTBUS_HOST": "::1"}, environment.variables()) == []
    monkeypatch.setenv("VOLTBUS_SAMPLE_DAYS", "")
    with capture_logs() as logs:
        environment.warn_of_unread()
    assert "VOLTBUS_SAMPLE_DAYS" in [one["variable"] for one in logs if "its default counts" in one["event"]]
    assert "VOLTBUS_SAMPLE_DAYS is empty: its default counts" in environment.sentences()
