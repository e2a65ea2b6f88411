"""Answers to CALLs as records for the gateway that has their connection."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson

from services.common.calls import metrics
from services.common.calls.call import Answer, Call, Refused
from services.common.kafka.bus import Record
from voltbus.v1.bus_pb2 import Outbound, Refusal, Reply


class Replies:
    """Makes the records that answer calls. topic: ocpp.outbound as it is called on this broker."""

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def settle(self, answers: Iterable[tuple[Call, Answer]], now: datetime) -> list[Record]:
        """The replies that stations wait for, and none where the gateway has answered; counts and times all calls."""
        settled = list(answers)
        for call, answer in settled:
            what = call.action, call.version
            metrics.CALLS.count((*what, "refused" if isinstance(answer, Refused) else "done"))
            metrics.CALL_SECONDS.observe(what, (now - call.received_at).total_seconds())
        return [self.answer(call, answer) for call, answer in settled if not call.answered]

    def answer(self, call: Call, answer: Answer) -> Record:
        """A CALLRESULT or a CALLERROR."""
        if isinstance(answer, Refused):
            return self.refusal(call, answer.code, answer.description)
        return self.result(call, answer)

    def result(self, call: Call, payload: dict[str, Any]) -> Record:
        """A CALLRESULT."""
        reply = Reply(message_id=call.message_id, action=call.action, payload=orjson.dumps(payload), call_id=call.id)
        return self._record(call, reply)

    def refusal(self, call: Call, code: str, description: str) -> Record:
        """A CALLERROR; code is the name of a services.ocpp.errors.ErrorCode."""
        refusal = Refusal(code=code, description=description, details=b"{}")
        return self._record(
            call, Reply(message_id=call.message_id, action=call.action, refusal=refusal, call_id=call.id)
        )

    def _record(self, call: Call, reply: Reply) -> Record:
        body = Outbound(station_id=call.station_id, connection_id=call.connection_id, reply=reply)
        key = call.connection_id.encode()
        return Record(self._topic, key, body.SerializeToString(), partition=call.slot)
