"""The content of a dead letter: its message as a dict, id tokens and secrets masked as in logs."""

from typing import Any

from google.protobuf.message import Message

from services.common.kafka.bus import Record
from services.common.kafka.events import event_name
from voltbus.operator.dead_letters.dead_letter import DeadLetter
from voltbus.operator.records import read_message, shown


def content(letter: DeadLetter, prefix: str) -> dict[str, Any] | None:
    """The message of a dead letter, masked; None if it is not one of its topic. prefix: of topics on this Kafka."""
    message = _message(letter, prefix)
    return None if message is None else shown(message)


def action(letter: DeadLetter, prefix: str) -> str:
    """In a word: the action of a call or a command, the kind of an event; empty where it cannot be read."""
    return event_name(_record(letter)) or str(getattr(_message(letter, prefix), "action", ""))


def _message(letter: DeadLetter, prefix: str) -> Message | None:
    return read_message(_record(letter), letter.topic.removeprefix(prefix))


def _record(letter: DeadLetter) -> Record:
    return Record(letter.topic, letter.key, letter.value, letter.headers)
