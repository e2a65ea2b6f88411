"""All state published once more, where a migration asked for it (table republish), and whether Kafka has it."""

from services.auth.store import Store
from services.common.process.readiness import NotReady


class Republication:
    """Until Kafka has what it published, auth is not ready: a gateway that starts before then knows no passwords."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: int | None = None

    async def open(self) -> None:
        """Puts the state into the outbox, behind what waits there. Raises Unavailable."""
        await self._store.republish()
        self._last = await self._store.newest_outgoing()

    async def ready(self) -> bool | NotReady:
        """Whether everything has left that was in the outbox at the start, this process's or another's."""
        if self._last is not None and await self._store.is_outgoing(self._last):
            return NotReady("stations and tokens are being published")
        self._last = None
        return True
