"""Which ports are taken, and what is said when one is in use."""

import socket
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from voltbus.errors import LocalError, PortInUse
from voltbus.local import ports
from voltbus.local.ports import free_port, free_ports, is_free, require_free, stored_ports


@pytest.fixture
def busy() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_free_ports_differ_and_lie_below_those_of_outgoing_connections() -> None:
    given = free_ports(20)
    assert len(set(given)) == 20
    assert all(20_000 <= port < 32_000 and is_free(port) for port in given)


def test_a_chosen_port_is_not_chosen_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has it may not listen yet, for others have to be started first."""
    candidates = free_ports(2)
    monkeypatch.setattr(ports, "_handed_out", deque(maxlen=500))
    monkeypatch.setattr(ports._dice, "sample", lambda *_: candidates)
    assert [free_port(), free_port()] == candidates


def test_a_busy_port_is_named_with_its_variable(busy: int) -> None:
    message = f"^port {busy} is in use: stop the program that uses it, or set VOLTBUS_GATEWAY_PORT$"
    with pytest.raises(PortInUse, match=message):
        require_free(busy, "127.0.0.1", "VOLTBUS_GATEWAY_PORT")


def test_a_port_of_any_address_is_busy_when_one_address_uses_it(busy: int) -> None:
    with pytest.raises(PortInUse):
        require_free(busy, "0.0.0.0", "VOLTBUS_GATEWAY_PORT")


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_that_is_not_here_is_the_fault_of_the_host(host: str) -> None:
    with pytest.raises(LocalError, match=r"^cannot listen on .*: correct VOLTBUS_HOST$"):
        require_free(free_ports(1)[0], host, "VOLTBUS_GATEWAY_PORT")


def test_a_port_that_needs_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(LocalError, match=r"^port 80 needs root: set VOLTBUS_GATEWAY_PORT to a port above 1023$"):
        require_free(80, "127.0.0.1", "VOLTBUS_GATEWAY_PORT")


def test_ports_are_kept_until_somebody_takes_one(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = stored_ports(file, ["a", "b"])
    assert stored_ports(file, ["a", "b"]) == first
    with socket.create_server(("127.0.0.1", first["a"])):
        second = stored_ports(file, ["a", "b"])
    assert second["a"] != first["a"]
    assert second["b"] == first["b"]


def test_a_damaged_file_is_written_anew(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text("{")
    ports = stored_ports(tmp_path / "ports.json", ["a"])
    assert stored_ports(tmp_path / "ports.json", ["a"]) == ports
