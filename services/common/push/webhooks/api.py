"""REST of webhooks: where events are posted to, and what could not be delivered."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import uuid4

import orjson
import structlog
from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from services.common.postgres.announcer import Announcer
from services.common.postgres.database import Connection
from services.common.push.events_api import event_types
from services.common.push.filters import EventFilter
from services.common.push.webhooks import store
from services.common.push.webhooks.delivery import DeliveryStatus, Outcome
from services.common.push.webhooks.leader import Webhooks
from services.common.push.webhooks.signature import PREFIX, new_secret, read_secret
from services.common.push.webhooks.store import Count
from services.common.push.webhooks.webhook import MOST_REPLACED, TooManySecrets, Webhook, put
from services.common.web.access import Access, Author
from services.common.web.fields import NO_DOTS, NO_NUL
from services.common.web.openapi import problem_responses
from services.common.web.outbound.addresses import wrong_url
from services.common.web.outbound.guard import Network
from services.common.web.pages import Cursor, Limit, Page, read_cursor, write_cursor
from services.common.web.problems import Problem, field_problem
from services.common.web.roles import rights
from voltbus.v1.events_pb2 import WebhookChanged, WebhookRemoved

MOST = 100
MISSING, NO_DELIVERY = "there is no such webhook", "there is no such delivery: it was made, or never was one"
TOO_MANY_SECRETS = (
    f"{MOST_REPLACED} secrets that were replaced still sign: the next can be replaced at {{:%Y-%m-%dT%H:%M:%SZ}}"
)
WebhookId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$", examples=["billing"])]
EventId = Annotated[str, Path(min_length=1, max_length=100, pattern=NO_NUL, description="`id` of the CloudEvent")]
Name = Annotated[str, Field(min_length=1, max_length=255, pattern=NO_NUL)]
Names = Annotated[list[Name], Field(max_length=1000)]


log = structlog.get_logger()


class WebhookBody(BaseModel):
    """Where events are posted to, and which: all that is given must fit; what is left out fits whatever."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(max_length=2000, pattern=NO_NUL, examples=["https://billing.example/hooks/voltbus"])]
    types: Names = Field([], description="of events", examples=[["TransactionEnded", "TransactionRevised"]])
    stations: Names = []
    groups: Names = Field([], description="of the stations")
    locations: Names = Field([], description="of the stations")
    secret: SecretStr | None = Field(
        None,
        description=f"{PREFIX} and 24 to 64 bytes in base64; left out: it stays, or one is made and shown once",
        json_schema_extra={"writeOnly": True},
    )
    enabled: bool = True

    @field_validator("secret")
    @classmethod
    def _secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            read_secret(value.get_secret_value())
        return value

    def key(self) -> bytes | None:
        return read_secret(self.secret.get_secret_value()) if self.secret else None


class WebhookView(BaseModel):
    """A webhook, and how it fares."""

    webhook_id: str = Field(examples=["billing"])
    url: str
    types: list[str]
    stations: list[str]
    groups: list[str]
    locations: list[str]
    enabled: bool
    disabled_because: str | None = Field(description="why it was disabled, if nobody asked for it")
    secret: str | None = Field(None, description="only in the answer to the request for which it was made")
    previous_secret_until: datetime | None = Field(description="until when the last that was replaced signs, too")
    waiting: int = Field(description="deliveries that wait or are tried again")
    dead: int = Field(description="deliveries that were given up")
    failures: int = Field(description="how often in a row nobody answered as hoped")
    next_try_at: datetime | None = Field(description="while it fails")
    last_error: str | None
    last_delivered_at: datetime | None
    lost: int = Field(description="records that Kafka no longer had when they were to be read for it")
    created_at: datetime
    changed_at: datetime
    author: str | None = Field(description="`sub` of the bearer token that set it last; null: not known")


class DeliveryView(BaseModel):
    """An event that has not been delivered."""

    event_id: str
    type: str = Field(examples=["TransactionEnded"])
    subject: str = Field(description="events of one are sent in order")
    status: DeliveryStatus
    attempts: int
    since: datetime = Field(description="from when its time counts")
    next_try_at: datetime | None
    error: str | None = Field(description="of the last try")


class DeliveryWithEvent(DeliveryView):
    """An event that has not been delivered, with what it says."""

    event: Any


class TestResult(BaseModel):
    """What became of a test event."""

    delivered: bool
    status: int | None = Field(description="of HTTP, as the receiver answered")
    error: str | None


class Resent(BaseModel):
    """How many deliveries that were dead wait again."""

    resent: int


CREATED: dict[int | str, dict[str, Any]] = {
    200: {"description": "it existed, and is now as requested"},
    201: {"model": WebhookView, "description": "it is new"},
    **problem_responses({409: f"there are {MOST} already, or {MOST_REPLACED} secrets that were replaced still sign"}),
}
UNKNOWN = problem_responses({404: MISSING})


def router(
    service: str,
    webhooks: Webhooks,
    networks: Sequence[Network],
    access: Access,
    announcer: Announcer,
) -> APIRouter:
    """/v1/webhooks. networks: that may be called beside the internet."""
    routes = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])
    needed = rights(service)
    read, write = [access.require(needed.read)], [access.require(needed.administer)]
    database, clock = webhooks.database, webhooks.clock

    @routes.put("/{webhook_id}", dependencies=write, responses=CREATED)
    async def put_webhook(
        webhook_id: Annotated[WebhookId, NO_DOTS], author: Author, body: WebhookBody, response: Response
    ) -> WebhookView:
        """Makes a webhook, or replaces what it is but for its secret: it gets what happens from then on.

        A secret that is replaced signs for 24 hours more, beside the new one; five may at a time. What waits is tried
        again at once.
        """
        if wrong := wrong_url(body.url, networks):
            raise field_problem("body.url", wrong)
        types = event_types(service, body.types, "body.types")
        wanted = EventFilter(
            types=types,
            stations=frozenset(body.stations),
            groups=frozenset(body.groups),
            locations=frozenset(body.locations),
        )
        made, given = new_secret(), body.key()
        async with database.transaction() as db:
            await db.execute(store.ALONE)
            before = await store.find(db, webhook_id)
            if before is None and await db.fetchval(store.COUNT) >= MOST:
                raise Problem(409, f"there are {MOST} webhooks already")
            now, served = clock(), await db.fetchval(store.ANY_ENABLED)
            try:
                webhook = put(
                    before,
                    id=webhook_id,
                    url=body.url,
                    filter=wanted,
                    secret=given,
                    enabled=body.enabled,
                    now=now,
                    made=read_secret(made),
                    author=author,
                )
            except TooManySecrets as error:
                raise Problem(409, TOO_MANY_SECRETS.format(error.until)) from None
            await store.save(db, webhook)
            if webhook.enabled:
                await db.execute(store.BEGIN_AGAIN, webhook_id, now)
                if not served:
                    await store.save_positions(db, await webhooks.end())
            count = (await store.counts(db, [webhook_id]))[webhook_id]
            event = WebhookChanged(webhook_id=webhook_id, at=now, author=author or "", enabled=webhook.enabled)
            await announcer.add(db, event, webhook_id, now)
        announcer.wake()
        webhooks.wake()
        webhooks.woken(webhook_id)
        response.status_code = 200 if before else 201
        return _view(webhook, count, made if before is None and given is None else None)

    @routes.get("", dependencies=read)
    async def list_webhooks(limit: Limit = 50, cursor: Cursor = None) -> Page[WebhookView]:
        """Webhooks by id."""
        position = read_cursor(cursor, str)
        async with database.list_connection() as db:
            found = await store.page(db, str(position[0]) if position else "", limit + 1)
            counts = await store.counts(db, [one.id for one in found])
        after = write_cursor(found[limit - 1].id) if len(found) > limit else None
        return Page(items=[_view(one, counts[one.id]) for one in found[:limit]], next=after)

    @routes.get("/{webhook_id}", dependencies=read, responses=UNKNOWN)
    async def get_webhook(webhook_id: WebhookId) -> WebhookView:
        """A webhook, and how it fares."""
        async with database.connection() as db:
            webhook = await _known(db, webhook_id)
            return _view(webhook, (await store.counts(db, [webhook_id]))[webhook_id])

    @routes.delete("/{webhook_id}", status_code=204, dependencies=write, responses=UNKNOWN)
    async def remove_webhook(webhook_id: WebhookId, author: Author) -> None:
        """Removes a webhook with all that waits for it."""
        async with database.transaction() as db:
            if not await db.fetchval(store.REMOVE, webhook_id):
                raise Problem(404, MISSING)
            now = clock()
            event = WebhookRemoved(webhook_id=webhook_id, at=now, author=author or "")
            await announcer.add(db, event, webhook_id, now)
        announcer.wake()

    @routes.post("/{webhook_id}/test", dependencies=write, responses=UNKNOWN)
    async def test_webhook(webhook_id: WebhookId, author: Author) -> TestResult:
        """Sends a made-up event, signed like all others, and tells what came of it; also while it is disabled."""
        async with database.connection() as db:
            webhook = await _known(db, webhook_id)
        event_id = str(uuid4())
        event = {
            "specversion": "1.0",
            "id": event_id,
            "source": f"/voltbus/{service}",
            "type": "voltbus.WebhookTest",
            "time": clock(),
            "datacontenttype": "application/json",
            "data": {"webhook_id": webhook_id},
        }
        attempt = await webhooks.post.attempt(webhook, event_id, orjson.dumps(event))
        delivered = attempt.outcome == Outcome.DELIVERED
        log.info("webhook tested", webhook=webhook_id, delivered=delivered, author=author)
        return TestResult(delivered=delivered, status=attempt.status, error=attempt.error or None)

    @routes.get("/{webhook_id}/deliveries", dependencies=read, responses=UNKNOWN)
    async def list_deliveries(
        webhook_id: WebhookId,
        status: Annotated[DeliveryStatus | None, Query()] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[DeliveryView]:
        """What has not been delivered, oldest first; what is delivered is no longer kept."""
        position = read_cursor(cursor, int)
        async with database.list_connection() as db:
            await _known(db, webhook_id)
            found = await store.list_deliveries(db, webhook_id, int(position[0]) if position else 0, status, limit + 1)
        after = write_cursor(found[limit - 1]["number"]) if len(found) > limit else None
        return Page(items=[DeliveryView(**_fields(row)) for row in found[:limit]], next=after)

    @routes.get(
        "/{webhook_id}/deliveries/{event_id}", dependencies=read, responses=problem_responses({404: NO_DELIVERY})
    )
    async def get_delivery(webhook_id: WebhookId, event_id: EventId) -> DeliveryWithEvent:
        """One of them, with the event."""
        async with database.connection() as db:
            return await _delivery(db, webhook_id, event_id)

    @routes.post("/{webhook_id}/resend", dependencies=write, responses=UNKNOWN)
    async def resend_all(webhook_id: WebhookId, author: Author) -> Resent:
        """Sends all that are dead again."""
        async with database.transaction() as db:
            await _known(db, webhook_id)
            count = await store.resend(db, webhook_id, clock())
        log.info("deliveries sent again", webhook=webhook_id, count=count, author=author)
        webhooks.woken(webhook_id)
        return Resent(resent=count)

    @routes.post(
        "/{webhook_id}/deliveries/{event_id}/resend",
        dependencies=write,
        responses=problem_responses({404: NO_DELIVERY}),
    )
    async def resend(webhook_id: WebhookId, event_id: EventId, author: Author) -> DeliveryWithEvent:
        """Sends one that is dead again; one that waits goes on waiting."""
        async with database.transaction() as db:
            count = await store.resend(db, webhook_id, clock(), event_id)
            found = await _delivery(db, webhook_id, event_id)
        log.info("deliveries sent again", webhook=webhook_id, count=count, author=author)
        webhooks.woken(webhook_id)
        return found

    return routes


async def _known(db: Connection, webhook_id: str) -> Webhook:
    if (found := await store.find(db, webhook_id)) is None:
        raise Problem(404, MISSING)
    return found


async def _delivery(db: Connection, webhook_id: str, event_id: str) -> DeliveryWithEvent:
    if (row := await store.find_delivery(db, webhook_id, event_id)) is None:
        raise Problem(404, NO_DELIVERY)
    return DeliveryWithEvent(**_fields(row), event=orjson.loads(row["body"]))


def _fields(row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("event_id", "type", "subject", "status", "attempts", "since", "error")
    return {name: row[name] for name in names} | {"next_try_at": row["next_at"]}


def _view(webhook: Webhook, count: Count, secret: str | None = None) -> WebhookView:
    return WebhookView(
        webhook_id=webhook.id,
        url=webhook.url,
        types=sorted(webhook.filter.types),
        stations=sorted(webhook.filter.stations),
        groups=sorted(webhook.filter.groups),
        locations=sorted(webhook.filter.locations),
        enabled=webhook.enabled,
        disabled_because=webhook.disabled_because,
        secret=secret,
        previous_secret_until=webhook.replaced[0].until if webhook.replaced else None,
        waiting=count.waiting,
        dead=count.dead,
        failures=webhook.health.failures,
        next_try_at=webhook.health.next_at,
        last_error=webhook.error,
        last_delivered_at=webhook.delivered_at,
        lost=webhook.lost,
        created_at=webhook.created_at,
        changed_at=webhook.changed_at,
        author=webhook.author,
    )
