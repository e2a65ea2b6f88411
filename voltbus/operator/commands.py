"""What an operator types: `voltbus prepare`, `token`, `status`, `stations`, `refused`, `sessions`, `events`, …"""

from typing import Annotated, Literal

import typer

from services.ocpp.refusals import RefusalReason
from voltbus.cli_errors import cli_errors
from voltbus.operator.dead_letters.commands import app as dead

app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
Limit = Annotated[int, typer.Option(help="number to show at the most", min=1)]
app.add_typer(dead, name="dead")


@app.command()
def prepare(
    check: Annotated[bool, typer.Option("--check", help="change nothing; say how topics differ")] = False,
) -> None:
    """Create topics, roles, schemas and tables on your servers.

    VOLTBUS_KAFKA_BOOTSTRAP and VOLTBUS_POSTGRES_DSN name them; what is there already is left as it is.
    """
    from voltbus.operator.prepare import main

    main(check)


@app.command()
def token(
    subject: Annotated[str, typer.Option(help="whom it names, which is kept as the author of what is done")] = "local",
    role: Annotated[
        Literal["read-only", "operator", "admin"] | None, typer.Option(help="what it may; else it has all scopes")
    ] = None,
    groups: Annotated[
        list[str] | None, typer.Option("--group", help="limited to stations of this group; can be repeated")
    ] = None,
) -> None:
    """Print a bearer token for the REST APIs.

    It is valid for 30 days, and signed with VOLTBUS_JWT_SECRET or the key of the local stack. Where VOLTBUS_JWT_ISSUER
    is an address, or VOLTBUS_JWT_JWKS_URL is set, there is none: get one from that issuer, and set VOLTBUS_TOKEN.
    """
    from services.common.process.settings import CommonSettings
    from voltbus.operator.tokens import bearer_token
    from voltbus.running import with_running
    from voltbus.settings import read_settings

    with cli_errors():
        names = CommonSettings.read()
        roles = {
            "read-only": names.jwt_read_only_roles,
            "operator": names.jwt_operator_roles,
            "admin": names.jwt_admin_roles,
        }
        limits = {names.jwt_groups_claim: groups} if groups else {}
        print(bearer_token(with_running(read_settings()), subject, roles[role][0] if role else None, limits))


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show what runs, what it waits for, and how much goes on.

    Exits with 1 unless all of it is ready. Like the commands below it asks the stack of `make run`, or the services
    below VOLTBUS_URL (https://csms.example) with the bearer token VOLTBUS_TOKEN.
    """
    from voltbus.operator.status import show

    with cli_errors():
        if not show(as_json):
            raise typer.Exit(1)


@app.command()
def stations(
    online: Annotated[bool | None, typer.Option("--online/--offline", help="whether they are connected")] = None,
    version: Annotated[str | None, typer.Option(help="of OCPP")] = None,
    vendor: Annotated[str | None, typer.Option(help="as the station says it")] = None,
    model: Annotated[str | None, typer.Option(help="as the station says it")] = None,
    boot: Annotated[
        Literal["Accepted", "Pending", "Rejected"] | None, typer.Option(help="the verdict on their last boot")
    ] = None,
    registered: Annotated[bool | None, typer.Option(help="whether they are registered")] = None,
    quarantined: Annotated[bool | None, typer.Option(help="whether they are let in only to be seen")] = None,
    group: Annotated[str | None, typer.Option(help="of this group")] = None,
    location: Annotated[str | None, typer.Option(help="at the location of this id")] = None,
    certificate_ends_within: Annotated[
        int | None, typer.Option(min=0, max=3650, help="days: whose certificate ends until then, or has ended")
    ] = None,
    charging: Annotated[bool | None, typer.Option("--charging/--free", help="whether a session runs there")] = None,
    search: Annotated[str | None, typer.Option(help="a part of its id, serial number, model or location")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List stations, by id."""
    from voltbus.operator import lists

    what = {"version": version, "vendor": vendor, "model": model, "group": group, "location_id": location, "q": search}
    states = {"online": online, "registered": registered, "quarantined": quarantined, "in_session": charging}
    with cli_errors():
        lists.stations(limit, as_json, status=boot, certificate_ends_within=certificate_ends_within, **what, **states)


@app.command()
def refused(
    reason: Annotated[RefusalReason | None, typer.Option(help="of the last time")] = None,
    address: Annotated[str | None, typer.Option(help="from which they knocked the last time")] = None,
    since: Annotated[str, typer.Option(help="that knocked since: 90m, 24h, 7d, or RFC 3339")] = "",
    search: Annotated[str | None, typer.Option(help="a part of the id")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List ids that knocked in vain: from where, when and why."""
    from services.common.process.clock import now
    from voltbus.operator import lists
    from voltbus.operator.times import parse_time

    with cli_errors():
        knocked = parse_time(since, now()).isoformat() if since else None
        lists.refused(limit, as_json, reason=reason, remote_address=address, since=knocked, q=search)


@app.command()
def sessions(
    station: Annotated[str | None, typer.Option(help="of this station")] = None,
    group: Annotated[str | None, typer.Option(help="of the stations of this group")] = None,
    location: Annotated[str | None, typer.Option(help="at the location of this id")] = None,
    active: Annotated[bool | None, typer.Option("--active/--ended", help="whether they go on")] = None,
    token: Annotated[str | None, typer.Option(help="of this id token")] = None,
    since: Annotated[str, typer.Option(help="whose start was received since: 90m, 24h, 7d, or RFC 3339")] = "",
    review: Annotated[
        Literal["none", "held", "released", "void"] | None, typer.Option(help="whether they are held")
    ] = None,
    doubt: Annotated[str | None, typer.Option(help="with this reason for doubt")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List charging sessions, the newest first."""
    from services.common.process.clock import now
    from voltbus.operator import lists
    from voltbus.operator.times import parse_time

    state = None if active is None else "active" if active else "ended"
    with cli_errors():
        received = parse_time(since, now()).isoformat() if since else None
        where = {"station_id": station, "group": group, "location_id": location}
        filters = {"status": state, "id_token": token, "review": review, "doubt": doubt}
        lists.sessions(limit, as_json, received_after=received, **where, **filters)


@app.command()
def events(
    service: Annotated[list[str] | None, typer.Option(help="of this service; can be repeated")] = None,
    station: Annotated[str, typer.Option(help="of this station")] = "",
    type: Annotated[list[str] | None, typer.Option(help="such as TransactionStarted; can be repeated")] = None,
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="also all that Kafka still has")] = False,
    count: Annotated[int, typer.Option(help="number after which to end; 0: Ctrl-C ends", min=0)] = 0,
    unmasked: Annotated[bool, typer.Option("--unmasked", help="show id tokens in full")] = False,
    as_json: AsJson = False,
) -> None:
    """Print events as they happen.

    One a line; those of one station are in order. With --json each is an object with the attributes of CloudEvents and
    its data. They are read from the Kafka of the stack that runs here, or of VOLTBUS_KAFKA_BOOTSTRAP.
    """
    import asyncio

    from voltbus.operator.events import parse_filter, tail

    with cli_errors():
        chosen = parse_filter(service or [], station, type or [])
        asyncio.run(tail(chosen, from_beginning, count, as_json, mask=not unmasked))


@app.command()
def tail(
    station: Annotated[str, typer.Argument(help="id of the station")],
    before: Annotated[int, typer.Option("--lines", "-n", help="number of the last ones to begin with", min=0)] = 20,
    since: Annotated[str, typer.Option(help="begin here instead: 90m, 24h, 7d, or RFC 3339")] = "",
    action: Annotated[str | None, typer.Option(help="of OCPP, such as MeterValues")] = None,
    direction: Annotated[Literal["in", "out"] | None, typer.Option(help="begun by the station, or by the CSMS")] = None,
    errors: Annotated[bool, typer.Option("--errors", help="only what was refused, failed, or had no answer")] = False,
    text: Annotated[str | None, typer.Option(help="anywhere in a frame")] = None,
    transaction: Annotated[str | None, typer.Option(help="the transaction's id in the frames")] = None,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="go on until Ctrl-C")] = True,
    as_json: AsJson = False,
) -> None:
    """Print a station's frames, each with its answer.

    First those that are kept, then what comes. Id tokens and passwords are masked. Whose frames are kept is set by
    VOLTBUS_FRAME_LOG.
    """
    from services.common.process.clock import now
    from voltbus.operator.tail import run
    from voltbus.operator.times import parse_time

    filters = {"action": action, "direction": direction, "errors": errors or None, "text": text}
    with cli_errors():
        begin = parse_time(since, now()).isoformat() if since else None
        run(station, before, begin, follow, as_json, transaction_id=transaction, **filters)


@app.command()
def call(
    station: Annotated[str, typer.Argument(help="id of the station")],
    action: Annotated[str, typer.Argument(help="of OCPP, such as Reset; or reset, unlock … of no version")],
    payload: Annotated[str, typer.Argument(help="JSON object, as docs/commands.md has it")] = "{}",
    wait: Annotated[float, typer.Option(help="seconds for which it waits for the station", min=1, max=3600)] = 30,
    as_json: AsJson = False,
) -> None:
    """Send a command to a station and print its answer.

    Exits with 0 if the station answered, whatever it says; 3 if it refused, or its answer cannot be used; 4 if the
    command was not sent; 5 if there was no answer: it may have acted.
    """
    from voltbus.operator.call import run

    with cli_errors():
        raise typer.Exit(run(station, action, payload, wait, as_json))
