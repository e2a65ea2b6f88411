"""The display of a 2.0.1 station: messages kept, reported, taken away (O01–O06)."""

from collections.abc import Mapping
from typing import Any

from voltbus.simulator.station.charger import Charger
from voltbus.simulator.station.types import Answer, Payload, send

Request = Mapping[str, Any]


def set_message(charger: Charger, payload: Request) -> Answer:
    """O01, O02; one of the same id takes the place of the one before (O06)."""
    message: Payload = payload["message"]
    if message["message"]["format"] not in ("ASCII", "UTF8"):
        return Answer({"status": "NotSupportedMessageFormat"})
    transaction = message.get("transactionId")
    if transaction and transaction not in [session.name for session in charger.sessions()]:
        return Answer({"status": "UnknownTransaction"})
    charger.displays[message["id"]] = message
    return Answer({"status": "Accepted"})


def get_messages(charger: Charger, payload: Request) -> Answer:
    """O03, O04."""
    ids = payload.get("id")
    asked = {name: payload[name] for name in ("priority", "state") if name in payload}
    found = [
        message
        for number, message in charger.displays.items()
        if (ids is None or number in ids) and asked.items() <= message.items()
    ]
    if not found:
        return Answer({"status": "Unknown"})
    told = ("NotifyDisplayMessages", {"requestId": payload["requestId"], "messageInfo": found})
    return Answer({"status": "Accepted"}, send(told))


def clear_message(charger: Charger, payload: Request) -> Answer:
    """O05."""
    known = charger.displays.pop(payload["id"], None)
    return Answer({"status": "Unknown" if known is None else "Accepted"})
