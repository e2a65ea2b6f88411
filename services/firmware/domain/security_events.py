"""Security events: which there are, which of them are critical, and how many are kept. Pure."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from services.firmware.domain.refusals import RefusalReport
from services.ocpp.refusals import RefusalReason


class Origin(StrEnum):
    """Who noticed it: the station itself, or this side."""

    STATION = "station"
    CSMS = "csms"


LOGIN_FAILED, CERTIFICATE_REFUSED, DOWNGRADE_ATTEMPTED = "LoginFailed", "CertificateRefused", "DowngradeAttempted"

# 2.1 part 2, appendix 1; 1.6 security whitepaper, edition 3, table of security events.
OF_STATIONS: Mapping[str, bool] = {
    "FirmwareUpdated": True,
    "FailedToAuthenticateAtCsms": False,
    "CsmsFailedToAuthenticate": False,
    "SettingSystemTime": True,
    "StartupOfTheDevice": True,
    "ResetOrReboot": True,
    "SecurityLogWasCleared": True,
    "ReconfigurationOfSecurityParameters": False,
    "MemoryExhaustion": True,
    "InvalidMessages": False,
    "AttemptedReplayAttacks": False,
    "TamperDetectionActivated": True,
    "InvalidFirmwareSignature": True,
    "InvalidFirmwareSigningCertificate": True,
    "InvalidCsmsCertificate": True,
    "InvalidChargingStationCertificate": True,
    "DiscardedRenewedClientCertificate": True,
    "InvalidTLSVersion": True,
    "InvalidTLSCipherSuite": True,
    "MaintenanceLoginAccepted": True,
    "MaintenanceLoginFailed": True,
}
OF_CSMS: Mapping[str, bool] = {LOGIN_FAILED: False, CERTIFICATE_REFUSED: True, DOWNGRADE_ATTEMPTED: True}
# Whether they are, by who notices them and their kind.
CRITICAL: Mapping[Origin, Mapping[str, bool]] = {Origin.STATION: OF_STATIONS, Origin.CSMS: OF_CSMS}
# As editions of the whitepaper for 1.6 have written them.
OTHER_NAMES: Mapping[str, str] = {
    "FailedToAuthenticateAtCentralSystem": "FailedToAuthenticateAtCsms",
    "FailedToAuthenticationAtCsms": "FailedToAuthenticateAtCsms",
    "CentralSystemFailedToAuthenticate": "CsmsFailedToAuthenticate",
    "CsmsFailedToAuthentication": "CsmsFailedToAuthenticate",
    "InvalidCentralSystemCertificate": "InvalidCsmsCertificate",
    "InvalidChargePointCertificate": "InvalidChargingStationCertificate",
}
OTHER = "other"
KINDS = (*((origin, kind) for origin, kinds in CRITICAL.items() for kind in kinds), (Origin.STATION, OTHER))

# Of what gateways refuse, that which is about who a station is.
TYPES_OF_REFUSALS: Mapping[str, str] = {
    RefusalReason.NO_PASSWORD: LOGIN_FAILED,
    RefusalReason.WRONG_PASSWORD: LOGIN_FAILED,
    RefusalReason.TOO_MANY_WRONG_PASSWORDS: LOGIN_FAILED,
    RefusalReason.FOREIGN_CERTIFICATE: CERTIFICATE_REFUSED,
    RefusalReason.CERTIFICATE_OF_ANOTHER: CERTIFICATE_REFUSED,
    RefusalReason.EXPIRED_CERTIFICATE: CERTIFICATE_REFUSED,
    RefusalReason.REVOKED_CERTIFICATE: CERTIFICATE_REFUSED,
    RefusalReason.UNTRUSTED_CERTIFICATE: CERTIFICATE_REFUSED,
    RefusalReason.OTHER_SERIAL_NUMBER: CERTIFICATE_REFUSED,
    RefusalReason.LOW_PROFILE: DOWNGRADE_ATTEMPTED,
    RefusalReason.NO_CERTIFICATE: DOWNGRADE_ATTEMPTED,
}

# Of one station, origin and kind; by day of receipt, in UTC. Those that come after them are counted with the last.
MOST_A_DAY = 100
# A clock may be ahead by so much, and a report wait for so long, before it is not believed.
AHEAD, LONGEST_WAIT = timedelta(minutes=1), timedelta(days=90)


class SecurityEventReported(Struct, frozen=True):
    """occurred_at: by the clock of its origin. at: when it was received. cause: of the event that tells it.

    times: how often it happened. remote_address: from where, where it is this side's.
    """

    station_id: str
    type: str
    tech_info: str | None
    occurred_at: datetime | None
    at: datetime
    cause: str
    origin: Origin = Origin.STATION
    times: int = 1
    remote_address: str | None = None

    @property
    def id(self) -> str:
        """What a station tells twice, with the same time, is one: it tells again what it got no answer to."""
        if self.origin is Origin.CSMS or self.occurred_at is None:
            return self.cause
        said = "\n".join((self.station_id, self.type, self.occurred_at.isoformat(), self.tech_info or ""))
        return hashlib.sha256(said.encode()).hexdigest()[:40]

    @property
    def kind(self) -> str:
        """Its type by the name that it has today."""
        name = OTHER_NAMES.get(self.type, self.type)
        return name if name in CRITICAL[self.origin] else OTHER

    @property
    def critical(self) -> bool | None:
        """None: of a type that has no meaning here."""
        return CRITICAL[self.origin].get(self.kind)

    @property
    def happened_at(self) -> datetime:
        """By the station's clock where that can be right, else when it was received."""
        said = self.occurred_at
        return said if said and self.at - LONGEST_WAIT <= said <= self.at + AHEAD else self.at


class Day(NamedTuple):
    """What is counted together."""

    station_id: str
    origin: str
    kind: str
    day: datetime


class Kept(NamedTuple):
    """How many of a day are kept, and the id of the last."""

    number: int
    last_id: str


class Bounded(NamedTuple):
    """kept: events, in order. further: by id of one that is kept, how many came after it. days: as they are then."""

    kept: list[SecurityEventReported]
    further: dict[str, int]
    days: dict[Day, Kept]


def of_report(report: RefusalReport) -> Iterator[SecurityEventReported]:
    """What a gateway has refused, as events: one of each station and reason."""
    for one in report.refused:
        if kind := TYPES_OF_REFUSALS.get(one.reason):
            yield SecurityEventReported(
                station_id=one.station_id,
                type=kind,
                tech_info=one.reason,
                occurred_at=one.last_at,
                at=report.at,
                cause=f"{report.gateway} {report.at.isoformat()} {one.station_id} {one.reason}",
                origin=Origin.CSMS,
                times=one.times,
                remote_address=one.remote_address or None,
            )


def day_of(event: SecurityEventReported) -> Day:
    start = event.at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Day(event.station_id, event.origin.value, event.kind, start)


def bounded(events: Iterable[SecurityEventReported], known: Mapping[Day, Kept]) -> Bounded:
    """Which of these are kept. events: new ones. known: of their days."""
    found = Bounded([], {}, dict(known))
    for event in events:
        day = day_of(event)
        number, last_id = found.days.get(day, Kept(0, ""))
        if number < MOST_A_DAY:
            found.kept.append(event)
            found.days[day] = Kept(number + 1, event.id)
        else:
            found.further[last_id] = found.further.get(last_id, 0) + event.times
    return found
