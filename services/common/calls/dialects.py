"""What a service knows of protocol versions: a table each, from an action to its command and from a reply to its words.

Version words stop here: the domain sees commands and gives replies.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog

from services.common.calls.call import Call, Refused

C = TypeVar("C")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Dialect(Generic[C]):
    """One version. read: by action, payload to command. write: by the reply's class, reply to payload."""

    read: Mapping[str, Callable[[Call], C]]
    write: Mapping[type, Callable[[Any], dict[str, Any]]]


class Dialects(Generic[C]):
    """All versions of a service, by their name."""

    def __init__(self, versions: Mapping[str, Dialect[C]]) -> None:
        self._versions = versions

    def read(self, call: Call) -> C | Refused:
        """The command in a call; NotSupported where this service has none for that action and version."""
        dialect = self._versions.get(call.version)
        reader = dialect.read.get(call.action) if dialect else None
        if reader is None:
            who = {"station_id": call.station_id, "message_id": call.message_id}
            log.warning("not supported here", action=call.action, version=call.version, **who)
            return Refused("NotSupported", f"{call.action} of {call.version} is not supported here")
        return reader(call)

    def write(self, call: Call, reply: object) -> dict[str, Any]:
        """A reply in the words of the call's version."""
        return self._versions[call.version].write[type(reply)](reply)
