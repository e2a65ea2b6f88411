"""The charging profiles that keep the sessions of a site to their shares."""

from collections.abc import Mapping
from math import floor

from services.smartcharging.domain.limit_requests import LimitRequest
from services.smartcharging.domain.loads import amperes
from services.smartcharging.domain.profile import Period, Profile, Purpose, Schedule
from services.smartcharging.domain.site import Member, Site
from services.smartcharging.domain.site_state import SiteState

# Ids of our own, two for each EVSE: a profile with the same id replaces the one that was there (K01.FR.05), so that
# there are never two of a purpose and stack level (K01.FR.06, K01.FR.39).
FIRST_ID = 900_000_000
STACK_LEVEL = 0


def default_profile_id(evse_id: int) -> int:
    return FIRST_ID + 2 * evse_id


def session_profile_id(evse_id: int) -> int:
    return default_profile_id(evse_id) + 1


def site_profile(state: SiteState, request: LimitRequest) -> Profile:
    """A TxDefaultProfile or a TxProfile with one period, that lasts until another replaces it (K01.FR.10)."""
    station_id, evse_id = request.key
    member = _members(state.site)[station_id]
    unit, limit = member.unit, _limit(state.site, member, request.current)
    schedule = Schedule(unit, (Period(0, limit, len(member.phases)),))
    if request.session_id is None:
        return Profile(default_profile_id(evse_id), Purpose.TX_DEFAULT, schedule, evse_id, STACK_LEVEL)
    transaction_id = state.sessions[request.key].session.transaction_id
    return Profile(
        session_profile_id(evse_id), Purpose.TX, schedule, evse_id, STACK_LEVEL, transaction_id=transaction_id
    )


def _limit(site: Site, member: Member, current: int) -> float:
    """In the unit of the station; watts as it will turn them back into amperes (K01.FR.50)."""
    if member.unit == "A":
        return amperes(current)
    return float(floor(amperes(current) * site.voltage * len(member.phases)))


def _members(site: Site) -> Mapping[str, Member]:
    return {member.station_id: member for member in site.members}
