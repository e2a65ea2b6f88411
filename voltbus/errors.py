"""What can go wrong on one machine: every message is one line that says what to do."""

import os


class LocalError(Exception):
    """The local stack cannot go on; the text is meant for the person who started it."""


class AlreadyRunning(LocalError):
    """Another process holds the data folder."""


class PortInUse(LocalError):
    """Something else listens where Voltbus wants to."""


class ServerUnreachable(LocalError):
    """A server given by the operator does not answer."""


class StartFailed(LocalError):
    """A part was started and did not become ready."""


def reason(error: BaseException) -> str:
    """Why something failed, in the system's own few words where it has some."""
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno) if error.errno > 0 else str(error.strerror)
    return str(error) or type(error).__name__
