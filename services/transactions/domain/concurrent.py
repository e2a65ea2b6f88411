"""How many sessions an idToken has already when it starts one. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from services.ocpp.id_tokens import Authorization, token_key
from services.transactions.domain.messages import Report
from services.transactions.domain.transaction import Transaction

# A session of which nothing was heard for so long keeps nobody from charging: its station may never tell its end.
SILENT = timedelta(hours=3)
# What is told so late was decided by the station alone.
LATE = timedelta(minutes=5)
# Further back it is the station's clock that is wrong.
MOST_LATE = timedelta(days=90)


class OpenSession(NamedTuple):
    """One that was accepted and has not ended. token: the key of its idToken. heard_at: when it was last reported."""

    id: int
    station_id: str
    evse_id: int | None
    token: str
    began_at: datetime
    heard_at: datetime


def judged_at(report: Report, now: datetime) -> datetime:
    """When an idToken was presented, by which it is judged: what has expired since was good then.

    By its station's clock, unless that is ahead, or far behind.
    """
    return report.at if now - MOST_LATE <= report.at <= now else now


def open_session(one: Transaction) -> OpenSession | None:
    """None where it is none that counts."""
    is_open = not one.ended and one.superseded_by is None
    if not is_open or one.id_token is None or one.authorization != Authorization.ACCEPTED:
        return None
    began_at = min(one.started_at, one.started_received_at)
    return OpenSession(one.id, one.station_id, one.evse_id, token_key(one.id_token), began_at, one.updated_at)


def told_already(report: Report, current: Transaction | None) -> Authorization | None:
    """What was said of the number of sessions when this was told before: a retry does not count itself.

    current: the transaction that the report is of, unless it starts one. Who was accepted for it once is within it.
    """
    if current is None or report.id_token is None:
        return None
    key = token_key(report.id_token), report.id_token_type or ""
    told = [one for one in current.cards if one.key == key and not one.ends]
    if any(one.authorization == Authorization.ACCEPTED for one in told):
        return Authorization.ACCEPTED
    refused = any(one.order == report.order and one.authorization == Authorization.CONCURRENT_TX for one in told)
    return Authorization.CONCURRENT_TX if refused else None


def others(report: Report, current: Transaction | None, sessions: Iterable[OpenSession], now: datetime) -> int:
    """The sessions that an idToken has beside the one that it is presented for.

    One that was told late is not the second because another has begun since. One on the same EVSE ends with this start.
    """
    late = report.offline or now - report.at > LATE
    at = judged_at(report, now) if late else now
    return sum(
        one.began_at <= at
        and now - one.heard_at < SILENT
        and not (current and one.id == current.id)
        and not _is_replaced(one, report)
        for one in sessions
    )


def _is_replaced(one: OpenSession, report: Report) -> bool:
    return one.station_id == report.station_id and one.evse_id is not None and one.evse_id == report.evse_id
