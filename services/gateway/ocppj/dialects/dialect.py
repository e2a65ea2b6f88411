"""What the gateway must know of a version beyond its schemas."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.ocpp.versions import Version


@dataclass(frozen=True, slots=True)
class Dialect:
    """The framing rules of one version.

    unreadable_id: the message id of an error about a frame whose own cannot be read; None: such a frame is dropped.
    answers_unknown_types: whether an unknown message type is answered or ignored.
    requested_actions: what a station may send before it is accepted, by the command that asks for it.
    trigger_actions: the commands that ask for the action in their requestedMessage.
    not_while_pending: commands that are not sent to a station before it is accepted.
    trigger_names: the action that a requestedMessage stands for, if it has another name.
    """

    version: Version
    unreadable_id: str | None
    answers_unknown_types: bool
    not_while_pending: frozenset[str] = frozenset()
    requested_actions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    trigger_actions: frozenset[str] = frozenset({"TriggerMessage"})
    trigger_names: Mapping[str, str] = field(default_factory=dict)

    def requested_by(self, action: str, payload: Mapping[str, object]) -> frozenset[str]:
        """The actions that a command asks the station to send."""
        if action in self.trigger_actions:
            requested = str(payload.get("requestedMessage", ""))
            return frozenset({self.trigger_names.get(requested, requested)})
        return self.requested_actions.get(action, frozenset())
