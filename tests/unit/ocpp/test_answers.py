"""What the status of an answer means."""

from typing import Any

import pytest

from services.ocpp.answers import STATUSES, Effect, effect_of
from services.ocpp.versions import VERSIONS
from voltbus.v1.events_pb2 import CommandEffect


def words(version: str, action: str) -> set[str]:
    """The statuses that the schema of an answer has."""
    document = VERSIONS[version].schemas.response_document(action)
    status = document.get("properties", {}).get("status", {})
    if reference := status.get("$ref"):
        status = document["definitions"][reference.rpartition("/")[2]]
    return set(status.get("enum", ()))


def test_every_status_that_a_station_can_answer_with_means_something() -> None:
    every = {
        word for version, facts in VERSIONS.items() for action in facts.to_station for word in words(version, action)
    }
    assert len(every) > 25
    assert every == STATUSES.keys()


@pytest.mark.parametrize(
    ("answer", "effect"),
    [
        ({"status": "Accepted"}, Effect.ACCEPTED),
        ({"status": "Unlocked"}, Effect.ACCEPTED),
        ({"status": "UnlockFailed"}, Effect.REFUSED),
        ({"status": "OngoingAuthorizedTransaction"}, Effect.REFUSED),
        ({"status": "NotSupported"}, Effect.REFUSED),
        ({"status": "Scheduled"}, Effect.SCHEDULED),
        ({"status": "Perhaps"}, None),
        ({"status": ["Accepted"]}, None),
        ({"configurationKey": []}, None),
        ("text", None),
        (None, None),
    ],
)
def test_a_status(answer: Any, effect: Effect | None) -> None:
    assert effect_of(answer) == effect


def test_effects_are_on_events_what_they_are_here() -> None:
    assert {f"COMMAND_EFFECT_{name}" for name in ("UNSPECIFIED", *Effect.__members__)} == set(CommandEffect.keys())
