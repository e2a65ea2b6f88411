"""TCP ports: which are free, which are taken, and which the embedded servers have kept."""

import errno
import json
import random
import socket
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from voltbus.errors import LocalError, PortInUse

# Below the range from which Linux (32768) and macOS (49152) take the ports of outgoing connections: there a client
# that keeps calling a server which is down would sooner or later be given the server's own port.
_RANGE = range(20_000, 32_000)
# What this process has chosen and may not use yet: it is not to be chosen for something else meanwhile.
_given: deque[int] = deque(maxlen=500)


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on `port` now. Raises OSError when it may not for another reason."""
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
    """A port nothing listens on; it stays free only until somebody else takes it."""
    avoid = {*taken, *_given}
    for port in random.sample(_RANGE, 200):
        if port not in avoid and is_free(port):
            _given.append(port)
            return port
    raise LocalError("no free TCP port between 20000 and 32000: stop what uses them")


def free_ports(count: int) -> list[int]:
    """`count` different free ports."""
    ports: list[int] = []
    for _ in range(count):
        ports.append(free_port(ports))
    return ports


def kept_ports(file: Path, names: Iterable[str]) -> dict[str, int]:
    """The ports written in `file`, by name; those that are missing or taken meanwhile are chosen anew."""
    try:
        known: dict[str, int] = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        known = {}
    kept = dict(known)
    for name in names:
        if name not in kept or not is_free(kept[name]):
            kept[name] = free_port(kept.values())
    if kept != known:
        file.write_text(json.dumps(kept, indent=1) + "\n")
    return {name: kept[name] for name in names}


def require_free(port: int, host: str, variable: str) -> None:
    """Raises PortInUse or LocalError, naming the `variable` that moves the port."""
    try:
        if is_free(port, host):
            return
    except PermissionError:
        raise LocalError(f"port {port} needs more rights than you have: set {variable} above 1023") from None
    except OSError as error:
        raise LocalError(f"cannot listen on {host} ({error.strerror}): correct VOLTBUS_HOST") from None
    raise PortInUse(f"port {port} is in use: stop what uses it, or set {variable}")
