"""`voltbus up` as a process: what it says, how it ends, what it leaves."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.patience import GIVE_UP
from voltbus.local.data_dir import DataDir
from voltbus.local.ports import free_ports
from voltbus.settings import PORTS, LocalSettings

RUN = Path(__file__).with_name("run_dummies.py")
Environment = dict[str, str]


@pytest.fixture
def environment(settings: LocalSettings) -> Environment:
    ports = {variable: str(port) for (variable, _), port in zip(PORTS.values(), free_ports(len(PORTS)), strict=True)}
    servers = {
        "VOLTBUS_DATA": str(settings.data),
        "VOLTBUS_POSTGRES_DSN": settings.postgres_dsn or "",
        "VOLTBUS_REDIS_URL": settings.redis_url or "",
        "VOLTBUS_KAFKA_BOOTSTRAP": settings.kafka_bootstrap or "",
    }
    return {**os.environ, **ports, **servers}


@asynccontextmanager
async def started(environment: Environment) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(sys.executable, RUN, env=environment, stdout=PIPE, stderr=STDOUT)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def read_until(process: Process, found: Callable[[str], bool]) -> list[str]:
    assert process.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(GIVE_UP):
        while not lines or not found(lines[-1]):
            line = await process.stdout.readline()
            assert line, "".join(lines)
            lines.append(line.decode())
    return lines


async def test_says_where_everything_is_and_leaves_nothing(environment: Environment, settings: LocalSettings) -> None:
    several = {"VOLTBUS_GATEWAYS": "2", "VOLTBUS_REPLICAS": "transactions=2"}
    async with started(environment | several) as process:
        lines = await read_until(process, lambda line: line.startswith("curl"))
        text = "".join(lines)
        first = int(environment["VOLTBUS_GATEWAY_PORT"])
        for port in (first, first + 100):
            assert f"ws://localhost:{port}/ocpp/{{station_id}}" in text
        one = f"http://localhost:{environment['VOLTBUS_REST_PORT']}"
        for below in ("", "/auth", "/transactions", "/smartcharging", "/firmware"):
            assert f"{one}{below}/docs" in text
        assert any(line.split()[:2] == ["kafka", settings.kafka_bootstrap] for line in lines)
        assert any(line.startswith("eyJ") for line in lines)
        assert " station\n" in text
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) == 9  # two gateways, four services and one more of them, the one address, and the reaper
        running = json.loads((settings.data / "running.json").read_text())
        assert running["ports"]["auth"] == int(environment["VOLTBUS_AUTH_PORT"])

        auth = next(child for child in children if child.cmdline()[-1] == "auth")
        auth.kill()
        await read_until(process, lambda line: "auth: stopped (SIGKILL), starting again" in line)
        await read_until(process, lambda line: "auth: ready" in line)

        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), GIVE_UP) == 0
        assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
        assert not (settings.data / "running.json").exists()


async def test_killed_it_leaves_nothing_either(environment: Environment, settings: LocalSettings) -> None:
    async with started(environment) as process:
        await read_until(process, lambda line: line.startswith("curl"))
        children = psutil.Process(process.pid).children(recursive=True)
        [reaper] = [child for child in children if child.cmdline()[-1].endswith("reaper.py")]
        children.remove(reaper)
        process.kill()
        await process.wait()
        with DataDir(settings.data):  # free only when all are gone; the reaper frees it by its own end
            left = [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
            assert left == []


async def test_a_second_one_says_that_the_first_runs(environment: Environment) -> None:
    async with started(environment) as first:
        await read_until(first, lambda line: line.startswith("curl"))
        async with started(environment) as second:
            lines = await all_lines(second)
            assert second.returncode == 1
    assert len(lines) == 1
    assert lines[0].startswith("voltbus: Voltbus already runs on ")


async def test_stopped_while_it_starts(environment: Environment) -> None:
    environment["VOLTBUS_KAFKA_BOOTSTRAP"] = ""  # one of our own takes some seconds
    async with started(environment) as process:
        await read_until(process, lambda line: "kafka: " in line)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        lines = await all_lines(process)
        assert process.returncode == 130
    assert lines[-1] == "stopped before it was ready\n"
    assert not [child for child in children if child.is_running()]


async def test_a_port_in_use_is_one_line(environment: Environment) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, started(environment | {"VOLTBUS_AUTH_PORT": str(port)}) as process:
        lines = await all_lines(process)
    assert lines == [f"voltbus: port {port} is in use: stop the program that uses it, or set VOLTBUS_AUTH_PORT\n"]
    assert process.returncode == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"VOLTBUS_KAFKA_BOOTSTRAP": "", "VOLTBUS_POSTGRES_DSN": "", "XDG_CACHE_HOME": "{tmp}"},
            "voltbus: cannot fetch Apache Kafka (ProxyError): check the network",
        ),
        (
            {"VOLTBUS_KAFKA_BOOTSTRAP": "127.0.0.1:9", "VOLTBUS_POSTGRES_DSN": "", "VOLTBUS_REDIS_URL": ""},
            "voltbus: Kafka at 127.0.0.1:9 does not answer (Connection refused): start it, or correct",
        ),
    ],
)
async def test_what_fails_while_others_start_is_one_line(
    environment: Environment, tmp_path: Path, changes: Environment, message: str
) -> None:
    changes = {name: value.format(tmp=tmp_path / "cache") for name, value in changes.items()}
    dead = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    async with started(environment | dead | changes) as process:
        lines = await all_lines(process)
    assert process.returncode == 1
    assert lines[-1].startswith(message)
    assert "Traceback" not in "".join(lines)


async def all_lines(process: Any) -> list[str]:
    output, _ = await asyncio.wait_for(process.communicate(), GIVE_UP)
    return [line + "\n" for line in output.decode().splitlines()]
