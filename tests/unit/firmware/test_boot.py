"""Who is let in: every reason there is, and their order (B01, B02, B03; 1.6 §4.2)."""

import pytest
from msgspec.structs import replace

from services.firmware.domain.boot import boot
from services.firmware.domain.messages import Boot, BootVerdict, Decision, StationBooted
from services.firmware.domain.rules import Rules
from services.firmware.domain.station import BootStatus, Identity, Registration, Station
from tests.unit.firmware.tables import START, at, context

A, P, R = BootStatus.ACCEPTED, BootStatus.PENDING, BootStatus.REJECTED
IDENTITY = Identity("Volta", "One", "S-1", "1.2.3")
UNKNOWN, ACCEPTED_ONCE = Registration(), Registration(A, accepted=True)


def booted(known: Registration, rules: Rules, quarantined: bool = False) -> Decision:
    station = Station("CP1", registration=known)
    return boot(station, Boot(IDENTITY, "PowerUp"), context(1, rules=rules, now=at(2), quarantined=quarantined))


@pytest.mark.parametrize(
    ("known", "default", "quarantined", "verdict", "interval"),
    [
        pytest.param(UNKNOWN, A, False, A, 300, id="accepted by default (B01.FR.02)"),
        pytest.param(UNKNOWN, P, False, P, 30, id="pending by default (B02)"),
        pytest.param(UNKNOWN, R, False, R, 30, id="rejected by default (B03)"),
        pytest.param(ACCEPTED_ONCE, P, False, A, 300, id="acceptance persists: a later default does not undo it"),
        pytest.param(ACCEPTED_ONCE, R, False, A, 300, id="nor does the hardest"),
        pytest.param(replace(UNKNOWN, decision=A), R, False, A, 300, id="an order goes before the default"),
        pytest.param(replace(ACCEPTED_ONCE, decision=R), A, False, R, 30, id="an order goes before acceptance"),
        pytest.param(replace(UNKNOWN, decision=P, interval=7), A, False, P, 7, id="an order has its interval"),
        pytest.param(replace(UNKNOWN, decision=A, interval=60), A, False, A, 60, id="of heartbeats too"),
        pytest.param(UNKNOWN, A, True, P, 30, id="an unregistered station waits"),
        pytest.param(replace(UNKNOWN, decision=A, interval=7), A, True, P, 30, id="whatever was ordered"),
    ],
)
def test_verdicts(
    known: Registration, default: BootStatus, quarantined: bool, verdict: BootStatus, interval: int
) -> None:
    decision = booted(known, Rules(boot=default), quarantined)
    assert decision.reply == BootVerdict(verdict, interval, at(2))
    assert decision.station.registration.status == verdict
    assert decision.station.identity == IDENTITY
    assert decision.events == (StationBooted(decision.station, at(1), "a.1"),)


@pytest.mark.parametrize("default", list(BootStatus))
def test_intervals_are_never_zero(default: BootStatus) -> None:
    """B01.FR.04, B02.FR.07, B03.FR.05: at zero, a station would choose for itself."""
    reply = booted(UNKNOWN, Rules(boot=default, heartbeat=1, retry=1)).reply
    assert isinstance(reply, BootVerdict)
    assert reply.interval == 1


@pytest.mark.parametrize(
    ("known", "quarantined", "accepted"),
    [
        pytest.param(UNKNOWN, False, True, id="accepted"),
        pytest.param(replace(ACCEPTED_ONCE, decision=R), False, False, id="an order takes it back"),
        pytest.param(ACCEPTED_ONCE, True, True, id="a visit without registration does not"),
        pytest.param(UNKNOWN, True, False, id="nor does it give any"),
    ],
)
def test_what_persists(known: Registration, quarantined: bool, accepted: bool) -> None:
    registration = booted(known, Rules(), quarantined).station.registration
    assert registration.accepted is accepted
    assert (registration.reason, registration.booted_at) == ("PowerUp", at(1))
    assert (registration.decision, registration.interval) == (known.decision, known.interval)


def test_the_time_is_that_of_the_answer() -> None:
    """B01.FR.06: a station sets its clock by it."""
    reply = boot(Station("CP1"), Boot(IDENTITY), context()).reply
    assert isinstance(reply, BootVerdict)
    assert reply.now == START
