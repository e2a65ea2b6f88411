"""REST of transactions: what stations reported, remote start and stop, and the messages that were recorded."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.common.authorization import api as decisions
from services.common.calls import message_log_api
from services.common.commands.service import CommandService
from services.common.kafka.table import CompactedTable
from services.common.postgres.database import Database
from services.common.web.access import Access
from services.ocpp.id_tokens import Token
from services.transactions.api import closing, exports, limits, remote, reviews, transactions
from services.transactions.api.fields import READ
from services.transactions.closing import Closing
from services.transactions.limiting import Limiting
from services.transactions.reviews import Reviews

TAGS = decisions.TAGS | {
    "transactions": "Charging sessions as stations reported them, with their meter values.",
    "remote control": "Starting and stopping a transaction, whatever the station's version.",
}


def routers(
    database: Database,
    command_service: CommandService,
    tokens: CompactedTable[Token],
    closing_service: Closing,
    review_service: Reviews,
    limiting: Limiting,
    access: Access,
) -> Sequence[APIRouter]:
    """All that transactions serves under /v1."""
    return (
        exports.router(database, access),
        transactions.router(database, access),
        closing.router(closing_service, access),
        reviews.router(review_service, access),
        limits.router(limiting, access),
        remote.router(database, command_service, tokens, access),
        decisions.router(database, access, "transactions"),
        message_log_api.router(database, access, READ),
    )
