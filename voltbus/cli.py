"""The commands of `voltbus`: those of each room whose extra is installed."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated

import typer

_ANY_ARGUMENTS = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@dataclass(frozen=True, slots=True)
class Room:
    """commands: the names that `module`.app defines. extra: what brings them. needs: a module of that extra alone."""

    module: str
    commands: tuple[str, ...]
    extra: str
    needs: str


ROOMS = (
    Room(
        "voltbus.operator.commands",
        ("prepare", "token", "status", "stations", "refused", "sessions", "events", "tail", "call", "dead"),
        "operator",
        "rich",
    ),
    Room("voltbus.local.commands", ("up",), "local", "jgo"),
    Room("voltbus.simulator.commands", ("station", "fleet"), "local", "httpx"),
    Room("voltbus.lab.commands", ("bench", "chaos"), "dev", "matplotlib"),
)


def build() -> typer.Typer:
    """All commands; one whose extra is not installed is hidden, and says how to install it."""
    # Markup would make every --help load rich, which takes longer than all the rest.
    app = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False, callback=_main, epilog=_missing()
    )
    for room in ROOMS:
        if find_spec(room.needs):
            app.add_typer(import_module(room.module).app)
            continue
        for name in room.commands:
            app.command(name, hidden=True, context_settings=_ANY_ARGUMENTS)(_not_installed(name, room.extra))
    return app


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"voltbus {version('voltbus')}")
        raise typer.Exit


def _main(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Run, try, measure and operate Voltbus."""


def _missing() -> str | None:
    """What is not installed, for the end of --help."""
    by_extra: dict[str, list[str]] = {}
    for room in ROOMS:
        if not find_spec(room.needs):
            by_extra.setdefault(room.extra, []).extend(room.commands)
    absent = "; ".join(f"{', '.join(names)} (voltbus[{extra}])" for extra, names in by_extra.items())
    return f"Not installed: {absent}." if absent else None


def _not_installed(name: str, extra: str) -> Callable[[], None]:
    def command() -> None:
        sys.exit(
            f"voltbus: `voltbus {name}` is not part of this installation: "
            f"pip install 'voltbus[{extra}]', or make setup in a clone"
        )

    return command


app = build()
