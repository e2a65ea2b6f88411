"""Started by root, Postgres runs as a user of its own without any right of root's, wherever the folders lie."""

import os
import pwd
import shutil
import stat
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from voltbus.errors import LocalError
from voltbus.local import program_copy
from voltbus.local.data_dir import DataDir
from voltbus.local.launch import HANDED
from voltbus.local.ports import free_port
from voltbus.local.postgres import dsn, prepare
from voltbus.local.process import ChildProcess
from voltbus.local.users import Account, hand_over

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
ACCOUNT = Account(60_900, 60_900)
PASSWORD = "a password"


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A folder of root's that nobody else may enter."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    return folder


def shell(data_dir: DataDir, command: str, handed: Path | None = None) -> str | None:
    """Runs this as the account; None if it succeeded, otherwise what it said."""
    return data_dir.run(["/bin/sh", "-c", command], ACCOUNT, handed)


def test_it_has_no_right_of_roots(data_dir: DataDir, closed: Path) -> None:
    (closed / "file").write_text("a secret")
    assert "Permission denied" in (shell(data_dir, f"cat {closed}/file") or "")
    assert shell(data_dir, "grep -q '^CapEff:.0*$' /proc/self/status") is None
    assert shell(data_dir, "grep -q '^CapAmb:.0*$' /proc/self/status") is None
    assert shell(data_dir, 'test "$(id -u) $(id -G)" = "60900 60900"') is None


def test_it_enters_the_folder_that_it_is_handed_and_no_other(data_dir: DataDir, closed: Path) -> None:
    own = closed / "own"
    own.mkdir(mode=0o700)
    hand_over(own, ACCOUNT)
    assert shell(data_dir, f"echo kept > {HANDED}/file && cat {HANDED}/file", own) is None
    assert (own / "file").read_text() == "kept\n"
    assert "Permission denied" in (shell(data_dir, f"ls {closed}", own) or "")
    assert "Permission denied" in (shell(data_dir, f"ls {HANDED}/..", own) or "")


def test_a_link_in_what_it_is_given_changes_nothing_elsewhere(closed: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("")
    given = closed / "given" / "deep"
    given.mkdir(parents=True)
    (given / "file").symlink_to(elsewhere / "file")
    (given / "folder").symlink_to(elsewhere)
    hand_over(closed / "given", ACCOUNT)
    assert given.lstat().st_uid == (given / "file").lstat().st_uid == ACCOUNT.uid
    assert elsewhere.stat().st_uid == (elsewhere / "file").stat().st_uid == 0


@asynccontextmanager
async def postgres(data_dir: DataDir, told: list[str]) -> Any:
    port = free_port()
    process = ChildProcess(prepare(data_dir, port, PASSWORD, told.append), data_dir)
    await process.start()
    try:
        connection = await asyncpg.connect(dsn(port, PASSWORD))
        yield process, connection
        await connection.close()
    finally:
        await process.stop()


async def test_postgres_runs_in_a_closed_folder_as_a_user_without_name(closed: Path) -> None:
    told: list[str] = []
    with DataDir(closed / "data") as data_dir:
        async with postgres(data_dir, told) as (process, connection):
            await connection.execute("create table kept as select 1 as number")
            status = psutil.Process(process.pid)
            (uid,) = set(status.uids())
            with pytest.raises(KeyError):
                pwd.getpwuid(uid)
            data = data_dir.folder / "postgres" / "data"
            assert (data.stat().st_uid, stat.S_IMODE(data.stat().st_mode)) == (uid, 0o700)
            assert data.parent.stat().st_uid == 0
        async with postgres(data_dir, told) as (process, connection):
            assert await connection.fetchval("select number from kept") == 1
            assert set(psutil.Process(process.pid).uids()) == {uid}
    assert told == ["creating its data folder"]


async def test_the_data_of_an_earlier_version_is_found_again(closed: Path) -> None:
    """It belonged to nobody, as did the folder around it."""
    told: list[str] = []
    with DataDir(closed / "data") as data_dir:
        async with postgres(data_dir, told) as (_, connection):
            await connection.execute("create table kept as select 1 as number")
        folder = data_dir.folder / "postgres"
        hand_over(folder, Account(65_534, 65_534))
        async with postgres(data_dir, told) as (process, connection):
            assert await connection.fetchval("select number from kept") == 1
            (uid,) = set(psutil.Process(process.pid).uids())
    assert uid != 65_534
    assert folder.stat().st_uid == 0
    assert {path.stat().st_uid for path in (folder / "data").rglob("*")} == {uid}
    assert told[1:] == [f"giving its data to a user of its own ({uid})"]


@pytest.fixture
def program(closed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program with a library in an installed package, in a closed folder."""
    files = {
        "tiny/server/bin/run": "#!/bin/sh\ncat ${0%/*}/../../../tiny.libs/version\n",
        "tiny/other/file": "not needed",
        "tiny.libs/version": "tiny 1",
    }
    for name, text in files.items():
        (closed / name).parent.mkdir(parents=True, exist_ok=True)
        (closed / name).write_text(text)
    program = closed / "tiny/server/bin/run"
    program.chmod(0o700)
    (closed / "tiny-1.dist-info").mkdir()
    (closed / "tiny-1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: tiny\nVersion: 1\n")
    record = "".join(f"{name},,{len(text)}\n" for name, text in files.items())
    (closed / "tiny-1.dist-info/RECORD").write_text(record)
    monkeypatch.syspath_prepend(str(closed))
    return program


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter, unlike those of pytest."""
    folder = Path("/var/tmp") / f"voltbus-test-{os.getpid()}"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_what_is_installed_in_a_closed_folder_is_copied(
    data_dir: DataDir, program: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program_copy, "PLACES", (open_folder / "place",))
    umask = os.umask(0o077)
    try:
        copy = program_copy.runnable(program, "tiny", ACCOUNT, data_dir)
    finally:
        os.umask(umask)
    assert copy == open_folder / "place/tiny-1/tiny/server/bin/run"
    assert {path.stat().st_uid for path in (open_folder / "place").rglob("*")} == {0}
    assert "denied" in (shell(data_dir, f"touch {copy}") or "")
    assert not (open_folder / "place/tiny-1/tiny/other").exists()

    library = open_folder / "place/tiny-1/tiny.libs/version"
    library.unlink()
    assert program_copy.runnable(program, "tiny", ACCOUNT, data_dir) == copy
    assert library.read_text() == "tiny 1"
    made = library.stat().st_ino
    assert program_copy.runnable(program, "tiny", ACCOUNT, data_dir) == copy
    assert library.stat().st_ino == made


def test_a_program_that_it_may_run_where_it_is_is_not_copied(data_dir: DataDir, open_folder: Path) -> None:
    program = open_folder / "run"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert program_copy.runnable(program, "tiny", ACCOUNT, data_dir) == program


def test_a_place_that_others_can_write_in_is_passed_over(
    data_dir: DataDir, program: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, writable, linked, own = (open_folder / name for name in ("theirs", "writable", "linked", "own"))
    theirs.mkdir()
    os.chown(theirs, ACCOUNT.uid, ACCOUNT.gid)
    writable.mkdir()
    writable.chmod(0o777)
    linked.symlink_to(writable)
    monkeypatch.setattr(program_copy, "PLACES", (theirs, writable, linked, own))
    assert program_copy.runnable(program, "tiny", ACCOUNT, data_dir).is_relative_to(own)
    assert list(theirs.iterdir()) == list(writable.iterdir()) == []


def test_nowhere_to_run_it_is_one_sentence(
    data_dir: DataDir, program: Path, closed: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (open_folder / "file").write_text("")
    monkeypatch.setattr(program_copy, "PLACES", (closed / "place", open_folder / "file" / "place"))
    with pytest.raises(LocalError) as caught:
        program_copy.runnable(program, "tiny", ACCOUNT, data_dir)
    sentence = str(caught.value)
    assert sentence.startswith("Postgres refuses root, and the user 60900 can run neither it nor a copy (")
    assert f"cannot run {program}: Permission denied" in sentence
    assert f"{open_folder / 'file' / 'place'}: Not a directory" in sentence
    assert sentence.endswith("run as another user, or set VOLTBUS_POSTGRES_DSN to a Postgres of your own")
