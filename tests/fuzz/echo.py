"""An echo on the WebSocket layer, as test suites of RFC 6455 want one: python -m tests.fuzz.echo PORT"""

import asyncio
import sys
from typing import Any

import uvloop

from services.gateway.pressure.memory import Memory
from services.gateway.pressure.turns import Turns
from services.gateway.settings import Settings
from services.gateway.timing import DEFAULT_TIMING, SYSTEM_CLOCKS
from services.gateway.transport.listener import WebSocketListener
from services.gateway.transport.transport import Transport


class Echo:
    """A Receiver and its Admitter: everybody comes in, and hears what was said."""

    occupied, pace = False, None
    transport: Transport

    def admit(self, _: Any) -> Any:
        return Echo(), ""

    def opened(self, transport: Transport) -> None:
        self.transport = transport

    def message(self, frame: bytes, *_: Any) -> None:
        self.transport.send(frame)

    def oversized(self, *_: Any) -> None:
        self.transport.close(1009)

    def closed(self, reason: str) -> None:
        pass

    def finished(self) -> None:
        pass


async def main(port: int) -> None:
    settings = Settings(
        host="127.0.0.1", gateway_port=port, message_size=450_000, password_key="k", message_rate=0, byte_rate=0
    )
    listener = WebSocketListener(
        settings,
        Echo(),
        clocks=SYSTEM_CLOCKS,
        timing=DEFAULT_TIMING,
        memory=Memory(settings.waiting_size),
        turns=Turns(),
    )
    await listener.open()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
