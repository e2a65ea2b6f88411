"""transactions and smartcharging without their shells: what one tells, the other reads, and plans a site by."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson

from services.common.calls.call import Call
from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.process.settings import CommonSettings
from services.common.testing.assignments import unassigned
from services.smartcharging import inbound_events
from services.smartcharging.domain import presence, sessions
from services.smartcharging.domain.applied_limit import LimitKey, Outcome
from services.smartcharging.domain.limit_requests import LimitRequest
from services.smartcharging.domain.plan import plan
from services.smartcharging.domain.presence import Presence, StationChange
from services.smartcharging.domain.profile import Profile
from services.smartcharging.domain.seen_draws import seen_draws
from services.smartcharging.domain.sessions import SessionReport, TrackedSession
from services.smartcharging.domain.site import Site
from services.smartcharging.domain.site_profiles import site_profile
from services.smartcharging.domain.site_state import Limits, Session, SiteState, state_of
from services.transactions import announcements
from services.transactions.batch import DecidedReport, LoadedTransactions, collect_changes
from services.transactions.dialects import BY_VERSION
from services.transactions.domain.decide import decide, starts_transaction
from services.transactions.domain.ends import end
from services.transactions.domain.messages import Reply, Report
from services.transactions.domain.present import may_be_contested, present_session
from services.transactions.domain.transaction import EndedBy, Transaction
from services.transactions.handlers import announce
from services.transactions.rows import SampleKey, sample_key, sample_row

COUNT = itertools.count(1)


def call(station_id: str, version: str, action: str, payload: Any, received_at: datetime) -> Call:
    number = next(COUNT)
    raw = orjson.dumps(payload)
    return Call(f"c.{number}", station_id, "c", 0, f"m{number}", version, action, raw, received_at, False, False)


class Transactions:
    """table: its rows, by id. samples: which meter values it has."""

    def __init__(self) -> None:
        self.table: dict[int, Transaction] = {}
        self.samples: set[SampleKey] = set()
        self._numbers = itertools.count(1)
        self._events = Events(CommonSettings(), "transactions", unassigned)

    def handle(self, *calls: Call) -> tuple[list[Reply], list[Record]]:
        """A batch: the replies, and what is told. As the handler does it."""
        read = [(call, BY_VERSION[call.version].read[call.action](call)) for call in calls]
        reports = [(call, report) for call, report in read if isinstance(report, Report)]
        loaded = LoadedTransactions([one for one in self.table.values() if any(_names(r, one) for _, r in reports)])
        contested = {report.station_id for _, report in reports if may_be_contested(loaded.find(report), report)}
        loaded.add_open(
            contested, [one for one in self.table.values() if one.station_id in contested and not one.ended]
        )
        replies: list[Reply] = []
        decided: list[DecidedReport] = []
        for call_, report in reports:
            before = loaded.find(report)
            number = next(self._numbers) if starts_transaction(before, report) else None
            decision = decide(before, report, number, open_ones=loaded.open_at(report.station_id))
            loaded.apply(decision)
            replies.append(decision.reply)
            one = decision.transaction
            samples = [sample_row(one.id, value, report) for value in report.meter_values] if one else []
            decided.append(DecidedReport(call_, report, decision, samples))
        changes, announced = collect_changes(loaded, decided, self.samples)
        self.samples |= {sample_key(sample) for sample in changes.samples}
        self._write(changes.metered, changes.changed)
        return replies, [record for one in announced for record in announce(self._events, one)]

    def close(self, station_id: str, evse_id: int, now: datetime) -> list[Record]:
        """An operator closes what an EVSE has."""
        one = self.present(station_id, evse_id)
        assert one
        ended, revision = end(one, EndedBy.OPERATOR, one.updated_at, now)
        assert revision
        self.table[one.id] = ended
        event = announcements.revised(ended, revision, "1.6")
        return [self._events.record(event, station_id, announcements.cause("", revision), now)]

    def present(self, station_id: str, evse_id: int) -> Transaction | None:
        return present_session(self.of_evse(station_id, evse_id))

    def of_evse(self, station_id: str, evse_id: int) -> list[Transaction]:
        return [one for one in self.table.values() if (one.station_id, one.evse_id) == (station_id, evse_id)]

    def named(self, station_id: str, transaction_id: str) -> Transaction:
        [found] = [o for o in self.table.values() if (o.station_id, o.transaction_id) == (station_id, transaction_id)]
        return found

    def _write(self, metered: Sequence[Transaction], changed: Sequence[Transaction]) -> None:
        """The narrow update writes no more than meter values change."""
        for one in metered:
            names = ("updated_at", "energy_wh", "meters", "sequence", "field_order", "moved")
            narrow = {name: getattr(one, name) for name in names}
            self.table[one.id] = msgspec.structs.replace(self.table[one.id], **narrow)
        self.table |= {one.id: one for one in changed}


def _names(report: Report, one: Transaction) -> bool:
    return one.station_id == report.station_id and (one.key == report.key or one.id == report.number)


@dataclass
class Asked:
    """A command that sets a limit."""

    id: str
    request: LimitRequest
    profile: Profile

    @property
    def key(self) -> LimitKey:
        return (*self.request.key, self.request.session_id or 0)


@dataclass
class SmartCharging:
    """tracked, limits, outcomes: its rows. records: all events that it has read. now: when it did something last."""

    site: Site
    stations: dict[str, Presence] = field(default_factory=dict)
    tracked: dict[int, TrackedSession] = field(default_factory=dict)
    limits: Limits = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    over_committed: bool = False
    now: datetime = datetime(2000, 1, 1, tzinfo=UTC)

    def read(self, records: Sequence[Record], now: datetime) -> None:
        self.now = now
        changes: list[SessionReport | StationChange | None] = []
        for record in records:
            kind = inbound_events.kind_of_event(record)
            changes.append(inbound_events.read(record, kind, in_site=True) if kind else None)
        reports = [change for change in changes if isinstance(change, SessionReport)]
        known = [self.tracked[report.id] for report in reports if report.id in self.tracked]
        self.tracked |= {one.id: one for one in sessions.apply_all(known, reports, now)}

    def change(self, change: StationChange) -> None:
        self.stations |= {one.station_id: one for one in presence.apply_all(self.stations, [change])}

    def plan(self, now: datetime) -> list[Asked]:
        """What is asked of stations now."""
        self.now = now
        planned = plan(self.state(), self.outcomes, {}, now)
        asked = [Asked(f"k{next(COUNT)}", one, site_profile(planned.state, one)) for one in planned.requests]
        self.limits = planned.state.limits
        for one in asked:
            applied, monitor = self.limits[one.key]
            self.limits = {**self.limits, one.key: (replace(applied, command_id=one.id), monitor)}
        self.over_committed = planned.shares.over_committed
        return asked

    def state(self) -> SiteState:
        names = ("id", "station_id", "evse_id", "transaction_id", "started_at", "heard_at", "superseded")
        rows = [one for _, one in sorted(self.tracked.items()) if not one.ended_at]
        sessions_ = [Session(**{name: getattr(one, name) for name in names}) for one in rows]
        seen = [one for one in self.tracked.values() if not one.ended_at or one.draws_on_at]
        drawn = seen_draws(self.site, self.stations, seen, self.now)
        made = state_of(self.site, self.stations, sessions_, self.limits)
        return replace(made, drawn=drawn.currents, drawn_until=drawn.until)
