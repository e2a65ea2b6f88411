"""Which processes are measured, and how those of a running system are found."""

import os
import socket
from pathlib import Path

import pytest

from voltbus.errors import LocalError
from voltbus.lab.bench.running_stage import listening, running_stage
from voltbus.lab.bench.stage import BenchStage
from voltbus.local.ports import free_port
from voltbus.settings import LocalSettings, read_settings


def test_the_service_that_is_looked_at_has_a_group_of_its_own() -> None:
    pids = {"gateway": 2, "auth": 3, "transactions": 4, "firmware": 5, "kafka": 6}
    stage = BenchStage("ws://x", {}, "bearer", pids)
    ours = {os.getpid(): "load", 7: "load"}
    expected = {2: "gateway", 3: "others", 4: "service", 5: "others", 6: "kafka"}
    assert stage.roots("transactions", [7]) == ours | expected
    assert stage.roots("firmware", [7]) == ours | expected | {4: "others", 5: "service"}


def test_finds_who_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ports = {"gateway": server.getsockname()[1], "auth": free_port()}
        assert listening(ports) == {"gateway": os.getpid()}


def test_a_system_that_does_not_run(tmp_path: Path) -> None:
    settings = LocalSettings(tmp_path, ports=dict(read_settings({}).ports) | {"gateway": free_port()})
    with pytest.raises(LocalError, match="no gateway listens on port"):
        running_stage(settings)
