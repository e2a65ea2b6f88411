"""Cuts long WebSocket frames into fragments, in the buffer into which they are read: RFC 6455 §5.2, §5.4, without I/O.

The parser behind it keeps a frame until it is whole, in a buffer that grows and never shrinks, and ends the connection
at the head of one that is too long. Of fragments it needs to keep none, and whoever puts them together decides what
becomes of a long one.
"""

from struct import Struct

# Bytes of a frame that is passed on as it is.
LONG_FRAME = 8 * 1024
# Bytes of a head with a mask, by the bits of its length: 7, 16, 64.
SHORT_HEAD, HEAD, LONG_HEAD = 6, 8, 14
# Lengths from here on need 16 bits, and 64.
SIXTEEN_BITS_FROM, SIXTY_FOUR_BITS_FROM = 126, 1 << 16
FIN, CONTROL, MASKED = 0x80, 0x08, 0x80
# An empty PONG, which says nothing. It takes the room by which a long head is longer.
FILLER = bytes([FIN | 0x0A, MASKED, 0, 0, 0, 0])
LENGTH, LONG_LENGTH = Struct("!H"), Struct("!Q")


class Cutter:
    """Follows the frames of one connection from read to read.

    reserved: bytes of the buffer that are to be left free before the next read, for what `reserve` puts there.
    at_frame: whether the next byte that is read is the first of a frame.
    """

    __slots__ = ("_final", "_held", "_left", "_mask", "_remaining", "at_frame", "reserved")

    def __init__(self) -> None:
        self.reserved, self.at_frame = 0, True
        # The beginning of a frame, until enough of it is there.
        self._held = b""
        # Bytes to come of a frame that is passed on as it is.
        self._left = 0
        # Bytes to come of one that is cut, its mask from there on, and its FIN.
        self._remaining, self._mask, self._final = 0, b"", 0

    def reserve(self, view: memoryview) -> None:
        """Writes what was held back to the beginning of the buffer."""
        view[: len(self._held)] = self._held

    def cut(self, view: memoryview, size: int, start: int = 0) -> int:
        """How much of the buffer is to be passed on: of `size` bytes, with those reserved, from `start` on frames."""
        position = start + self._left
        if self._remaining:
            position, size = self._continue(view, size)
        self._held, self._left = b"", 0
        while position < size:
            head, length = _head(view, position, size)
            present = size - position - head
            if not head or (present < SIXTEEN_BITS_FROM and length > LONG_FRAME):
                self._held, size = bytes(view[position:size]), position
            elif length > max(LONG_FRAME, present):
                self._open(view, position, head, length, present)
                position = size
            else:
                position += head + length
        self._left = position - size
        self.reserved = HEAD if self._remaining else len(self._held)
        self.at_frame = not self.reserved and not self._left
        return size

    def _open(self, view: memoryview, position: int, head: int, length: int, present: int) -> None:
        """The first fragment of a frame: what of it is there."""
        first, mask = view[position], bytes(view[position + head - 4 : position + head])
        gap = head - HEAD
        view[position : position + gap] = FILLER[:gap]
        _write_head(view, position + gap, first & ~FIN, present, mask)
        self._final = first & FIN
        self._go_on(length, present, mask)

    def _continue(self, view: memoryview, size: int) -> tuple[int, int]:
        """The next fragment, behind the room for its head; where it ends, and the size with the head that it has."""
        length = min(size - HEAD, self._remaining)
        if length < SIXTEEN_BITS_FROM:
            view[SHORT_HEAD : size - HEAD + SHORT_HEAD] = bytes(view[HEAD:size])
            size -= HEAD - SHORT_HEAD
        final = self._final if length == self._remaining else 0
        head = _write_head(view, 0, final, length, self._mask)
        self._go_on(self._remaining, length, self._mask)
        return head + length, size

    def _go_on(self, remaining: int, done: int, mask: bytes) -> None:
        self._remaining, turn = remaining - done, done % 4
        self._mask = mask[turn:] + mask[:turn]


def _head(view: memoryview, position: int, size: int) -> tuple[int, int]:
    """Bytes of a head, 0 if it is not all there, and of the payload. What is wrong with it is the parser's to say."""
    if size - position < 2:
        return 0, 0
    first, second = view[position], view[position + 1]
    length = second & 0x7F
    if length < SIXTEEN_BITS_FROM or first & CONTROL or not second & MASKED:
        return SHORT_HEAD, length
    head, field = (HEAD, LENGTH) if length == SIXTEEN_BITS_FROM else (LONG_HEAD, LONG_LENGTH)
    if size - position < head:
        return 0, 0
    (length,) = field.unpack_from(view, position + 2)
    if field is LONG_LENGTH and not SIXTY_FOUR_BITS_FROM <= length < 1 << 63:
        return head, 0
    return head, length


def _write_head(view: memoryview, position: int, first: int, length: int, mask: bytes) -> int:
    head = HEAD if length >= SIXTEEN_BITS_FROM else SHORT_HEAD
    view[position] = first
    view[position + 1] = MASKED | min(length, SIXTEEN_BITS_FROM)
    if head == HEAD:
        LENGTH.pack_into(view, position + 2, length)
    view[position + head - 4 : position + head] = mask
    return head
