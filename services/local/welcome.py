"""What `voltbus up` says when everything is ready."""

import sys
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from services.local.errors import LocalError
from services.local.settings import LocalSettings
from services.local.station import DEFAULT_ID
from services.local.tokens import bearer_token

_REST = {
    "auth": "stations, tokens: who may charge",
    "transactions": "transactions, samples, remote start and stop",
    "smartcharging": "limits and charging profiles",
    "firmware": "inventory, firmware, diagnostics",
    "gateway": "connections",
}


def welcome(settings: LocalSettings) -> RenderableType:
    """Where chargers and people connect, a token, and what to try."""
    name = "localhost" if settings.host in ("127.0.0.1", "localhost") else settings.host
    program = _program()
    table = Table.grid(padding=(0, 2))
    table.add_row(Text("chargers", "bold"), f"ws://{name}:{settings.ports['gateway']}/ocpp/{{station_id}}")
    for service, what in _REST.items():
        port = settings.ports["gateway_http" if service == "gateway" else service]
        table.add_row(Text(service, "bold"), f"http://{name}:{port}/docs", Text(what, "dim"))
    return Group(
        Text("\nVoltbus is running. Ctrl-C stops it; the logs are in " + str(settings.data / "logs"), "green"),
        Text(),
        table,
        Text(f"\nBearer token for the REST APIs, valid 30 days (again: {program} token):", "bold"),
        Text(_token(settings), overflow="fold"),
        Text("\nTry one charger, then look at the session it made:", "bold"),
        Text(f"{program} station"),
        Text(transactions_curl(settings, DEFAULT_ID), overflow="ignore", no_wrap=True),
        Text(),
    )


def transactions_curl(settings: LocalSettings, station_id: str) -> str:
    """A command that shows the transactions of a station."""
    address = f"localhost:{settings.ports['transactions']}/v1/transactions?station_id={station_id}"
    return f'curl -H "Authorization: Bearer $({_program()} token)" "{address}"'


def _program() -> str:
    path = Path(sys.argv[0]).absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _token(settings: LocalSettings) -> str:
    try:
        return bearer_token(settings)
    except LocalError as error:
        return str(error)
