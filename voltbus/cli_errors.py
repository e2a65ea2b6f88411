"""Errors that a person can mend are printed as one line, without a traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from services.common.process.errors import VoltbusError
from voltbus.errors import LocalError


@contextmanager
def cli_errors() -> Iterator[None]:
    """Around a command: exit code 1 with a line on stderr for an error of ours, 130 for Ctrl-C."""
    try:
        yield
    except (LocalError, VoltbusError) as error:
        print(f"voltbus: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
