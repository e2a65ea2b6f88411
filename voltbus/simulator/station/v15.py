"""A station in OCPP 1.5: what 1.6 says, as far as 1.5 has it. 1.5 is in the words of 1.6 until it is XML."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from voltbus.simulator.station.types import Answer, Call, Perform, Reading, Session, Step
from voltbus.simulator.station.v16.soap import V16Soap

_OCCUPIED = frozenset({"Preparing", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing"})
# Of an update and an upload 1.5 tells how they end.
_UNTOLD = {
    "DiagnosticsStatusNotification": frozenset({"Idle", "Uploading"}),
    "FirmwareStatusNotification": frozenset({"Idle", "Downloading", "Installing"}),
}
# What a station answers where 1.5 has no word for it.
_ANSWERED = {
    ("ChangeConfiguration", "RebootRequired"): "Accepted",
    ("UnlockConnector", "NotSupported"): "UnlockFailed",
}


class V15(V16Soap):
    """Speaks for a charger."""

    subprotocol = "ocpp1.5"
    soap = "1.5"

    def state(self, outlet: int) -> str:
        found = super().state(outlet)
        return "Occupied" if found in _OCCUPIED else found

    def status(self, outlet: int) -> list[Call]:
        return [(action, payload | {"status": self.state(outlet)}) for action, payload in super().status(outlet)]

    def sampled(self, session: Session, reading: Reading, offline: bool = False) -> Call | None:
        """1.5 has no SoC."""
        return super().sampled(session, replace(reading, soc=None), offline)

    def ended(self, session: Session, reading: Reading, reason: str, offline: bool = False) -> Call | None:
        """1.5 has no reason."""
        if (told := super().ended(session, reading, reason, offline)) is None:
            return None
        action, payload = told
        return action, {name: value for name, value in payload.items() if name != "reason"}

    def answer(self, action: str, payload: Mapping[str, Any]) -> Answer | None:
        if (answer := super().answer(action, payload)) is None:
            return None
        said = answer.payload
        if word := _ANSWERED.get((action, said.get("status", ""))):
            said = said | {"status": word}
        effect = answer.effect
        return Answer(said, _told(effect) if isinstance(effect, Perform) else effect)


def _told(effect: Perform) -> Perform:
    """Only what 1.5 tells, each when it would be told; the time of what is left out is of what comes next."""
    steps: list[Step] = []
    passed = 0.0
    for step in effect.steps:
        passed += step.after
        action, payload = step.call
        if payload.get("status") not in _UNTOLD.get(action, ()):
            steps.append(Step(step.call, passed))
            passed = 0.0
    return replace(effect, steps=tuple(steps))
