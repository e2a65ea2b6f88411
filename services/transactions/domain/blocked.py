"""Sessions whose idToken is blocked: which of them end, and when a station is asked for that. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from services.common.authorization.judge import is_blocked
from services.ocpp.id_tokens import Token

END, FINISH = "end", "finish"
# Until a stop that never reached its station is sent again.
AGAIN_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Stop:
    """The stop that was last asked for. waits: it has not been sent. unsent: it ended without ever being sent."""

    command_id: str
    asked_at: datetime
    waits: bool
    unsent: bool


class Step(Enum):
    """What is to be done about a session."""

    NOTHING = "nothing"
    STOP = "stop"
    TAKE_BACK = "take back"


def must_end(token: Token | None, group: Token | None, default: str) -> bool:
    """Whether a session of that idToken ends: it is blocked, or its group (see find_group), which refuses it as well.

    Its own word says what then becomes of it, or else that of its group, or else the setting.
    """
    if token is None or not (is_blocked(token) or is_blocked(group)):
        return False
    return (token.on_block or (group and group.on_block) or default) == END


def step(ends: bool, ended: bool, stop: Stop | None, now: datetime) -> Step:
    """A stop reaches its station once at the most. ends: see must_end. ended: the session has.

    One that waits for its station is taken back where the idToken is blocked no more, or the session has ended.
    """
    if stop and stop.waits:
        return Step.NOTHING if ends and not ended else Step.TAKE_BACK
    if ended or not ends:
        return Step.NOTHING
    return Step.STOP if stop is None or (stop.unsent and now - stop.asked_at >= AGAIN_AFTER) else Step.NOTHING
