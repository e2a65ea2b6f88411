"""Registers the demo station's id token and plays its session."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import quote

from rich.console import Console

from voltbus.errors import LocalError
from voltbus.operator.tokens import given_or_made
from voltbus.settings import LocalSettings
from voltbus.simulator.station.charger import Charger
from voltbus.simulator.station.demo import Demo, DemoPlan, now
from voltbus.simulator.station.types import Dialect
from voltbus.simulator.station.v15 import V15
from voltbus.simulator.station.v16 import V16
from voltbus.simulator.station.v16.soap import V16Soap
from voltbus.simulator.station.v21 import V21
from voltbus.simulator.station.v201 import V201

DIALECTS: dict[str, Callable[[Charger, int], Dialect]] = {"1.6": V16, "2.0.1": V201, "2.1": V21}
OVER_SOAP: dict[str, Callable[[Charger, int], Dialect]] = {"1.5": V15, "1.6": V16Soap}
SAMPLE_SECONDS = 120


def dialect(version: str, soap: bool) -> Callable[[Charger, int], Dialect]:
    """soap: whether it is spoken over SOAP, as 1.5 always is. Raises LocalError."""
    spoken = OVER_SOAP if soap or version not in DIALECTS else DIALECTS
    if found := spoken.get(version):
        return found
    if soap:
        raise LocalError(f"OCPP {version} has no SOAP: choose --version {' or '.join(OVER_SOAP)}, or leave --soap out")
    raise LocalError(f"OCPP {version} is not simulated: choose one of {', '.join(sorted(DIALECTS | OVER_SOAP))}")


async def play(
    plan: DemoPlan, speaks: Callable[[Charger, int], Dialect], settings: LocalSettings, console: Console
) -> None:
    """Registers the id token through auth's REST API, then plays. Raises LocalError."""
    address = f"http://{settings.reachable_at}:{settings.ports['auth']}"
    await asyncio.to_thread(register_token, address, given_or_made(settings), plan.id_token)
    registered = f"registered the id token {plan.id_token} (PUT {address}/v1/tokens/{plan.id_token})"
    console.print(registered, highlight=False, soft_wrap=True)
    charger = Charger(plan.station_id, now, patience=plan.pause)
    await Demo(plan, charger, speaks(charger, SAMPLE_SECONDS), console).play()


def register_token(address: str, bearer: str, id_token: str) -> None:
    """`PUT /v1/tokens/{id_token}`: this driver may charge. Raises LocalError."""
    request = urllib.request.Request(
        f"{address}/v1/tokens/{quote(id_token, safe='')}",
        json.dumps({"type": "ISO14443", "status": "Accepted"}).encode(),
        {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"},
        method="PUT",
    )
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except urllib.error.HTTPError as refused:
        why = f"({refused.code} {refused.reason})"
        if refused.code == HTTPStatus.UNPROCESSABLE_ENTITY:
            raise LocalError(
                f"auth at {address} does not accept the id token {id_token!r} {why}: choose another with --token"
            ) from None
        raise LocalError(
            f"auth at {address} refused the bearer token {why}: is it the stack of this data folder (VOLTBUS_DATA)?"
        ) from None
    except OSError:
        raise LocalError(f"nothing answers at {address}: start it with `make run`, then try again") from None
