"""The commands of an operator: `voltbus prepare`, `token`, `dead`."""

import typer

from voltbus.cli_errors import cli_errors
from voltbus.operator.dead_letters.commands import app as dead

app = typer.Typer()
app.add_typer(dead, name="dead")


@app.command()
def prepare() -> None:
    """Create topics, roles, schemas and tables on the servers that VOLTBUS_* variables name."""
    from voltbus.operator.prepare import main

    main()


@app.command()
def token() -> None:
    """Print a bearer token for the REST APIs: all scopes, valid for 30 days, signed with VOLTBUS_JWT_SECRET."""
    from voltbus.operator.tokens import bearer_token
    from voltbus.running import with_running
    from voltbus.settings import read_settings

    with cli_errors():
        print(bearer_token(with_running(read_settings())))
