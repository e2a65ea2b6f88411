"""`voltbus call`: a command for one station, from its request to what became of it."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from difflib import get_close_matches
from functools import partial
from typing import Any
from uuid import uuid4

from rich.json import JSON
from rich.table import Table
from rich.text import Text

from services.ocpp.commands import owners
from services.ocpp.services import AUTH, FIRMWARE, TRANSACTIONS
from voltbus.errors import LocalError
from voltbus.operator.output import print_json, terminal
from voltbus.operator.rest import NoAnswer, NotNow, Rest, installation, segment

# What has the same name for every version, and the service that has it.
VERBS = {
    "reset": FIRMWARE,
    "unlock": FIRMWARE,
    "availability": FIRMWARE,
    "trigger": FIRMWARE,
    "clear-cache": AUTH,
    "install-root": AUTH,
    "start": TRANSACTIONS,
    "stop": TRANSACTIONS,
}
# What the command exits with, by the outcome; 1 is for errors, 2 for a wrong command line.
REFUSED, NOT_SENT, MAY_HAVE_ACTED = 3, 4, 5
EXIT_CODES = {
    "answered": 0,
    "late": 0,
    "refused": REFUSED,
    "invalid": REFUSED,
    "unrenderable": NOT_SENT,
    "expired": NOT_SENT,
    "undelivered": NOT_SENT,
    "cancelled": NOT_SENT,
    "timed_out": MAY_HAVE_ACTED,
    "partial": MAY_HAVE_ACTED,
}
FINAL = "ended_at"
# Those whose body says how long they wait.
_IN_BODY = ("start", "stop")
# Seconds that one request may stay open, and those beyond it until it counts as lost.
_WAIT, _MARGIN = 60.0, 15.0
# Seconds until a service that went away is asked again.
_AGAIN = 1.0
# Seconds that a station has for its answer, once a command was sent.
_ANSWER = 60.0


def run(station: str, action: str, payload: str, wait: float, as_json: bool) -> int:
    """Sends, waits, prints; the exit code. wait: seconds that it may wait for the station. Raises LocalError."""
    address, service = _address(action)
    body, rest = _object(payload), installation()
    path = f"/v1/stations/{segment(station)}/{address}"
    open_for = min(wait, _WAIT)
    terms = {"expires_in": wait}
    if address in _IN_BODY:
        body, terms = body | terms, {}
    deadline = time.monotonic() + wait + _ANSWER
    # Asked again with its key, it is the same command.
    key = {"Idempotency-Key": str(uuid4())}
    send = partial(rest.call, "POST", service, path, body, open_for + _MARGIN, key, wait=open_for, **terms)
    command = _ended(rest, service, _patiently(send, deadline), deadline)
    if as_json:
        print_json(command)
    else:
        _print(command, service)
    return _exit_code(command)


def _ended(rest: Rest, service: str, command: Any, deadline: float) -> Any:
    """As it ends, or as it was when it was last heard of."""
    path = f"/v1/commands/{segment(command['command_id'])}"
    with suppress(NoAnswer, NotNow):
        while command[FINAL] is None and (left := deadline - time.monotonic()) > 0:
            open_for = min(left, _WAIT)
            ask = partial(rest.get, service, path, open_for + _MARGIN, wait=open_for)
            command = _patiently(ask, deadline, also_unreachable=True)
    return command


def _patiently(ask: Callable[[], Any], deadline: float, *, also_unreachable: bool = False) -> Any:
    """What a service answers, asked again where it went away meanwhile: it may have taken a command.

    One that nothing reaches has taken none: that is an error at once, unless also_unreachable.
    """
    while True:
        try:
            return ask()
        except (NoAnswer, NotNow) as error:
            unreachable = isinstance(error, NoAnswer) and error.unreachable and not also_unreachable
            if unreachable or time.monotonic() >= deadline:
                raise
            also_unreachable = True
            time.sleep(_AGAIN)


def _exit_code(command: Mapping[str, Any]) -> int:
    code = EXIT_CODES.get(command["outcome"], MAY_HAVE_ACTED)
    # What was taken back between its parts has been there in part.
    return MAY_HAVE_ACTED if code == NOT_SENT and command.get("parts") else code


def _address(action: str) -> tuple[str, str]:
    """The last part of its address, and the service that owns it. OCPP's names may be written in any case."""
    if owner := VERBS.get(action):
        return action, owner
    known = {name.lower(): (name, owner) for name, owner in owners().items()}
    if found := known.get(action.lower()):
        return f"commands/{found[0]}", found[1]
    names = {**{name: name for name in VERBS}, **{lower: name for lower, (name, _) in known.items()}}
    near = get_close_matches(action.lower(), names, 1)
    hint = f"did you mean {names[near[0]]}?" if near else "docs/commands.md lists them"
    raise LocalError(f"there is no action {action} for stations: {hint}")


def _object(payload: str) -> Any:
    try:
        body = json.loads(payload)
    except ValueError as error:
        raise LocalError(f'the payload is not JSON ({error}): give an object, such as \'{{"type": "Soft"}}\'') from None
    if not isinstance(body, dict):
        raise LocalError(f"the payload is not a JSON object: {payload}")
    return body


def _parts(parts: Mapping[str, int | None] | None) -> str | None:
    if not parts:
        return None
    said = f"{parts['count']} sent; {parts['answered']} of {parts['items']} items are in those that were answered"
    results = parts.get("results")
    return said if results in (None, parts["answered"]) else f"{said}, which have {results} results"


def _print(command: Mapping[str, Any], service: str) -> None:
    sent = command["request"] or {"action": command["action"], "payload": command["payload"]}
    facts = {
        "station": command["station_id"],
        "action": f"{sent['action']} ({service})",
        "version": command["version"],
        "command": command["command_id"],
        "outcome": command["outcome"] or f"none yet: it is {command['status']}",
        "parts": _parts(command.get("parts")),
        "effect": command.get("effect"),
        "error": " ".join(filter(None, (command["error_code"], command["error_description"]))),
        "request": JSON.from_data(sent["payload"]),
        "response": None if command["response"] is None else JSON.from_data(command["response"]),
    }
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in facts.items():
        if value:
            table.add_row(Text(name, style="bold"), Text(value) if isinstance(value, str) else value)
    terminal().print(table)
