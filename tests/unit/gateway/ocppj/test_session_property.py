"""Every CALL of a station is forwarded or answered, in order, whatever else happens, and also when it has closed."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.ocppj.actions import Drop, Forward, Send, SessionAction, Waiting
from services.gateway.ocppj.limits import Limits
from tests.unit.gateway.examples import (
    ACCEPTED,
    AUTHORIZE,
    STATUS,
    VERSIONS,
    WALL,
    boot,
    booted,
    call,
    session,
)
from voltbus.v1.bus_pb2 import Reply

LIMITS = Limits(call_seconds=30, command_seconds=30, queue=4, queue_size=600)
PAYLOADS = {"Authorize": AUTHORIZE, "StatusNotification": STATUS}


class Line:
    """A session, and what becomes of each CALL. waits: forwarded and not answered yet."""

    def __init__(self, version: str) -> None:
        self.version, self.session = version, session(version, LIMITS)
        self.now, self.sent = 5000.0, list[str]()
        self.forwarded, self.refused, self.answered = list[str](), list[str](), list[str]()
        self.waits: Forward | None = None
        self.size, self.full, self.closed = 0, False, False

    def call(self, action: str) -> None:
        """A station that is not read sends nothing that arrives; after its close, all that it had sent does."""
        if self.full and not self.closed:
            return
        message_id = str(len(self.sent))
        self.sent.append(message_id)
        if action == "BootNotification":
            frame = boot(self.version, message_id)
        elif action == "nonsense":
            frame = call(message_id, "Dance", {})
        else:
            payload = PAYLOADS[action][self.version] if action in PAYLOADS else {}
            frame = call(message_id, action, payload)
        self.perform(self.session.received(frame, self.now, WALL))

    def answer(self, status: str) -> None:
        forward, self.waits = self.waits, None
        if forward is None or self.closed:
            return
        message_id, action = forward.call.message_id, forward.call.action
        if forward.acknowledge:
            self.perform(self.session.acknowledged(message_id, self.now, WALL))
        elif action == "BootNotification":
            self.perform(self.session.reply(booted(status, message_id), self.now, WALL))
        else:
            payload = json.dumps(ACCEPTED[self.version]).encode()
            reply = Reply(message_id=message_id, action=action, payload=payload)
            self.perform(self.session.reply(reply, self.now, WALL))

    def wait(self, seconds: float) -> None:
        self.now += seconds
        if not self.closed:
            self.perform(self.session.tick(self.now, WALL))

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.perform(self.session.closed(self.now, WALL))
            assert self.size == 0

    def perform(self, actions: list[SessionAction]) -> None:
        for action in actions:
            match action:
                case Forward():
                    self.forwarded.append(action.call.message_id)
                    if action.call.action != "Heartbeat":
                        self.waits = action
                case Send():
                    (self.refused if action.message_type == "error" else self.answered).append(action.message_id)
                case Waiting():
                    self.size, self.full = action.size, action.full
                case Drop():
                    assert action.reason in ("unanswered", "late_reply")


ACTIONS = ["Authorize", "StatusNotification", "Heartbeat", "BootNotification", "nonsense"]
STEPS = st.one_of(
    st.tuples(st.just("call"), st.sampled_from(ACTIONS)),
    st.tuples(st.just("call"), st.sampled_from(ACTIONS)),
    st.tuples(st.just("answer"), st.sampled_from(["Accepted", "Pending", "Rejected"])),
    st.tuples(st.just("wait"), st.sampled_from([1.0, 29.0, 31.0])),
)


@pytest.mark.parametrize("version", VERSIONS)
@given(st.lists(STEPS, max_size=40), st.lists(STEPS, max_size=10))
def test_every_call_is_forwarded_or_refused_in_order(version: str, before: list[Any], after: list[Any]) -> None:
    line = Line(version)
    for name, argument in before:
        getattr(line, name)(argument)
        assert len(line.session._queue or ()) <= LIMITS.queue
    line.close()
    for name, argument in after:
        getattr(line, name)(argument)
    assert sorted(line.forwarded + line.refused, key=int) == line.sent
    assert line.forwarded == sorted(line.forwarded, key=int)
    assert set(line.answered) <= set(line.forwarded)


@pytest.mark.parametrize("version", VERSIONS)
@given(st.lists(STEPS, max_size=40))
def test_while_it_is_open_every_call_ends_and_the_station_is_read_again(version: str, steps: list[Any]) -> None:
    line = Line(version)
    for name, argument in steps:
        getattr(line, name)(argument)
    while line.waits:
        line.answer("Accepted")
    line.wait(31)
    while line.waits:
        line.answer("Accepted")
    assert not line.full
    assert line.size == 0
    assert sorted(line.forwarded + line.refused, key=int) == line.sent
