"""Every metric of firmware but those of its station log."""

from collections.abc import Iterable
from itertools import product

from prometheus_client import Counter

from services.common.postgres.measures import Measure, counted
from services.common.process.leader_gauge import LeaderGauge
from services.firmware.domain.security_events import KINDS, SecurityEventReported
from services.firmware.domain.station import BootStatus

# ChargePointStatus of 1.6, ConnectorStatusEnumType of 2.x, and ours where nobody knows; stations may say others.
STATUSES = (
    *("Available", "Preparing", "Charging", "SuspendedEVSE", "SuspendedEV", "Finishing", "Occupied", "Reserved"),
    *("Unavailable", "Faulted", "Unknown", "other"),
)
REFUSED_STATUSES = Counter(
    "voltbus_refused_connector_statuses_total", "statuses of connectors beyond those that one station may have"
)
SECURITY_EVENTS = Counter(
    "voltbus_security_events_total",
    "security events by who noticed them (station, csms) and type (other: one that is not in the list of OCPP)",
    ["origin", "type"],
)
for _labels in KINDS:
    SECURITY_EVENTS.labels(*_labels)
STATIONS = LeaderGauge(
    "voltbus_stations",
    "stations by presence and by the verdict on their last boot (none: there was none)",
    ["presence", "boot_status"],
    known=product(("online", "offline"), (*BootStatus, "none")),
)
CONNECTORS = LeaderGauge(
    "voltbus_connectors", "connectors by their status", ["status"], known=[(status,) for status in STATUSES]
)
# Both read a whole table: what they count by changes with every message, and an index of it would cost each.
COUNT_STATIONS = """
select case when online then 'online' else 'offline' end, coalesce(boot_status, 'none'), count(*)
from station group by 1, 2"""
COUNT_CONNECTORS = f"""
select case when status in ({", ".join(f"'{status}'" for status in STATUSES)}) then status else 'other' end, sum(number)
from (
    select status, count(*) as number from connector where evse_id > 0 and gone_at is null group by status
) as counted group by 1"""


def count_security_events(events: Iterable[SecurityEventReported]) -> None:
    """New ones."""
    for one in events:
        SECURITY_EVENTS.labels(one.origin, one.kind).inc(one.times)


MEASURES = (
    Measure(STATIONS, counted(COUNT_STATIONS, scan=True), interval=60),
    Measure(CONNECTORS, counted(COUNT_CONNECTORS, scan=True), interval=60),
)
