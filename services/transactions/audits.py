"""What operators ask for, done once however often they ask."""

from services.common.commands.service import KeyReused
from services.transactions.domain.revisions import Audit
from services.transactions.store import UnitOfWork


async def is_repeated(work: UnitOfWork, number: int, audit: Audit) -> bool:
    """Whether this was asked for and done before. Raises KeyReused where the key was another request's."""
    if audit.idempotency_key is None or (before := await work.revised_by(audit.idempotency_key)) is None:
        return False
    if before != (number, audit.request, audit.note):
        raise KeyReused("the Idempotency-Key was used for another request")
    return True
