"""The state that a session is shown in, and why: for people to read."""

from datetime import datetime
from enum import StrEnum

from services.smartcharging.domain.applied_limit import AppliedLimit
from services.smartcharging.domain.share import Shares
from services.smartcharging.domain.site_state import Evse


class SessionState(StrEnum):
    """charging: as granted. paused: 0 A is granted. changing: the station has yet to answer. waiting: others have to
    confirm less first. set_aside: the station cannot be reached, and what it may draw is kept for it."""

    CHARGING = "charging"
    PAUSED = "paused"
    CHANGING = "changing"
    WAITING = "waiting"
    SET_ASIDE = "set_aside"


def deviation_reason(evse: Evse, applied: AppliedLimit, now: datetime) -> str:
    """Why a station does not apply the limit that it should."""
    if not evse.station.connected:
        return "the station is not connected"
    if applied.resting(now):
        return "the station refused the limit" if applied.refused else "the station did not answer"
    return "the station has yet to answer" if applied.asked is not None else "others have to confirm less first"


def session_state(evse: Evse, shares: Shares, now: datetime) -> tuple[SessionState, str]:
    """The state of a session, and its reason in words where there is one."""
    assert evse.active, "an idle EVSE has no share"
    applied, target = evse.active.applied, shares.targets.get(evse.key)
    if not evse.heeds(applied, now):
        return SessionState.SET_ASIDE, deviation_reason(evse, applied, now)
    if applied.asked is not None:
        return SessionState.CHANGING, deviation_reason(evse, applied, now)
    if target is not None and target > evse.current:
        return SessionState.WAITING, "others have to confirm less first"
    if evse.current == 0:
        return SessionState.PAUSED, "the minimum does not fit" if not target else ""
    if not evse.certain(applied):
        return SessionState.CHANGING, "nothing is confirmed yet"
    return SessionState.CHARGING, ""
