"""permessage-deflate (RFC 7692) of a station: its offer, what was agreed, messages in and out."""

from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, PerMessageDeflate
from websockets.frames import Frame, Opcode
from websockets.headers import build_extension, parse_extension

HEADER = "Sec-WebSocket-Extensions"
# As a small station does: nothing is kept between messages.
_FACTORY = ClientPerMessageDeflateFactory(server_no_context_takeover=True, client_no_context_takeover=True)
OFFER = build_extension([(_FACTORY.name, _FACTORY.get_request_params())])


class Deflate:
    """Whole messages in and out; holds nothing between them."""

    __slots__ = ("_extension",)

    def __init__(self, extension: PerMessageDeflate) -> None:
        self._extension = extension

    def inflate(self, data: bytes) -> bytes:
        return bytes(self._extension.decode(Frame(Opcode.TEXT, data, rsv1=True)).data)

    def deflate(self, data: bytes) -> bytes:
        return bytes(self._extension.encode(Frame(Opcode.TEXT, data)).data)


def agreed(answer: str) -> Deflate:
    """What the gateway's header makes of the offer. Raises NegotiationError where it is no answer to it."""
    ((_, parameters),) = parse_extension(answer)
    return Deflate(_FACTORY.process_response_params(parameters, []))
