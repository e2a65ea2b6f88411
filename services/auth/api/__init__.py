"""REST of auth: stations, idTokens, and the messages that were recorded."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.auth.api import stations, tokens
from services.auth.passwords import Passwords
from services.auth.store import Store
from services.common import history
from services.common.access import Access
from services.common.clock import Clock

TAGS = {
    "stations": "Stations that may connect, and their passwords.",
    "tokens": "IdTokens: who may charge.",
}


def routers(store: Store, passwords: Passwords, access: Access, clock: Clock) -> Sequence[APIRouter]:
    """Everything that auth serves under /v1."""
    return (
        stations.router(store, passwords, access, clock),
        tokens.router(store, access, clock),
        history.router(store.database, access, "auth:read"),
    )
