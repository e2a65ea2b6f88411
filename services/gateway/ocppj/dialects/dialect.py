"""What the gateway must know of a version beyond its schemas."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from services.gateway.ocppj.frames import CALL, CALLERROR, CALLRESULT
from services.ocpp.versions import Version


class Requested(NamedTuple):
    """The messages that a command asks the station to send. everywhere: of all its places, one each."""

    action: str
    everywhere: bool


@dataclass(frozen=True, slots=True)
class Dialect:
    """The framing rules of one version.

    unreadable_id: the message id of an error about a frame whose own cannot be read; None: such a frame is dropped.
    answers_unknown_types: whether an unknown message type is answered or ignored. message_types: those that are known.
    reports: what a station may send before it is accepted, by the command that asks for it.
    trigger_actions: the commands that ask for the action in their requestedMessage. trigger_place: their field that
    names what of the station is meant; without it everything is (1.6 §5.17, F06.FR.11).
    not_while_pending: commands that are not sent to a station before it is accepted.
    trigger_names: the action that a requestedMessage stands for, if it has another name.
    places: paths of fields that say what of the station a message is about.
    serial_numbers: paths of the station's in its BootNotification.
    """

    version: Version
    unreadable_id: str | None
    answers_unknown_types: bool
    message_types: frozenset[int] = frozenset({CALL, CALLRESULT, CALLERROR})
    not_while_pending: frozenset[str] = frozenset()
    reports: Mapping[str, str] = field(default_factory=dict)
    trigger_actions: frozenset[str] = frozenset({"TriggerMessage"})
    trigger_place: str = ""
    trigger_names: Mapping[str, str] = field(default_factory=dict)
    places: tuple[str, ...] = ()
    serial_numbers: tuple[str, ...] = ()

    def requested_by(self, action: str, payload: Mapping[str, object]) -> Requested | None:
        """What a command asks the station to send."""
        if action in self.trigger_actions:
            requested = str(payload.get("requestedMessage", ""))
            return Requested(self.trigger_names.get(requested, requested), payload.get(self.trigger_place) is None)
        report = self.reports.get(action)
        return Requested(report, everywhere=False) if report else None

    def place_of(self, payload: Mapping[str, object]) -> str:
        """What of the station a message is about."""
        return "/".join(str(_at(payload, path)) for path in self.places)

    def serial_numbers_of(self, boot: Mapping[str, object]) -> list[str]:
        """What a station says of itself in its BootNotification."""
        return [said for path in self.serial_numbers if isinstance(said := _at(boot, path), str)]

    def continues(self, payload: Mapping[str, object]) -> bool:
        """Whether more messages follow that are one with it: the parts of a report (B07.FR.08)."""
        return payload.get("tbc") is True


def _at(payload: Mapping[str, object], path: str) -> object:
    """The value at a path; None where there is none."""
    value: object = payload
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
