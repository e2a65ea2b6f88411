"""A site with its chargers, and the two services that keep it below its limit."""

from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Any

from services.smartcharging.domain.applied_limit import Outcome
from services.smartcharging.domain.limit_requests import committed
from services.smartcharging.domain.loads import scaled, total, within
from services.smartcharging.domain.presence import Connected, Disconnected, EvseSeen
from services.smartcharging.domain.site import Site
from services.transactions.domain.messages import Started
from tests.unit.together.chargers import UNSET, Charger, Message
from tests.unit.together.services import Asked, SmartCharging, Transactions, call

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class World:
    """sent: commands under way, by station, oldest first. obedient: they are answered at once."""

    def __init__(self, site: Site, *chargers: Charger) -> None:
        self.now, self.names, self.obedient = START, 0, False
        self.chargers = {charger.station_id: charger for charger in chargers}
        self.transactions, self.smartcharging = Transactions(), SmartCharging(site)
        self.sent: dict[str, deque[Asked]] = {name: deque() for name in self.chargers}
        for charger in chargers:
            for evse_id in charger.evse_ids:
                self.smartcharging.change(EvseSeen(charger.station_id, evse_id))
            self.comes(charger)
        self.answer_all()

    @property
    def evses(self) -> list[tuple[Charger, int]]:
        return [(charger, evse_id) for charger in self.chargers.values() for evse_id in charger.evse_ids]

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.plan()

    def plan(self) -> None:
        self._plan()
        if self.obedient:
            self.answer_all()

    def comes(self, charger: Charger) -> None:
        charger.online = True
        self.now += timedelta(seconds=1)
        self.smartcharging.change(Connected(charger.station_id, str(self.now), self.now, charger.version))
        self.plan()

    def leaves(self, charger: Charger) -> None:
        """E11.FR.07: what has not been told is told as offline."""
        charger.online = False
        connection = self.smartcharging.stations[charger.station_id].connection_id or ""
        self.smartcharging.change(Disconnected(charger.station_id, connection))
        for message in charger.queue:
            message.offline = charger.flags
        self.plan()

    def begin(self, charger: Charger, evse_id: int, fate: str = "send", without_evse: bool = False) -> None:
        self.names += 1
        self.tell(charger, charger.begin(evse_id, f"tx-{self.names}", self.now, without_evse), fate)

    def speak(self, charger: Charger, evse_id: int, fate: str = "send", wrong_evse: int | None = None) -> None:
        self.tell(charger, charger.speak(evse_id, self.now, wrong_evse), fate)

    def end(self, charger: Charger, evse_id: int, fate: str = "send") -> None:
        self.tell(charger, charger.end(evse_id, self.now), fate)

    def cut(self, charger: Charger, unset: bool) -> None:
        """Power is cut for ten minutes. A clock that nobody set before it has lost what was to be told."""
        self.leaves(charger)
        charger.cut()
        self.passes(600)
        if unset and charger.clock < timedelta(days=-1):
            charger.queue.clear()
        if unset:
            charger.clock = UNSET - self.now
        elif charger.clock < timedelta(days=-1):
            charger.clock = timedelta()
        self.comes(charger)

    def tell(self, charger: Charger, messages: list[Message], fate: str = "send") -> None:
        """fate: send, late, lost, twice, unanswered."""
        if fate == "lost":
            return
        if fate == "late" or not charger.online:
            for message in messages:
                message.offline = charger.flags and not charger.online
            charger.queue += messages
            return
        self.deliver(charger, messages, answered=fate != "unanswered")
        if fate == "twice":
            self.deliver(charger, messages)

    def deliver(self, charger: Charger, messages: list[Message], answered: bool = True) -> None:
        """Messages of a charger, in one batch."""
        written = [(message.action, message.write()) for message in messages]
        charger.told += written
        replies = self.hear(charger, *written)
        for message, reply in zip(messages, replies, strict=True):
            if answered and isinstance(reply, Started):
                charger.answered(message.charging, reply.number)

    def repeat(self, charger: Charger, position: int) -> None:
        self.hear(charger, charger.told[position])

    def read_again(self, count: int) -> None:
        """smartcharging crashed before it had noted what it has read."""
        for record in self.smartcharging.records[-count:]:
            self.smartcharging.read([record], self.now)
            self.plan()

    def answers(self, station: str, how: str) -> None:
        """The oldest command of a station is answered, refused, obeyed in silence, lost in silence, or not sent."""
        asked, charger = self.sent[station].popleft(), self.chargers[station]
        if how in ("accept", "obey") and charger.online:
            obeyed = charger.take(asked)
            outcome = Outcome.UNKNOWN if how == "obey" else Outcome.ACCEPTED if obeyed else Outcome.REFUSED
        elif how == "refuse" and charger.online:
            outcome = Outcome.REFUSED
        else:
            outcome = Outcome.UNSENT if how == "unsent" else Outcome.UNKNOWN
        self.smartcharging.outcomes[asked.id] = outcome
        self._plan()

    def answer_all(self) -> None:
        """Until nothing more is asked of any station."""
        for _ in range(1000):
            busy = [name for name, sent in self.sent.items() if sent]
            if not busy:
                return
            self.answers(busy[0], "accept")
        raise AssertionError("the requests do not end")

    def drawn(self) -> dict[str, int]:
        """The most that the chargers may be drawing."""
        evses = self.smartcharging.state().evses
        return total(scaled(evse.weights, self.chargers[evse.key[0]].most(evse.evse_id)) for evse in evses)

    def shares(self) -> dict[str, float]:
        """What the chargers may draw, in A, by station and EVSE."""
        return {f"{charger.station_id}/{evse_id}": charger.most(evse_id) / 10 for charger, evse_id in self.evses}

    def holds_limit(self) -> bool:
        capacity = self.smartcharging.site.capacity
        return within(self.drawn(), capacity) and within(committed(self.smartcharging.state()), capacity)

    def _plan(self) -> None:
        for asked in self.smartcharging.plan(self.now):
            self.sent[asked.request.key[0]].append(asked)

    def hear(self, charger: Charger, *written: tuple[str, dict[str, Any]]) -> list[Any]:
        """One batch, as it was written; the replies."""
        self.now += timedelta(seconds=1)
        calls = [call(charger.station_id, charger.version, action, payload, self.now) for action, payload in written]
        replies, records = self.transactions.handle(*calls)
        self.smartcharging.records += records
        self.smartcharging.read(records, self.now)
        self.plan()
        return list(replies)
