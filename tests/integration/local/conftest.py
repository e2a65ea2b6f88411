"""A data folder whose servers are those of the test run, and stand-ins for the services."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from voltbus.local.data_dir import DataDir
from voltbus.settings import LocalSettings

DUMMY = Path(__file__).with_name("dummy.py")


@pytest.fixture
def data_dir(tmp_path: Path) -> Any:
    with DataDir(tmp_path / "data") as data_dir:
        yield data_dir


@pytest.fixture
def settings(stack: Any, tmp_path: Path) -> LocalSettings:
    return LocalSettings(
        tmp_path / "data",
        postgres_dsn=stack.servers.postgres_dsn,
        redis_url=stack.servers.redis_url,
        kafka_bootstrap=stack.servers.kafka_bootstrap,
    )


def dummy(name: str) -> Sequence[str]:
    """How a stand-in is run; the same as `voltbus.local.stack.module` for the real ones."""
    return sys.executable, "-I", "-S", str(DUMMY), name


@pytest.fixture
def command() -> Any:
    return dummy
