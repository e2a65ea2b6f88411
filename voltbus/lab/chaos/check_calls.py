"""Compares each message with its answers, with what is stored of it, and with its event. Pure."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from services.common.kafka.events import NAMESPACE
from voltbus.lab.chaos.expected import Attempt, Message, MessageKind
from voltbus.lab.chaos.observed import Observed, StoredState, reported
from voltbus.lab.chaos.violation import Violation, of_message
from voltbus.simulator.station.types import Payload

# The event of a message outside of sessions, as ids name it.
EVENTS = {
    MessageKind.BOOT: "voltbus.firmware.v1.StationBooted",
    MessageKind.SECURITY: "voltbus.firmware.v1.SecurityEventReported",
    MessageKind.AUTHORIZE: "voltbus.auth.v1.AuthorizationDecided",
}


def calls(messages: Iterable[Message], whole: StoredState, observed: Observed) -> Iterator[Violation]:
    """Messages outside of sessions: each that was answered is stored, and published under the id of its CALL."""
    for one in messages:
        if one.kind in EVENTS:
            for call in (
                observed.calls.get(attempt.message_id) for attempt in one.attempts if attempt.answer is not None
            ):
                if call is None or (one.kind is MessageKind.BOOT and call.id not in whole.boots):
                    yield of_message("lost", one, "no boot")
                elif not observed.times[event_id(one, call.id)]:
                    yield of_message("missing", one, "no event")


def event_id(message: Message, call_id: str) -> str:
    """What ce_id must be."""
    return str(uuid.uuid5(NAMESPACE, f"{EVENTS[message.kind]}/{message.station}/{call_id}"))


def passed(messages: Iterable[Message], observed: Observed) -> Iterator[Violation]:
    """Every answered CALL is on Kafka. (Heartbeats are answered before that.)"""
    for one in messages:
        for attempt in one.attempts:
            if attempt.answer is not None and one.action != "Heartbeat" and attempt.message_id not in observed.calls:
                yield of_message("lost", one, f"{attempt.message_id} is not on Kafka")


def states(messages: Iterable[Message], observed: Observed) -> Iterator[Violation]:
    """Every change of a connector's state, or of its error code, is published, once and in order."""
    heard = defaultdict[str, dict[str, str]](dict)
    for event in observed.events:
        if event.kind == "ConnectorStatusChanged":
            heard[event.subject][event.id] = event.step
    last: dict[str, Message] = {}
    wanted = defaultdict[str, list[str]](list)
    for one in messages:
        if one.kind is MessageKind.STATUS and one.acknowledged:
            said, before = reported(one.state, one.error_code), wanted[one.station]
            if before[-1:] != [said]:
                before.append(said)
            last[one.station] = one
    for station, found in wanted.items():
        events = list(heard[station].values())
        if events != found:
            what = "missing" if len(events) < len(found) else "double" if len(events) > len(found) else "order"
            place = next((n for n, pair in enumerate(zip(events, found, strict=False)) if pair[0] != pair[1]), -1)
            about = (
                f"{len(events)} changes of state published, {len(found)} sent; number {place} is the first to differ"
            )
            yield of_message(what, last[station], about)


def answers(messages: Iterable[Message]) -> Iterator[Violation]:
    """A failure of infrastructure is never turned into a verdict, and the same message has the same answer."""
    for one in messages:
        for attempt in one.attempts:
            if attempt.refused:
                yield of_message("refused", one, attempt.refused)
            elif attempt.answer is not None and (verdict := _verdict(attempt.answer)) != "Accepted":
                yield of_message("refused", one, verdict)


def _verdict(answer: Payload) -> str:
    """Accepted where there is none."""
    for name in ("idTagInfo", "idTokenInfo"):
        if isinstance(info := answer.get(name), dict):
            return str(info.get("status"))
    return str(answer.get("status", "Accepted"))


def unanswered(
    messages: Iterable[Message], troubled: Sequence[tuple[float, float]], patience: float
) -> Iterator[Violation]:
    """Outside of faults, no CALL is skipped, that is, never answered while later ones of its kind were.

    troubled: the times of faults. patience: seconds that a station waits for an answer.
    """
    attempts = [(one, attempt) for one in messages for attempt in one.attempts]
    served = defaultdict[str, list[Attempt]](list)
    for one, attempt in attempts:
        if attempt.answered is not None:
            served[one.action].append(attempt)
    for one, attempt in attempts:
        if attempt.answered is None and not any(begin < attempt.sent < end for begin, end in troubled):
            since, until = attempt.sent + 1, attempt.sent + patience
            if any(other.sent > since and (other.answered or until) < until for other in served[one.action]):
                yield of_message("unanswered", one, f"no answer to {attempt.message_id}")
