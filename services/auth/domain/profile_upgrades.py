"""A station goes to a higher security profile (A05, B09, B10), one step at a time. Pure.

    read ▶ store ▶ prioritize ▶ reset ▶ await ──▶ seen          it came with the new profile
      └──────┴─────────┴──────────┴───────┴─────▶ failed        with what it said
                       └──────────┴───────┴─ restore ▶ rolled_back, failed

Whatever is lost, late or told twice: the priority that it is given always has all profiles that it had, and once the
new one is in it, that one, too; so that it finds the way to us with either. Only when a gateway has seen it with the
new profile is the old one refused (domain.stations.secured).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from services.auth.domain.rollouts import RolloutStation, Stage


class Step(StrEnum):
    """What a station is asked, or awaited to do. SWITCH: of 1.6, which has no slots."""

    READ = "read"
    STORE = "store"
    PRIORITIZE = "prioritize"
    SWITCH = "switch"
    RESET = "reset"
    AWAIT = "await"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class UpgradeRequest:
    """What a station is asked. priority: of slots, the first before others."""

    step: Step
    profile: int
    url: str | None = None
    slot: int | None = None
    priority: str | None = None
    interface: str | None = None
    timeout: int | None = None


@dataclass(frozen=True, slots=True)
class UpgradeAnswer:
    """What it said. value: what was read. reboot: it holds after a reboot. reason: in its words.

    lost: nobody knows whether it was done. away: it was not.
    """

    ok: bool
    value: str | None = None
    reboot: bool = False
    reason: str | None = None
    lost: bool = False
    away: bool = False


# A connection that is new is looked at for so long whether it has the new profile: gateways tell that a moment later.
GRACE = timedelta(minutes=1)
# Until a station is asked again that was away when it was asked.
AGAIN = timedelta(minutes=1)
NO_SLOT, UNREADABLE = "none of the slots is free", "its NetworkConfigurationPriority cannot be read"


def fault(*, profile: int, steps: Sequence[Step], password: bool, certificate: bool, url: str | None) -> str | None:
    """What a station lacks, so that nothing is sent to it; None: it may begin."""
    if profile == 2 and not password:
        return "it has no password, which it needs for security profile 2"
    if profile == 3 and not certificate:
        return "it has no certificate that was installed and is valid, which it needs for security profile 3"
    if Step.STORE in steps and not url:
        return "a url is needed for a station of its version"
    return None


def answered(
    station: RolloutStation, answer: UpgradeAnswer, steps: Sequence[Step], slots: Sequence[int], now: datetime
) -> RolloutStation:
    """After the end of what it was asked. steps: of its version, in order."""
    step, facts = Step(station.step or Step.READ), dict(station.facts)
    if answer.away:
        return replace(station, command_id=None, due_at=now + AGAIN, reason="it is away")
    if step is Step.RESTORE:
        return _end(station, None if answer.ok else "its priority is not restored", now)
    if answer.lost and step in (Step.SWITCH, Step.RESET):
        # It may be about to come with the new profile.
        return _to(station, Step.AWAIT, now)
    if not answer.ok:
        return _back(station, f"{step}: {answer.reason or 'no answer'}", steps, now)
    if step is Step.READ:
        known = priority_of(answer.value)
        free = [one for one in slots if one not in known]
        if not known or not free:
            return _end(replace(station, facts=facts | {"why": NO_SLOT if known else UNREADABLE}), None, now)
        facts |= {"priority": known, "slot": free[0]}
    if step is Step.PRIORITIZE:
        facts |= {"changed": True}
    after = steps[steps.index(step) + 1]
    if step is Step.SWITCH and not answer.reboot:
        after = Step.AWAIT
    return _to(replace(station, facts=facts), after, now)


def looked(
    station: RolloutStation,
    *,
    profile: int,
    current: int,
    connection_id: str | None,
    steps: Sequence[Step],
    patience: timedelta,
    now: datetime,
) -> RolloutStation:
    """After a look at where it is. current: the least profile that it is let in with: it rises when it was seen."""
    if current >= profile:
        return replace(station, state=Stage.SEEN, step=None, reason=None, command_id=None, changed_at=now)
    if station.step != Step.AWAIT:
        return station
    if connection_id and connection_id not in (station.connection_id, station.facts.get("came")):
        return replace(station, facts={**station.facts, "came": connection_id, "came_at": now.isoformat()})
    came_at = station.facts.get("came_at")
    if came_at and now - datetime.fromisoformat(came_at) > GRACE:
        return _back(replace(station, facts={**station.facts, "rolled_back": True}), None, steps, now)
    if now - station.changed_at > patience:
        return _back(station, f"it has not come with security profile {profile} in time", steps, now)
    return station


def request(station: RolloutStation, profile: int, wanted: Mapping[str, Any]) -> UpgradeRequest | None:
    """What it is to be asked now; None: nothing."""
    step = Step(station.step) if station.step else None
    if step in (None, Step.AWAIT) or station.command_id:
        return None
    known, slot = station.facts.get("priority") or [], station.facts.get("slot")
    order = [*known, slot] if step is Step.RESTORE else [slot, *known]
    return UpgradeRequest(
        step=step,
        profile=profile,
        url=wanted.get("url"),
        slot=slot,
        priority=",".join(map(str, order)) if slot else None,
        interface=wanted.get("interface"),
        timeout=wanted.get("timeout"),
    )


def priority_of(value: str | None) -> list[int]:
    """Slots in order; none where it cannot be read."""
    words = [one.strip() for one in (value or "").split(",")]
    return [int(one) for one in words] if all(one.isascii() and one.isdigit() for one in words) else []


def _back(station: RolloutStation, why: str | None, steps: Sequence[Step], now: datetime) -> RolloutStation:
    """It goes no further: what it had is first again, where that may have been changed."""
    after = replace(station, facts={**station.facts, "why": why})
    if Step.RESTORE in steps and station.step in (Step.PRIORITIZE, Step.RESET, Step.AWAIT):
        return replace(_to(after, Step.RESTORE, now), reason=why)
    return _end(after, None, now)


def _to(station: RolloutStation, step: Step, now: datetime) -> RolloutStation:
    return replace(station, step=step, reason=None, command_id=None, due_at=now, changed_at=now)


def _end(station: RolloutStation, more: str | None, now: datetime) -> RolloutStation:
    back = station.facts.get("rolled_back")
    said = [station.facts.get("why") or ("it came back with its old security profile" if back else None), more]
    return replace(
        station,
        state=Stage.ROLLED_BACK if back else Stage.FAILED,
        step=None,
        reason="; ".join(filter(None, said)) or None,
        command_id=None,
        changed_at=now,
    )
