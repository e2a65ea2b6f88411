"""What a session's share comes to at a moment, and why: for people to read."""

from datetime import datetime
from enum import StrEnum

from services.smartcharging.domain.share import Shares
from services.smartcharging.domain.situation import Point


class State(StrEnum):
    """charging: as granted. paused: 0 A is granted. changing: the station has yet to answer. waiting: others have to
    confirm less first. set_aside: the station cannot be told, and what it may draw is kept for it."""

    CHARGING = "charging"
    PAUSED = "paused"
    CHANGING = "changing"
    WAITING = "waiting"
    SET_ASIDE = "set_aside"


def state(point: Point, shares: Shares, now: datetime) -> tuple[State, str]:
    """The state of a session, and its reason in words where there is one."""
    assert point.charging, "an idle EVSE has no share"
    hold, wanted = point.charging.hold, shares.wanted.get(point.key)
    if not point.station.connected:
        return State.SET_ASIDE, "the station is not connected"
    if hold.resting(now):
        return State.SET_ASIDE, "the station refused the limit" if hold.refused else "the station did not answer"
    if hold.asked is not None:
        return State.CHANGING, "the station has yet to answer"
    if wanted is not None and wanted > point.current:
        return State.WAITING, "others have to confirm less first"
    if point.current == 0:
        return State.PAUSED, "the minimum does not fit" if not wanted else ""
    if not point.certain(hold):
        return State.CHANGING, "nothing is confirmed yet"
    return State.CHARGING, ""
