"""Commands: one at a time, each with exactly one outcome."""

import json
from typing import Any

import pytest

from services.gateway.ocppj.actions import SessionAction
from services.gateway.ocppj.boot_gate import MOST_PLACES
from services.gateway.ocppj.session import Session
from tests.unit.gateway.examples import (
    NOW,
    VERSIONS,
    WALL,
    authorize,
    boot,
    booted,
    call,
    command,
    completed,
    dropped,
    forwarded,
    frame,
    later,
    sent,
    session,
    status,
)
from voltbus.v1.bus_pb2 import OUTCOME_UNDELIVERED, Outcome, Reply

OK = {"status": "Accepted"}


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def outcomes(actions: list[SessionAction]) -> list[tuple[str, str]]:
    return [(c.result.command_id, Outcome.Name(c.result.outcome)[8:]) for c in completed(actions)]


def test_a_command_is_sent_and_its_answer_told_with_the_request(version: str) -> None:
    line = session(version)
    assert sent(line.command(command(), *NOW)) == [[2, "c1", "ClearCache", {}]]
    assert line.busy
    actions = line.received(b'[3 , "c1", {"status" : "Accepted"} ]', *later(1))
    [done] = completed(actions)
    result = done.result
    assert done.service == "auth"
    assert outcomes(actions) == [("c1", "ANSWERED")]
    assert (result.request, result.payload) == (b"{}", b'{"status" : "Accepted"}')
    assert (result.station_id, result.connection_id, result.version) == ("CP1", "nonce-1", version)
    assert (result.action, result.at.ToMicroseconds()) == ("ClearCache", (WALL + 1) * 1e6)
    assert not line.busy


@pytest.mark.parametrize(
    ("rest", "code", "description"),
    [
        (["NotSupported", "no", {}], "NotSupported", "no"),
        (["NotSupported"], "NotSupported", ""),
        ([], "", ""),
        (["GenericError", "y" * 400, {}], "GenericError", "y" * 255),
        (["x" * 400, "", {}], "x" * 255, ""),
        (["No\0thing", "a\0b", {}], "No\ufffdthing", "a\ufffdb"),
        ([7, None], "7", ""),
    ],
)
def test_an_error_is_a_refusal(version: str, rest: list[Any], code: str, description: str) -> None:
    line = session(version)
    line.command(command(), *NOW)
    actions = line.received(frame(4, "c1", *rest), *NOW)
    assert outcomes(actions) == [("c1", "REFUSED")]
    result = completed(actions)[0].result
    assert (result.error_code, result.error_description) == (code, description)


def test_error_codes_of_16_have_their_common_name() -> None:
    line = session("1.6")
    line.command(command(), *NOW)
    actions = line.received(frame(4, "c1", "OccurenceConstraintViolation", "", {}), *NOW)
    assert completed(actions)[0].result.error_code == "OccurrenceConstraintViolation"


UNUSABLE: list[list[Any]] = [[{}], [7], [[]], [], [OK, OK]]


@pytest.mark.parametrize(
    ("rest", "strict"),
    [*((rest, False) for rest in UNUSABLE), *((rest, True) for rest in [*UNUSABLE, [{"status": "Maybe"}]])],
)
def test_an_answer_that_cannot_be_used_is_invalid_and_the_station_hears_nothing(
    version: str, rest: list[Any], strict: bool
) -> None:
    line = session(version, strict=strict)
    line.command(command(), *NOW)
    actions = line.received(frame(3, "c1", *rest), *NOW)
    assert outcomes(actions) == [("c1", "INVALID")]
    told = [(kind, message_id) for kind, message_id, *_ in sent(actions)]
    # 2.1 part 4 §4.2.3.
    assert told == ([(5, "c1")] if version == "2.1" else [])
    kept = completed(actions)[0].result.payload
    assert kept == (json.dumps(rest[0]).encode() if len(rest) == 1 else b"")
    assert completed(actions)[0].result.error_code


@pytest.mark.parametrize("levels", [260, 1000])
def test_an_answer_that_is_nested_too_deep_to_be_written_again_is_told_without_it(version: str, levels: int) -> None:
    nested = '{"a":' * levels + "1" + "}" * levels
    line = session(version)
    line.command(command(action="DataTransfer"), *NOW)
    [done] = completed(line.received(f'[3,"c1",{{"status":"Accepted","data":{nested}}}]'.encode(), *NOW))
    assert (outcomes([done]), done.result.payload) == ([("c1", "INVALID")], b"")
    line.command(command("c2"), *NOW)
    assert outcomes(line.received(f'[4,"c2",{nested},"",{{}}]'.encode(), *NOW)) == [("c2", "REFUSED")]


@pytest.mark.parametrize(
    ("answer", "read", "raw", "kind"),
    [
        ({"status": "Maybe"}, {"status": "Maybe"}, False, "unknown_value"),
        ({"status": "accepted"}, {"status": "Accepted"}, True, "spelling"),
        (OK | {"mine": 1}, OK, True, "unknown_property"),
        ({"status": "Accepted\0"}, OK, True, "nul"),
    ],
)
def test_an_answer_that_deviates_is_an_answer(version: str, answer: Any, read: Any, raw: bool, kind: str) -> None:
    line = session(version)
    line.command(command(), *NOW)
    [done] = completed(line.received(frame(3, "c1", answer), *NOW))
    assert outcomes([done]) == [("c1", "ANSWERED")]
    assert json.loads(done.result.payload) == read
    assert done.result.tolerated.raw == (json.dumps(answer).encode() if raw else b"")
    assert [one.kind for one in done.result.tolerated.deviations] == [kind]
    assert [str(one.deviation) for one in done.deviations] == [kind]


GOOD = {"key": "A", "readonly": False, "value": "1"}
ASKED = {"getVariableData": [{"component": {"name": "C"}, "variable": {"name": "V"}}]}
RESULT = {"attributeStatus": "Accepted", "component": {"name": "C"}, "variable": {"name": "V"}, "attributeValue": "1"}


@pytest.mark.parametrize(
    ("version", "action", "payload", "answer", "read"),
    [
        ("1.6", "GetConfiguration", {}, {"configurationKey": [GOOD, GOOD | {"value": "x" * 551}]}, ...),
        ("1.6", "GetConfiguration", {}, {"configurationKey": [GOOD, {"key": "B", "value": "1"}]}, ...),
        (
            "1.6",
            "GetConfiguration",
            {},
            {"configurationKey": [GOOD, {"value": "2"}], "unknownKey": None},
            {"configurationKey": [GOOD]},
        ),
        ("2.0.1", "GetVariables", ASKED, {"getVariableResult": [RESULT, RESULT | {"attributeValue": "x" * 2501}]}, ...),
        (
            "2.0.1",
            "GetVariables",
            ASKED,
            {"getVariableResult": [RESULT | {"attributeType": None}, {"attributeStatus": "Accepted"}], "mine": 1},
            {"getVariableResult": [RESULT]},
        ),
    ],
)
def test_settings_are_read_whatever_one_of_them_is(
    version: str, action: str, payload: Any, answer: Any, read: Any
) -> None:
    """1.6 §6.24, §7.29: a value of more than 500 characters, a key without readonly. ... : as it came."""
    line = session(version)
    line.command(command(action=action, payload=payload), *NOW)
    [done] = completed(line.received(frame(3, "c1", answer), *NOW))
    assert outcomes([done]) == [("c1", "ANSWERED")]
    assert json.loads(done.result.payload) == (answer if read is ... else read)
    assert done.deviations


def test_null_is_an_empty_answer() -> None:
    line = session("2.0.1")
    line.command(command(action="CostUpdated", payload={"totalCost": 1, "transactionId": "t"}), *NOW)
    assert outcomes(line.received(b'[3,"c1",null]', *NOW)) == [("c1", "ANSWERED")]


def test_only_one_is_out_at_a_time(version: str) -> None:
    line = session(version)
    line.command(command("1"), *NOW)
    assert line.command(command("2"), *NOW) == []
    actions = line.received(frame(3, "1", OK), *NOW)
    assert outcomes(actions) == [("1", "ANSWERED")]
    assert sent(actions) == [[2, "2", "ClearCache", {}]]


def test_one_direction_does_not_wait_for_the_other(version: str) -> None:
    line = session(version)
    assert forwarded(line.received(authorize(version), *NOW))
    assert sent(line.command(command(), *NOW))
    assert outcomes(line.received(frame(3, "c1", OK), *NOW)) == [("c1", "ANSWERED")]
    assert line.busy


def test_no_answer_in_time(version: str) -> None:
    line = session(version)
    line.command(command("1"), *NOW)
    line.command(command("2"), *NOW)
    assert line.tick(*later(29.9)) == []
    actions = line.tick(*later(30))
    assert outcomes(actions) == [("1", "TIMED_OUT")]
    assert sent(actions)[0][1] == "2"


@pytest.mark.parametrize("jump", [-3600, 3600])
def test_a_wall_clock_that_is_set_changes_no_time_out(version: str, jump: float) -> None:
    line = session(version)
    line.command(command(expires=WALL + 7200), 5000, WALL)
    assert line.tick(5029.9, WALL + jump) == []
    actions = line.tick(5030, WALL + jump)
    assert outcomes(actions) == [("c1", "TIMED_OUT")]
    assert completed(actions)[0].result.at.ToMicroseconds() == (WALL + jump) * 1e6


def test_an_answer_that_comes_late_is_told_and_the_line_goes_on(version: str) -> None:
    line = session(version)
    line.command(command("1"), *NOW)
    line.command(command("2"), *NOW)
    line.tick(*later(30))
    actions = line.received(b'[3,"1",{"status" : "Accepted"}]', *later(31))
    assert outcomes(actions) == [("1", "LATE")]
    assert not sent(actions)
    result = completed(actions)[0].result
    assert (result.payload, result.request, result.error_code) == (b'{"status" : "Accepted"}', b"{}", "")
    assert result.at.ToMicroseconds() == (WALL + 31) * 1e6
    assert outcomes(line.received(frame(3, "2", OK), *later(32))) == [("2", "ANSWERED")]
    assert dropped(line.received(frame(3, "1", OK), *later(33))) == ["no_such_call"]


def test_a_late_error_and_a_late_answer_that_breaks_its_schema_say_why(version: str) -> None:
    line = session(version, strict=True)
    for name in ("1", "2"):
        line.command(command(name), *NOW)
        line.tick(*later(30))
    [refused] = completed(line.received(frame(4, "1", "NotSupported", "no", {}), *later(31)))
    [invalid] = completed(line.received(frame(3, "2", {"status": "Maybe"}), *later(31)))
    assert {Outcome.Name(done.result.outcome) for done in (refused, invalid)} == {"OUTCOME_LATE"}
    assert (refused.result.error_code, refused.result.error_description) == ("NotSupported", "no")
    assert (refused.result.payload, invalid.result.payload) == (b"", b'{"status": "Maybe"}')
    assert invalid.result.error_code
    assert invalid.result.error_description


def test_only_the_newest_of_those_that_are_overdue_are_remembered() -> None:
    line = session("1.6")
    for number in range(17):
        line.command(command(str(number)), *NOW)
        line.tick(*later(30))
    assert dropped(line.received(frame(3, "0", OK), *later(31))) == ["no_such_call"]
    for number in range(1, 17):
        assert outcomes(line.received(frame(3, str(number), OK), *later(31))) == [(str(number), "LATE")]


def test_an_expired_command_is_not_sent(version: str) -> None:
    actions = session(version).command(command(expires=WALL), *NOW)
    assert outcomes(actions) == [("c1", "UNDELIVERED")]
    assert not sent(actions)


def test_a_command_may_expire_while_it_waits(version: str) -> None:
    line = session(version)
    line.command(command("1"), *NOW)
    line.command(command("2", expires=WALL + 5), *NOW)
    line.command(command("3"), *NOW)
    assert outcomes(line.tick(*later(5))) == [("2", "UNDELIVERED")]
    assert sent(line.received(frame(3, "1", OK), *later(6)))[0][1] == "3"


def test_a_command_that_never_expires_is_sent(version: str) -> None:
    made = command()
    made.ClearField("expires_at")
    assert sent(session(version).command(made, *NOW))


def test_when_the_connection_goes_all_commands_have_an_outcome(version: str) -> None:
    line = session(version)
    line.command(command("1"), *NOW)
    line.command(command("2"), *NOW)
    assert outcomes(line.closed(*NOW)) == [("1", "TIMED_OUT"), ("2", "UNDELIVERED")]
    assert line.closed(*NOW) == []
    assert not line.busy
    assert outcomes(line.received(frame(3, "1", OK), *NOW)) == [("1", "LATE")]


def test_too_many_commands(version: str) -> None:
    line = session(version)
    for number in range(4):
        line.command(command(str(number)), *NOW)
    assert outcomes(line.command(command("5"), *NOW)) == [("5", "UNDELIVERED")]


def test_an_action_that_the_version_does_not_have(version: str) -> None:
    assert outcomes(session(version).command(command(action="Dance"), *NOW)) == [("c1", "UNDELIVERED")]


def test_nothing_is_sent_to_a_rejected_station(version: str) -> None:
    """B03.FR.03."""
    line = session(version)
    line.received(boot(version), *NOW)
    line.reply(booted("Rejected"), *NOW)
    actions = line.command(command(), *NOW)
    assert outcomes(actions) == [("c1", "UNDELIVERED")]
    assert not sent(actions)


def test_nothing_is_sent_to_a_quarantined_station(version: str) -> None:
    actions = session(version, quarantined=True).command(command(), *NOW)
    assert outcomes(actions) == [("c1", "UNDELIVERED")]
    assert not sent(actions)


@pytest.mark.parametrize(
    ("version", "action", "payload", "triggered"),
    [
        ("1.6", "TriggerMessage", {"requestedMessage": "StatusNotification"}, status("1.6")),
        ("1.6", "ExtendedTriggerMessage", {"requestedMessage": "Heartbeat"}, call("h", "Heartbeat", {})),
        (
            "1.6",
            "ExtendedTriggerMessage",
            {"requestedMessage": "SignChargePointCertificate"},
            call("s", "SignCertificate", {"csr": "x"}),
        ),
        ("2.0.1", "TriggerMessage", {"requestedMessage": "StatusNotification"}, status("2.0.1")),
        (
            "2.0.1",
            "GetBaseReport",
            {"requestId": 1, "reportBase": "FullInventory"},
            call("n", "NotifyReport", {"requestId": 1, "generatedAt": "2026-01-01T00:00:00Z", "seqNo": 0}),
        ),
    ],
)
def test_while_pending_what_was_asked_for_may_come(version: str, action: str, payload: Any, triggered: bytes) -> None:
    """B02.FR.02, B02.FR.09."""
    line = session(version)
    line.received(boot(version), *NOW)
    line.reply(booted("Pending"), *NOW)
    assert sent(line.received(triggered, *NOW))[0][2] == "SecurityError"
    assert sent(line.command(command(action=action, payload=payload), *NOW))
    assert forwarded(line.received(triggered, *NOW))
    line.acknowledged(json.loads(triggered)[1], *NOW)
    assert sent(line.received(triggered, *NOW))[0][2] == "SecurityError"


def pending(version: str) -> Session:
    """The line of a station that is Pending."""
    line = session(version)
    line.received(boot(version), *NOW)
    line.reply(booted("Pending"), *NOW)
    return line


def trigger(line: Session, number: int, **payload: Any) -> None:
    """A TriggerMessage that the station takes."""
    assert sent(line.command(command(f"t{number}", "TriggerMessage", payload), *NOW))
    line.received(frame(3, f"t{number}", OK), *NOW)


def passes(line: Session, action: str, payload: Any) -> bool:
    """Whether a CALL of the station passes, and is answered then."""
    taken = bool(forwarded(line.received(call("m", action, payload), *NOW)))
    if taken and line.occupied:
        line.acknowledged("m", *NOW)
    return taken


def status16(connector: int) -> dict[str, Any]:
    return {"connectorId": connector, "errorCode": "NoError", "status": "Available"}


def test_what_was_asked_for_of_one_connector_may_come_once_each_time() -> None:
    """B02.FR.09, 1.6-J errata §3.10."""
    line = pending("1.6")
    for number in (1, 2):
        trigger(line, number, requestedMessage="StatusNotification", connectorId=1)
    told = [passes(line, "StatusNotification", status16(1)) for _ in range(3)]
    assert told == [True, True, False]
    assert not passes(line, "Heartbeat", {})


def test_what_was_asked_for_of_all_connectors_may_come_once_of_each() -> None:
    """1.6 §5.17: without a connectorId, "for all allowed connectorId values"."""
    line = pending("1.6")
    trigger(line, 1, requestedMessage="StatusNotification")
    assert [passes(line, "StatusNotification", status16(n)) for n in (0, 1, 2, 1, 0)] == [
        True,
        True,
        True,
        False,
        False,
    ]
    trigger(line, 2, requestedMessage="StatusNotification")
    assert [passes(line, "StatusNotification", status16(n)) for n in (1, 1)] == [True, False]
    made_up = [passes(line, "StatusNotification", status16(n)) for n in range(1000, 1000 + MOST_PLACES)]
    assert not all(made_up)


def test_transactions_that_were_asked_for_may_be_told_once_each() -> None:
    """F06.FR.11: without an EVSE, all of them."""
    line = pending("2.0.1")
    trigger(line, 1, requestedMessage="TransactionEvent")

    def event(transaction_id: str, seq_no: int) -> dict[str, Any]:
        return {
            "eventType": "Updated",
            "timestamp": "2026-06-01T12:00:00Z",
            "triggerReason": "Trigger",
            "seqNo": seq_no,
            "transactionInfo": {"transactionId": transaction_id},
        }

    told = []
    for transaction_id, seq_no in (("a", 1), ("b", 1), ("a", 2)):
        told.append(bool(forwarded(line.received(call("m", "TransactionEvent", event(transaction_id, seq_no)), *NOW))))
        if told[-1]:
            line.reply(Reply(message_id="m", action="TransactionEvent", payload=b"{}"), *NOW)
    assert told == [True, True, False]


def test_a_report_that_was_asked_for_may_come_in_all_its_parts() -> None:
    """B02.FR.02, B07.FR.08."""
    line = pending("2.0.1")
    line.command(command("r", "GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"}), *NOW)
    line.received(frame(3, "r", OK), *NOW)

    def part(seq_no: int, more: bool) -> dict[str, Any]:
        return {"requestId": 1, "generatedAt": "2026-01-01T00:00:00Z", "seqNo": seq_no, "tbc": more}

    told = [passes(line, "NotifyReport", part(n, more)) for n, more in enumerate((True, True, False, False))]
    assert told == [True, True, True, False]


def test_what_an_accepted_station_was_asked_for_does_not_count_once_it_is_pending() -> None:
    line = session("1.6")
    trigger(line, 1, requestedMessage="Heartbeat")
    line.received(boot("1.6"), *NOW)
    line.reply(booted("Pending"), *NOW)
    assert not passes(line, "Heartbeat", {})


STARTS = {"1.6": "RemoteStartTransaction", **dict.fromkeys(("2.0.1", "2.1"), "RequestStartTransaction")}
STOPS = {"1.6": "RemoteStopTransaction", **dict.fromkeys(("2.0.1", "2.1"), "RequestStopTransaction")}


def test_no_transaction_is_started_or_stopped_remotely_at_a_pending_station(version: str) -> None:
    """B02.FR.05, 1.6 §4.2: "If the CSMS wants to use RequestStartTransaction etc. it SHALL first accept"."""
    line = session(version)
    line.received(boot(version), *NOW)
    line.reply(booted("Pending"), *NOW)
    for action in (STARTS[version], STOPS[version]):
        [ended] = completed(line.command(command(action=action), *NOW))
        assert ended.result.outcome == OUTCOME_UNDELIVERED
        assert "Pending" in ended.result.error_description
    assert sent(line.command(command(), *NOW))
    line.received(boot(version), *NOW)
    line.reply(booted("Accepted"), *NOW)
    line.received(frame(3, "c1", OK), *NOW)
    assert sent(line.command(command("c2", STARTS[version]), *NOW))


@pytest.mark.parametrize(("verdict", "left"), [("Pending", ["3"]), ("Rejected", []), ("Accepted", ["2", "3"])])
def test_what_waits_when_the_station_is_not_accepted_is_not_sent(version: str, verdict: str, left: list[str]) -> None:
    line = session(version)
    line.command(command("1"), *NOW)
    line.command(command("2", STARTS[version]), *NOW)
    line.command(command("3"), *NOW)
    line.received(boot(version), *NOW)
    withdrawn = outcomes(line.reply(booted(verdict), *NOW))
    assert withdrawn == [(name, "UNDELIVERED") for name in ("2", "3") if name not in left]
    going, done = [], "1"
    while messages := sent(line.received(frame(3, done, OK), *NOW)):
        [[_, done, *_]] = messages
        going.append(done)
    assert going == left


def test_what_was_asked_for_may_not_come_once_rejected() -> None:
    line = session("2.0.1")
    line.command(command(action="TriggerMessage", payload={"requestedMessage": "StatusNotification"}), *NOW)
    line.received(boot("2.0.1"), *NOW)
    line.reply(booted("Rejected"), *NOW)
    assert sent(line.received(status("2.0.1"), *NOW))[0][2] == "SecurityError"
