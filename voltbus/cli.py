"""The commands of `voltbus`: those of each room whose extra is installed."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

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
    Room("voltbus.operator.commands", ("prepare", "token", "dead"), "operator", "rich"),
    Room("voltbus.local.commands", ("up",), "local", "jgo"),
    Room("voltbus.simulator.commands", ("station", "fleet"), "local", "httpx"),
    Room("voltbus.lab.commands", ("bench", "chaos"), "dev", "matplotlib"),
)


def build() -> typer.Typer:
    """All commands; one whose extra is not installed is hidden, and says how to install it."""
    app = typer.Typer(
        help="Run, try, measure and operate Voltbus.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    for room in ROOMS:
        if find_spec(room.needs):
            app.add_typer(import_module(room.module).app)
            continue
        for name in room.commands:
            app.command(name, hidden=True, context_settings=_ANY_ARGUMENTS)(_not_installed(name, room.extra))
    return app


def _not_installed(name: str, extra: str) -> Callable[[], None]:
    def command() -> None:
        sys.exit(
            f"voltbus: `voltbus {name}` is not part of this installation: "
            f"pip install 'voltbus[{extra}]', or make setup in a clone"
        )

    return command


app = build()
