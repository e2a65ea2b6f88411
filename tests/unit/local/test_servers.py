"""How the embedded servers are configured."""

from pathlib import Path

import pytest

from voltbus.errors import LocalError
from voltbus.local import wheels
from voltbus.local.kafka import properties
from voltbus.local.logs import begin_log, last_line, trim_log
from voltbus.local.redis import quoted


def test_kafka_is_one_durable_node_that_comes_back_quickly() -> None:
    lines = dict(line.split("=", 1) for line in properties(9092, 9093, "secret").splitlines())
    assert lines["process.roles"] == "broker,controller"
    assert lines["listeners"] == "LOCAL://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093"
    assert lines["advertised.listeners"] == "LOCAL://127.0.0.1:9092"
    assert lines["listener.security.protocol.map"] == "LOCAL:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT"
    for name in ("local", "controller"):
        assert 'user_voltbus="secret"' in lines[f"listener.name.{name}.plain.sasl.jaas.config"]
    assert lines["controller.quorum.voters"] == "1@127.0.0.1:9093"
    assert lines["log.dirs"] == "data"
    assert lines["broker.session.timeout.ms"] == "2000"
    assert lines["broker.heartbeat.interval.ms"] == "500"
    assert lines["offsets.topic.num.partitions"] == "4"
    assert lines["group.initial.rebalance.delay.ms"] == "0"
    assert lines["auto.create.topics.enable"] == "false"
    replicas = [value for name, value in lines.items() if name.endswith((".replication.factor", ".min.isr"))]
    assert replicas == ["1"] * 6


def test_a_door_is_a_listener_that_tells_another_port() -> None:
    text = properties(9092, 9093, "secret", {19092: 29092})
    lines = dict(line.split("=", 1) for line in text.splitlines())
    assert "PROXY19092://127.0.0.1:19092" in lines["listeners"].split(",")
    assert lines["advertised.listeners"].split(",") == ["LOCAL://127.0.0.1:9092", "PROXY19092://127.0.0.1:29092"]
    assert "PROXY19092:SASL_PLAINTEXT" in lines["listener.security.protocol.map"].split(",")


def test_redis_takes_any_folder() -> None:
    assert quoted(Path('/a "b"/c d')) == '"/a \\"b\\"/c d"'


def test_a_platform_without_a_wheel_is_one_line() -> None:
    with pytest.raises(LocalError, match=r"^no Redis for this platform in the package json: set VOLTBUS_REDIS_URL to"):
        wheels.program("json", "bin/redis-server", server="Redis", variable="VOLTBUS_REDIS_URL")
    with pytest.raises(LocalError, match=r"^no Redis for this platform"):
        wheels.program("no_such_package", "x", server="Redis", variable="VOLTBUS_REDIS_URL")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ""),
        ("first\n\nsecond\n\n", "second"),
        ("voltbus: set VOLTBUS_X\n", "set VOLTBUS_X"),
        ('{"event": "failed", "exception": "Traceback:\\n  File\\nValueError: no"}', "failed: ValueError: no"),
        ('{"event": "stopped"}', "stopped"),
        ("{not json", "{not json"),
    ],
)
def test_the_last_line_of_a_log(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.log").write_text(text)
    assert last_line(tmp_path / "x.log") == said


def test_logs_begin_anew_and_do_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "x.log"
    assert last_line(log) == ""
    log.write_text("one run")
    begin_log(log)
    assert not log.exists()
    assert (tmp_path / "x.log.1").read_text() == "one run"
    monkeypatch.setattr("voltbus.local.logs._LIMIT", 10)
    with log.open("a") as out:
        out.write("more than ten characters")
        out.flush()
        trim_log(log)
        out.write("next")
    assert log.read_text() == "next"
    assert (tmp_path / "x.log.1").read_text() == "more than ten characters"


def test_redis_may_be_the_machines_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "redis-server"
    installed.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = wheels.program("none", "bin/redis-server", server="Redis", variable="V", or_on_path=True)
    assert found == installed
