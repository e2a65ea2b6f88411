"""REST of closing a transaction whose end is lost."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.common.commands.api.commands import REUSED, IdempotencyKey, reused
from services.common.commands.idempotency import KeyReused
from services.common.web.access import Access
from services.common.web.callers import Caller
from services.common.web.openapi import problem_responses
from services.common.web.problems import Problem
from services.transactions.api import views
from services.transactions.api.fields import MISSING, OPERATE, Number
from services.transactions.api.views import TransactionView
from services.transactions.closing import Closing, NotOpen
from services.transactions.domain.revisions import Audit


class Close(BaseModel):
    """Close a transaction."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(
        "",
        max_length=500,
        pattern=r"^[^\x00]*$",
        description="why, for the record; shown as `note`",
        examples=["the cable was gone"],
    )


WITHOUT_REASON = Close()


def router(closing: Closing, access: Access) -> APIRouter:
    """Close."""
    routes = APIRouter(prefix="/v1/transactions", tags=["transactions"])
    responses = problem_responses({404: MISSING, 409: f"it has ended, or {REUSED}"})

    @routes.post("/{id}/close", responses=responses)
    async def close(
        number: Number,
        caller: Annotated[Caller, access.require(OPERATE)],
        body: Close = WITHOUT_REASON,
        idempotency_key: IdempotencyKey = None,
    ) -> TransactionView:
        """Ends a transaction of which no end has come, when it was last heard of, with the energy that is known.

        Who did it, when and why is kept with its revisions. The station is not asked to stop.
        """
        audit = Audit(caller.author, body.reason, "close", idempotency_key)
        try:
            closed = await closing.close(number, audit)
        except NotOpen as error:
            raise Problem(409, str(error)) from None
        except KeyReused as error:
            raise reused(error) from None
        if closed is None:
            raise Problem(404, MISSING)
        return views.transaction(closed)

    return routes
