"""What is done to many stations, a bounded number at a time, with a halt where it fails too often. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What is done."""

    PASSWORDS = "passwords"
    SECURITY_PROFILES = "security_profiles"


class RolloutState(StrEnum):
    """halted: it failed too often. stopped: by an operator. done: nothing is left to do, and it is no schedule."""

    RUNNING = "running"
    HALTED = "halted"
    STOPPED = "stopped"
    DONE = "done"


class Stage(StrEnum):
    """How far one station is. seen, rolled_back: it came with what is new, with what it had."""

    WAITING = "waiting"
    SENT = "sent"
    ACCEPTED = "accepted"
    SEEN = "seen"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"


# Of these it is known how it ended; SENT is under way, WAITING is to come.
DONE = frozenset({Stage.ACCEPTED, Stage.SEEN})
# So many fail before a share of them counts: the first station alone says nothing of a fleet.
FEWEST_FAILED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """station_ids, group: which stations; neither: all. wanted: of its kind. halt_share: of those that have ended."""

    kind: Kind
    id: str
    station_ids: tuple[str, ...] | None = None
    group: str | None = None
    wanted: Mapping[str, Any] = field(default_factory=dict)
    at_once: int
    halt_share: float
    state: RolloutState
    reason: str | None = None
    author: str | None = None
    started_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutStation:
    """One station. due_at: it is not asked before. command_id: by which it was asked.

    connection_id: on which it was when it had taken what is new; None: not known. step, facts: of its kind, where it is
    asked several things in turn.
    """

    station_id: str
    state: Stage
    reason: str | None = None
    due_at: datetime
    command_id: str | None = None
    connection_id: str | None = None
    step: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    changed_at: datetime
    looked_at: datetime


def halting(counts: Mapping[str, int], share: float) -> str | None:
    """Why it goes no further; None: it goes on. counts: of stations, by stage."""
    failed = counts.get(Stage.FAILED, 0) + counts.get(Stage.ROLLED_BACK, 0)
    done = sum(counts.get(stage, 0) for stage in DONE)
    if failed < FEWEST_FAILED or failed <= share * (failed + done):
        return None
    return f"{failed} of {failed + done} stations have failed"


def finished(counts: Mapping[str, int]) -> bool:
    """Whether nothing is left to do. What failed is not tried again by itself."""
    return not counts.get(Stage.WAITING, 0) and not counts.get(Stage.SENT, 0)


def jitter(rollout_id: str, station_id: str, of: timedelta) -> timedelta:
    """A part of that time, always the same for a station: so that not all are due at once."""
    digest = hashlib.sha256(f"{rollout_id}\n{station_id}".encode()).digest()
    return of * (int.from_bytes(digest[:4], "big") / 2**32)
