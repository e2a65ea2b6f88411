"""The commands below `voltbus dead`."""

import asyncio
from typing import Annotated

import typer

from voltbus.cli_errors import cli_errors

app = typer.Typer(help="List, show and replay what services could not handle.", no_args_is_help=True)

Ids = Annotated[list[str] | None, typer.Argument(help="ids, as `list` shows them", show_default=False)]
Services = Annotated[list[str] | None, typer.Option("--service", help="of this service; can be repeated")]
Station = Annotated[str, typer.Option(help="of this station")]
Reason = Annotated[str, typer.Option(help="with this text in the reason")]
Since = Annotated[str, typer.Option(help="put aside since: 90m, 24h, 7d, or RFC 3339")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command("list")
def list_(
    service: Services = None,
    station: Station = "",
    reason: Reason = "",
    since: Since = "",
    all: Annotated[bool, typer.Option("--all", help="include those that were sent back")] = False,
    limit: Annotated[int, typer.Option(help="number of the newest to show", min=1)] = 50,
    as_json: AsJson = False,
) -> None:
    """List dead letters, the newest last."""
    from services.common.process.clock import now
    from voltbus.operator.dead_letters import run
    from voltbus.operator.dead_letters.filter import parse

    with cli_errors():
        filter = parse(service or [], station, reason, since, [], now())
        asyncio.run(run.list_(filter, all, limit, as_json))


@app.command()
def show(
    letter: Annotated[str, typer.Argument(help="its id, as `list` shows it")],
    as_json: AsJson = False,
    raw: Annotated[bool, typer.Option(help="print only its value, unmasked")] = False,
) -> None:
    """Show one dead letter: where it is from, when, why, and its content."""
    from services.common.process.clock import now
    from voltbus.operator.dead_letters import run
    from voltbus.operator.dead_letters.filter import parse

    with cli_errors():
        asyncio.run(run.show(parse([], "", "", "", [letter], now()), as_json, raw))


@app.command()
def replay(
    letters: Ids = None,
    service: Services = None,
    station: Station = "",
    reason: Reason = "",
    since: Since = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
    dry_run: Annotated[bool, typer.Option(help="only show what would be sent back")] = False,
    again: Annotated[bool, typer.Option(help="include those that were, or may have been, sent back before")] = False,
) -> None:
    """Send dead letters back to the topics they are from: by id, or all that fit the options."""
    from services.common.process.clock import now
    from voltbus.operator.dead_letters import run
    from voltbus.operator.dead_letters.filter import parse

    with cli_errors():
        filter = parse(service or [], station, reason, since, letters or [], now())
        asyncio.run(run.replay(filter, yes or bool(letters), dry_run, again))
