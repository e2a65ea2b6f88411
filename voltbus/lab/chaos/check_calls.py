"""Compares each message with its answers, with what is kept of it, and with the event that tells of it. Pure."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from services.common.kafka.events import NAMESPACE
from voltbus.lab.chaos.expected import Kind, Said, Try
from voltbus.lab.chaos.observed import Told, Whole
from voltbus.lab.chaos.violation import Breach, breach
from voltbus.simulator.station.types import Payload

# Of a message that stands for itself: its event, as ids name it.
EVENTS = {
    Kind.BOOT: "voltbus.firmware.v1.StationBooted",
    Kind.SECURITY: "voltbus.firmware.v1.SecurityEventReported",
    Kind.AUTHORIZE: "voltbus.auth.v1.AuthorizationDecided",
}


def calls(said: Iterable[Said], whole: Whole, told: Told) -> Iterator[Breach]:
    """Messages that stand for themselves: each that was answered is kept, and told under the id of its CALL."""
    for one in said:
        if one.kind in EVENTS:
            for call in (told.calls.get(tried.message_id) for tried in one.tries if tried.answer is not None):
                if call is None or (one.kind is Kind.BOOT and call.id not in whole.boots):
                    yield breach("lost", one, "no boot")
                elif not told.times[event_id(one, call.id)]:
                    yield breach("missing", one, "no event")


def event_id(said: Said, call_id: str) -> str:
    """What ce_id must be."""
    return str(uuid.uuid5(NAMESPACE, f"{EVENTS[said.kind]}/{said.station}/{call_id}"))


def passed(said: Iterable[Said], told: Told) -> Iterator[Breach]:
    """Every CALL that was answered went on to the services. (Heartbeats are answered before that.)"""
    for one in said:
        for tried in one.tries:
            if tried.answer is not None and one.action != "Heartbeat" and tried.message_id not in told.calls:
                yield breach("lost", one, f"{tried.message_id} is not on Kafka")


def states(said: Iterable[Said], told: Told) -> Iterator[Breach]:
    """Every change of a connector's state is told, once and in order."""
    heard = defaultdict[str, dict[str, str]](dict)
    for event in told.events:
        if event.kind == "ConnectorStatusChanged":
            heard[event.subject][event.id] = event.step
    last: dict[str, Said] = {}
    wanted = defaultdict[str, list[str]](list)
    for one in said:
        if one.kind is Kind.STATUS and one.acknowledged:
            if one.station not in last or last[one.station].state != one.state:
                wanted[one.station].append(one.state)
            last[one.station] = one
    for station, found in wanted.items():
        events = list(heard[station].values())
        if events != found:
            what = "missing" if len(events) < len(found) else "double" if len(events) > len(found) else "order"
            place = next((n for n, pair in enumerate(zip(events, found, strict=False)) if pair[0] != pair[1]), -1)
            about = f"{len(events)} changes of state were told, {len(found)} said; the {place}th is the first to differ"
            yield breach(what, last[station], about)


def answers(said: Iterable[Said]) -> Iterator[Breach]:
    """A failure of infrastructure is never turned into a verdict, and the same message has the same answer."""
    for one in said:
        for tried in one.tries:
            if tried.refused:
                yield breach("refused", one, tried.refused)
            elif tried.answer is not None and (verdict := _verdict(tried.answer)) != "Accepted":
                yield breach("refused", one, verdict)


def _verdict(answer: Payload) -> str:
    """Accepted where there is none."""
    for name in ("idTagInfo", "idTokenInfo"):
        if isinstance(info := answer.get(name), dict):
            return str(info.get("status"))
    return str(answer.get("status", "Accepted"))


def unanswered(said: Iterable[Said], troubled: Sequence[tuple[float, float]], patience: float) -> Iterator[Breach]:
    """Where nothing was wrong, no CALL is passed over: it was never answered, while later ones of its kind were.

    troubled: from when to when something was wrong. patience: seconds that a station waits for an answer.
    """
    tries = [(one, tried) for one in said for tried in one.tries]
    served = defaultdict[str, list[Try]](list)
    for one, tried in tries:
        if tried.answered is not None:
            served[one.action].append(tried)
    for one, tried in tries:
        if tried.answered is None and not any(begin < tried.sent < end for begin, end in troubled):
            since, until = tried.sent + 1, tried.sent + patience
            if any(other.sent > since and (other.answered or until) < until for other in served[one.action]):
                yield breach("unanswered", one, f"no answer to {tried.message_id}")
