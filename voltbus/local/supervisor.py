"""`make run`: starts the servers and all services, keeps them running, stops them."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Coroutine

from rich.console import Console

from voltbus.local.banner import banner
from voltbus.local.ports import require_free
from voltbus.local.progress import Progress
from voltbus.local.servers import Servers
from voltbus.local.stack import CommandLine, Stack, command_line
from voltbus.running import announce, server_addresses
from voltbus.settings import LocalSettings, port_variable

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def run(settings: LocalSettings, console: Console, command: CommandLine = command_line) -> None:
    """Runs until it is asked to stop (Ctrl-C, SIGTERM). Raises LocalError if something cannot start."""
    progress = Progress(console, ["postgres", "redis", "kafka", "prepare", *settings.processes])
    servers = Servers(settings=settings, report=progress)
    stop = _StopRequest()
    servers.acquire()
    try:
        for name, port in settings.ports.items():
            require_free(port, settings.host, port_variable(name))
        with progress:
            stack = await stop.run_unless_requested(_start(servers, progress, command))
        if stack is None:
            await servers.stop()
            console.print("stopped before it was ready")
            # A download under way would delay the exit.
            sys.stdout.flush()
            os._exit(130)
        with announce(settings, server_addresses(servers.postgres_dsn, servers.redis_url, servers.kafka_bootstrap)):
            console.print(banner(settings, servers.kafka_bootstrap), soft_wrap=True, highlight=False, markup=False)
            await stop.requested.wait()
            with contextlib.suppress(OSError):  # the terminal may be gone
                console.print("stopping; press Ctrl-C again to stop without waiting")
            stop.kill_on_repeat(stack)
            await stack.stop()
    finally:
        await servers.stop()


async def _start(servers: Servers, progress: Progress, command: CommandLine) -> Stack:
    await servers.start()
    settings = servers.settings
    env = {"VOLTBUS_FRAME_LOG": settings.frame_log}
    stack = Stack(servers, settings.processes, env=env, ports=settings.ports, report=progress, command=command)
    await stack.start()
    return stack


class _StopRequest:
    """Whether a signal has requested the end; a second one kills everything."""

    def __init__(self) -> None:
        self.requested = asyncio.Event()
        self._stack: Stack | None = None
        for number in _SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self._on_signal)

    async def run_unless_requested(self, work: Coroutine[None, None, Stack]) -> Stack | None:
        """The result of `work`, or None if it was cancelled because the end was requested. Raises its error."""
        task, requested = asyncio.ensure_future(work), asyncio.ensure_future(self.requested.wait())
        await asyncio.wait({task, requested}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
        requested.cancel()
        return None if task.cancelled() else task.result()

    def kill_on_repeat(self, stack: Stack) -> None:
        """From now on a signal kills all processes of `stack`."""
        self._stack = stack

    def _on_signal(self) -> None:
        if self._stack is not None:
            for process in self._stack.processes():
                process.kill(respawn=False)
        self.requested.set()
