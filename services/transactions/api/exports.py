"""REST of transactions and their meter values as files, a page at a time: however many there are, memory stays."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from services.common.postgres.database import Database
from services.common.web.access import Access
from services.common.web.exports import Rows, export, exported, files
from services.common.web.tables import Columns
from services.transactions import reads
from services.transactions.api import views
from services.transactions.api.fields import READ
from services.transactions.api.selection import selected
from services.transactions.api.views import ReadingView, SampleView, TransactionView
from services.transactions.domain.transaction import Transaction
from services.transactions.reads import SamplePosition, TransactionFilter

# Rows that are read together: others wait while these are written. Meter values of a page come from as many sessions.
AT_ONCE, SESSIONS = 50, 50

SESSION = Columns(tuple(TransactionView.model_fields), "id")
_OF_SESSION = ("transaction_id", "station_id", "evse_id")
SAMPLE = Columns((*_OF_SESSION, *SampleView.model_fields), "transaction_id")
# In CSV a line each; what is not a number or a word is left to NDJSON.
READING = Columns(
    (
        *_OF_SESSION,
        *(name for name in SampleView.model_fields if name != "readings"),
        *(name for name in ReadingView.model_fields if name != "custom_data"),
    ),
    "transaction_id",
)


# What a list has in its body.
UPDATED_UNTIL = "Updated-Until"
HEADERS = {
    UPDATED_UNTIL: {
        "description": "all that was stored before is known: `updated_after` of the next file. Left out without it, "
        "while something takes long to be stored",
        "schema": {"type": "string", "format": "date-time"},
    }
}
SESSION_FILES = files(
    "id,station_id,energy_wh\r\n7,CP001,7500\r\n", '{"id": 7, "station_id": "CP001", "energy_wh": 7500}\n'
)
SAMPLE_FILES = files(
    "transaction_id,taken_at,measurand,unit,value\r\n7,2026-03-01T10:30:00Z,Power.Active.Import,W,7400\r\n",
    '{"transaction_id": 7, "taken_at": "2026-03-01T10:30:00Z", "readings": []}\n',
)


def router(database: Database, access: Access) -> APIRouter:
    """/v1/transactions/export and /v1/samples/export; before those whose last segment is an id."""
    routes = APIRouter(prefix="/v1", tags=["transactions"], dependencies=[access.require(READ, filtered=True)])
    selection = Annotated[TransactionFilter, Depends(selected(database))]

    @routes.get(
        "/transactions/export",
        response_class=StreamingResponse,
        responses=exported(SESSION_FILES, HEADERS),
    )
    async def export_transactions(request: Request, wanted: selection) -> StreamingResponse:
        """All transactions that fit, newest first, with the fields that a list of them has.

        In CSV a list is a|b, and what has parts is JSON.
        """
        file = await export(request, "transactions", _transactions(database, wanted), SESSION)
        return _until(wanted, file)

    @routes.get(
        "/samples/export",
        response_class=StreamingResponse,
        responses=exported(SAMPLE_FILES, HEADERS),
    )
    async def export_samples(request: Request, wanted: selection) -> StreamingResponse:
        """The meter values of all transactions that fit, those newest first, theirs by the station's clock.

        In CSV each reading is a line.
        """
        file = await export(request, "samples", _samples(database, wanted), SAMPLE, READING, _readings)
        return _until(wanted, file)

    return routes


def _until(wanted: TransactionFilter, file: StreamingResponse) -> StreamingResponse:
    if wanted.known_until:
        file.headers[UPDATED_UNTIL] = wanted.known_until.isoformat().replace("+00:00", "Z")
    return file


async def _transactions(database: Database, wanted: TransactionFilter) -> AsyncIterator[Rows]:
    async for found in _pages(database, wanted, AT_ONCE):
        yield [views.transaction(one).model_dump(mode="json") for one in found]


async def _samples(database: Database, wanted: TransactionFilter) -> AsyncIterator[Rows]:
    async for found in _pages(database, wanted, SESSIONS):
        left, after = list(found), None
        while left:
            rows: list[Mapping[str, Any]] = []
            async with database.list_connection() as db:
                while left and len(rows) < AT_ONCE:
                    one = left[0]
                    page = await reads.samples(db, one.id, after, AT_ONCE)
                    rows += [_sample(one, row) for row in page]
                    after = _position(page)
                    if after is None:
                        del left[0]
            yield rows


async def _pages(database: Database, wanted: TransactionFilter, size: int) -> AsyncIterator[Sequence[Transaction]]:
    """All that fit, newest first; what is new meanwhile is not among them."""
    while True:
        async with database.list_connection() as db:
            found = await reads.transactions(db, wanted, size)
        if found:
            yield found
        if len(found) < size:
            return
        wanted = replace(wanted, before=found[-1].id)


def _position(page: Sequence[Any]) -> SamplePosition | None:
    """From where the meter values of a transaction go on; None where there are no more."""
    if not page or (len(page) < AT_ONCE and page[0]["found"] == len(page)):
        return None
    return page[-1]["taken_at"], page[-1]["digest"]


def _sample(one: Transaction, row: Any) -> Mapping[str, Any]:
    session = {"transaction_id": one.id, "station_id": one.station_id, "evse_id": one.evse_id}
    return session | views.sample(row).model_dump(mode="json")


def _readings(rows: Rows) -> Iterator[Mapping[str, Any]]:
    """Each reading of meter values."""
    return (row | reading for row in rows for reading in row["readings"])
