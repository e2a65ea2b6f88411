"""`voltbus status`: what runs, what it waits for, and how much goes on."""

import socket
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from services.ocpp.services import SERVICES
from voltbus.errors import LocalError, reason
from voltbus.operator.output import print_json, table, terminal
from voltbus.operator.rest import NoAnswer, Rest, installation
from voltbus.running import running_servers, runs_here
from voltbus.settings import REST

COLUMNS = ("name", "address", "state", "reason")
READY, NOT_READY, NO_ANSWER = "ready", "not ready", "no answer"
_TIMEOUT = 5.0
# Nobody waits for the pages of more.
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Part:
    """A server or a process. reason: why it is not ready."""

    name: str
    address: str
    state: str
    reason: str = ""


def show(as_json: bool) -> bool:
    """Prints what there is; whether all of it is ready. Raises LocalError if no process answers."""
    rest = installation()
    with ThreadPoolExecutor(16) as pool:
        servers = list(pool.map(_server, running_servers(rest.settings).items()))
        processes = list(pool.map(lambda name: _process(rest, name), processes_of(rest)))
    if all(part.state == NO_ANSWER for part in processes):
        raise LocalError("nothing runs here: start it with `make run`, or set VOLTBUS_URL to where it runs")
    parts = [*servers, *processes]
    connected = _connected(rest)
    active = _count(rest, "transactions", "/v1/transactions", status="active")
    if as_json:
        shown = [asdict(part) for part in parts]
        print_json({"parts": shown, "stations_connected": connected, "sessions_active": active})
    else:
        out = terminal()
        out.print(table(COLUMNS, ((part.name, part.address, part.state, part.reason) for part in parts)))
        out.print(f"\nstations connected: {_shown(connected)}\nsessions active: {_shown(active)}", highlight=False)
    return all(part.state == READY for part in parts)


def processes_of(rest: Rest) -> Sequence[str]:
    """The processes that run here; of an installation elsewhere the services, and a gateway if its address is given."""
    if rest.named:
        return [name for name in ("gateway", *SERVICES) if name in rest.named or name in SERVICES]
    # The one address of all services is there with the stack alone.
    return [name for name in rest.settings.processes if name != REST or runs_here(rest.settings)]


def _process(rest: Rest, name: str) -> Part:
    address = rest.address(name)
    try:
        answer = rest.ask(name, "/readyz", timeout=_TIMEOUT)
    except NoAnswer as error:
        return Part(name, address, NO_ANSWER, error.why)
    said = answer.body if isinstance(answer.body, Mapping) else {}
    if said.get("status") not in (READY, NOT_READY):
        return Part(name, address, NO_ANSWER, f"what answers there is not Voltbus ({answer.status})")
    return Part(name, address, said["status"], ", ".join(f"waits for {part}" for part in said["waiting_for"]))


def _server(server: tuple[str, str]) -> Part:
    """Whether one of its addresses takes a connection."""
    name, addresses = server
    why = ""
    for address in addresses.split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), _TIMEOUT).close()
        except (OSError, ValueError) as error:
            why = reason(error)
        else:
            return Part(name, addresses, READY)
    return Part(name, addresses, NO_ANSWER, why)


def _connected(rest: Rest) -> int | None:
    """None if the service does not say."""
    try:
        count: int = rest.get("firmware", "/v1/stations/summary", online=True)["count"]
        return count
    except LocalError:
        return None


def _count(rest: Rest, service: str, path: str, **query: Any) -> int | None:
    """None if the service does not say."""
    try:
        return len(rest.items(service, path, _MOST, **query))
    except LocalError:
        return None


def _shown(count: int | None) -> str:
    return "unknown" if count is None else f"{count} or more" if count == _MOST else str(count)
