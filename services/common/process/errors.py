"""The error tree of everything below the domain.

VoltbusError
├── Unavailable   infrastructure does not answer now; the work is tried again, nobody is refused for it
├── Unprocessable a record that no retry will make right; it goes to the dead letters
└── Misconfigured a setting is missing or wrong; the process says so in one line and ends
"""


class VoltbusError(Exception):
    """Base of all errors that Voltbus raises itself."""


class Unavailable(VoltbusError):
    """Kafka, Postgres or Redis does not answer now."""


class Unprocessable(VoltbusError):
    """A record that cannot be handled, now or later; the text says why and holds no secret."""


class Misconfigured(VoltbusError):
    """A setting is missing or wrong; the text says which and what to do."""
