"""Whether a station that boots is let in (B01, B02, B03; 1.6 §4.2)."""

from msgspec.structs import replace

from services.firmware.domain.causes import boot_ends
from services.firmware.domain.context import Context
from services.firmware.domain.messages import Boot, BootVerdict, Decision, StationBooted
from services.firmware.domain.rules import Rules
from services.firmware.domain.station import BootStatus, Station


def boot(station: Station, command: Boot, context: Context) -> Decision:
    """B01.FR.02: the CSMS says whether it accepts. Acceptance persists: a later default does not undo it."""
    envelope, status = context.envelope, _status(station, context)
    # What it waits for has nothing to do with whether it is accepted.
    waits = envelope.quarantined or envelope.certificate_expired
    registration = replace(
        station.registration,
        status=status,
        reason=command.reason,
        booted_at=envelope.at,
        accepted=station.registration.accepted if waits else status is BootStatus.ACCEPTED,
    )
    booted = replace(
        station,
        version=envelope.version,
        quarantined=envelope.quarantined,
        identity=command.identity,
        registration=registration,
    )
    verdict = BootVerdict(status, _interval(booted, context.rules), context.now)
    after, recorded = boot_ends(booted, command.reason, envelope)
    return Decision(after, verdict, (StationBooted(after, envelope.at, envelope.id),), recorded)


def _status(station: Station, context: Context) -> BootStatus:
    """An unregistered station waits, and one whose certificate has expired (A00.FR.429).

    Else the operator's order counts, then what was, then the default.
    """
    decision = station.registration.decision
    expired = context.envelope.certificate_expired and decision is not BootStatus.REJECTED
    if context.envelope.quarantined or expired:
        return BootStatus.PENDING
    if decision:
        return decision
    return BootStatus.ACCEPTED if station.registration.accepted else context.rules.boot


def _interval(station: Station, rules: Rules) -> int:
    """Above zero, so that no station picks one of its own (B01.FR.04, B02.FR.08, B03.FR.06)."""
    registration = station.registration
    if registration.interval and registration.status == registration.decision:
        return registration.interval
    return rules.heartbeat if registration.status is BootStatus.ACCEPTED else rules.retry
