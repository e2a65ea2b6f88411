"""Which report is answered with the limit of its transaction (2.1 E16). Pure."""

from collections.abc import Collection

from msgspec.structs import replace

from services.transactions.domain.decide import Decision
from services.transactions.domain.limits import TransactionLimit, to_say
from services.transactions.domain.messages import NOTHING, Report, Started, Updated
from services.transactions.domain.transaction import TRANSACTION_LIMIT, Transaction


def with_limit(
    decision: Decision, report: Report, given: TransactionLimit | None, supported: Collection[str]
) -> Decision:
    """E16.FR.02, F07.FR.02: the first report after it was set is answered with it, and so is the same one told again.

    given: that of the remote start that the report is of. supported: what the station keeps to. What was said once is
    not said again: a station that never got an answer tells its report again.
    """
    before = decision.transaction
    if before is None or before.ended or not isinstance(decision.reply, Started | Updated):
        return decision
    after = replace(before, limit=given) if given and before.limit is None else before
    after, said = _answered(after, report, supported)
    if said:
        decision = replace(decision, reply=replace(decision.reply, limit=said))
    if after is before:
        return decision
    return replace(decision, transaction=after, changed=True, unseen=False)


def _answered(
    one: Transaction, report: Report, supported: Collection[str]
) -> tuple[Transaction, dict[str, str | float]]:
    limit = one.limit
    if limit is None:
        return one, {}
    if limit.told is not None:
        said = limit.said if limit.told == report.order else ()
        return one, {name: limit.wanted[name] for name in said}
    said_now = to_say(limit, one.details.get(TRANSACTION_LIMIT, NOTHING), supported)
    if not said_now:
        return one, {}
    return replace(one, limit=replace(limit, told=report.order, said=tuple(said_now))), said_now
