"""Ends sessions whose idToken is blocked while they run, where the policy says so."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from services.common.authorization.judge import is_blocked
from services.common.commands.api.commands import LONGEST
from services.common.commands.service import CommandRequest, CommandService
from services.common.kafka.table import CompactedTable
from services.common.postgres.database import Database
from services.common.process.clock import Clock
from services.common.process.errors import Unavailable
from services.common.process.wakeup import Wakeup
from services.ocpp.id_tokens import CENTRAL, IdToken, Token, find, find_group
from services.transactions import blocked_store
from services.transactions.blocked_store import Session
from services.transactions.domain.blocked import Step, must_end, step
from services.transactions.remote import STOP

# Seconds between looks at all sessions: of those that were told late, and of stops that came to nothing.
EVERY_SECONDS = 60.0

log = structlog.get_logger()


@dataclass(slots=True)
class ChangedTokens:
    """IdTokens that have changed since somebody looked, by their texts in lower case.

    One that a token group is called by means all of the group, whose idTokens are not known by it: then all sessions
    are looked at. Of those that were blocked before the start, that they are no more is seen within EVERY_SECONDS.
    """

    wake: Wakeup = field(default_factory=Wakeup)
    _texts: set[str] = field(default_factory=set)
    _blocked_groups: set[str] = field(default_factory=set)
    _of_groups: bool = False

    def note(self, key: str, token: Token | None) -> None:
        """A record of the topic `tokens`: its key is type/text, or the text alone."""
        self._texts.add(key.partition("/")[2] or key)
        if token and token.type == CENTRAL and is_blocked(token):
            self._blocked_groups.add(key)
            self._of_groups = True
        elif key in self._blocked_groups:
            self._blocked_groups.remove(key)
            self._of_groups = True
        self.wake()

    def take(self) -> set[str] | None:
        """None: it may be any."""
        taken = None if self._of_groups else self._texts
        self._texts, self._of_groups = set(), False
        return taken


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedSessions:
    """Many processes may run it: the idempotency key of a stop names its session. default: VOLTBUS_ON_BLOCK."""

    database: Database
    command_service: CommandService
    tokens: CompactedTable[Token]
    changed: ChangedTokens
    default: str
    clock: Clock

    async def run(self) -> None:
        """Until cancelled."""
        await self.tokens.wait()
        looked_at: datetime | None = None
        while True:
            texts, now = self.changed.take(), self.clock()
            is_due = looked_at is None or (now - looked_at).total_seconds() >= EVERY_SECONDS
            everything = texts is None or is_due
            try:
                await self.look(None if everything else texts)
                looked_at = now if everything else looked_at
            except Unavailable as error:
                looked_at = None
                log.warning("sessions of blocked idTokens wait", reason=str(error))
            await self.changed.wake.wait(EVERY_SECONDS)

    async def look(self, texts: set[str] | None = None) -> None:
        """At the running sessions of these idTokens, or at all."""
        if texts is None:
            async with self.database.connection() as db:
                vain = await blocked_store.waiting(db)
            await self._take_steps(vain)
        after = 0
        while True:
            async with self.database.connection() as db:
                sessions = await blocked_store.running(db, after, texts)
            await self._take_steps(sessions)
            if len(sessions) < blocked_store.AT_ONCE:
                return
            after = sessions[-1].id

    async def _take_steps(self, sessions: Sequence[Session]) -> None:
        now = self.clock()
        steps = [(one, step(self._must_end(one), one.ended, one.stop, now)) for one in sessions]
        for one, next_step in steps:
            if next_step is Step.TAKE_BACK and one.stop:
                await self.command_service.cancel(one.stop.command_id)
        if stopped := [one for one, next_step in steps if next_step is Step.STOP]:
            await self._stop(stopped, now)

    def _must_end(self, one: Session) -> bool:
        token = find(IdToken(one.id_token, one.id_token_type), self.tokens.get)
        return must_end(token, find_group(token, self.tokens.get), self.default)

    async def _stop(self, sessions: Sequence[Session], now: datetime) -> None:
        async with self.database.transaction() as db:
            given = await self.command_service.add(db, [_request(one) for one in sessions])
            await blocked_store.save(db, [(command.payload["id"], command.id) for command in given], now)
        self.command_service.notify_changed()
        self.command_service.nudge()
        for command in given:
            log.info("session of a blocked idToken stops", station_id=command.station_id, command=command.id)


def _request(one: Session) -> CommandRequest:
    """It waits for its station as long as a command can."""
    before = one.stop.command_id if one.stop else ""
    return CommandRequest(
        one.station_id,
        STOP,
        {"id": one.id, "transaction_id": one.transaction_id},
        expires_in=LONGEST,
        idempotency_key=f"on_block/{one.id}/{before}",
    )
