"""Chargers that obey what they confirmed, and tell what they do late, twice, wrongly or never."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from services.smartcharging.domain.profile import Purpose
from services.smartcharging.domain.site import Member
from tests.unit.together.services import Asked

Payload = dict[str, Any]
TAG = "CAFE01"


def said(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass
class Charging:
    """A vehicle that charges. name: of the transaction, as the charger calls it; None: 1.6 has not been answered yet.

    came_later: to its EVSE, after its start (E02).
    """

    evse_id: int
    name: str | None
    began_at: datetime
    came_later: bool = False
    mislabelled: bool = False
    events: int = 0
    wh: int = 1000


@dataclass
class Message:
    """What a charger has to tell, written when it is sent. offline: it was offline since it came about."""

    action: str
    write: Callable[[], Payload]
    charging: Charging
    offline: bool = False


@dataclass
class Charger:
    """clock: by how much it is wrong. flags: it says what it tells late (2.x). queue: what it has not told yet; told:
    what it has, as it was sent. defaults, limits: of its TxDefaultProfiles and TxProfiles.
    """

    member: Member
    evse_ids: tuple[int, ...]
    clock: timedelta = timedelta()
    flags: bool = True
    online: bool = True
    running: dict[int, Charging] = field(default_factory=dict)
    defaults: dict[int, int] = field(default_factory=dict)
    limits: dict[int, int] = field(default_factory=dict)
    queue: list[Message] = field(default_factory=list)
    told: list[tuple[str, Payload]] = field(default_factory=list)

    version: ClassVar[str]

    @property
    def station_id(self) -> str:
        return self.member.station_id

    def most(self, evse_id: int) -> int:
        """What the vehicle on an EVSE may draw; nothing where there is none."""
        if evse_id not in self.running:
            return 0
        default = self.defaults.get(self.member.default_key(evse_id), self.member.maximum)
        return self.limits.get(evse_id, default)

    def take(self, asked: Asked) -> bool:
        """Obeys; K01.FR.09, K01.FR.33: a TxProfile only if its transaction is the one that runs there."""
        profile, evse_id = asked.profile, asked.request.key[1]
        if profile.purpose == Purpose.TX_DEFAULT:
            self.defaults[evse_id] = asked.request.current
            return True
        charging = self.running.get(evse_id)
        if charging is None or charging.name is None or charging.name != profile.transaction_id:
            return False
        self.limits[evse_id] = asked.request.current
        return True

    def begin(self, evse_id: int, name: str, now: datetime, without_evse: bool, /) -> list[Message]:
        """A vehicle begins to charge."""
        raise NotImplementedError

    def speak(self, evse_id: int, now: datetime, wrong_evse: int | None = None) -> list[Message]:
        """The vehicle there goes on. wrong_evse: what the charger says it is on."""
        raise NotImplementedError

    def end(self, evse_id: int, now: datetime) -> list[Message]:
        """The vehicle there has left."""
        raise NotImplementedError

    def cut(self) -> None:
        """Power is cut, and comes back: nothing charges any more, and nobody tells."""
        self.running.clear()
        self.limits.clear()

    def answered(self, charging: Charging, number: int) -> None:
        """The start was answered."""


class Charger16(Charger):
    version = "1.6"

    def begin(self, evse_id: int, _name: str, now: datetime, _without_evse: bool, /) -> list[Message]:
        charging = self.running[evse_id] = Charging(evse_id, None, now)
        self.limits.pop(evse_id, None)
        at = said(now + self.clock)
        payload = {"connectorId": evse_id, "idTag": TAG, "meterStart": 1000, "timestamp": at}
        return [Message("StartTransaction", lambda: payload, charging)]

    def speak(self, evse_id: int, now: datetime, wrong_evse: int | None = None) -> list[Message]:
        charging = self.running[evse_id]
        charging.wh += 100
        at, wh, connector = said(now + self.clock), str(charging.wh), wrong_evse or evse_id
        value = {"timestamp": at, "sampledValue": [{"value": wh}]}
        return [Message("MeterValues", lambda: self._of(charging, connectorId=connector, meterValue=[value]), charging)]

    def end(self, evse_id: int, now: datetime) -> list[Message]:
        charging = self.running.pop(evse_id)
        self.limits.pop(evse_id, None)
        at, wh = said(now + self.clock), charging.wh + 50
        return [Message("StopTransaction", lambda: self._of(charging, meterStop=wh, timestamp=at), charging)]

    def answered(self, charging: Charging, number: int) -> None:
        charging.name = str(number)

    def _of(self, charging: Charging, **more: Any) -> Payload:
        """Errata 3.18: -1 for a transaction that has no number."""
        return {"transactionId": -1 if charging.name is None else int(charging.name), **more}


class Charger201(Charger):
    version = "2.0.1"

    def begin(self, evse_id: int, name: str, now: datetime, without_evse: bool, /) -> list[Message]:
        charging = self.running[evse_id] = Charging(evse_id, name, now, came_later=without_evse)
        self.limits.pop(evse_id, None)
        messages = [self._event("Started", charging, now, None if without_evse else evse_id)]
        return messages + ([self._event("Updated", charging, now, evse_id)] if without_evse else [])

    def speak(self, evse_id: int, now: datetime, wrong_evse: int | None = None) -> list[Message]:
        charging = self.running[evse_id]
        charging.mislabelled |= wrong_evse is not None
        return [self._event("Updated", charging, now, wrong_evse or evse_id)]

    def end(self, evse_id: int, now: datetime) -> list[Message]:
        charging = self.running.pop(evse_id)
        self.limits.pop(evse_id, None)
        return [self._event("Ended", charging, now, None)]

    def _event(self, kind: str, charging: Charging, now: datetime, evse_id: int | None) -> Message:
        payload = {
            "eventType": kind,
            "timestamp": said(now + self.clock),
            "triggerReason": "ChargingStateChanged",
            "seqNo": charging.events,
            "transactionInfo": {"transactionId": charging.name},
        }
        charging.events += 1
        message = Message("TransactionEvent", lambda: payload, charging)
        if evse_id is not None:
            payload["evse"] = {"id": evse_id}
        message.write = lambda: payload | ({"offline": True} if message.offline else {})
        return message


# Since a clock that nobody has set began to run.
UNSET = datetime(1970, 1, 1, tzinfo=UTC)
