"""What a kind of desired state tells the reconciler: which stations are here, what to read of them, what to write."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from services.common.commands.command import Command
from services.common.desired.difference import Desired, resolve
from services.common.desired.group_store import GroupDocument
from services.common.desired.progress import Progress
from services.common.postgres.database import Connection

K = TypeVar("K")
V = TypeVar("V")

# An action of the station's version, and its payload.
Request: TypeAlias = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Candidate(Generic[K, V]):
    """A station that is here and whose turn it is. desired: by key."""

    progress: Progress
    version: str
    desired: Mapping[K, Desired[V]]

    @property
    def station_id(self) -> str:
        return self.progress.station_id


@dataclass(frozen=True, slots=True)
class Reads:
    """What a station is asked before anything is written. reports: ids that it is also read by, beside the answers."""

    requests: Sequence[Request] = ()
    reports: frozenset[str] = frozenset()


class Resource(Protocol[K, V]):
    """One kind: settings, a local list, a trust store. All within the reconciler's transaction.

    What answers say is for the service to keep, where its commands end: it takes them in, and tells the progress by
    done() and read().
    """

    async def versions(self, db: Connection, station_ids: Collection[str]) -> Mapping[str, str]:
        """The OCPP version of each of the stations that is here and let in; the others wait."""

    def values(self, document: GroupDocument, version: str) -> Mapping[K, V]:
        """What a group's document says for a version."""

    async def reads(self, db: Connection, stations: Sequence[Candidate[K, V]]) -> Mapping[str, Reads]:
        """What to ask, by station; a station with nothing to ask has nothing to write."""

    async def writes(self, db: Connection, stations: Sequence[Candidate[K, V]]) -> Mapping[str, Sequence[Request]]:
        """What to send so that they become as desired, by station, in order."""

    async def sent(self, db: Connection, commands: Sequence[Command]) -> None:
        """The commands that were made of the writes: what they write is pending."""


def desired_of(
    resource: Resource[K, V], groups: Sequence[str], documents: Mapping[str, GroupDocument], version: str
) -> dict[K, Desired[V]]:
    """What is desired of a station. groups: that it is in, in order. documents: by group."""
    known = (documents[name] for name in groups if name in documents)
    return resolve((document.group, resource.values(document, version)) for document in known)
