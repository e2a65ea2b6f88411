"""The example consumer finds Kafka where the stack has it; what it prints, tests/e2e shows."""

import runpy
from pathlib import Path

import pytest

EXAMPLE = runpy.run_path(str(Path(__file__).parents[3] / "docs" / "examples" / "consumer.py"))


def test_it_finds_kafka(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ports.json").write_text('{"kafka": 4711}')
    monkeypatch.delenv("VOLTBUS_KAFKA_BOOTSTRAP", raising=False)
    monkeypatch.setenv("VOLTBUS_DATA", str(tmp_path))
    assert EXAMPLE["bootstrap"]() == "127.0.0.1:4711"
    monkeypatch.setenv("VOLTBUS_KAFKA_BOOTSTRAP", "kafka:9092")
    assert EXAMPLE["bootstrap"]() == "kafka:9092"


def test_it_finds_the_data_folder_of_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".voltbus").mkdir()
    (tmp_path / ".voltbus" / "ports.json").write_text('{"kafka": 4712}')
    for name in ("VOLTBUS_KAFKA_BOOTSTRAP", "VOLTBUS_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    assert EXAMPLE["bootstrap"]() == "127.0.0.1:4712"
