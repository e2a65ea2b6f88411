"""`make run`: starts the servers and all services, keeps them running, stops them."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Coroutine

from rich.console import Console

from voltbus.local.banner import welcome
from voltbus.local.ports import require_free
from voltbus.local.progress import Board
from voltbus.local.servers import Servers
from voltbus.local.stack import Command, Stack, module
from voltbus.running import announced
from voltbus.settings import LocalSettings, port_variable

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def run(settings: LocalSettings, console: Console, command: Command = module) -> None:
    """Runs until it is asked to stop (Ctrl-C, SIGTERM). Raises LocalError when something cannot start."""
    board = Board(console, ["postgres", "redis", "kafka", "prepare", *settings.gateways, *settings.services])
    servers = Servers(settings=settings, report=board)
    stop = _Stop()
    servers.take()
    try:
        for name, port in settings.ports.items():
            require_free(port, settings.host, port_variable(name))
        with board:
            stack = await stop.unless(_start(servers, board, command))
        if stack is None:
            await servers.stop()
            console.print("stopped before it was ready")
            # A download that is under way would hold up the end.
            sys.stdout.flush()
            os._exit(130)
        with announced(settings, servers.kafka_bootstrap):
            console.print(welcome(settings), soft_wrap=True, highlight=False, markup=False)
            await stop.asked.wait()
            with contextlib.suppress(OSError):  # the terminal may be gone
                console.print("stopping; once more to stop without waiting")
            stop.hurry(stack)
            await stack.stop()
    finally:
        await servers.stop()


async def _start(servers: Servers, board: Board, command: Command) -> Stack:
    await servers.start()
    settings = servers.settings
    names = (*settings.gateways, *settings.services)
    stack = Stack(servers, names, ports=settings.ports, report=board, command=command)
    await stack.start()
    return stack


class _Stop:
    """Whether the user has asked for the end; asked again, everything is killed."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self._again: Stack | None = None
        for number in _SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self._ask)

    async def unless(self, work: Coroutine[None, None, Stack]) -> Stack | None:
        """The result of `work`, or None when it was cancelled because the end was asked for. Raises its error."""
        task, asked = asyncio.ensure_future(work), asyncio.ensure_future(self.asked.wait())
        await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
        asked.cancel()
        return None if task.cancelled() else task.result()

    def hurry(self, stack: Stack) -> None:
        """From now on a signal kills what is left."""
        self._again = stack

    def _ask(self) -> None:
        if self._again is not None:
            for part in self._again.parts():
                part.kill(stay=True)
        self.asked.set()
