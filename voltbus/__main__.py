"""The command `voltbus`, also as `python -m voltbus`; the plain package, made for the five processes, cannot run it."""

import sys
from importlib.util import find_spec


def main() -> None:
    """Runs the command; exits 1 with one line if what it needs is not installed."""
    if find_spec("typer") is None:
        sys.exit(
            "voltbus: this command is not part of the plain package: pip install 'voltbus[operator]'"
            " (`python -m voltbus.operator.prepare` needs nothing more)"
        )
    from voltbus.cli import app

    app()


if __name__ == "__main__":
    main()
