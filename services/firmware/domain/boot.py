"""Whether a station that boots is let in (B01, B02, B03; 1.6 §4.2)."""

from datetime import datetime

from msgspec.structs import replace

from services.firmware.domain.messages import Boot, Booted, Decision, Heard, Verdict
from services.firmware.domain.rules import Rules
from services.firmware.domain.station import BootStatus, Station


def boot(station: Station, heard: Heard, command: Boot, rules: Rules, now: datetime) -> Decision:
    """B01.FR.02: the CSMS says whether it accepts. Acceptance persists: a later default does not undo it."""
    status = _status(station, heard, rules)
    registration = replace(
        station.registration,
        status=status,
        reason=command.reason,
        booted_at=heard.at,
        accepted=station.registration.accepted if heard.quarantined else status is BootStatus.ACCEPTED,
    )
    booted = replace(
        station,
        version=heard.version,
        quarantined=heard.quarantined,
        identity=command.identity,
        registration=registration,
    )
    interval = _interval(booted, rules)
    return Decision(booted, Verdict(status, interval, now), (Booted(booted, heard.at, heard.id),))


def _status(station: Station, heard: Heard, rules: Rules) -> BootStatus:
    """An unregistered station waits; else the operator's order counts, then what was, then the default."""
    if heard.quarantined:
        return BootStatus.PENDING
    if station.registration.decision:
        return station.registration.decision
    return BootStatus.ACCEPTED if station.registration.accepted else rules.boot


def _interval(station: Station, rules: Rules) -> int:
    """Above zero, so that no station picks one of its own (B01.FR.04, B02.FR.08, B03.FR.06)."""
    status, ordered = station.registration.status, station.registration
    if ordered.interval and status == ordered.decision:
        return ordered.interval
    return rules.heartbeat if status is BootStatus.ACCEPTED else rules.retry
