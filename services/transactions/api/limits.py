"""REST of limits of transactions: of one that goes on, and what a limit is in a request."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.common.web.access import Access, Author
from services.common.web.fields import Float, Int
from services.common.web.openapi import problem_responses
from services.common.web.problems import Problem, field_problem
from services.transactions.api import views
from services.transactions.api.fields import MISSING, OPERATE, Number
from services.transactions.api.views import TransactionView
from services.transactions.limiting import Limiting, NotLimitable

UNLIMITED = "it has ended, its version has no limits, or its station keeps to none of this kind"


class LimitBody(BaseModel):
    """What a transaction may have at most, whichever comes first (OCPP 2.1 E16)."""

    model_config = ConfigDict(extra="forbid")

    cost: str | None = Field(
        None,
        pattern=r"^[0-9]{1,9}(\.[0-9]{1,4})?$",
        description="in the currency of its tariff: whoever sets it sees to it that the station is told what it costs",
        examples=["20.00"],
    )
    energy_wh: Annotated[Float, Field(ge=0, le=1e9, allow_inf_nan=False)] | None = Field(None, examples=[20000])
    time_s: Annotated[Int, Field(ge=0, lt=2**31)] | None = Field(None, description="from its start", examples=[7200])
    soc: Annotated[Int, Field(ge=0, le=100)] | None = Field(None, description="state of charge in percent")

    @model_validator(mode="after")
    def _some(self) -> "LimitBody":
        if not self.wanted():
            raise ValueError("give at least one of cost, energy_wh, time_s, soc")
        return self

    def wanted(self) -> dict[str, Any]:
        """Without those that are not given."""
        return self.model_dump(exclude_none=True)


def refused(error: NotLimitable, within: str) -> Problem:
    """within: where the limit stands in the request."""
    return field_problem(f"{within}.{error.field}".rstrip("."), str(error), 409)


def router(limiting: Limiting, access: Access) -> APIRouter:
    """Limit."""
    routes = APIRouter(prefix="/v1/transactions", tags=["transactions"], dependencies=[access.require(OPERATE)])

    @routes.put("/{id}/limit", responses=problem_responses({404: MISSING, 409: UNLIMITED}))
    async def limit(number: Number, author: Author, body: LimitBody) -> TransactionView:
        """Limits a transaction that goes on; what is not given stays as it was.

        Its station is told in the answer to its next message, once; `limit.status` says what has come of it. A limit
        cannot be taken away, only be set so high that it does not matter (E16.FR.17).
        """
        try:
            limited = await limiting.limit(number, body.wanted(), author)
        except NotLimitable as error:
            raise refused(error, "body") from None
        if limited is None:
            raise Problem(404, MISSING)
        return views.transaction(limited)

    return routes
