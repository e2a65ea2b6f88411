"""The commands `voltbus station` and `voltbus fleet`."""

import asyncio
from typing import Annotated

import typer

from voltbus.cli_errors import cli_errors
from voltbus.settings import DEFAULT_STATION, DEFAULT_TOKEN, read_settings

app = typer.Typer()


@app.command()
def station(
    version: Annotated[str, typer.Option(help="OCPP version: 1.5, 1.6, 2.0.1 or 2.1")] = "2.0.1",
    id: Annotated[str, typer.Option(help="id of the charging station")] = DEFAULT_STATION,
    token: Annotated[str, typer.Option(help="id token of the driver")] = DEFAULT_TOKEN,
    url: Annotated[str, typer.Option(help="address of the gateway, without the station's id")] = "",
    password: Annotated[
        str, typer.Option(help="password of a registered station", envvar="VOLTBUS_STATION_PASSWORD")
    ] = "",
    security_profile: Annotated[
        int,
        typer.Option(help="1; 2: by TLS; 3: with a certificate of this machine's authority", min=1, max=3),
    ] = 1,
    soap: Annotated[bool, typer.Option(help="speak 1.6 over SOAP, as 1.5 always is")] = False,
    fast: Annotated[bool, typer.Option(help="do not pause between meter readings")] = False,
    stay: Annotated[bool, typer.Option(help="stay connected afterwards and answer commands")] = False,
) -> None:
    """Play one charging station through a session."""
    from rich.console import Console

    from voltbus.local.banner import transactions_curl
    from voltbus.running import with_running
    from voltbus.simulator.station.demo import DemoPlan
    from voltbus.simulator.station.play import dialect, play
    from voltbus.simulator.station.security import gateway_url, secured, soap_url

    with cli_errors():
        settings = with_running(read_settings())
        speaks = dialect(version, soap)
        over_soap = soap or version == "1.5"
        gateway = url or (soap_url if over_soap else gateway_url)(settings, security_profile)
        tls = secured(settings, id, security_profile)
        plan = DemoPlan(gateway, id, token, password or None, pause=0.02 if fast else 1.0, stay=stay, tls=tls)
        asyncio.run(play(plan, speaks, settings, Console()))
        print(f"\nThe transaction it made:\n{transactions_curl(settings, id)}")


@app.command()
def fleet(
    stations: Annotated[int, typer.Argument(help="number of stations")] = 20,
    mix: Annotated[float, typer.Option(help="share of stations that speak 2.0.1")] = 0.5,
    newest: Annotated[
        float | None,
        typer.Option(help="share of stations that speak 2.1; the others speak 1.6 [default: 0.2, or what is left]"),
    ] = None,
    soap: Annotated[float, typer.Option(help="share of stations that speak 1.5 or 1.6 over SOAP")] = 0,
    speed: Annotated[
        float, typer.Option(help="how many times as fast days pass: more drivers, smaller batteries")
    ] = 60,
    seed: Annotated[int, typer.Option(help="the same seed makes the same fleet and the same day")] = 1,
    sloppy: Annotated[float, typer.Option(help="share of stations that are sloppy, as many in the field are")] = 0,
    duration: Annotated[float, typer.Option(help="seconds to run; 0: until Ctrl-C")] = 0,
    quiet: Annotated[bool, typer.Option(help="print only totals, from time to time")] = False,
) -> None:
    """Run many charging stations, and watch them.

    They live through days of drivers, faults and lost connections.
    """
    import uvloop
    from rich.console import Console

    from voltbus.running import with_running
    from voltbus.simulator.fleet.fleet import FleetPlan, default_newest
    from voltbus.simulator.fleet.play import FleetOptions, play

    with cli_errors():
        newest = default_newest(mix, soap) if newest is None else newest
        plan = FleetPlan(stations, mix, speed, seed, sloppy, newest=newest, soap=soap)
        show = FleetOptions(duration, quiet)
        uvloop.run(play(plan, show, with_running(read_settings()), Console()))
