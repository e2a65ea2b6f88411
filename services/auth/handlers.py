"""A batch of ocpp.calls.auth: read, decide, keep, answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.auth.domain.requests import KEPT, Authorize, Decided, Request, Verdict, decide
from services.auth.store import Store
from services.common.calls.batch import BatchShell
from services.common.calls.call import Call, Refused
from services.common.kafka.bus import Record


@dataclass(frozen=True, slots=True)
class Handler:
    """Handles batches."""

    store: Store
    shell: BatchShell[Request]

    async def handle(self, records: Sequence[Record]) -> Sequence[Record]:
        """One query for all idTokens, one transaction for all that is kept and announced; then the replies."""
        batch = self.shell.read(records)
        async with self.store.transaction() as tx:
            known = await tx.known({request.token.key for _, request in batch.calls if isinstance(request, Authorize)})
            replies = [
                request if isinstance(request, Refused) else decide(request, known, batch.now)
                for _, request in batch.calls
            ]
            decided = [
                verdict(call, reply, batch.now)
                for (call, _), reply in zip(batch.calls, replies, strict=True)
                if isinstance(reply, Verdict)
            ]
            await tx.keep([call for call, request in batch.calls if isinstance(request, KEPT)], decided)
            concluded = await self.shell.conclude(tx.db, batch)
        if concluded:
            self.shell.tell()
        return self.shell.settle(batch, replies)


def verdict(call: Call, reply: Verdict, now: datetime) -> Decided:
    """What is announced of a verdict."""
    return Decided(call.station_id, reply.token, reply.info.status, now, call.id)
