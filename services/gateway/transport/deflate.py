"""permessage-deflate (RFC 7692) by the sans-I/O extension of `websockets`: offers answered, messages (de)compressed.

Neither side takes its context over and windows are small, so that an idle connection keeps no compressor.
"""

import zlib
from collections.abc import Iterable

from websockets.exceptions import InvalidHeader, NegotiationError, PayloadTooBig, ProtocolError
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.headers import build_extension, parse_extension

NAME = "permessage-deflate"
WINDOW_BITS = 12
# Shorter messages grow by compression.
MIN_SIZE = 64
FACTORY = ServerPerMessageDeflateFactory(
    server_no_context_takeover=True,
    client_no_context_takeover=True,
    server_max_window_bits=WINDOW_BITS,
    client_max_window_bits=WINDOW_BITS,
    compress_settings={"memLevel": 4},
)


class TooLong(Exception):
    """The message is longer than the limit once it is inflated."""


class NotDeflate(Exception):
    """The message is no DEFLATE data."""


class Deflate:
    """Whole messages in and out; holds nothing between them."""

    __slots__ = ("_extension",)

    def __init__(self, extension: PerMessageDeflate) -> None:
        self._extension = extension

    def inflate(self, data: bytes, limit: int) -> bytes:
        """Raises TooLong, NotDeflate."""
        try:
            return bytes(self._extension.decode(Frame(Opcode.TEXT, data, rsv1=True), max_size=limit).data)
        except PayloadTooBig:
            raise TooLong from None
        except ProtocolError:
            raise NotDeflate from None

    def head(self, data: bytes, size: int) -> bytes:
        """The first `size` bytes of a message of which no more than the beginning may be there. Raises NotDeflate."""
        try:
            return zlib.decompressobj(wbits=-self._extension.remote_max_window_bits).decompress(data, size)
        except zlib.error:
            raise NotDeflate from None

    def deflate(self, data: bytes) -> bytes:
        return bytes(self._extension.encode(Frame(Opcode.TEXT, data)).data)


def negotiate(headers: Iterable[str]) -> tuple[str, Deflate] | None:
    """The first acceptable offer of the Sec-WebSocket-Extensions headers, as (answer, extension); None to decline all.

    An unknown, repeated or ill-valued parameter makes an offer unacceptable (RFC 7692 §7.1).
    """
    try:
        offers = [offer for header in headers for offer in parse_extension(header)]
    except InvalidHeader:
        return None
    for name, parameters in offers:
        if name != NAME:
            continue
        try:
            answer, extension = FACTORY.process_request_params(parameters, [])
        except NegotiationError:
            continue
        return build_extension([(FACTORY.name, answer)]), Deflate(extension)
    return None
