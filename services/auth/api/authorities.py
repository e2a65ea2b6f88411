"""REST of CAs that the operator trusts where contract certificates are verified."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.auth import authorities_store
from services.auth.api.fields import ADMINISTER, AUTHOR, READ, Text, not_found
from services.auth.domain.authorities import (
    MOST_AUTHORITIES,
    Authority,
    AuthorityKind,
    UnfitAuthority,
    authority,
)
from services.auth.store import Store
from services.common.postgres import outbox
from services.common.process.clock import Clock
from services.common.web.access import Access, Author
from services.common.web.openapi import problem_responses
from services.common.web.pages import Cursor, Limit, Page, read_cursor, write_cursor
from services.common.web.problems import Problem, field_problem

Id = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="as the list has it")]
MISSING = problem_responses({404: "it is not trusted"})
EXAMPLE = "-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----\n"
KINDS = "mobility_operator: of contract certificates; v2g: also of stations"


class AuthorityBody(BaseModel):
    """A CA that is to be trusted: a root, or one under it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"certificate": EXAMPLE, "kind": "mobility_operator", "label": "Example Mobility, root G1"}]
        },
    )

    certificate: Annotated[str, StringConstraints(min_length=1, max_length=20_000)] = Field(
        description="of the CA, in PEM: one"
    )
    kind: AuthorityKind = Field(description=KINDS)
    label: Text | None = None


class AuthorityView(BaseModel):
    """A CA that is trusted."""

    id: str = Field(description="SHA-256 of its certificate")
    kind: AuthorityKind = Field(description=KINDS)
    label: str | None
    root: bool = Field(description="it has signed itself: a chain may end here. Others complete a chain")
    subject: str = Field(description="RFC 4514", examples=["CN=MO Root CA,O=Example Mobility"])
    issuer: str = Field(description="RFC 4514")
    serial_number: str = Field(description="hexadecimal digits")
    begins_at: datetime
    ends_at: datetime
    certificate: str = Field(description="PEM")
    added_at: datetime
    author: str | None = Field(description=AUTHOR)


CREATED: dict[int | str, dict[str, Any]] = {
    200: {"model": AuthorityView, "description": "it is trusted already, and stays as it was"},
    201: {"description": "it is trusted from now on"},
    **problem_responses({409: f"{MOST_AUTHORITIES} are trusted"}),
}


def router(store: Store, access: Access, clock: Clock) -> APIRouter:
    """/v1/certificates/authorities."""
    routes = APIRouter(prefix="/v1/certificates/authorities", tags=["certificates"])
    read, write = [access.require(READ)], [access.require(ADMINISTER)]

    @routes.post("", dependencies=write, status_code=201, responses=CREATED)
    async def trust(body: AuthorityBody, author: Author, response: Response) -> AuthorityView:
        """Trusts a CA: contract certificates below it are verified from now on."""
        try:
            new = authority(body.certificate, body.kind, body.label, clock(), author)
        except UnfitAuthority as error:
            raise field_problem("body.certificate", str(error)) from None
        async with store.change() as work:
            kept = await authorities_store.one(work.db, new.id)
            if kept is None:
                if await authorities_store.count(work.db) >= MOST_AUTHORITIES:
                    raise Problem(409, f"{MOST_AUTHORITIES} are trusted: remove one first")
                if await authorities_store.add(work.db, new):
                    await outbox.add(work.db, [store.publication.authority_added(new)])
        response.status_code = 200 if kept else 201
        return _view(kept or new)

    @routes.get("", dependencies=read)
    async def trusted(
        kind: Annotated[AuthorityKind | None, Query(description=KINDS)] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Page[AuthorityView]:
        """CAs that are trusted, by id."""
        position = read_cursor(cursor, str)
        async with store.database.list_connection() as db:
            found = await authorities_store.page(db, kind, str(position[0]) if position else "", limit + 1)
        after = write_cursor(found[limit - 1].id) if len(found) > limit else None
        return Page(items=[_view(one) for one in found[:limit]], next=after)

    @routes.get("/{id}", dependencies=read, responses=MISSING)
    async def one(id: Id) -> AuthorityView:
        """One CA."""
        async with store.database.connection() as db:
            found = await authorities_store.one(db, id)
        if found is None:
            raise not_found("authority")
        return _view(found)

    @routes.delete("/{id}", dependencies=write, status_code=204, responses=MISSING)
    async def distrust(id: Id, author: Author) -> None:
        """Trusts a CA no more: what is below it cannot be verified from now on."""
        async with store.change() as work:
            removed = await authorities_store.remove(work.db, id)
            if removed is None:
                raise not_found("authority")
            await outbox.add(work.db, [store.publication.authority_removed(removed, clock(), author)])

    return routes


def _view(one: Authority) -> AuthorityView:
    said = {name: getattr(one, name) for name in authorities_store.FIELDS if name != "pem"}
    return AuthorityView(**said, certificate=one.pem)
