"""REST of smartcharging."""

from fastapi import APIRouter

from services.common import history
from services.common.access import Access
from services.common.database import Database

READ = "smartcharging:read"


def router(database: Database, access: Access) -> APIRouter:
    """What was recorded."""
    return history.router(database, access, READ)
