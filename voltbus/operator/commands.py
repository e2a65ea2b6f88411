"""The commands of an operator: `voltbus prepare`, `token`, `dead`."""

import typer

from voltbus.cli_errors import cli_errors
from voltbus.operator.dead_letters.commands import app as dead

app = typer.Typer()
app.add_typer(dead, name="dead")


@app.command()
def prepare() -> None:
    """Create topics, roles, schemas and tables on your servers.

    VOLTBUS_KAFKA_BOOTSTRAP and VOLTBUS_POSTGRES_DSN name them; what is there already is left as it is.
    """
    from voltbus.operator.prepare import main

    main()


@app.command()
def token() -> None:
    """Print a bearer token for the REST APIs.

    It has all scopes, is valid for 30 days, and is signed with VOLTBUS_JWT_SECRET or the key of the local stack.
    """
    from voltbus.operator.tokens import bearer_token
    from voltbus.running import with_running
    from voltbus.settings import read_settings

    with cli_errors():
        print(bearer_token(with_running(read_settings())))
