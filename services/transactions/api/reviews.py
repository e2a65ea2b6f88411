"""REST of reviews: what an operator decides of a transaction that has ended."""

from typing import Annotated, Self

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.common.commands.api.commands import REUSED, IdempotencyKey, reused
from services.common.commands.idempotency import KeyReused
from services.common.web.access import Access
from services.common.web.callers import Caller
from services.common.web.fields import NO_NUL
from services.common.web.openapi import problem_responses
from services.common.web.problems import Problem
from services.transactions.api import views
from services.transactions.api.fields import MISSING, OPERATE, Number
from services.transactions.api.views import TransactionView
from services.transactions.domain.review import ReviewAction
from services.transactions.domain.reviewing import NotReviewable
from services.transactions.domain.revisions import Audit
from services.transactions.reviews import Reviews


class ReviewRequest(BaseModel):
    """Decide of a transaction that has ended."""

    model_config = ConfigDict(extra="forbid")

    action: ReviewAction = Field(
        description="release: its energy is what is shown; correct: it is energy_wh; void: it is not billed"
    )
    energy_wh: float | None = Field(
        None, ge=0, le=1e9, allow_inf_nan=False, description="of a correction", examples=[7500]
    )
    reason: str = Field(
        min_length=1,
        max_length=500,
        pattern=NO_NUL,
        description="why, for the record; shown as `note`",
        examples=["read from the meter"],
    )

    @model_validator(mode="after")
    def _energy_of_a_correction(self) -> Self:
        if (self.action == ReviewAction.CORRECT) != (self.energy_wh is not None):
            raise ValueError("energy_wh must be given with a correction, and only then")
        return self

    @property
    def asked(self) -> str:
        """In one word or two."""
        return self.action.value if self.energy_wh is None else f"{self.action.value} {self.energy_wh}"


def router(reviews: Reviews, access: Access) -> APIRouter:
    """Review."""
    routes = APIRouter(prefix="/v1/transactions", tags=["transactions"])
    responses = problem_responses({404: MISSING, 409: f"it goes on, is to be released and not held, or {REUSED}"})

    @routes.post("/{id}/review", responses=responses)
    async def review(
        number: Number,
        caller: Annotated[Caller, access.require(OPERATE)],
        body: ReviewRequest,
        idempotency_key: IdempotencyKey = None,
    ) -> TransactionView:
        """Decides whether a transaction may be billed, and with which energy; told as TransactionRevised.

        Who did it, when and why is kept with its revisions. What its station makes doubtful later is held again.
        """
        audit = Audit(caller.author, body.reason, body.asked, idempotency_key)
        try:
            reviewed = await reviews.review(number, body.action, body.energy_wh, audit)
        except NotReviewable as error:
            raise Problem(409, str(error)) from None
        except KeyReused as error:
            raise reused(error) from None
        if reviewed is None:
            raise Problem(404, MISSING)
        return views.transaction(reviewed)

    return routes
