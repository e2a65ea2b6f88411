"""python -m voltbus.lab.bench.echo SERVICE: takes the place of a service and leaves its domain out.

It reads the same topics as the same group member, through the same consumer, and answers what waits for an answer. No
Postgres, no dialect, no decision, no event.
"""

import itertools
import re
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from services.common.calls.call import Call, Refused
from services.common.calls.replies import Replies
from services.common.kafka.broker import KafkaBus
from services.common.kafka.bus import Bus, Record
from services.common.kafka.consumer import Consumer
from services.common.process.clock import Clock, now
from services.common.process.service import Service, main
from services.common.process.settings import CommonSettings
from services.common.web.app import web_app
from services.ocpp import topics

NUMBERS = itertools.count(1)
ANSWERS: dict[str, Callable[[], dict[str, Any]]] = {
    "BootNotification": lambda: {"status": "Accepted", "interval": 300, "currentTime": _time()},
    "StartTransaction": lambda: {"transactionId": next(NUMBERS), "idTagInfo": {"status": "Accepted"}},
    "StopTransaction": lambda: {"idTagInfo": {"status": "Accepted"}},
    "TransactionEvent": lambda: {"idTokenInfo": {"status": "Accepted"}},
    "MeterValues": dict,
    "StatusNotification": dict,
    "Heartbeat": lambda: {"currentTime": _time()},
}


class Settings(CommonSettings):
    """The ports of the services whose place it takes."""

    transactions_port: int = Field(9082, ge=1, le=65535)
    firmware_port: int = Field(9084, ge=1, le=65535)


class Echo:
    """Answers a batch with what is plausible. calls: the topic whose records it answers; others it leaves alone."""

    def __init__(self, calls: str, replies: Replies, clock: Clock) -> None:
        self._topic, self._replies, self._clock = calls, replies, clock

    async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        """The replies to the calls that wait for one."""
        calls = [Call.read(record) for record in records if record.topic == self._topic]
        return self._replies.settle([(call, answer(call)) for call in calls], self._clock())


def answer(call: Call) -> dict[str, Any] | Refused:
    """A fixed answer; its action is all that is looked at."""
    made = ANSWERS.get(call.action)
    return made() if made else Refused("NotSupported", "the echo does not know it")


def read_by(service: str) -> list[topics.Topic]:
    """What the group of a service reads. A static member that comes back must ask for what it had (aiokafka)."""
    kept = [topic for topic in topics.ALL if topic.retention_ms is not None]
    return [topic for topic in kept if service in re.findall(r"[\w.]+", topic.consumers)]


def build(name: str, settings: Settings, bus: Bus, clock: Clock) -> Service:
    """The process in place of the service `name`."""
    calls, outbound, dead = (settings.topic(it.name) for it in (topics.calls(name), topics.OUTBOUND, topics.dead(name)))
    read = [settings.topic(topic.name) for topic in read_by(name)]
    handle = Echo(calls, Replies(outbound), clock).handle
    consumer = Consumer(bus, name, read, handle=handle, dead_topic=dead, clock=clock)
    return Service(
        name=name,
        settings=settings,
        port=getattr(settings, f"{name}_port"),
        port_setting=f"VOLTBUS_{name.upper()}_PORT",
        app=web_app(f"echo of {name}"),
        tasks={"consumer": consumer.run},
        checks={"kafka": bus.ready, "consumer": consumer.ready},
        opens=(bus.start,),
        drains=(consumer.stop,),
        closes=(bus.close,),
    )


def _time() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def real() -> Service:
    """On the real Kafka."""
    settings = Settings.read()
    return build(sys.argv[1], settings, KafkaBus(settings), now)


if __name__ == "__main__":
    main(real)
