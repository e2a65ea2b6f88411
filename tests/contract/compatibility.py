"""docs/compatibility.md: every message of every version, what becomes of it, and the test that shows it.

It is made from the tables of versions, from what the services' dialects make of each message, and from the cases of the
tests that play it.

python -m tests.contract.compatibility           writes the page
python -m tests.contract.compatibility --check   says whether it is up to date
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from services.auth.domain import requests
from services.common.authorization.judge import Place
from services.common.calls.call import Call
from services.ocpp import examples
from services.ocpp.versions import VERSIONS, Version
from services.smartcharging.domain import reports
from services.transactions.batch import Batch
from services.transactions.domain import messages
from tests.contract import test_replies, test_routes
from tests.e2e import test_every_command
from tests.unit.ocpp import test_commands

PAGE = Path(__file__).parents[2] / "docs/compatibility.md"
HEAD = """\
# Compatibility

Every message of every version that is spoken, and what becomes of it. *Decided*: the answer, or what comes of it,
depends on the message and on what is known. *Kept*: it is stored word for word, published as `MessageRecorded`, and
answered as the specification allows; where there is something to answer, it stands here. *Sent*: it is a SEND, which
has no answer. *Command*: it can be sent to a station by REST ([commands](commands.md)). The last column is the test
that plays it. `make compatibility` writes this page from the tables of versions and from these tests.
"""
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
# What a service only keeps, by the class that its dialects read of it.
KEPT: Mapping[str, tuple[str, ...]] = {
    # What is done with the CSR is decided besides.
    "auth": tuple(kind.__name__ for kind in requests.RECORDED if kind is not requests.SignCertificate),
    "transactions": (messages.Verbatim.__name__, messages.VatNumber.__name__),
    "smartcharging": tuple(kind.__name__ for kind in (reports.Notice, reports.ChargingNeeds)),
    "firmware": ("Notification", "OpenStream", "DataTransfer"),
}
# What a kept message is answered with.
ANSWER: Mapping[str, Callable[[Call, Any], Any]] = {
    "auth": lambda _, request: requests.decide(request, {}, NOW, Place("CP1")),
    "transactions": lambda call, message: Batch.of(NOW, [(call, message)]).replies[call.id],
    "smartcharging": lambda _, report: reports.decide(report),
}


def page() -> str:
    return "\n".join([HEAD, *(line for version in VERSIONS.values() for line in _section(version))])


def _section(version: Version) -> Iterator[str]:
    yield f"## OCPP {version.name}\n"
    yield "| Message | From | Service | What becomes of it | Test |\n|---|---|---|---|---|"
    for action in sorted(version.actions):
        if owner := version.from_station.get(action):
            yield _row(action, "station", owner, fate(version, action), shown_by(version, action))
        if owner := version.to_station.get(action):
            yield _row(action, "CSMS", owner, "command", sent_by(version, action))
    yield ""


def _row(action: str, sender: str, owner: str, what: str, test: str) -> str:
    return f"| {action} | {sender} | {owner} | {what} | `{test}` |"


def fate(version: Version, action: str) -> str:
    """What the owner of a message makes of it."""
    owner = version.from_station[action]
    if action == "Heartbeat":
        return "answered by the gateway; decided"
    call = _example(version, action)
    dialects = import_module(f"services.{owner}.dialects").DIALECTS
    read = dialects.read(call)
    if type(read).__name__ not in KEPT[owner]:
        return "decided"
    if action in version.schemas.sends:
        return "sent; kept"
    if version.schemas.answered_empty(action):
        return "kept"
    if isinstance(read, requests.SLOW):
        return "kept; others are asked, and what they say is answered"
    return f"kept; answered {_said(dialects.write(call, _reply(owner, call, read)))}"


def _reply(owner: str, call: Call, read: Any) -> Any:
    if owner in ANSWER:
        return ANSWER[owner](call, read)
    decide = import_module("services.firmware.domain.decide").decide
    station = import_module("services.firmware.domain.station").Station(call.station_id)
    context = import_module("services.firmware.domain.context").Context
    envelope = import_module("services.firmware.domain.messages").Envelope
    rules = import_module("services.firmware.domain.rules").Rules
    about = envelope(call.id, call.station_id, call.connection_id, call.version, NOW)
    return decide(station, read, context(about, rules(), NOW)).reply


def _said(answer: Mapping[str, Any]) -> str:
    statuses = {str(one["status"]) for one in _objects(answer) if isinstance(one.get("status"), str)}
    return ", ".join(sorted(statuses)) or "without more"


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
    for part in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _objects(part)


def _example(version: Version, action: str) -> Call:
    payload = json.dumps(examples.minimal(version.schemas.request_document(action))).encode()
    return Call("c.1", "CP1", "c", 1, "m", version.name, action, payload, NOW, answered=False, quarantined=False)


def shown_by(version: Version, action: str) -> str:
    """The test that plays a message of a station."""
    if (version.name, action, "full") in test_replies.CASES:
        return f"{_name(test_replies)}::test_the_reply_is_legal[{version.name}-{action}-full]"
    assert (version, action) in test_routes.ACTIONS, (version.name, action)
    name = test_routes.test_the_gateway_takes_every_message_to_its_owner.__name__
    return f"{_name(test_routes)}::{name}[{version.name}-{action}-full]"


def sent_by(version: Version, action: str) -> str:
    """The test that plays a command: to a station, or where none speaks the version, of its payload."""
    for kind in ("full", "minimal"):
        if ("ocpp", version.name, action, kind) in test_every_command.CASES:
            return f"{_name(test_every_command)}::test_a_command[ocpp-{version.name}-{action}-{kind}]"
    assert any((one, form.version) == (action, version) for one, form in test_commands.FORMS), (version.name, action)
    name = test_commands.test_the_example_is_valid_and_what_is_missing_is_named.__name__
    return f"{_name(test_commands)}::{name}[{version.name}-{action}]"


def _name(module: Any) -> str:
    return f"{module.__name__.replace('.', '/')}.py"


def main() -> None:
    if "--check" not in sys.argv:
        PAGE.write_text(page())
    elif not PAGE.exists() or PAGE.read_text() != page():
        sys.exit(f"{PAGE} is not what the code says; run: python -m tests.contract.compatibility")


if __name__ == "__main__":
    main()
