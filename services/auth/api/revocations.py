"""REST of certificates that are revoked."""

import re
from datetime import datetime
from typing import Annotated, Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from services.auth import revocations_store
from services.auth.api.fields import ADMINISTER, AUTHOR, READ, Text, not_found
from services.auth.domain.revocations import Revocation
from services.auth.store import Store
from services.common.postgres import outbox
from services.common.process.clock import Clock
from services.common.web.access import Access, Author
from services.common.web.openapi import problem_responses
from services.common.web.pages import Cursor, Limit, Page, read_cursor, write_cursor

# RFC 5280 §4.1.2.2: 20 octets.
Digits = Annotated[str, StringConstraints(max_length=120, pattern=r"^[0-9A-Fa-f:]*[0-9A-Fa-f]$")]
Id = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="as the list has it")]
MISSING = problem_responses({404: "it is not revoked"})
BLANKS = re.compile(r"\s*(?<!\\)([=,+])\s*")


class RevocationBody(BaseModel):
    """A certificate that is to be revoked: itself, its fingerprint, or its serial number and issuer."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"serial_number": "0A1B2C", "issuer": "CN=CSO Sub-CA,O=Example"}]},
    )

    certificate: Annotated[str, StringConstraints(max_length=20_000)] | None = Field(None, description="in PEM")
    fingerprint: Digits | None = Field(None, description="SHA-256, 64 hexadecimal digits, also with colons")
    serial_number: Digits | None = Field(None, description="hexadecimal digits, also with colons")
    issuer: Annotated[str, StringConstraints(max_length=1000)] | None = Field(
        None, description="distinguished name (RFC 4514)", examples=["CN=CSO Sub-CA,O=Example"]
    )
    reason: Text | None = None

    @field_validator("certificate")
    @classmethod
    def _fingerprint(cls, pem: str | None) -> str | None:
        """Of what is sent no more is needed."""
        if pem is None:
            return None
        try:
            return x509.load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA256()).hex()
        except ValueError:
            raise ValueError("must be a certificate in PEM") from None

    @field_validator("fingerprint", "serial_number")
    @classmethod
    def _plain(cls, digits: str | None) -> str | None:
        return digits and digits.replace(":", "").lower()

    @field_validator("fingerprint")
    @classmethod
    def _sha256(cls, digits: str | None) -> str | None:
        if digits is not None and len(digits) != 64:
            raise ValueError("must have 64 hexadecimal digits (SHA-256)")
        return digits

    @field_validator("serial_number")
    @classmethod
    def _number(cls, digits: str | None) -> str | None:
        return None if digits is None else f"{int(digits, 16):x}"

    @field_validator("issuer")
    @classmethod
    def _name(cls, issuer: str | None) -> str | None:
        """As the gateway writes it. Tools put blanks around `=` and `,`."""
        if issuer is None:
            return None
        try:
            return x509.Name.from_rfc4514_string(BLANKS.sub(r"\1", issuer)).rfc4514_string()
        except ValueError:
            raise ValueError("must be a distinguished name such as CN=CSO Sub-CA,O=Example (RFC 4514)") from None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        ways = [self.certificate, self.fingerprint, self.serial_number]
        if sum(way is not None for way in ways) != 1 or (self.serial_number is None) != (self.issuer is None):
            raise ValueError("give certificate, or fingerprint, or serial_number and issuer")
        return self


class RevocationView(BaseModel):
    """A certificate that nobody is let in with."""

    id: str
    fingerprint: str | None = Field(description="SHA-256")
    serial_number: str | None = Field(description="hexadecimal digits")
    issuer: str | None = Field(description="RFC 4514")
    reason: str | None
    revoked_at: datetime
    author: str | None = Field(description=AUTHOR)


CREATED: dict[int | str, dict[str, Any]] = {
    200: {"model": RevocationView, "description": "it was revoked already, and stays as it was"},
    201: {"description": "it is revoked from now on"},
}


def router(store: Store, access: Access, clock: Clock) -> APIRouter:
    """/v1/revoked-certificates."""
    routes = APIRouter(prefix="/v1/revoked-certificates", tags=["certificates"])
    read, write = [access.require(READ)], [access.require(ADMINISTER)]

    @routes.post("", dependencies=write, status_code=201, responses=CREATED)
    async def revoke(body: RevocationBody, author: Author, response: Response) -> RevocationView:
        """Revokes the certificate of a station: nobody is let in with it, and who is here with it is disconnected."""
        revocation = Revocation(
            fingerprint=body.fingerprint or body.certificate,
            serial_number=body.serial_number,
            issuer=body.issuer,
            reason=body.reason,
            revoked_at=clock(),
            author=author,
        )
        async with store.change() as work:
            new = await revocations_store.add(work.db, revocation)
            kept = revocation if new else await revocations_store.one(work.db, revocation.id)
            records = [store.publication.revocation(revocation)]
            if new:
                records.append(store.publication.certificate_revoked(revocation))
            await outbox.add(work.db, records)
        response.status_code = 201 if new else 200
        return _view(kept or revocation)

    @routes.get("", dependencies=read)
    async def revoked(limit: Limit = 50, cursor: Cursor = None) -> Page[RevocationView]:
        """Revoked certificates, by id."""
        position = read_cursor(cursor, str)
        async with store.database.list_connection() as db:
            found = await revocations_store.page(db, str(position[0]) if position else "", limit + 1)
        after = write_cursor(found[limit - 1].id) if len(found) > limit else None
        return Page(items=[_view(one) for one in found[:limit]], next=after)

    @routes.get("/{id}", dependencies=read, responses=MISSING)
    async def one(id: Id) -> RevocationView:
        """One revoked certificate."""
        async with store.database.connection() as db:
            found = await revocations_store.one(db, id)
        if found is None:
            raise not_found("revoked certificate")
        return _view(found)

    @routes.delete("/{id}", dependencies=write, status_code=204, responses=MISSING)
    async def withdraw(id: Id, author: Author) -> None:
        """Takes a certificate off the list: it counts again, for as long as it is valid."""
        async with store.change() as work:
            removed = await revocations_store.remove(work.db, id)
            if removed is None:
                raise not_found("revoked certificate")
            records = [store.publication.revocation_tombstone(removed)]
            await outbox.add(work.db, [*records, store.publication.revocation_withdrawn(removed, clock(), author)])

    return routes


def _view(revocation: Revocation) -> RevocationView:
    return RevocationView(id=revocation.id, **{name: getattr(revocation, name) for name in revocations_store.FIELDS})
