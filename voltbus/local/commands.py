"""The command `voltbus up`."""

import asyncio

import typer

from voltbus.cli_errors import cli_errors
from voltbus.settings import read_settings

app = typer.Typer()


@app.command()
def up() -> None:
    """Start Postgres, Redis, Kafka, the gateway and the services; Ctrl-C stops them."""
    from rich.console import Console

    from voltbus.local.supervisor import run

    with cli_errors():
        asyncio.run(run(read_settings(), Console()))
