"""Changes of passwords at stations: asked of the station, which says whether it has changed it (A01). Pure.

    asked ──▶ taken       Accepted, or it came with the new one
      │  ├──▶ kept        refused, or never sent: the old one counts
      │  ├──▶ awaited     RebootRequired: it will use the new one once it has booted
      │  └──▶ doubtful    no answer
      └─────▶ superseded  it has taken a later one

Until it is known which of the two a station has, both are good. What is awaited or doubtful becomes taken or kept by an
answer that comes late, and taken when the station comes with the new password.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from services.auth.domain import stations
from services.auth.domain.stations import Password, Station, StationDecision

# Changes of which it is not known what became of them; a station that never answers is not asked without end.
MOST_OPEN = 5


class ChangeState(StrEnum):
    """How far a change has come."""

    ASKED = "asked"
    AWAITED = "awaited"
    DOUBTFUL = "doubtful"
    TAKEN = "taken"
    KEPT = "kept"
    SUPERSEDED = "superseded"


# Of these the station may have the password.
OPEN = frozenset({ChangeState.ASKED, ChangeState.AWAITED, ChangeState.DOUBTFUL})


@dataclass(frozen=True, slots=True)
class SetPassword:
    """What a station is asked. password: sealed, see services.ocpp.sealing. hexadecimal: as 1.6 has it."""

    password: str
    hexadecimal: bool


@dataclass(frozen=True, slots=True)
class PasswordChange:
    """One change. number: later ones have higher. replaces: the hash that counted when it was asked; None: none did.

    reason: in the station's words, or why it got no answer. due: what it came to is still to be told to the gateways.
    """

    command_id: str
    number: int
    station_id: str
    password: Password
    replaces: bytes | None
    state: ChangeState
    asked_at: datetime
    changed_at: datetime
    reason: str | None = None
    due: bool = False


def lets_in(change: PasswordChange, station: Station) -> bool:
    """Whether a station may come with its password; not once its operator has given it another one."""
    return change.state in OPEN and change.replaces == hash_of(station)


def hash_of(station: Station) -> bytes | None:
    """Of the password that counts."""
    return station.password.hash if station.password else None


def replaced(station: Station, changes: Sequence[PasswordChange]) -> bytes | None:
    """The hash that the station's own change has replaced (empty: no password was required); None: it made none."""
    taken = [one for one in changes if one.state is ChangeState.TAKEN and one.password.hash == hash_of(station)]
    return (taken[-1].replaces or b"") if taken else None


def replied(change: PasswordChange, state: ChangeState, reason: str | None, at: datetime) -> PasswordChange:
    """After the station's answer, or the want of one. What has come to its end stays, and doubt adds nothing to it."""
    if change.state not in OPEN or (state is ChangeState.DOUBTFUL and change.state is ChangeState.AWAITED):
        return change
    return replace(change, state=state, reason=reason, changed_at=at, due=True)


def confirmed(change: PasswordChange, at: datetime) -> PasswordChange:
    """The station has come with the new password, whatever it said."""
    return replied(change, ChangeState.TAKEN, change.reason, at)


def settled(
    station: Station, changes: Sequence[PasswordChange], now: datetime
) -> tuple[StationDecision, list[PasswordChange]]:
    """The station with the password that it has, and its changes: what it has taken counts, and ends those before it.

    A change that was asked for later goes on, and is one of the new password.
    """
    taken = max((one for one in changes if one.state is ChangeState.TAKEN), key=lambda one: one.number, default=None)
    if taken is None or not taken.due:
        return StationDecision(station), [_told(one, taken, now) for one in changes]
    decision = stations.with_password(station, Password(taken.password.hash), now)
    after = [_told(one, taken, now) for one in changes]
    return decision, [
        replace(one, replaces=taken.password.hash) if one.number > taken.number and one.state in OPEN else one
        for one in after
    ]


def _told(one: PasswordChange, taken: PasswordChange | None, now: datetime) -> PasswordChange:
    if taken and one.number < taken.number and one.state in OPEN:
        return replace(one, state=ChangeState.SUPERSEDED, changed_at=now, due=False)
    return replace(one, due=False)
