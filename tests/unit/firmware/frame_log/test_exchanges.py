"""CALLs and their answers find each other, in whatever order and from whatever topic they are read."""

import random
import zlib
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.firmware.frame_log.entries import Entry, Kind, by_station, pack, unpack, unpack_station
from services.firmware.frame_log.exchanges import Exchange, exchanges
from services.firmware.frame_log.reads import LogFilter
from services.firmware.frame_log.tail import Followed
from services.firmware.frame_log.views import LogItem
from tests.unit.firmware.frame_log.examples import NOON, call, change, command, entries, frame, reply, result
from voltbus.v1.bus_pb2 import (
    CONNECTION_STATE_ALIVE,
    CONNECTION_STATE_CONNECTED,
    CONNECTION_STATE_DISCONNECTED,
    OUTCOME_ANSWERED,
    OUTCOME_LATE,
    OUTCOME_REFUSED,
    OUTCOME_TIMED_OUT,
    OUTCOME_UNDELIVERED,
    Deviation,
    Outcome,
    Tolerated,
)

ACCEPTED = {"idTagInfo": {"status": "Accepted"}}


def shown(*found: Entry) -> list[LogItem]:
    mixed = list(found)
    random.Random(7).shuffle(mixed)
    return [LogItem.of(one) for one in exchanges(mixed)]


def test_a_call_has_the_answer_of_its_service() -> None:
    start = {"connectorId": 1, "idTag": "04A2B3C4", "meterStart": 0}
    [item] = shown(*entries(call(1, "StartTransaction", start), reply(1, "StartTransaction", ACCEPTED, 0.25)))
    assert (item.kind, item.direction, item.action, item.message_id) == ("call", "in", "StartTransaction", "m1")
    assert item.payload == {"connectorId": 1, "idTag": "…", "meterStart": 0}
    assert (item.answer, item.answered_by, item.outcome) == (ACCEPTED, "service", "answered")
    assert (item.latency_ms, item.error_code) == (250.0, "")


def test_what_the_gateway_answers_has_no_reply() -> None:
    [item] = shown(*entries(call(1, "MeterValues", {"connectorId": 1}, written=0.004, answered=True)))
    assert (item.answer, item.answered_by, item.outcome, item.latency_ms) == ({}, "gateway", "answered", 4.0)


def test_what_is_sent_has_no_answer() -> None:
    """A SEND of 2.1 (part 4 §4.1.3): an answer was shown of it, {}, by the gateway, although none goes out."""
    [item] = shown(*entries(call(1, "NotifyPeriodicEventStream", {"id": 1}, written=0.004, answered=True, send=True)))
    assert (item.kind, item.answer, item.answered_by, item.answered_at) == ("call", None, None, None)
    assert (item.outcome, item.latency_ms) == ("", None)


def test_a_call_without_an_answer_says_so() -> None:
    late = frame(30, message_id="m1", dropped="unanswered", description="Authorize")
    [item] = shown(*entries(call(1, "Authorize", {}), late))
    assert (item.outcome, item.answered_by, item.latency_ms, item.answer) == ("unanswered", None, None, None)
    [exchange] = exchanges(entries(call(1, "Authorize", {}), late))
    assert exchange.failed


def test_an_answer_that_reached_nobody_says_so() -> None:
    lost = frame(31, message_id="m1", dropped="late_reply")
    [item] = shown(*entries(call(1, "Authorize", {}), reply(1, "Authorize", ACCEPTED, 31), lost))
    assert (item.outcome, item.answer) == ("undelivered", ACCEPTED)


def test_a_refusal_of_a_service_has_its_code() -> None:
    [item] = shown(*entries(call(1, "DataTransfer", {}), reply(1, "DataTransfer", {}, 1, error="NotSupported")))
    assert (item.outcome, item.error_code, item.error_description) == ("refused", "NotSupported", "no")
    assert item.answer is None


def test_an_answer_told_twice_counts_once() -> None:
    told = [reply(1, "Authorize", ACCEPTED, 1), reply(1, "Authorize", ACCEPTED, 9)]
    [item] = shown(*entries(call(1, "Authorize", {}), *told))
    assert item.latency_ms == 1000.0


def test_a_message_id_that_is_used_again_is_another_call() -> None:
    found = shown(
        *entries(
            call(1, "Authorize", {"n": 1}, 0, message_id="same"),
            reply(1, "Authorize", {"answer": 1}, 1),
            call(2, "Authorize", {"n": 2}, 5, message_id="same"),
            reply(2, "Authorize", {"answer": 2}, 6),
        )
    )
    assert [(item.payload, item.answer) for item in found] == [({"n": 1}, {"answer": 1}), ({"n": 2}, {"answer": 2})]


def test_a_reply_that_does_not_name_its_call_is_of_the_last_with_its_message_id() -> None:
    """As services of the version before wrote it."""
    answers = [reply(n, "Authorize", {"answer": n}, at, call_id="") for n, at in ((1, 1), (1, 6))]
    first, second = call(1, "Authorize", {}, 0), call(2, "Authorize", {}, 5, message_id="m1")
    found = shown(*entries(first, second, *answers))
    assert [item.answer for item in found] == [{"answer": 1}, {"answer": 1}]
    assert [item.latency_ms for item in found] == [1000.0, 1000.0]


def test_a_command_has_the_answer_of_its_station() -> None:
    answered = result("k1", "Reset", OUTCOME_ANSWERED, 2.5, sent=2, payload=b'{"status":"Accepted"}')
    [item] = shown(*entries(command("k1", "Reset", {"type": "Soft"}, 1), answered))
    assert (item.direction, item.action, item.payload) == ("out", "Reset", {"type": "Soft"})
    assert (item.answer, item.answered_by) == ({"status": "Accepted"}, "station")
    assert (item.outcome, item.latency_ms) == ("answered", 500.0)


@pytest.mark.parametrize(
    ("ends", "outcome", "by", "code"),
    [
        ([(OUTCOME_REFUSED, 3, {"error_code": "NotSupported"})], "refused", "station", "NotSupported"),
        ([(OUTCOME_TIMED_OUT, 32, {})], "timed_out", None, ""),
        ([(OUTCOME_UNDELIVERED, 3, {"error_description": "expired"})], "undelivered", None, ""),
        ([(OUTCOME_TIMED_OUT, 32, {}), (OUTCOME_LATE, 40, {"payload": b"{}"})], "late", "station", ""),
        ([], "unanswered", None, ""),
    ],
)
def test_a_command_says_how_it_ended(
    ends: list[tuple[Outcome, float, dict[str, Any]]], outcome: str, by: str | None, code: str
) -> None:
    results = [result("k1", "Reset", kind, at, sent=2, **more) for kind, at, more in ends]
    [item] = shown(*entries(command("k1", "Reset", {}, 1), *results))
    assert (item.outcome, item.answered_by, item.error_code) == (outcome, by, code)
    [exchange] = exchanges(entries(command("k1", "Reset", {}, 1), *results))
    assert exchange.failed == bool(ends)


def test_an_answer_whose_call_is_not_kept_stands_alone() -> None:
    [item] = shown(*entries(reply(1, "Authorize", {}, 1, error="InternalError"), whole=False))
    assert (item.kind, item.direction, item.error_code, item.action) == ("answer", "out", "InternalError", "Authorize")


def test_of_a_station_that_is_not_named_what_fails_is_kept() -> None:
    kept = entries(
        call(1, "Authorize", {}),
        reply(1, "Authorize", {}, 1),
        reply(2, "Authorize", {}, 2, error="InternalError"),
        command("k1", "Reset", {}, 3),
        result("k1", "Reset", OUTCOME_ANSWERED, 4, sent=3),
        result("k2", "Reset", OUTCOME_TIMED_OUT, 5, sent=3),
        frame(6, frame=b"[2,", size=3, code="FormatViolation"),
        change(CONNECTION_STATE_CONNECTED, 7),
        whole=False,
    )
    assert [entry.kind for entry in kept] == [Kind.REPLY, Kind.RESULT, Kind.REFUSED, Kind.CONNECTED]


def test_frames_that_are_no_json_and_connections_are_shown_as_they_were() -> None:
    found = shown(
        *entries(
            change(CONNECTION_STATE_CONNECTED, 0, remote_address="10.0.0.7", quarantined=True),
            change(CONNECTION_STATE_ALIVE, 1),
            frame(2, frame=b'[2,"x",', size=7, code="FormatViolation", description="not JSON", answered=True),
            frame(3, frame=b'[3,"nobody",{}]', size=15, dropped="no_such_call", message_id="nobody"),
            frame(4, left_out=12),
            change(CONNECTION_STATE_DISCONNECTED, 5, reason="closed by the station (1000)"),
        )
    )
    assert [item.kind for item in found] == ["connected", "refused", "dropped", "left_out", "disconnected"]
    came, refused, dropped, left_out, went = found
    assert came.error_description == "from 10.0.0.7, OCPP 1.6, not registered"
    assert (refused.payload, refused.direction, refused.answered_by) == ('[2,"x",', "in", "gateway")
    assert (dropped.outcome, dropped.payload) == ("no_such_call", [3, "nobody", {}])
    assert left_out.size == 12
    assert went.error_description == "closed by the station (1000)"


def test_what_deviated_is_shown_as_it_came_with_its_deviations() -> None:
    tolerated = Tolerated(raw=b'{"connectorId":"1"}', deviations=[Deviation(kind="type", path="connectorId")])
    [item] = shown(*entries(call(1, "MeterValues", {"connectorId": 1}, answered=True, tolerated=tolerated)))
    assert (item.payload, item.deviations) == ({"connectorId": "1"}, ["type connectorId"])


def test_a_long_payload_is_cut_and_its_length_said() -> None:
    long = {"data": "x" * 40_000}
    [item] = shown(*entries(call(1, "DataTransfer", long)))
    assert (item.cut, item.size) == (True, len('{"data": ""}') + 40_000)
    assert isinstance(item.payload, str)
    assert item.payload.startswith('{"data": "xxx')


def test_a_frame_that_is_shorter_because_it_is_masked_is_not_cut() -> None:
    written = b'[2,"1","Dance",{"idTag":"04A2B3C4D5E6F7"}]'
    whole = frame(0, frame=written, size=len(written), code="NotImplemented")
    beginning = frame(1, frame=written[:20], size=len(written), code="NotImplemented")
    assert [item.cut for item in shown(*entries(whole, beginning))] == [False, True]


def test_clocks_that_do_not_agree_give_no_latency() -> None:
    [item] = shown(*entries(call(1, "Authorize", {}, 1), reply(1, "Authorize", ACCEPTED, 0.9)))
    assert (item.answer, item.latency_ms) == (ACCEPTED, None)


def test_a_wrong_clock_still_gives_a_time() -> None:
    [entry] = entries(call(1, "Authorize", {}, at=2.4e11))
    assert pack([entry]).first_at.year == 9000


@given(st.permutations(range(8)))
def test_the_order_in_which_records_are_read_changes_nothing(order: list[int]) -> None:
    records = [
        call(1, "Authorize", {}, 0),
        reply(1, "Authorize", ACCEPTED, 1),
        command("k1", "Reset", {}, 1.5),
        result("k1", "Reset", OUTCOME_ANSWERED, 3, sent=2),
        call(2, "Heartbeat", {}, 4, answered=True),
        frame(5, frame=b"x", size=1, code="FormatViolation"),
        call(3, "Authorize", {}, 6),
        frame(36, message_id="m3", dropped="unanswered"),
    ]
    found = entries(*records)
    assert exchanges([found[number] for number in order]) == exchanges(found)


def test_what_is_packed_is_unpacked_by_station() -> None:
    kept = entries(*(call(n, "Heartbeat", {}, n, station_id=f"CP{n % 3}") for n in range(9)), reply(20, "A", {}, 3))
    segment = pack(kept)
    assert unpack(segment.body) == kept
    assert segment.station_ids == ["CP0", "CP1", "CP2"]
    assert unpack_station(segment.body, "CP1") == [entry for entry in kept if entry.station_id == "CP1"]
    assert segment.last_at - segment.first_at == timedelta(seconds=8)
    assert (segment.count, segment.failed, segment.actions) == (10, False, ["A", "Heartbeat"])


def test_what_cannot_be_read_hides_nothing_else() -> None:
    kept = entries(call(1, "Heartbeat", {}))
    broken = (b"", pack(kept).body[:-7], zlib.compress(b"\x92\x01"))
    assert by_station([pack(kept).body, *broken]) == {"CP1": kept}
    assert [unpack_station(body, "CP1") for body in broken] == [[], [], []]


FOUND = exchanges(
    entries(
        call(1, "StartTransaction", {"idTag": "X"}, 0),
        reply(1, "StartTransaction", {"transactionId": 42}, 1),
        call(2, "MeterValues", {"transactionId": 42, "meterValue": []}, 2, answered=True),
        call(3, "StopTransaction", {"transactionId": 421}, 3),
        command("k1", "Reset", {"type": "Soft"}, 4),
        frame(5, frame=b'[2,"m9","Dance",{"transactionId":"42"}]', size=40, code="NotImplemented", message_id="m9"),
    )
)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (LogFilter(), ["m1", "m2", "m3", "k1", "m9"]),
        (LogFilter(action="MeterValues"), ["m2"]),
        (LogFilter(direction="out"), ["k1"]),
        (LogFilter(direction="in"), ["m1", "m2", "m3", "m9"]),
        (LogFilter(message_id="m3"), ["m3"]),
        (LogFilter(errors=True), ["m9"]),
        (LogFilter(text="SOFT"), ["k1"]),
        (LogFilter(transaction_id="42"), ["m1", "m2", "m9"]),
    ],
)
def test_a_filter_shows_what_fits(wanted: LogFilter, expected: list[str]) -> None:
    assert [one.entry.message_id for one in FOUND if wanted.fits(one)] == expected


def test_who_follows_a_log_is_told_of_a_call_at_once_and_again_with_its_answer() -> None:
    followed = Followed()

    def told(*found: Entry) -> list[tuple[str, bool]]:
        return [(one.entry.message_id, one.answer is not None) for one in followed.add(list(found))]

    first, answer = entries(call(1, "Authorize", {}, 0), reply(1, "Authorize", ACCEPTED, 1))
    both = entries(call(2, "Authorize", {}, 2), reply(2, "Authorize", ACCEPTED, 3))
    assert told(first) == [("m1", False)]
    assert told(*both) == [("m2", True)]
    assert told(answer) == [("m1", True)]
    assert told() == []


def test_an_exchange_has_the_same_place_with_and_without_its_answer() -> None:
    found = entries(call(1, "Authorize", {}, 0), reply(1, "Authorize", ACCEPTED, 1))
    [alone], [joined] = exchanges(found[:1]), exchanges(found)
    assert isinstance(alone, Exchange)
    assert alone.place == joined.place
    assert alone.place.at == NOON
