"""What is wrong with a frame, and what the station hears of it: a table per version."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.ocppj.actions import Drop, Forward, Refuse, Send
from services.gateway.ocppj.frames import MAX_DESCRIPTION_LENGTH
from services.ocpp.versions import VERSIONS as FACTS
from tests.unit.gateway.examples import AUTHORIZE, NOW, VERSIONS, authorize, dropped, forwarded, sends, sent, session

SILENCE = None
LONG = "x" * 37
DEEP = b'{"a":' * 300 + b"1" + b"}" * 300
DEEPER = b"[" * 3000 + b"]" * 3000

OCCURS, FORMAT = ("1", "Occur*ConstraintViolation"), ("1", "Format*")

# What came, and (message id, code) of the CALLERROR; None: no answer.
FRAMES: list[tuple[str, bytes, Any, Any]] = [
    ("cut off", b'[2,"1","Heartbeat",{}', FORMAT, FORMAT),
    ("cut off in a text", b'[2,"1","Authorize",{"idTag":"CA', FORMAT, FORMAT),
    ("cut off in a number", b'[2,"1","StopTransaction",{"transactionId":7,"meterStop":10', FORMAT, FORMAT),
    ("cut off behind a number", b'[2,17,"Heartbeat",{', (17, "Format*"), (17, "Format*")),
    ("NaN", b'[2,"1","Heartbeat",NaN]', FORMAT, FORMAT),
    ("nothing between commas", b'[2,"1","StopTransaction",{"transactionId":7,,"meterStop":1}]', FORMAT, FORMAT),
    ("a decimal comma", b'[2,"1","StopTransaction",{"transactionId":7,"meterStop":1,5}]', FORMAT, FORMAT),
    ("two frames", b'[2,"1","Heartbeat",{}][2,"2","Heartbeat",{}]', FORMAT, FORMAT),
    ("thousands of levels", b'[2,"1","Heartbeat",%b]' % DEEPER, FORMAT, FORMAT),
    ("thousands of flaws", b'[2,"1","Heartbeat",{"a":[%b]}]' % (b"nan," * 2000), FORMAT, FORMAT),
    ("endless id", b'[2,"' + b"x" * 200_000 + b'","Heartbeat",{}]', SILENCE, ("-1", "RpcFrameworkError")),
    ("no JSON at all", b"{nonsense", SILENCE, ("-1", "RpcFrameworkError")),
    ("nothing", b"", SILENCE, ("-1", "RpcFrameworkError")),
    ("no list", b'{"a":1}', SILENCE, ("-1", "RpcFrameworkError")),
    ("a number", b"2", SILENCE, ("-1", "RpcFrameworkError")),
    ("empty list", b"[]", SILENCE, ("-1", "RpcFrameworkError")),
    ("type only", b"[2]", SILENCE, ("-1", "RpcFrameworkError")),
    ("action is a number", b'[2,"1",7,{}]', ("1", "FormationViolation"), ("1", "RpcFrameworkError")),
    ("unknown type", b'[7,"1",{}]', SILENCE, ("1", "MessageTypeNotSupported")),
    ("unknown type alone", b"[7]", SILENCE, ("-1", "MessageTypeNotSupported")),
    ("unknown action", b'[2,"1","Dance",{}]', ("1", "NotImplemented"), ("1", "NotImplemented")),
    ("another's case", b'[2,"1","heartbeat",{}]', ("1", "NotImplemented"), ("1", "NotImplemented")),
    ("ours to call", b'[2,"1","Reset",{}]', ("1", "NotSupported"), ("1", "NotSupported")),
    ("payload is text", b'[2,"1","Heartbeat","{}"]', ("1", "FormationViolation"), ("1", "FormatViolation")),
    ("null for a request with fields", b'[2,"1","Authorize",null]', OCCURS, OCCURS),
    ("missing field", b'[2,"1","Authorize",{}]', OCCURS, OCCURS),
    ("too deep", b'[2,"1","Heartbeat",%b]' % DEEP, ("1", "FormationViolation"), ("1", "FormatViolation")),
    ("answer without id", b"[3]", SILENCE, SILENCE),
    ("answer with a number", b"[3,1,{}]", SILENCE, SILENCE),
    ("answer to nothing", b'[3,"1",{}]', SILENCE, SILENCE),
    ("error to nothing", b'[4,"1","GenericError","",{}]', SILENCE, SILENCE),
    ("error of an error", b'[4,"-1","RpcFrameworkError","",{}]', SILENCE, SILENCE),
]
# What is refused only where a station is read strictly.
STRICT_FRAMES: list[tuple[str, bytes, Any, Any]] = [
    *FRAMES,
    ("payload is a list", b'[2,"1","Heartbeat",[]]', ("1", "FormationViolation"), ("1", "FormatViolation")),
    ("type as text", b'["2","1","Heartbeat",{}]', ("1", "FormationViolation"), ("1", "RpcFrameworkError")),
    ("type as float", b'[2.0,"1","Heartbeat",{}]', ("1", "FormationViolation"), ("1", "RpcFrameworkError")),
    ("id is a number", b'[2,17,"Heartbeat",{}]', (17, "FormationViolation"), (17, "RpcFrameworkError")),
    ("id with NUL", b"[2,1\0\0\0]", ("1\0\0\0", "Format*"), ("1\0\0\0", "Format*")),
    ("id is null", b'[2,null,"Heartbeat",{}]', (None, "FormationViolation"), (None, "RpcFrameworkError")),
    ("three elements", b'[2,"1","Heartbeat"]', ("1", "FormationViolation"), ("1", "RpcFrameworkError")),
    ("five elements", b'[2,"1","Heartbeat",{},{}]', ("1", "FormationViolation"), ("1", "RpcFrameworkError")),
    ("long id", f'[2,"{LONG}","Heartbeat",{{}}]'.encode(), (LONG, "FormationViolation"), (LONG, "RpcFrameworkError")),
    ("raw tab", b'[2,"1","Authorize",{"idTag":"A\tB"}]', FORMAT, FORMAT),
    ("1e400", b'[2,"1","StopTransaction",{"transactionId":7,"meterStop":1e400}]', FORMAT, FORMAT),
    ("trailing comma", b'[2,"1","Heartbeat",{},]', FORMAT, FORMAT),
    ("field too many", b'[2,"1","Heartbeat",{"a":1}]', ("1", "FormationViolation"), ("1", "FormatViolation")),
]
# The codes that 1.6 and later versions spell in their own ways.
SPELLED = {
    "Occur*ConstraintViolation": ("OccurenceConstraintViolation", "OccurrenceConstraintViolation"),
    "Format*": ("FormationViolation", "FormatViolation"),
}


def cases() -> Iterator[Any]:
    for strict, rows in ((False, FRAMES), (True, STRICT_FRAMES)):
        for name, *row in rows:
            yield pytest.param(strict, *row, id=f"{name}-{'strict' if strict else 'tolerant'}")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("strict", "raw", "v16", "v201"), [*cases()])
def test_a_bad_frame_gets_its_error_and_never_reaches_kafka(
    strict: bool, raw: bytes, v16: Any, v201: Any, version: str
) -> None:
    actions = session(version, strict=strict).received(raw, *NOW)
    # 2.1 part 4 §4.4: ignored.
    v21 = SILENCE if v201 and v201[1] == "MessageTypeNotSupported" else v201
    expected = {"1.6": v16, "2.0.1": v201, "2.1": v21}[version]
    assert not forwarded(actions)
    if expected is SILENCE:
        assert not sent(actions)
        assert dropped(actions)
        return
    message_id, code = expected
    [[kind, answered, spelled, description, details]] = sent(actions)
    assert (kind, answered, details) == (4, message_id, {})
    assert spelled == (SPELLED[code][version != "1.6"] if "*" in code else code)
    assert 0 < len(description) <= MAX_DESCRIPTION_LENGTH


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"connectorId": 1, "idTag": "x" * 21, "meterStart": 0, "timestamp": "t"}, "TypeConstraintViolation"),
        ({"connectorId": "1", "idTag": "x", "meterStart": 0, "timestamp": "t"}, "TypeConstraintViolation"),
        ({"connectorId": 1, "idTag": "x", "timestamp": "t"}, "OccurenceConstraintViolation"),
        ({"connectorId": 1, "idTag": "x", "meterStart": 12.5, "timestamp": "t"}, "TypeConstraintViolation"),
    ],
)
def test_schema_violations_of_16(payload: dict[str, Any], code: str) -> None:
    line = session("1.6", strict=True)
    [message] = sent(line.received(json.dumps([2, "1", "StartTransaction", payload]).encode(), *NOW))
    assert message[:3] == [4, "1", code]


def test_an_error_does_not_tell_what_was_in_the_message() -> None:
    tag = {"idTag": {"SECRET": "SECRET"}}
    for strict in (True, False):
        line = session("1.6", strict=strict)
        [send] = sends(line.received(json.dumps([2, "1", "Authorize", tag]).encode(), *NOW))
        assert b"SECRET" not in send.frame
        assert b"idTag" in send.frame


@pytest.mark.parametrize("version", VERSIONS)
def test_a_bad_frame_does_not_disturb_the_call_under_way(version: str) -> None:
    line = session(version)
    line.received(authorize(version, "1"), *NOW)
    for _, raw, *_ in FRAMES:
        line.received(raw.replace(b'"1"', b'"other"'), *NOW)
    assert line.busy
    assert not sent(line.received(authorize(version, "2"), *NOW))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
ACTIONS = st.sampled_from(sorted({action for facts in FACTS.values() for action in facts.schemas.actions}))
LIKE_FRAMES = st.tuples(st.integers(0, 6), st.text(max_size=40) | st.integers(), ACTIONS | st.text(), ANYTHING)


@given(version=st.sampled_from(VERSIONS), raw=st.binary(max_size=200))
def test_any_bytes_have_an_outcome(version: str, raw: bytes) -> None:
    assert session(version).received(raw, *NOW)


@given(version=st.sampled_from(VERSIONS), message=ANYTHING | LIKE_FRAMES.map(list))
def test_any_json_has_an_outcome(version: str, message: Any) -> None:
    actions = session(version).received(json.dumps(message).encode(), *NOW)
    assert any(isinstance(action, Send | Forward | Drop | Refuse) for action in actions)


IDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=36)
SPACE = st.text(" \t\r\n", max_size=2)


@given(version=st.sampled_from(VERSIONS), message_id=IDS, gaps=st.lists(SPACE, min_size=8, max_size=8))
def test_a_valid_call_has_one_outcome_and_keeps_its_bytes(version: str, message_id: str, gaps: list[str]) -> None:
    payload = gaps[0].join(json.dumps(AUTHORIZE[version]).partition(":"))
    parts = ["[", "2", ",", json.dumps(message_id), ",", '"Authorize"', ","]
    raw = "".join(part + gap for part, gap in zip(parts, gaps[1:], strict=True)) + payload + gaps[0] + "]"
    line = session(version)
    [forward] = line.received(raw.encode(), *NOW)
    assert isinstance(forward, Forward)
    assert forward.call.payload.decode() == payload
    assert forward.call.message_id == message_id
