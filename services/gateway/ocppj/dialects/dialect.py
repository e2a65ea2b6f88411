"""What the gateway must know of a version beyond its schemas."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.ocpp.versions import Version


@dataclass(frozen=True, slots=True)
class Dialect:
    """The framing rules of one version.

    unreadable_id: the message id of an error about a frame whose own cannot be read; None: such a frame is dropped.
    answers_unknown_types: whether an unknown message type is answered or ignored.
    asks: what a station may send before it is accepted, by the command that asks for it.
    triggers: the action that a requestedMessage of a trigger stands for, where it has another name.
    """

    version: Version
    unreadable_id: str | None
    answers_unknown_types: bool
    asks: Mapping[str, frozenset[str]] = field(default_factory=dict)
    trigger_actions: frozenset[str] = frozenset({"TriggerMessage"})
    triggers: Mapping[str, str] = field(default_factory=dict)

    def asked_by(self, action: str, payload: Mapping[str, object]) -> frozenset[str]:
        """The actions that a command asks the station to send."""
        if action in self.trigger_actions:
            requested = str(payload.get("requestedMessage", ""))
            return frozenset({self.triggers.get(requested, requested)})
        return self.asks.get(action, frozenset())
