"""Errors of commands: LocalError > AlreadyRunning, PortInUse, ServerUnreachable, StartFailed.

Every message is one line that says what to do.
"""

import os


class LocalError(Exception):
    """A command cannot go on; the text is for the person who started it."""


class AlreadyRunning(LocalError):
    """Another process holds the data folder."""


class PortInUse(LocalError):
    """Another program listens on a port of Voltbus."""


class ServerUnreachable(LocalError):
    """An external server does not answer."""


class StartFailed(LocalError):
    """A process was started and did not become ready."""


def reason(error: BaseException) -> str:
    """Why something failed, in the words of the operating system if it has some."""
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno) if error.errno > 0 else str(error.strerror)
    return str(error) or type(error).__name__
