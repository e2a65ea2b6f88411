"""What is published of a plan: shares that were confirmed, and whether the limit can be held."""

from dataclasses import replace
from datetime import UTC, datetime

from services.common.kafka.bus import Record
from services.common.kafka.events import Events
from services.common.process.settings import CommonSettings
from services.common.testing.assignments import unassigned
from services.smartcharging.announcements import announce
from services.smartcharging.domain.applied_limit import AppliedLimit
from services.smartcharging.domain.plan import SitePlan
from services.smartcharging.domain.share import Shares
from services.smartcharging.domain.site import Limit, Site
from services.smartcharging.domain.site_state import ActiveSession, Session, SiteState
from services.smartcharging.snapshot import SiteSnapshot
from voltbus.v1 import events_pb2 as pb

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = ("CP1", 1)


def state(applied: AppliedLimit) -> SiteState:
    session = Session(7, "CP1", 1, "tx-7", NOW, NOW)
    return SiteState(Site("garage", Limit(32)), sessions={KEY: ActiveSession(session, applied)})


def published(
    before: AppliedLimit, after: AppliedLimit, was_over: bool = False, set_aside: int = 0
) -> list[tuple[bytes | None, Record]]:
    shares = Shares({}, {"L1": set_aside}, {"L1": 320})
    snapshot = SiteSnapshot(state=state(before), outcomes={}, draws={}, stored={}, over_committed=was_over)
    planned = SitePlan(state(after), shares, [], None)
    events = Events(CommonSettings(), "smartcharging", unassigned)
    return [(record.key, record) for record in announce(events, snapshot, planned, NOW)]


def test_a_share_is_published_once_it_is_confirmed() -> None:
    asked = AppliedLimit(held=320, asked=160, command_id="c")
    [(key, record)] = published(asked, replace(asked, held=160, asked=None))
    event = pb.ShareChanged.FromString(record.value or b"")
    assert (key, event.granted_a, event.paused, event.command_id) == (b"CP1", 16, False, "c")
    [(_, record)] = published(asked, replace(asked, held=0, asked=None))
    assert pb.ShareChanged.FromString(record.value or b"").paused


def test_what_is_only_asked_for_is_not_published() -> None:
    confirmed = AppliedLimit(held=320)
    assert published(confirmed, replace(confirmed, asked=160)) == []
    assert published(AppliedLimit(), AppliedLimit(asked=160)) == []


def test_that_the_limit_cannot_be_held_is_published_once_each_way() -> None:
    confirmed = AppliedLimit(held=320)
    [(key, record)] = published(confirmed, confirmed, set_aside=330)
    event = pb.SiteOverCommitted.FromString(record.value or b"")
    assert (key, event.over_committed) == (b"garage", True)
    assert [(load.name, load.limit_a, load.set_aside_a) for load in event.loads] == [("L1", 32, 33)]
    assert published(confirmed, confirmed, was_over=True, set_aside=330) == []
    [(_, record)] = published(confirmed, confirmed, was_over=True, set_aside=320)
    assert not pb.SiteOverCommitted.FromString(record.value or b"").over_committed
