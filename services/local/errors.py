"""What can go wrong on one machine: every message is one line that says what to do."""


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
