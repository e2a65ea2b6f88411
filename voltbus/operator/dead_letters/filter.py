"""Which dead letters a command is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.ocpp.services import SERVICES
from voltbus.errors import LocalError
from voltbus.operator.dead_letters.dead_letter import DeadLetter
from voltbus.operator.times import parse_time


@dataclass(frozen=True, slots=True)
class Filter:
    """All criteria must fit. reason: a part of it, ignoring case. ids: empty: all fit."""

    services: Sequence[str] = tuple(SERVICES)
    station: str = ""
    reason: str = ""
    since: datetime | None = None
    ids: frozenset[str] = frozenset()

    @property
    def narrow(self) -> bool:
        """Whether there is any criterion."""
        return self != Filter()

    def fits(self, letter: DeadLetter) -> bool:
        """Whether a dead letter fits."""
        return (
            letter.service in self.services
            and self.station in ("", letter.station)
            and self.reason.lower() in letter.reason.lower()
            and (self.since is None or (letter.at is not None and letter.at >= self.since))
            and (not self.ids or letter.id in self.ids)
        )


def parse(services: Sequence[str], station: str, reason: str, since: str, ids: Sequence[str], now: datetime) -> Filter:
    """From the command line. since: a time, or how long ago, such as 90m, 24h or 7d. Raises LocalError."""
    if unknown := sorted(set(services) - set(SERVICES)):
        raise LocalError(f"there is no service {unknown[0]}: choose from {', '.join(SERVICES)}")
    homes = {_service(one) for one in ids}
    within = [one for one in services or tuple(SERVICES) if not ids or one in homes]
    return Filter(tuple(within), station, reason, parse_time(since, now) if since else None, frozenset(ids))


def _service(letter_id: str) -> str:
    service, *place = letter_id.split("-")
    if service not in SERVICES or len(place) != 2 or not all(number.isdecimal() for number in place):
        raise LocalError(
            f"there is no dead letter {letter_id}: `voltbus dead list` shows ids, such as transactions-3-17"
        )
    return service
