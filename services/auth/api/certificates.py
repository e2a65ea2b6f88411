"""REST of certificates of stations: what they want signed, a desk where that is done by hand, and what was issued."""

from datetime import datetime
from typing import Annotated, Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.auth import certificate_requests_store as requests_store
from services.auth.api.fields import ADMINISTER, AUTHOR, READ, not_found
from services.auth.certificate_requests_store import Shown
from services.auth.certificate_signing import CertificateSigning, NoSuchRequest, RequestClosed
from services.auth.domain.certificate_requests import RefusedBy, RequestState
from services.auth.domain.chains import MOST_READ, UnfitChain
from services.auth.domain.signing_requests import Purpose
from services.common.web.access import Access, Author
from services.common.web.fields import NO_NUL, UtcDatetime
from services.common.web.openapi import problem_responses
from services.common.web.pages import (
    Cursor,
    Limit,
    Page,
    read_cursor,
    read_time_cursor,
    write_cursor,
    write_time_cursor,
)
from services.common.web.problems import Problem, field_problem

Id = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="as the list has it")]
Station = Annotated[str | None, Query(max_length=255, pattern=NO_NUL)]
STATES = (
    "asked: it goes to the signer; waiting: for an operator, or the CA; signed: the station is still to get it; sent: "
    "it has not answered yet; installed; refused: see `refused_by`; failed: not signed in time, or never reached the "
    "station; superseded: the station has asked anew"
)
TYPES = "of OCPP 2.1; CombinedCertificate: for both, CSMS and vehicles"
CLOSED = "it is signed, or has come to its end"
EXAMPLE = "-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----\n"


class CertificateView(BaseModel):
    """A certificate that was signed for a station. What it is revoked by: `POST /v1/revoked-certificates`."""

    signing_request_id: str = Field(examples=["5f0c2b7e9f3b4f0f9a6d3a1b2c4d5e6f"])
    station_id: str = Field(examples=["CP001"])
    certificate_type: Purpose = Field(description=TYPES)
    state: RequestState = Field(description=STATES)
    common_name: str | None = Field(examples=["SN-0042"])
    serial_number: str = Field(description="hexadecimal digits", examples=["7b3c…"])
    issuer: str = Field(description="RFC 4514", examples=["CN=CSO Sub-CA,O=Example Charging"])
    fingerprint: str = Field(description="SHA-256")
    begins_at: datetime
    ends_at: datetime
    renewal_asked_at: datetime | None = Field(description="when the station was last asked to renew it")


class SigningRequestView(BaseModel):
    """What a station wants signed (SignCertificate), and what became of it."""

    id: str = Field(examples=["5f0c2b7e9f3b4f0f9a6d3a1b2c4d5e6f"])
    station_id: str = Field(examples=["CP001"])
    certificate_type: Purpose = Field(description=TYPES)
    state: RequestState = Field(description=STATES)
    refused_by: RefusedBy | None
    reason: str | None = Field(description="why it was refused, has failed, or waits")
    organization: str | None = Field(description="O of its subject; null: it was refused before that counted")
    common_name: str | None = Field(description="CN of its subject", examples=["SN-0042"])
    csr: str | None = Field(description="PEM; null: it cannot be read")
    asked_at: datetime = Field(description="when the station first sent it")
    told_at: datetime = Field(description="when it last did")
    changed_at: datetime
    author: str | None = Field(description=AUTHOR)
    command_id: str | None = Field(description="by which the station gets what was signed")
    certificate: CertificateView | None = Field(description="that was signed")
    chain: str | None = Field(description="PEM of it and those above it, as the station gets them")


class ChainBody(BaseModel):
    """What was signed."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"chain": EXAMPLE}]})

    chain: Annotated[str, StringConstraints(min_length=1, max_length=MOST_READ)] = Field(
        description="PEM of the certificate and of those above it, in any order; a root is left out"
    )


class RefusalBody(BaseModel):
    """Why nothing is signed."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "not one of ours"}]})

    reason: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


MISSING = problem_responses({404: "there is no such signing request"})
CHANGES: dict[int | str, dict[str, Any]] = problem_responses({404: "there is no such signing request", 409: CLOSED})


def router(signing: CertificateSigning, access: Access) -> APIRouter:
    """/v1/certificates."""
    routes = APIRouter(prefix="/v1/certificates", tags=["certificates"])
    read, write = [access.require(READ)], [access.require(ADMINISTER)]
    database = signing.store.database

    @routes.get("", dependencies=read)
    async def certificates(
        station_id: Station = None, ends_before: UtcDatetime | None = None, limit: Limit = 50, cursor: Cursor = None
    ) -> Page[CertificateView]:
        """Certificates that were signed for stations; those that end first before others."""
        after = read_time_cursor(cursor, int)
        async with database.list_connection() as db:
            found = await requests_store.issued_page(db, station_id, ends_before, after, limit + 1)
        items = [view for one in found[:limit] if (view := _certificate(one))]
        more = len(found) > limit
        return Page(items=items, next=write_time_cursor(items[-1].ends_at, found[limit - 1].number) if more else None)

    @routes.get("/requests", dependencies=read)
    async def requests(
        station_id: Station = None, state: RequestState | None = None, limit: Limit = 50, cursor: Cursor = None
    ) -> Page[SigningRequestView]:
        """What stations want signed, and what became of it; newest first."""
        position = read_cursor(cursor, int)
        before = int(position[0]) if position else None
        async with database.list_connection() as db:
            found = await requests_store.page(db, station_id, state and state.value, before, limit + 1)
        after = write_cursor(found[limit - 1].number) if len(found) > limit else None
        return Page(items=[_view(one) for one in found[:limit]], next=after)

    async def shown(id: str) -> SigningRequestView:
        async with database.connection() as db:
            found = await requests_store.one(db, id)
        if found is None:
            raise not_found("signing request")
        return _view(found)

    @routes.get("/requests/{id}", dependencies=read, responses=MISSING)
    async def request(id: Id) -> SigningRequestView:
        """One signing request."""
        return await shown(id)

    @routes.post("/requests/{id}/chain", dependencies=write, responses=CHANGES)
    async def upload(id: Id, body: ChainBody, author: Author) -> SigningRequestView:
        """Takes what was signed for a request that waits: it goes to the station. The same again changes nothing."""
        try:
            await signing.upload(id, body.chain, author)
        except UnfitChain as error:
            raise field_problem("body.chain", str(error)) from None
        except NoSuchRequest:
            raise not_found("signing request") from None
        except RequestClosed as error:
            raise Problem(409, str(error)) from None
        return await shown(id)

    @routes.post("/requests/{id}/refuse", dependencies=write, responses=CHANGES)
    async def refuse(id: Id, body: RefusalBody, author: Author) -> SigningRequestView:
        """Nothing is signed for a request that waits. The same again changes nothing."""
        try:
            await signing.refuse(id, body.reason, author)
        except NoSuchRequest:
            raise not_found("signing request") from None
        except RequestClosed as error:
            raise Problem(409, str(error)) from None
        return await shown(id)

    return routes


def _certificate(shown: Shown) -> CertificateView | None:
    request, issued = shown.request, shown.request.issued
    if issued is None:
        return None
    return CertificateView(
        signing_request_id=request.id,
        station_id=request.station_id,
        certificate_type=request.purpose,
        state=shown.state,
        common_name=request.subject and request.subject.common_name,
        serial_number=issued.serial_number,
        issuer=issued.issuer,
        fingerprint=issued.fingerprint,
        begins_at=issued.begins_at,
        ends_at=issued.ends_at,
        renewal_asked_at=shown.renewal_asked_at,
    )


def _view(shown: Shown) -> SigningRequestView:
    request = shown.request
    csr = x509.load_der_x509_csr(request.csr).public_bytes(Encoding.PEM).decode() if request.csr else None
    return SigningRequestView(
        id=request.id,
        station_id=request.station_id,
        certificate_type=request.purpose,
        state=shown.state,
        refused_by=request.refused_by,
        reason=request.reason,
        organization=request.subject and request.subject.organization,
        common_name=request.subject and request.subject.common_name,
        csr=csr,
        asked_at=request.asked_at,
        told_at=request.told_at,
        changed_at=request.changed_at,
        author=request.author,
        command_id=request.command_id,
        certificate=_certificate(shown),
        chain=request.issued and request.issued.chain,
    )
