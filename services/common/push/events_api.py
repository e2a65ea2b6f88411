"""GET /v1/events: the domain events of a service as server-sent events."""

import asyncio
import time
from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query

from services.common.kafka.events import AssignmentOf
from services.common.push import metrics
from services.common.push.feed import Feed
from services.common.push.filters import EventFilter, known_types, type_names
from services.common.push.follower import Follower
from services.common.push.positions import Positions, read_position, resume
from services.common.push.stream import GONE, EventStream, StreamTiming, Wanted
from services.common.web.access import LEEWAY, Access, Groups
from services.common.web.callers import Caller
from services.common.web.fields import NO_NUL, UtcDatetime
from services.common.web.openapi import problem_responses
from services.common.web.problem_types import ProblemType
from services.common.web.problems import Problem, did_you_mean, field_problem
from services.common.web.roles import rights
from services.common.web.server_sent import MEDIA_TYPE

MAY_BE_GONE = "events since then may be gone: these are the oldest that Kafka still has"
EXAMPLE = """\
id: firmware:17.5.0.9
data: {"specversion": "1.0", "id": "0d3c…", "type": "voltbus.v1.StationBooted", "subject": "CP001", "data": {}}

"""
FIELDS = {name: {"type": "string"} for name in ("event", "id", "data")}
CONTENT = {
    MEDIA_TYPE: {
        "schema": {"type": "object", "properties": FIELDS},
        "examples": {"an event": {"value": EXAMPLE}},
    }
}
Name = Annotated[str, Query(min_length=1, max_length=255, pattern=NO_NUL)]


def _several(description: str) -> Any:
    return Query(max_length=100, description=f"{description}; several: any of them")


def event_types(service: str, given: Collection[str], where: str) -> frozenset[str]:
    """The names of events as a client wrote them. where: in the request. Raises Problem."""
    found = known_types(service, given)
    for one, name in found.items():
        if name is None:
            raise field_problem(where, f"there is no event {one}; {did_you_mean(one, type_names(service))}")
    return frozenset(name for name in found.values() if name)


class Streams:
    """All clients that follow the events of a service.

    assignment_of: see AssignmentOf. most: how many clients there may be.
    """

    def __init__(
        self, service: str, feed: Feed, assignment_of: AssignmentOf, *, most: int, timing: StreamTiming = StreamTiming()
    ) -> None:
        self.service, self.feed, self.stopping = service, feed, asyncio.Event()
        self._assignment_of, self._most, self._timing = assignment_of, most, timing
        self._followers = set[Follower]()

    async def stop(self) -> None:
        """Tells all clients that it ends, and takes no more."""
        self.stopping.set()

    async def open(
        self, wanted: EventFilter, last: Positions | None, since: datetime | None, follow: bool, seconds: float
    ) -> EventStream:
        """Raises Problem where there are too many, Unavailable while Kafka does not answer."""
        if len(self._followers) >= self._most:
            detail = f"{self._most} clients follow the events already (VOLTBUS_EVENT_STREAMS)"
            raise Problem(429, detail, headers={"Retry-After": "10"}, kind=ProblemType.TOO_MANY)
        if wanted.asks_for_assignment:
            # Raises Unavailable while it is not known who is in which.
            self._assignment_of("")
        follower = Follower(self.feed, {})
        self._followers.add(follower)
        metrics.CLIENTS.inc()
        self.feed.join()

        async def release() -> None:
            self._followers.discard(follower)
            metrics.CLIENTS.dec()
            self.feed.leave()
            await follower.close()

        try:
            follower.positions, reset = await self._begin(last, since)
            ends = None if follow else await self._ends()
        except BaseException:
            await release()
            raise
        told = Wanted(
            service=self.service,
            filter=wanted,
            assignment_of=self._assignment_of,
            ends=ends,
            seconds=seconds,
            reset=reset,
        )
        return EventStream(follower, told, self.stopping, release, self._timing)

    async def _begin(self, last: Positions | None, since: datetime | None) -> tuple[Positions, str]:
        """Where, and why something may be missing before that."""
        bus, topic = self.feed.bus, self.feed.topic
        if last is not None:
            positions, gone = resume(last, await bus.bounds(topic))
            return positions, GONE if gone else ""
        if since is not None:
            bounds, found = await bus.bounds(topic), await bus.offsets_at(topic, since)
            at_start = any(found[number] <= held.start and held.start > 0 for number, held in bounds.items())
            return dict(found), MAY_BE_GONE if at_start else ""
        return await self.feed.end(), ""

    async def _ends(self) -> Positions:
        return {number: held.end for number, held in (await self.feed.bus.bounds(self.feed.topic)).items()}


def router(streams: Streams, access: Access) -> APIRouter:
    """For tokens that may read the service."""
    routes = APIRouter(prefix="/v1", tags=["events"])

    @routes.get(
        "/events",
        status_code=200,
        response_class=EventStream,
        responses={
            200: {"description": "events as they happen", "content": CONTENT},
            **problem_responses({429: "as many clients as are allowed follow the events already"}),
        },
    )
    async def events(
        caller: Annotated[Caller, access.require(rights(streams.service).read, filtered=True)],
        groups: Groups,
        type: Annotated[list[Name], _several("TransactionEnded, or voltbus.v1.TransactionEnded")] = [],  # noqa: B006
        station_id: Annotated[list[Name], _several("about this station")] = [],  # noqa: B006
        group: Annotated[list[Name], _several("about a station of this group")] = [],  # noqa: B006
        location_id: Annotated[list[Name], _several("about a station at this location")] = [],  # noqa: B006
        transaction_id: Annotated[list[Name], _several("about a transaction that its station calls so")] = [],  # noqa: B006
        since: Annotated[UtcDatetime | None, Query(description="begin there; without it: now")] = None,
        follow: Annotated[bool, Query(description="false: end after what there is now")] = True,
        last_event_id: Annotated[
            str | None, Header(max_length=8000, description="go on after the event with this id, whatever `since` says")
        ] = None,
    ) -> EventStream:
        """The events of this service as they happen, as server-sent events: each a CloudEvent in JSON.

        An event named `reset` says that something between this one and the last is gone, because Kafka keeps events for
        a time; one named `closed`, why the answer ends.
        """
        last = _last(streams.service, last_event_id) if last_event_id else None
        wanted = EventFilter(
            types=event_types(streams.service, type, "query.type"),
            stations=frozenset(station_id),
            groups=frozenset(group),
            locations=frozenset(location_id),
            transaction_ids=frozenset(transaction_id),
            within=groups,
        )
        return await streams.open(wanted, last, since, follow, caller.expires_at + LEEWAY - time.time())

    return routes


def _last(service: str, written: str) -> Positions:
    positions = read_position(service, written)
    if positions is None:
        raise field_problem("header.last-event-id", f"is not the id of an event of {service}")
    return positions
