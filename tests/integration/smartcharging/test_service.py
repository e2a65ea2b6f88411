"""smartcharging from call to answer, event and REST."""

import json
from typing import Any

import pytest

from services.common.kafka.bus import Record
from services.ocpp.versions import VERSIONS
from services.smartcharging.dialects.v201 import READ
from tests.contract.examples import full
from tests.integration.common.running import Running

SCHEMAS = VERSIONS["2.0.1"].schemas
PATH = "/v1/stations/CP1/messages"


def example(action: str) -> object:
    return full(SCHEMAS.document(f"{action}Request"))


@pytest.mark.parametrize("action", sorted(READ))
async def test_every_report_is_kept_announced_and_answered(smartcharging: Running, action: str) -> None:
    """K11.FR.02, K12.FR.02, K13.FR.02, K15.FR.02, K15.FR.10."""
    call = smartcharging.call(action, example(action), version="2.0.1", answered=False)
    await smartcharging.ask(call)
    [event] = smartcharging.announced("MessageRecorded")
    assert (event.action, event.version, event.message_id) == (action, "2.0.1", call.message_id)
    assert event.payload.encode() == call.payload
    [shown] = (await smartcharging.get(PATH))["items"]
    assert shown["payload"] == json.loads(call.payload)


async def test_needs_are_declined_and_schedules_taken(smartcharging: Running) -> None:
    """K15.FR.04: a schedule that will not come is not promised. K15.FR.11: no limit of ours is exceeded."""
    needs = smartcharging.call("NotifyEVChargingNeeds", example("NotifyEVChargingNeeds"), version="2.0.1")
    schedule = smartcharging.call("NotifyEVChargingSchedule", example("NotifyEVChargingSchedule"), version="2.0.1")
    assert (await smartcharging.ask(needs))["status"] == "Rejected"
    assert await smartcharging.ask(schedule) == {"status": "Accepted"}


async def test_what_the_gateway_answered_gets_no_reply(smartcharging: Running) -> None:
    await smartcharging.put(smartcharging.call("NotifyChargingLimit", example("NotifyChargingLimit"), version="2.0.1"))
    assert smartcharging.announced("MessageRecorded")
    assert not smartcharging.replies()


async def test_a_call_that_is_read_again_is_kept_and_announced_once(smartcharging: Running) -> None:
    call = smartcharging.call("NotifyEVChargingNeeds", example("NotifyEVChargingNeeds"), version="2.0.1")
    await smartcharging.put(call)
    await smartcharging.restart(commit=False)
    # A consumer that is started again commits at once what it had done before.
    await smartcharging.until(lambda: len(smartcharging.replies()) == 2)
    await smartcharging.settled()
    assert [reply.reply.message_id for reply in smartcharging.replies()] == [call.message_id] * 2
    assert len(smartcharging.announced()) == 1
    assert len((await smartcharging.get(PATH))["items"]) == 1


async def test_an_action_without_a_handler_is_not_supported(smartcharging: Running) -> None:
    """Only where gateway and service disagree about who owns an action."""
    call = smartcharging.call("Heartbeat", {}, version="2.0.1", answered=False)
    assert await smartcharging.ask(call) == "NotSupported"


async def test_what_is_no_call_goes_to_the_dead_letters(smartcharging: Running) -> None:
    call = smartcharging.call("NotifyEVChargingNeeds", example("NotifyEVChargingNeeds"), version="2.0.1")
    await smartcharging.put(Record("ocpp.calls.smartcharging", b"CP1", b"\xff nonsense"), call)
    [dead] = smartcharging.dead()
    assert dict(dead.headers)["dead-reason"] == b"not a voltbus.v1.Call"
    assert len(smartcharging.replies()) == 1


async def test_messages_are_paged_newest_first_and_filtered(smartcharging: Running) -> None:
    for minute in range(5):
        smartcharging.time.passes(60)
        action = "ReportChargingProfiles" if minute % 2 else "NotifyChargingLimit"
        await smartcharging.put(smartcharging.call(action, example(action), version="2.0.1"))
    seen: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        page = await smartcharging.get(PATH, limit=2, **cursor)
        seen += [item["received_at"] for item in page["items"]]
        if not (cursor := {"cursor": page["next"]} if page["next"] else {}):
            break
    assert len(seen) == 5
    assert seen == sorted(seen, reverse=True)
    only = await smartcharging.get(PATH, action="ReportChargingProfiles")
    assert {item["action"] for item in only["items"]} == {"ReportChargingProfiles"}
    await smartcharging.get(PATH, status=422, cursor="nonsense")


async def test_rest_is_closed(smartcharging: Running) -> None:
    answer = await smartcharging.http.get(PATH, headers={"Authorization": ""})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


async def test_what_postgres_cannot_index_is_kept_verbatim(smartcharging: Running) -> None:
    """A NUL, an escape of one, numbers as they were written: nothing is lost in translation."""
    call = smartcharging.call("NotifyChargingLimit", example("NotifyChargingLimit"), version="2.0.1")
    call.payload = rb'{"a":"\u0000","b":"\\u0000","c":1.50,"a":2}'
    await smartcharging.put(call)
    [event] = smartcharging.announced()
    assert event.payload.encode() == call.payload
    assert not smartcharging.dead()


async def test_a_station_asks_for_a_dynamic_profile_that_is_not_known(smartcharging: Running) -> None:
    """K28.FR.12."""
    call = smartcharging.call("PullDynamicScheduleUpdate", {"chargingProfileId": 3}, version="2.1")
    assert (await smartcharging.ask(call))["status"] == "Rejected"
