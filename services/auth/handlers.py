"""A batch of ocpp.calls.auth: read, decide, keep, answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.auth.dialects import DIALECTS
from services.auth.domain.requests import KEPT, Authorize, Decided, Reply, Request, Verdict, decide
from services.auth.store import Store
from services.common.calls.call import Answer, Call, Refused, Replies
from services.common.commands.service import CommandService
from services.common.kafka.bus import Record
from services.common.process.clock import Clock
from services.common.process.errors import Unprocessable


@dataclass(frozen=True, slots=True)
class Handler:
    """Handles batches. results: the topic of what became of commands."""

    store: Store
    command_service: CommandService
    replies: Replies
    results: str
    clock: Clock

    async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        """One query for all idTokens, one transaction for all that is kept and announced; then the replies."""
        results = [record for record in records if record.topic == self.results]
        calls = [Call.read(record) for record in records if record.topic != self.results]
        asked = [(call, read(call)) for call in calls]
        async with self.store.transaction() as tx:
            known = await tx.known({request.token.key for _, request in asked if isinstance(request, Authorize)})
            now = self.clock()
            told = [
                (call, request if isinstance(request, Refused) else decide(request, known, now))
                for call, request in asked
            ]
            kept = [call for call, request in asked if isinstance(request, KEPT)]
            await tx.keep(kept, [verdict(call, reply, now) for call, reply in told if isinstance(reply, Verdict)])
            concluded = await self.command_service.conclude(tx.db, results)
        if concluded:
            self.command_service.tell()
        return self.replies.settle([(call, answer(call, reply)) for call, reply in told], self.clock())


def read(call: Call) -> Request | Refused:
    """What a call asks for. Raises Unprocessable where nobody waits to be told that it cannot be understood."""
    request = DIALECTS.read(call)
    if isinstance(request, Refused) and call.answered:
        raise Unprocessable(f"{request.code}: {request.description}")
    return request


def verdict(call: Call, reply: Verdict, now: datetime) -> Decided:
    """What is announced of a verdict."""
    return Decided(call.station_id, reply.token, reply.info.status, now, call.id)


def answer(call: Call, reply: Reply | Refused) -> Answer:
    """A reply in the words of the station's version."""
    return reply if isinstance(reply, Refused) else DIALECTS.write(call, reply)
