"""What can become of a station's CALL, whichever client made it."""


class CallRefused(Exception):
    """A CALLERROR, or a refused handshake: code is the error code or the HTTP status."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description


class Disconnected(Exception):
    """The connection ended, or nothing came in time: the station does not know whether it was heard."""
