"""What is told of a connection's frames that stand in no record of their own: those that are refused or dropped."""

from services.gateway.ocppj.actions import Drop, Reason, Refuse
from voltbus.v1.bus_pb2 import Frame

# Between two reports of a connection so many are told, and so many bytes of them; of the others, how many they were.
MOST_FRAMES, MOST_BYTES = 200, 256 * 1024
# Of one frame, so many bytes.
LONGEST_FRAME, LONGEST_NAME = 64 * 1024, 50
# Dropped without a frame of its own, and missed all the same.
MISSED = frozenset({Reason.UNANSWERED, Reason.LATE_REPLY})


class FrameNotes:
    """Bounded, whatever a station sends; made when there is something to tell first."""

    __slots__ = ("_bytes", "_count", "_left_out")

    def __init__(self) -> None:
        self._count = self._bytes = self._left_out = 0

    def note(self, action: Refuse | Drop) -> Frame | None:
        """What is told of one, without where and when; None if there were too many, or there is nothing to tell."""
        if isinstance(action, Drop) and not action.frame and action.reason not in MISSED:
            return None
        if self._count >= MOST_FRAMES or self._bytes >= MOST_BYTES:
            self._left_out += 1
            return None
        kept = action.frame[:LONGEST_FRAME]
        self._count += 1
        self._bytes += len(kept)
        frame = Frame(message_id=action.message_id[:LONGEST_NAME], frame=kept, size=action.size or len(action.frame))
        if isinstance(action, Drop):
            frame.dropped, frame.description = action.reason, action.detail
        else:
            frame.action, frame.code = action.action[:LONGEST_NAME], action.code
            frame.description, frame.answered = action.description, action.answered
        return frame

    def renew(self) -> Frame | None:
        """Begins anew; what there is to tell of those that were left out."""
        left_out, self._count, self._bytes, self._left_out = self._left_out, 0, 0, 0
        return Frame(left_out=left_out) if left_out else None
