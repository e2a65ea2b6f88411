"""The command `voltbus up`."""

import asyncio

import typer

from voltbus.cli_errors import cli_errors
from voltbus.settings import read_settings

app = typer.Typer()


@app.command()
def up() -> None:
    """Start everything on this machine; Ctrl-C stops it.

    Postgres, Redis, Kafka, the gateway and the services.
    """
    from rich.console import Console

    from voltbus.local.supervisor import run

    with cli_errors():
        asyncio.run(run(read_settings(), Console()))
