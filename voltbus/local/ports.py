"""TCP ports: whether one is free, a free one, and those stored for the embedded servers."""

import errno
import json
import random
import socket
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from voltbus.errors import LocalError, PortInUse

# Below the ephemeral ranges of Linux (from 32768) and macOS (from 49152): in there, a client that keeps connecting to a
# server that is down is sooner or later assigned the server's own port.
RANGE = range(20_000, 32_000)
# Ports this process has chosen and may not have bound yet: they must not be chosen again meanwhile.
_handed_out: deque[int] = deque(maxlen=500)
# Never seeded: processes side by side with one seed, such as tests, would choose the same ports.
_dice = random.SystemRandom()


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on `port` now. Raises OSError if it cannot for another reason."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
    return True


def free_port(taken: Iterable[int] = ()) -> int:
    """A port on which nothing listens; nothing reserves it."""
    avoid = {*taken, *_handed_out}
    for port in _dice.sample(RANGE, 200):
        if port not in avoid and is_free(port):
            _handed_out.append(port)
            return port
    raise LocalError("no free TCP port between 20000 and 32000: stop the programs that use them")


def free_ports(count: int) -> list[int]:
    """`count` different free ports."""
    ports: list[int] = []
    for _ in range(count):
        ports.append(free_port(ports))
    return ports


def stored_ports(file: Path, names: Iterable[str]) -> dict[str, int]:
    """The ports stored in `file`, by name; a missing one, or one in use, is replaced."""
    try:
        stored: dict[str, int] = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        stored = {}
    ports = dict(stored)
    for name in names:
        if name not in ports or not is_free(ports[name]):
            ports[name] = free_port(ports.values())
    if ports != stored:
        file.write_text(json.dumps(ports, indent=1) + "\n")
    return {name: ports[name] for name in names}


def require_free(port: int, host: str, variable: str) -> None:
    """Raises PortInUse or LocalError, naming the `variable` that moves the port."""
    try:
        if is_free(port, host):
            return
    except PermissionError:
        raise LocalError(f"port {port} needs root: set {variable} to a port above 1023") from None
    except OSError as error:
        raise LocalError(f"cannot listen on {host} ({error.strerror}): correct VOLTBUS_HOST") from None
    raise PortInUse(f"port {port} is in use: stop the program that uses it, or set {variable}")
