"""The processes of Voltbus (stand-ins here) on running servers."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import psutil
import pytest

from voltbus.errors import ServerUnreachable, StartFailed
from voltbus.local.ports import free_port
from voltbus.local.probes import http_ready
from voltbus.local.process import ChildProcess, ProcessSpec
from voltbus.local.servers import Servers
from voltbus.local.stack import Stack
from voltbus.settings import LocalSettings


async def test_two_gateways_and_a_service_each_by_name(settings: LocalSettings, command: Any) -> None:
    async with Servers(settings=settings) as servers:
        names = ("gateway", "gateway-1", "transactions")
        async with Stack(servers, names, env={"VOLTBUS_TOPIC_PREFIX": "t."}, command=command) as voltbus:
            assert len({process.pid for process in voltbus.processes()}) == 3
            assert len(set(voltbus.ports.values())) == len(voltbus.ports) == 11
            environment = psutil.Process(voltbus["gateway-1"].pid).environ()
            assert environment["VOLTBUS_INSTANCE"] == "1"
            assert environment["VOLTBUS_TOPIC_PREFIX"] == "t."
            assert environment["VOLTBUS_POSTGRES_DSN"] == settings.postgres_dsn
            assert voltbus.station_url("CP", "gateway-1").endswith(f":{environment['VOLTBUS_GATEWAY_PORT']}/ocpp/CP")
            assert voltbus.rest("gateway-1").endswith(":" + environment["VOLTBUS_GATEWAY_HTTP_PORT"])

            killed = voltbus["transactions"].pid
            voltbus["transactions"].kill()
            await voltbus["transactions"].ready()
            assert voltbus["transactions"].pid != killed
            assert await http_ready(voltbus.ports["transactions"])
            pids = [process.pid for process in voltbus.processes()]
        assert not any(psutil.pid_exists(pid) for pid in pids)


async def test_gateways_start_when_auth_is_ready(settings: LocalSettings, command: Any) -> None:
    """After an upgrade auth publishes the passwords that gateways check."""
    told: list[tuple[str, str]] = []
    async with Servers(settings=settings) as servers:
        names = ("gateway", "auth", "transactions")
        async with Stack(servers, names, command=command, report=lambda *one: told.append(one)):
            assert told.index(("auth", "ready")) < told.index(("gateway", "starting"))


async def test_a_failed_preparation_is_told_and_nothing_is_left(settings: LocalSettings) -> None:
    def failing(_: str) -> Sequence[str]:
        return sys.executable, "-I", "-S", "-c", "import sys; sys.exit('voltbus: the schema is newer than the code')"

    async with Servers(settings=settings) as servers:
        with pytest.raises(StartFailed, match=r"^the preparation failed \(1\); see .*: the schema is newer than"):
            await Stack(servers, ("auth",), command=failing).start()


async def test_a_service_that_cannot_start_is_told_and_nothing_is_left(settings: LocalSettings, command: Any) -> None:
    def one_fails(name: str) -> Sequence[str]:
        return command(name) if name != "firmware" else (sys.executable, "-c", "raise SystemExit('voltbus: no disk')")

    async with Servers(settings=settings) as servers:
        stack = Stack(servers, ("auth", "firmware"), command=one_fails)
        stack["firmware"].spec = quick(stack["firmware"].spec)
        with pytest.raises(StartFailed, match=r"firmware did not start; see .*: no disk"):
            await stack.start()
        assert not stack["auth"].alive


async def test_a_server_that_is_away_is_the_cause_and_not_who_waits_for_it(settings: LocalSettings) -> None:
    waits = (sys.executable, "-I", "-S", "-c", "import time; print('an unrelated error', flush=True); time.sleep(99)")
    async with Servers(settings=settings) as servers:
        servers.settings = replace(settings, kafka_bootstrap=f"127.0.0.1:{free_port()}")
        stack = Stack(servers, ("auth",), command=lambda _: waits, prepare=False)
        stack["auth"].spec = quick(stack["auth"].spec)
        with pytest.raises(ServerUnreachable, match=r"^Kafka at 127.0.0.1:\d+ does not answer \(Connection refused"):
            await stack.start()


async def test_a_server_of_ours_that_died_is_the_cause(settings: LocalSettings) -> None:
    waits = (sys.executable, "-I", "-S", "-c", "import time; time.sleep(99)")
    async with Servers(settings=settings) as servers:
        server = ChildProcess(
            ProcessSpec("redis", (sys.executable, "-c", "raise SystemExit('no memory')"), never_ready), servers.data_dir
        )
        server.spawn()
        await server.finished(60)
        servers.processes["redis"] = server
        stack = Stack(servers, ("auth",), command=lambda _: waits, prepare=False, supervise=False)
        stack["auth"].spec = quick(stack["auth"].spec)
        with pytest.raises(StartFailed, match=r"^redis has failed; see .*redis\.log: no memory$"):
            await stack.start()


async def never_ready() -> bool:
    return False


def quick(spec: Any) -> Any:
    return replace(spec, start_timeout=0.5)
