"""A disk that is full is named as such, whatever fails of it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import GIVE_UP
from voltbus.errors import LocalError, StartFailed
from voltbus.local.data_dir import DataDir
from voltbus.local.disk import disk_problem
from voltbus.local.ports import free_port
from voltbus.local.postgres import prepare
from voltbus.local.process import ChildProcess, ProcessSpec
from voltbus.local.watch import watch

FULL = r"the disk of .*/disk/data is full \(\d+ MiB are free\): make room, or set VOLTBUS_DATA to a folder elsewhere"
MIB = 2**20


@pytest.fixture
def disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A disk of 40 MiB, or of its parameter."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={getattr(request, 'param', 40)}m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, stderr=subprocess.DEVNULL, check=False).returncode:
        pytest.skip("only root can make a small disk, and not everywhere")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, free: int) -> None:
    status = os.statvfs(disk)
    (disk / "filler").write_bytes(bytes(status.f_bavail * status.f_frsize - free))


def test_nothing_starts_on_a_full_disk(disk: Path) -> None:
    fill(disk, 5 * MIB)
    with pytest.raises(LocalError, match=f"^{FULL}$"):
        DataDir(disk / "data").__enter__()
    (disk / "filler").unlink()
    with DataDir(disk / "data"):
        pass


def test_not_one_byte_is_left(disk: Path) -> None:
    fill(disk, 0)
    with pytest.raises(
        LocalError, match=r"^(cannot write to|the disk of) .*/disk/data .*: make room, or set VOLTBUS_DATA"
    ):
        DataDir(disk / "data").__enter__()


def test_a_disk_that_fills_while_postgres_makes_its_data(disk: Path) -> None:
    """What initdb had made is gone again when it says so, and there is room again."""
    fill(disk, 33 * MIB)
    with (
        DataDir(disk / "data") as data_dir,
        pytest.raises(StartFailed, match=r"^Postgres could not create .*: the disk of .*/disk/data is full: make room"),
    ):
        prepare(data_dir, 1, "password", lambda _: None)
    assert disk_problem(disk, "nothing of the kind") is None


@pytest.mark.parametrize("disk", [120], indirect=True)
@pytest.mark.parametrize("free", [0, 4096, 65_536])
async def test_a_disk_that_fills_before_postgres_starts(disk: Path, free: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a little room it does start, and then refuses every connection."""
    monkeypatch.setattr("voltbus.local.process._SAY_AFTER", 1)
    with DataDir(disk / "data") as data_dir:
        process = ChildProcess(prepare(data_dir, free_port(), "password", lambda _: None), data_dir)
        fill(disk, free)
        try:
            with pytest.raises(StartFailed, match=rf"^postgres did not start; see .*postgres\.log: {FULL}$"):
                await process.start()
        finally:
            await process.stop()


async def test_a_disk_that_fills_while_everything_runs(disk: Path) -> None:
    told: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def probe() -> bool:
        return True

    with DataDir(disk / "data") as data_dir:
        spec = ProcessSpec("child", (sys.executable, "-I", "-S", "-c", "import time; time.sleep(99)"), probe)
        process = ChildProcess(spec, data_dir)
        await process.start()
        fill(disk, 1 * MIB)
        watcher = asyncio.create_task(watch(lambda: [process], data_dir, lambda *words: told.put_nowait(words)))
        try:
            async with asyncio.timeout(GIVE_UP):
                name, words = await told.get()
                assert name == "disk"
                assert words == disk_problem(data_dir.folder)
                process.kill()
                assert await told.get() == ("child", f"stopped ({words}), starting again")
                assert await told.get() == ("child", "ready")
                (disk / "filler").unlink()
                assert await told.get() == ("disk", "ready")
        finally:
            watcher.cancel()
            await process.stop()
