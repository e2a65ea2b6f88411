"""Which dead letters a command is about."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.ocpp.services import SERVICES
from voltbus.errors import LocalError
from voltbus.operator.dead_letters.dead_letter import DeadLetter

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


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
        raise LocalError(f"no service {unknown[0]}: choose from {', '.join(SERVICES)}")
    homes = {_service(one) for one in ids}
    within = [one for one in services or tuple(SERVICES) if not ids or one in homes]
    return Filter(tuple(within), station, reason, _time(since, now) if since else None, frozenset(ids))


def _service(letter_id: str) -> str:
    service, *place = letter_id.split("-")
    if service not in SERVICES or len(place) != 2 or not all(number.isdecimal() for number in place):
        raise LocalError(f"no dead letter {letter_id}: `voltbus dead list` shows ids, such as transactions-3-17")
    return service


def _time(text: str, now: datetime) -> datetime:
    if ago := re.fullmatch(r"(\d{1,6})([smhdw])", text):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise LocalError(f"{text} is no time: give how long ago, such as 90m, 24h or 7d, or RFC 3339") from None
    return moment if moment.tzinfo else moment.astimezone()
