"""The commands below `voltbus dead`."""

import asyncio
from typing import Annotated

import typer

from services.common.process.clock import now
from voltbus.cli_errors import cli_errors
from voltbus.operator.dead_letters.filter import chosen

app = typer.Typer(help="What services could not handle: see it, and send it back.", no_args_is_help=True)

Ids = Annotated[list[str] | None, typer.Argument(help="as `list` shows them", show_default=False)]
Services = Annotated[list[str] | None, typer.Option("--service", help="of this service; may be given several times")]
Station = Annotated[str, typer.Option(help="of this station")]
Reason = Annotated[str, typer.Option(help="whose reason has these words in it")]
Since = Annotated[str, typer.Option(help="put aside since: 90m, 24h, 7d, or RFC 3339")]
AsJson = Annotated[bool, typer.Option("--json", help="for programs")]


@app.command("list")
def list_(
    service: Services = None,
    station: Station = "",
    reason: Reason = "",
    since: Since = "",
    all: Annotated[bool, typer.Option("--all", help="also those that were sent back")] = False,
    limit: Annotated[int, typer.Option(help="the newest so many", min=1)] = 50,
    as_json: AsJson = False,
) -> None:
    """What waits, the newest last."""
    from voltbus.operator.dead_letters import run

    with cli_errors():
        choice = chosen(service or [], station, reason, since, [], now())
        asyncio.run(run.list_(choice, all, limit, as_json))


@app.command()
def show(
    letter: Annotated[str, typer.Argument(help="its id, as `list` shows it")],
    as_json: AsJson = False,
    raw: Annotated[bool, typer.Option(help="only its value, byte by byte, with nothing masked")] = False,
) -> None:
    """All about one letter: where it is from, when, why, and what is in it."""
    from voltbus.operator.dead_letters import run

    with cli_errors():
        asyncio.run(run.show(chosen([], "", "", "", [letter], now()), as_json, raw))


@app.command()
def replay(
    letters: Ids = None,
    service: Services = None,
    station: Station = "",
    reason: Reason = "",
    since: Since = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
    dry_run: Annotated[bool, typer.Option(help="only show what would be sent back")] = False,
    again: Annotated[bool, typer.Option(help="also what was sent back before, or perhaps was")] = False,
) -> None:
    """Send letters back to the topics that they are from: some by their ids, or all that fit."""
    from voltbus.operator.dead_letters import run

    with cli_errors():
        choice = chosen(service or [], station, reason, since, letters or [], now())
        asyncio.run(run.replay(choice, yes or bool(letters), dry_run, again))
