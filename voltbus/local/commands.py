"""The command `voltbus up`."""

import asyncio

import typer

from voltbus.cli_errors import cli_errors
from voltbus.settings import read_settings, usage

app = typer.Typer()

# \b: not to be wrapped.
_VARIABLES = f"""\b
Settings, from the environment; VOLTBUS_X_FILE names a file that holds VOLTBUS_X (not for ports).
Those of each process are read, too (docs/settings.md).

\b
{usage()}"""


@app.command(epilog=_VARIABLES)
def up() -> None:
    """Start everything on this machine; Ctrl-C stops it.

    Postgres, Redis, Kafka, the gateway and the services.
    """
    from rich.console import Console

    from services.common.process import environment
    from voltbus.local.supervisor import run

    for sentence in environment.sentences():
        typer.echo(f"voltbus: {sentence}", err=True)
    with cli_errors():
        asyncio.run(run(read_settings(), Console()))
