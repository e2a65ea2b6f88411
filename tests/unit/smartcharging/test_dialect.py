"""Every report of block K there and back: what is read, decided and answered is valid against its schema."""

from collections.abc import Callable
from typing import Any, get_args

import pytest

from services.common.calls.call import Call, Refused
from services.ocpp.versions import VERSIONS
from services.smartcharging.dialects import BY_VERSION, DIALECTS
from services.smartcharging.domain.reports import (
    ChosenSchedule,
    NoProfile,
    Report,
    ScheduleAccepted,
    ScheduleRejected,
    SessionLimit,
    UpdateAccepted,
    UpdateRejected,
    decide,
)
from tests.contract.examples import full, minimal
from tests.unit.common.calls import call

SCHEMAS = VERSIONS["2.0.1"].schemas
ANSWERS = {
    "NotifyChargingLimit": {},
    "ClearedChargingLimit": {},
    "ReportChargingProfiles": {},
    "NotifyEVChargingNeeds": {
        "status": "Rejected",
        "statusInfo": {"reasonCode": "UnsupportedRequest", "additionalInfo": "schedules are not computed here"},
    },
    "NotifyEVChargingSchedule": {"status": "Accepted"},
}


def answer(asked: Call) -> object:
    report = DIALECTS.read(asked)
    assert not isinstance(report, Refused)
    return DIALECTS.write(asked, decide(report))


@pytest.mark.parametrize("example", [minimal, full])
@pytest.mark.parametrize("action", ANSWERS)
def test_answers(action: str, example: Callable[[Any], Any]) -> None:
    """K11.FR.02, K12.FR.02, K13.FR.02, K15.FR.04, K15.FR.11."""
    payload = example(SCHEMAS.document(f"{action}Request"))
    answered = answer(call(action, payload, "2.0.1"))
    assert answered == ANSWERS[action]
    SCHEMAS.check_response(action, answered)


def test_every_report_is_decided_and_every_reply_written() -> None:
    replies = {type(decide(report())) for report in get_args(Report)}
    new = {NoProfile, UpdateAccepted, UpdateRejected}
    assert replies | {ScheduleRejected} | new == BY_VERSION["2.1"].write.keys()
    assert BY_VERSION["2.1"].write.keys() - new == BY_VERSION["2.0.1"].write.keys()


@pytest.mark.parametrize(("unit", "highest", "status"), [("A", 16, True), ("A", 16.1, False), ("W", 11040, True)])
def test_a_schedule_is_taken_within_the_limit(unit: str, highest: float, status: bool) -> None:
    """K15.FR.11, K15.FR.12; where there is no limit, none is exceeded."""
    chosen = ChosenSchedule(1, unit, highest)
    assert isinstance(decide(chosen, SessionLimit(16, 11040)), ScheduleAccepted) == status
    assert isinstance(decide(chosen), ScheduleAccepted)


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "9.9"])
def test_what_is_not_known_is_refused(version: str) -> None:
    assert isinstance(DIALECTS.read(call("Heartbeat", {}, version)), Refused)
