"""Passwords of many stations that are changed, at once or every so many days: what becomes of each. Pure.

waiting ──▶ sent ──▶ accepted ──▶ seen     the new password counts; the station has come with it
   ▲          │
   ├──────────┤ it is away: it is asked when it is back
   │          └────▶ failed                it has kept the old one, or did not answer
   └── every so many days
"""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

from services.auth.domain.password_changes import ChangeState, PasswordChange
from services.auth.domain.rollouts import DONE, Rollout, RolloutStation, Stage, jitter

# Why nothing reached the station: it was away. It is asked again, but not at once: its gateway may not know yet.
AWAY, AGAIN = frozenset({"Undelivered", "Expired"}), timedelta(minutes=1)
# A schedule begins and goes on within this share of its days, and tries again after a day what failed.
SPREAD, RETRY = 0.1, timedelta(days=1)
STAGES = {
    ChangeState.ASKED: Stage.SENT,
    ChangeState.AWAITED: Stage.SENT,
    ChangeState.TAKEN: Stage.ACCEPTED,
    ChangeState.SUPERSEDED: Stage.ACCEPTED,
    ChangeState.KEPT: Stage.FAILED,
    ChangeState.DOUBTFUL: Stage.FAILED,
}
NO_ANSWER = "no answer; it is let in with either password"
REBOOT = "it uses the new password once it has booted"
FORGOTTEN = "what became of it is not known"


def attempt(rollout: Rollout, station: RolloutStation) -> str:
    """By which a question is known again: it is asked once, whatever is lost meanwhile."""
    said = (rollout.id, rollout.started_at.isoformat(), station.station_id, station.due_at.isoformat())
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def every(rollout: Rollout) -> timedelta | None:
    """Between two passwords of a station; None: they are changed once."""
    days = rollout.wanted.get("every_days")
    return timedelta(days=days) if days else None


def first_due(rollout: Rollout, station_id: str, now: datetime) -> datetime:
    """When a station is asked first."""
    period = every(rollout)
    return now + jitter(rollout.id, station_id, period * SPREAD) if period else now


def looked(
    station: RolloutStation, change: PasswordChange | None, connection_id: str | None, now: datetime
) -> RolloutStation:
    """After another look. change: its own; None: it is gone. connection_id: on which it is; None: it is away."""
    if station.state is Stage.SENT or (station.state is Stage.FAILED and change):
        return changed(station, change, now)
    # Gateways are told first that the old password counts no more.
    told = change is None or not change.due
    return seen(station, connection_id, now) if station.state is Stage.ACCEPTED and told else station


def changed(station: RolloutStation, change: PasswordChange | None, now: datetime) -> RolloutStation:
    """After what became of its change. change: None where that is gone."""
    if change is None:
        return _at(station, Stage.FAILED, FORGOTTEN, now)
    if change.state is ChangeState.KEPT and change.reason in AWAY:
        waiting = _at(station, Stage.WAITING, f"it was away ({change.reason})", now)
        return replace(waiting, due_at=now + AGAIN, command_id=None)
    reason = change.reason
    if change.state is ChangeState.DOUBTFUL:
        reason = NO_ANSWER
    elif change.state is ChangeState.AWAITED:
        reason = REBOOT
    return _at(station, STAGES[change.state], reason, now)


def seen(station: RolloutStation, connection_id: str | None, now: datetime) -> RolloutStation:
    """connection_id: on which it is now, some time after the old password was refused; None: it is away.

    The first that is known may be older than that. Another one is not.
    """
    if connection_id is None or connection_id == station.connection_id:
        return station
    if station.connection_id is None:
        return replace(station, connection_id=connection_id)
    return _at(station, Stage.SEEN, None, now)


def again(rollout: Rollout, station: RolloutStation, now: datetime) -> RolloutStation:
    """Of a schedule, what has come to its end waits for its next time."""
    period = every(rollout)
    if period is None or station.state not in DONE | {Stage.FAILED}:
        return station
    wait = RETRY if station.state is Stage.FAILED else period - jitter(rollout.id, station.station_id, period * SPREAD)
    due = station.changed_at + wait
    if due > now:
        return station
    waiting = _at(station, Stage.WAITING, None, now)
    return replace(waiting, due_at=due, command_id=None, connection_id=None)


def _at(station: RolloutStation, stage: Stage, reason: str | None, now: datetime) -> RolloutStation:
    if (station.state, station.reason) == (stage, reason):
        return station
    return replace(station, state=stage, reason=reason, changed_at=now)
