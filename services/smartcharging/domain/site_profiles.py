"""The charging profiles that keep the sessions of a site to their shares."""

from collections.abc import Iterable, Mapping
from math import floor

from services.smartcharging.domain.applied_limit import LimitKey
from services.smartcharging.domain.limit_requests import LimitRequest
from services.smartcharging.domain.loads import amperes
from services.smartcharging.domain.profile import Period, Profile, Purpose, Schedule
from services.smartcharging.domain.site import Member, Site
from services.smartcharging.domain.site_state import SiteState

# Ids of our own, two for each EVSE: a profile with the same id replaces the one that was there (K01.FR.05), so that
# there are never two of a purpose and stack level (K01.FR.06, K01.FR.39).
FIRST_ID = 900_000_000
STACK_LEVEL = 0


def site_profile_id(key: LimitKey) -> int:
    """Of a TxProfile, or of a TxDefaultProfile."""
    _, evse_id, session_id = key
    return FIRST_ID + 2 * evse_id + (1 if session_id else 0)


def site_profile(state: SiteState, request: LimitRequest) -> Profile:
    """A TxDefaultProfile or a TxProfile with one period, that lasts until another replaces it (K01.FR.10)."""
    station_id, evse_id = request.key
    member = _members(state.site)[station_id]
    unit, limit = member.unit, _limit(state.site, member, request.current)
    schedule = Schedule(unit, (Period(0, limit, len(member.phases)),))
    of_session = request.session_id is not None
    return Profile(
        id=site_profile_id((*request.key, request.session_id or 0)),
        purpose=Purpose.TX if of_session else Purpose.TX_DEFAULT,
        schedule=schedule,
        evse_id=evse_id,
        stack_level=STACK_LEVEL,
        transaction_id=state.sessions[request.key].session.transaction_id if of_session else None,
    )


def obsolete(keys: Iterable[LimitKey], site: Site) -> list[LimitKey]:
    """Which of the limits that were ever asked for are not of the site any more."""
    members = _members(site)

    def needed(station_id: str, evse_id: int, session_id: int) -> bool:
        member = members.get(station_id)
        if member is None:
            return False
        return member.covers(evse_id) if session_id else evse_id in member.default_keys()

    return [key for key in keys if not needed(*key)]


def _limit(site: Site, member: Member, current: int) -> float:
    """In the unit of the station; watts as it will turn them back into amperes (K01.FR.50)."""
    if member.unit == "A":
        return amperes(current)
    return float(floor(amperes(current) * site.voltage * len(member.phases)))


def _members(site: Site) -> Mapping[str, Member]:
    return {member.station_id: member for member in site.members}
