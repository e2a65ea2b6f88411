"""What a session's share comes to at a moment, and why: for people to read."""

from datetime import datetime
from enum import StrEnum

from services.smartcharging.domain.applied_limit import AppliedLimit
from services.smartcharging.domain.share import Shares
from services.smartcharging.domain.site_state import Evse


class SessionState(StrEnum):
    """charging: as granted. paused: 0 A is granted. changing: the station has yet to answer. waiting: others have to
    confirm less first. set_aside: the station cannot be told, and what it may draw is kept for it."""

    CHARGING = "charging"
    PAUSED = "paused"
    CHANGING = "changing"
    WAITING = "waiting"
    SET_ASIDE = "set_aside"


def deviation_reason(point: Evse, hold: AppliedLimit, now: datetime) -> str:
    """Why a station does not hold what it should."""
    if not point.station.connected:
        return "the station is not connected"
    if hold.resting(now):
        return "the station refused the limit" if hold.refused else "the station did not answer"
    return "the station has yet to answer" if hold.asked is not None else "others have to confirm less first"


def session_state(point: Evse, shares: Shares, now: datetime) -> tuple[SessionState, str]:
    """The state of a session, and its reason in words where there is one."""
    assert point.charging, "an idle EVSE has no share"
    hold, wanted = point.charging.hold, shares.wanted.get(point.key)
    if not point.heeds(hold, now):
        return SessionState.SET_ASIDE, deviation_reason(point, hold, now)
    if hold.asked is not None:
        return SessionState.CHANGING, deviation_reason(point, hold, now)
    if wanted is not None and wanted > point.current:
        return SessionState.WAITING, "others have to confirm less first"
    if point.current == 0:
        return SessionState.PAUSED, "the minimum does not fit" if not wanted else ""
    if not point.certain(hold):
        return SessionState.CHANGING, "nothing is confirmed yet"
    return SessionState.CHARGING, ""
