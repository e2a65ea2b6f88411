"""What operators ask for, done once however often they ask."""

from services.common.commands.idempotency import keys_of, of_caller, reused
from services.transactions.domain.revisions import Audit
from services.transactions.store import UnitOfWork


async def unless_repeated(work: UnitOfWork, number: int, audit: Audit) -> Audit | None:
    """None where the same caller asked for this before, and it was done; else with the key that it is kept under.

    Raises KeyReused where the key was another request's.
    """
    if (key := audit.idempotency_key) is None:
        return audit
    own, free = of_caller(await work.revised_by(keys_of(key, audit.author)), key, audit.author)
    if not own:
        return audit._replace(idempotency_key=free)
    before = own[0]
    if (before.transaction_id, before.request, before.note) != (number, audit.request, audit.note):
        raise reused()
    return None
