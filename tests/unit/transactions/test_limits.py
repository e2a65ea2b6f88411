"""OCPP 2.1 E16, F07: limits that an operator sets, and the answers that tell them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.ocpp.errors import ErrorCode
from services.ocpp.id_tokens import Authorization, TokenInfo
from services.ocpp.versions import VERSIONS
from services.transactions.dialects import BY_VERSION
from services.transactions.domain.limiting import with_limit
from services.transactions.domain.limits import KINDS, LimitStatus, TransactionLimit, changed
from services.transactions.domain.messages import ENDED, STARTED, Report, Started, Updated
from services.transactions.domain.transaction import Transaction
from services.transactions.remote import START, has_limits
from services.transactions.rows import read_transaction, transaction_row
from tests.unit.transactions.making import decided, folded, report

ALL = frozenset(KINDS.values())
LIMIT = TransactionLimit({"cost": "20.00", "energy_wh": 20000.0}, "anna")


def told(current: Transaction | None, one: Report, supported: Any = ALL, given: Any = None) -> Any:
    """The transaction after a report, and the limit in the answer."""
    decision = with_limit(decided(current, one), one, given, supported)
    assert isinstance(decision.reply, Started | Updated)
    return decision.transaction, dict(decision.reply.limit)


def limited(limit: TransactionLimit = LIMIT) -> Transaction:
    return replace(folded(report(STARTED)), limit=limit)


def test_it_is_told_once_in_the_first_answer() -> None:
    """E16.FR.02."""
    after, said = told(limited(), report(seq_no=1))
    assert said == LIMIT.wanted
    assert (after.limit.told, after.limit_status) == (1, LimitStatus.TOLD)
    assert told(after, report(seq_no=2))[1] == {}


def test_a_message_told_again_is_answered_alike() -> None:
    """The answer may have been lost; and nothing else becomes of it."""
    after, said = told(limited(), report(seq_no=1))
    again, repeated = told(after, report(seq_no=1))
    assert repeated == said
    assert again is after


def test_one_that_came_with_a_remote_start_is_told_with_the_first_event() -> None:
    """F07.FR.02."""
    after, said = told(None, report(STARTED, remote_start_id=5), given=LIMIT)
    assert (said, after.limit.wanted) == (LIMIT.wanted, LIMIT.wanted)
    changed = replace(after, limit=TransactionLimit({"cost": "30.00"}))
    # Each later event has the remoteStartId, too: it does not bring the first limit back.
    assert told(changed, report(seq_no=1, remote_start_id=5), given=LIMIT)[1] == {"cost": "30.00"}


@pytest.mark.parametrize(
    ("supported", "said"),
    [
        ({"cost", "energy"}, {"cost": "20.00", "energy_wh": 20000.0}),
        ({"energy", "soc"}, {"energy_wh": 20000.0}),
        ({"soc"}, {}),
        ((), {}),
    ],
)
def test_nothing_is_told_that_the_station_does_not_keep_to(supported: Any, said: Any) -> None:
    """E16.FR.12."""
    after, found = told(limited(), report(seq_no=1), supported)
    assert found == said
    assert after.limit_status == (LimitStatus.TOLD if said else LimitStatus.WAITING)


@pytest.mark.parametrize(
    ("own", "said", "status"),
    [
        ({"maxCost": 15, "maxEnergy": 20000}, {}, LimitStatus.WITHIN),
        ({"maxCost": 20.0}, {"energy_wh": 20000.0}, LimitStatus.TOLD),
        ({"maxCost": 25, "maxEnergy": 1}, {"cost": "20.00"}, LimitStatus.TOLD),
        ({"maxCost": "much"}, LIMIT.wanted, LimitStatus.TOLD),
        ("much", LIMIT.wanted, LimitStatus.TOLD),
    ],
)
def test_what_the_station_has_as_low_is_not_told(own: Any, said: Any, status: LimitStatus) -> None:
    """E16.FR.07, E16.FR.08."""
    after, found = told(limited(), report(seq_no=1, details={"transaction_limit": own}))
    assert (found, after.limit_status) == (said, status)


def test_the_station_confirms_it() -> None:
    """E16.FR.03, E16.FR.13: with what it says after it was told, and with all of it."""
    after, _ = told(limited(), report(seq_no=1, details={"transaction_limit": {"maxCost": 50, "maxEnergy": 9e9}}))
    part, _ = told(after, report(seq_no=2, details={"transaction_limit": {"maxCost": 20}}))
    assert part.limit_status is LimitStatus.TOLD
    whole, said = told(after, report(seq_no=2, details={"transaction_limit": {"maxCost": 20, "maxEnergy": 20000}}))
    assert (whole.limit_status, said) == (LimitStatus.CONFIRMED, {})


def test_one_that_is_raised_is_told_though_the_station_has_the_lower_one() -> None:
    """E16.FR.14: what it keeps to is what it was told; what its driver has set lower than that stays (E16.FR.08)."""
    after, _ = told(limited(), report(seq_no=1))
    mine = {"maxCost": 20.0, "maxEnergy": 20000}
    confirmed, _ = told(after, report(seq_no=2, details={"transaction_limit": mine}))
    higher = changed(confirmed.limit, {"cost": "30.00", "energy_wh": 30000.0}, "bert")
    raised = replace(confirmed, limit=higher)
    assert raised.limit_status is LimitStatus.WAITING
    again, said = told(raised, report(seq_no=3))
    assert said == {"cost": "30.00", "energy_wh": 30000.0}
    assert again.limit_status is LimitStatus.TOLD
    assert changed(again.limit, {"cost": "30.00"}, "anna") is again.limit
    _, said = told(raised, report(seq_no=3, details={"transaction_limit": mine | {"maxCost": 10}}))
    assert said == {"energy_wh": 30000.0}


def test_what_is_not_given_stays() -> None:
    """E16.FR.17."""
    limit = changed(LIMIT, {"soc": 80}, "bert")
    assert (limit.wanted, limit.author, limit.told) == ({**LIMIT.wanted, "soc": 80}, "bert", None)
    assert changed(None, {"soc": 80}, "bert") == TransactionLimit({"soc": 80}, "bert")


def test_what_is_over_has_no_limit_any_more() -> None:
    after, said = told(limited(), report(ENDED, seq_no=1))
    assert (said, after.limit_status) == ({}, LimitStatus.WAITING)


@given(st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=12))
def test_each_limit_is_said_in_answers_to_one_message(steps: list[tuple[int, bool]]) -> None:
    """Whatever comes again, late or in another order; set: another limit is set before the message."""
    current, said_in = limited(), dict[str, set[int]]()
    for number, (order, is_set) in enumerate(steps):
        if is_set:
            current = replace(current, limit=TransactionLimit({"time_s": number}))
        current, said = told(current, report(seq_no=order))
        if said:
            said_in.setdefault(str(said), set()).add(order)
    assert all(len(orders) == 1 for orders in said_in.values())


def test_the_answer_is_of_the_schema() -> None:
    limit = {"cost": "20.50", "energy_wh": 20000.5, "time_s": 3600, "soc": 80}
    accepted = TokenInfo(Authorization.ACCEPTED)
    for reply in (Started(7, accepted, limit), Updated(None, limit)):
        payload = BY_VERSION["2.1"].write[type(reply)](reply)
        VERSIONS["2.1"].schemas.check_response("TransactionEvent", payload)
        assert payload["transactionLimit"] == {"maxCost": 20.5, "maxEnergy": 20000.5, "maxTime": 3600, "maxSoC": 80}
    assert "transactionLimit" not in BY_VERSION["2.1"].write[Updated](Updated(None))
    assert "transactionLimit" not in BY_VERSION["2.0.1"].write[Updated](Updated(None, limit))
    assert [version for version in BY_VERSION if has_limits(version)] == ["2.1"]
    assert not has_limits(None)


def test_it_is_kept() -> None:
    after, _ = told(limited(), report(seq_no=1))
    raised = replace(after, limit=changed(after.limit, {"cost": "30.00"}, None))
    for one in (after, limited(), raised):
        row = transaction_row(one)
        assert read_transaction(row[: len(row) - 4]).limit == one.limit  # type: ignore[arg-type]


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_a_start_with_a_limit_is_of_2_1_alone(version: str) -> None:
    """F07.FR.01: the request itself has no limit."""
    from services.common.commands.command import Unrenderable
    from services.transactions.remote import RENDERERS
    from tests.unit.smartcharging.test_profile_dialects import command

    payload = {"id_token": "A", "id_token_type": "Central", "evse_id": 1, "limit": dict(LIMIT.wanted)}
    asked = command(START, payload, version)
    if version == "2.1":
        action, written = RENDERERS[START](asked, version)
        assert (action, "limit" in written) == ("RequestStartTransaction", False)
        return
    with pytest.raises(Unrenderable) as refused:
        RENDERERS[START](asked, version)
    assert refused.value.code == ErrorCode.PROPERTY_CONSTRAINT_VIOLATION
    assert set(refused.value.fields) == {"limit"}
