"""The session: CALLs of stations, in every order, in time and out of it. The same in both versions."""

import json

import pytest

from services.gateway.ocppj.actions import MessageType
from services.gateway.ocppj.limits import Limits
from services.gateway.ocppj.session import Session
from services.ocpp.versions import VERSIONS as FACTS
from tests.unit.gateway.examples import (
    ACCEPTED,
    AUTHORIZE,
    NOW,
    VERSIONS,
    WALL,
    answer,
    authorize,
    boot,
    booted,
    call,
    dropped,
    forwarded,
    frame,
    later,
    refusal,
    sends,
    sent,
    session,
    status,
    waiting,
)
from voltbus.v1.bus_pb2 import Reply


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_call_goes_to_its_service_with_its_payload_as_it_was_sent(version: str) -> None:
    payload = '{ "idTag" :"\\u0043ARD" }' if version == "1.6" else '{"idToken" : {"idToken":"C","type":"ISO14443"} }'
    raw = f' [2 ,"a\\"b", "Authorize"\t,\n{payload} ]\n'.encode()
    [forward] = forwarded(session(version).received(raw, *NOW))
    record = forward.call
    assert forward.service == "auth"
    assert not forward.acknowledge
    assert record.payload == payload.encode()
    assert (record.id, record.station_id, record.connection_id, record.slot) == ("nonce-1.1", "CP1", "nonce-1", 3)
    assert (record.message_id, record.version, record.action) == ('a"b', version, "Authorize")
    assert record.received_at.ToMicroseconds() == WALL * 1e6
    assert not record.answered
    assert not record.quarantined


def test_the_answer_of_a_service_goes_to_the_station(version: str) -> None:
    line = session(version)
    line.received(authorize(version), *NOW)
    actions = line.reply(answer(version), *later(0.5))
    assert sent(actions) == [[3, "auth", ACCEPTED[version]]]
    [send] = sends(actions)
    assert send.latency == pytest.approx(0.5)
    assert send.action == "Authorize"
    assert not line.busy


def test_a_refusal_of_a_service_is_spelled_by_the_version(version: str) -> None:
    line = session(version)
    line.received(authorize(version), *NOW)
    actions = line.reply(refusal("auth", "OccurrenceConstraintViolation", "x" * 300), *NOW)
    spelling = "OccurenceConstraintViolation" if version == "1.6" else "OccurrenceConstraintViolation"
    assert sent(actions) == [[4, "auth", spelling, "x" * 255, {}]]


def test_a_refusal_with_a_code_nobody_knows_is_an_internal_error(version: str) -> None:
    line = session(version)
    line.received(authorize(version), *NOW)
    assert sent(line.reply(refusal("auth", "NoSuchCode"), *NOW))[0][2] == "InternalError"


def test_a_heartbeat_is_answered_at_once_and_still_told(version: str) -> None:
    line = session(version)
    actions = line.received(call("hb", "Heartbeat", {}), *NOW)
    assert sent(actions) == [[3, "hb", {"currentTime": "2026-05-28T20:26:40.000Z"}]]
    [forward] = forwarded(actions)
    assert forward.service == "firmware"
    assert forward.call.answered
    assert not forward.acknowledge
    assert not line.busy


@pytest.mark.parametrize("payload", [b"null", b"{}", b" {} "])
def test_an_empty_request_may_be_null(version: str, payload: bytes) -> None:
    actions = session(version).received(b'[2,"hb","Heartbeat",%b]' % payload, *NOW)
    assert sent(actions)[0][0] == 3
    assert forwarded(actions)[0].call.payload == b"{}"


@pytest.mark.parametrize(
    "around", [(b"", b"\0"), (b"\xef\xbb\xbf", b""), (b"\xef\xbb\xbf", b"\0\0"), (b" \0\xef\xbb\xbf", b"\r\n\0\n")]
)
def test_a_byte_order_mark_and_nul_around_a_frame_are_passed_over(version: str, around: tuple[bytes, bytes]) -> None:
    one = session(version)
    before, after = around
    [forward] = forwarded(one.received(before + authorize(version) + after, *NOW))
    assert json.loads(forward.call.payload) == AUTHORIZE[version]
    assert sent(one.received(before + after, *NOW)) == sent(one.received(b"", *NOW))


def test_an_action_without_a_response_is_acknowledged_once_kafka_has_it(version: str) -> None:
    line = session(version)
    [forward] = forwarded(line.received(status(version), *NOW))
    assert forward.acknowledge
    assert forward.call.answered
    assert sent(line.acknowledged("status", *NOW)) == [[3, "status", {}]]


def test_exactly_the_actions_with_an_empty_response_are_acknowledged_by_the_gateway(version: str) -> None:
    facts = FACTS[version]
    empty = {action for action in facts.from_station if facts.schemas.answered_empty(action)}
    assert {"MeterValues", "StatusNotification", "SecurityEventNotification"} <= empty
    assert not empty & {"Authorize", "BootNotification", "DataTransfer", "SignCertificate", "Heartbeat"}


def test_a_second_call_waits_until_the_first_is_answered(version: str) -> None:
    line = session(version)
    line.received(authorize(version, "1"), *NOW)
    assert forwarded(line.received(status(version, "2"), *NOW)) == []
    assert forwarded(line.received(authorize(version, "3"), *NOW)) == []
    first = line.reply(answer(version, "1"), *NOW)
    assert [f.call.message_id for f in forwarded(first)] == ["2"]
    second = line.acknowledged("2", *NOW)
    assert [f.call.message_id for f in forwarded(second)] == ["3"]
    assert [f.call.id for f in forwarded(second)] == ["nonce-1.3"]


def test_heartbeats_in_the_queue_do_not_stop_it(version: str) -> None:
    line = session(version)
    line.received(authorize(version, "1"), *NOW)
    for message_id in ("2", "3"):
        line.received(call(message_id, "Heartbeat", {}), *NOW)
    line.received(authorize(version, "4"), *NOW)
    actions = line.reply(answer(version, "1"), *NOW)
    assert [message[1] for message in sent(actions)] == ["1", "2", "3"]
    assert [f.call.message_id for f in forwarded(actions)] == ["2", "3", "4"]


def test_a_full_queue_stops_the_reading_until_half_of_it_is_done_and_drops_nothing(version: str) -> None:
    line = session(version)
    read = [waiting(line.received(authorize(version, str(number)), *NOW)) for number in range(5)]
    size = len(json.dumps(AUTHORIZE[version]))
    assert read == [[], [(size, False)], [(2 * size, False)], [(3 * size, True)], [(4 * size, True)]]
    done = [line.reply(answer(version, str(number)), *NOW) for number in range(5)]
    assert [waiting(actions) for actions in done] == [
        [(3 * size, True)],
        [(2 * size, True)],
        [(size, False)],
        [(0, False)],
        [],
    ]
    assert [message[1] for actions in done for message in sent(actions)] == ["0", "1", "2", "3", "4"]


def test_long_calls_stop_the_reading_before_they_are_many(version: str) -> None:
    line = session(version, Limits(queue_size=1000))
    line.received(authorize(version, "0"), *NOW)
    text = b"{" + b" " * 600 + json.dumps(AUTHORIZE[version]).encode()[1:]
    read = [waiting(line.received(b'[2,"%d","Authorize",%b]' % (number, text), *NOW)) for number in (1, 2)]
    assert [[full for _, full in each] for each in read] == [[False], [True]]


def test_a_queued_call_has_its_time_from_when_it_is_forwarded(version: str) -> None:
    line = session(version)
    for number in range(2):
        line.received(authorize(version, str(number)), *NOW)
    line.reply(answer(version, "0"), *later(29))
    assert dropped(line.tick(*later(58))) == []
    assert sent(line.reply(answer(version, "1"), *later(58.5)))[0][1] == "1"


def test_a_message_that_waited_is_of_when_it_came_and_is_answered_now(version: str) -> None:
    line = session(version)
    heartbeat = line.received(call("hb", "Heartbeat", {}), *NOW, waited=60)
    assert sent(heartbeat)[0][2] == sent(line.received(call("hb", "Heartbeat", {}), *NOW))[0][2]
    [forward] = forwarded(line.received(authorize(version), *NOW, waited=60))
    assert forward.call.received_at.ToMicroseconds() == (WALL - 60) * 1e6
    [send] = sends(line.reply(answer(version), *later(1)))
    assert send.latency == pytest.approx(61)
    line.received(authorize(version), *NOW, waited=60)
    assert line.tick(*later(29)) == []


def test_what_came_before_the_close_is_forwarded_in_order_and_waits_for_no_answer(version: str) -> None:
    line = session(version)
    for number in range(3):
        line.received(authorize(version, str(number)), *NOW)
    last = [*line.closed(*NOW), *line.received(status(version, "3"), *NOW), *line.received(boot(version, "4"), *NOW)]
    assert [forward.call.message_id for forward in forwarded(last)] == ["1", "2", "3", "4"]
    assert waiting(last) == [(0, False)]
    assert not any(forward.acknowledge for forward in forwarded(last))
    assert not line.busy


def test_a_message_id_under_way_is_refused(version: str) -> None:
    line = session(version)
    line.received(authorize(version, "1"), *NOW)
    line.received(authorize(version, "2"), *NOW)
    code = "FormationViolation" if version == "1.6" else "RpcFrameworkError"
    for message_id in ("1", "2"):
        [message] = sent(line.received(status(version, message_id), *NOW))
        assert message[:3] == [4, message_id, code]
    assert len(forwarded(line.reply(answer(version, "1"), *NOW))) == 1


def test_a_message_id_may_come_again_when_it_is_done(version: str) -> None:
    line = session(version)
    for _ in range(2):
        assert forwarded(line.received(authorize(version), *NOW))
        line.reply(answer(version), *NOW)


def test_without_an_answer_in_time_the_line_is_free_and_nothing_is_said(version: str) -> None:
    line = session(version)
    line.received(authorize(version, "1"), *NOW)
    line.received(authorize(version, "2"), *later(1))
    assert line.tick(*later(29.9)) == []
    actions = line.tick(*later(30))
    assert dropped(actions) == ["unanswered"]
    assert not sent(actions)
    assert [f.call.message_id for f in forwarded(actions)] == ["2"]
    assert dropped(line.reply(answer(version, "1"), *later(31))) == ["late_reply"]


@pytest.mark.parametrize("jump", [-3600, 3600])
def test_a_wall_clock_that_is_set_changes_no_time_out(version: str, jump: float) -> None:
    line = session(version)
    line.received(authorize(version, "1"), 5000, WALL)
    line.received(authorize(version, "2"), 5001, WALL + jump)
    assert line.tick(5029.9, WALL + jump) == []
    actions = line.tick(5030, WALL + jump)
    assert dropped(actions) == ["unanswered"]
    [forward] = forwarded(actions)
    assert forward.call.message_id == "2"
    assert forward.call.received_at.ToMicroseconds() == (WALL + jump) * 1e6
    [send] = sends(line.reply(answer(version, "2"), 5031, WALL))
    assert send.latency == pytest.approx(30)


def test_an_acknowledgement_that_comes_too_late_is_dropped(version: str) -> None:
    line = session(version)
    line.received(status(version), *NOW)
    line.tick(*later(30))
    assert dropped(line.acknowledged("status", *later(31))) == ["late_reply"]


def test_a_reply_to_nothing_is_dropped(version: str) -> None:
    assert dropped(session(version).reply(answer(version), *NOW)) == ["late_reply"]


def test_the_answers_of_a_closed_connection_are_dropped(version: str) -> None:
    line = session(version)
    line.received(authorize(version), *NOW)
    assert line.closed(*NOW) == []
    assert dropped(line.reply(answer(version), *NOW)) == ["late_reply"]


@pytest.mark.parametrize("verdict", ["Pending", "Rejected"])
def test_before_it_is_accepted_a_station_may_only_boot(version: str, verdict: str) -> None:
    """B02.FR.09, B03.FR.07, 1.6-J errata §3.10."""
    line = session(version)
    line.received(boot(version), *NOW)
    line.reply(booted(verdict), *NOW)
    for message in (status(version), call("hb", "Heartbeat", {}), authorize(version)):
        actions = line.received(message, *NOW)
        assert sent(actions)[0][2] == "SecurityError"
        assert not forwarded(actions)
    assert forwarded(line.received(boot(version, "again"), *NOW))
    line.reply(booted("Accepted", "again"), *NOW)
    assert forwarded(line.received(status(version), *NOW))


def test_a_call_that_waited_for_the_verdict_is_judged_by_it(version: str) -> None:
    line = session(version)
    line.received(boot(version), *NOW)
    line.received(status(version, "1"), *NOW)
    line.received(boot(version, "2"), *NOW)
    actions = line.reply(booted("Rejected"), *NOW)
    assert [message[:2] for message in sent(actions)] == [[3, "boot"], [4, "1"]]
    assert [f.call.message_id for f in forwarded(actions)] == ["2"]


def test_acceptance_persists_over_connections(version: str) -> None:
    assert forwarded(session(version).received(authorize(version), *NOW))


def test_a_refused_boot_is_no_verdict(version: str) -> None:
    line = session(version)
    line.received(boot(version), *NOW)
    line.reply(refusal("boot", "InternalError"), *NOW)
    assert forwarded(line.received(status(version), *NOW))


def test_a_quarantined_station_boots_and_beats_and_nothing_else(version: str) -> None:
    line = session(version, quarantined=True)
    [forward] = forwarded(line.received(boot(version), *NOW))
    assert forward.call.quarantined
    line.reply(booted("Accepted"), *NOW)
    assert sent(line.received(call("hb", "Heartbeat", {}), *NOW))[0][0] == 3
    assert sent(line.received(authorize(version), *NOW))[0][2] == "SecurityError"


def test_a_reply_without_a_payload_object_is_sent_as_it_is(version: str) -> None:
    line = session(version)
    line.received(boot(version), *NOW)
    assert sent(line.reply(Reply(message_id="boot", payload=b"{}"), *NOW)) == [[3, "boot", {}]]


def test_message_types_tell_what_is_sent(version: str) -> None:
    line: Session = session(version)
    [error] = sends(line.received(call("x", "Nonsense", {}), *NOW))
    [result] = sends(line.received(frame(2, "hb", "Heartbeat", {}), *NOW))
    assert (error.message_type, result.message_type) == (MessageType.ERROR, MessageType.RESULT)
