"""Stops that name no transaction: joined where all evidence says whose they are, never blindly (errata 3.18)."""

from typing import Any

import pytest
from msgspec.structs import replace

from services.ocpp.id_tokens import Authorization, TokenInfo
from services.transactions.domain.decide import decide, decide_joined
from services.transactions.domain.ends import end
from services.transactions.domain.messages import Report, ReportKind
from services.transactions.domain.orphans import may_be_nameless, meant_by, orphan_stop
from services.transactions.domain.revisions import RevisionReason
from services.transactions.domain.transaction import EndedBy, Transaction
from tests.unit.transactions.making import at, metered, report, start

GROUPS = {"T": "family", "WIFE": "family", "LONER": None}


def group_of(id_token: str) -> str | None:
    return GROUPS.get(id_token)


def stop(**more: Any) -> Report:
    own: dict[str, Any] = {
        "key": None,
        "number": 0,
        "transaction_id": "-1",
        "order": ReportKind.ENDED,
        "id_token": "T",
        "ends_authorization": True,
        "at": at(30),
        "received_at": at(31),
        "end_wh": 5000.0,
        "stop_reason": "Local",
    }
    return replace(report(ReportKind.ENDED, **(own | more)), seq_no=None)


def session(number: int = 7, **more: Any) -> Transaction:
    """With a meter value of 4000 Wh."""
    begun = decide(None, start(**more), number).transaction
    assert begun
    values = report(order=ReportKind.UPDATED, key=None, number=number, meter_values=metered(4000))
    after = decide(begun, replace(values, seq_no=None)).transaction
    assert after
    return after


OPEN = session()
OVER, _ = end(session(6), EndedBy.OPERATOR, at(5), at(6))


@pytest.mark.parametrize(
    ("said", "open_ones", "joined"),
    [
        pytest.param(stop(), [OPEN], True, id="the only session, the same card"),
        pytest.param(stop(id_token="t"), [OPEN], True, id="in other capitals"),
        pytest.param(stop(id_token="WIFE"), [OPEN], True, id="a card of its token group"),
        pytest.param(stop(id_token=None), [OPEN], True, id="no card"),
        pytest.param(stop(id_token="LONER"), [OPEN], False, id="another card"),
        pytest.param(stop(id_token="LONER"), [session(id_token="OTHER")], False, id="two cards without a group"),
        pytest.param(stop(), [OPEN, OVER], True, id="others have ended"),
        pytest.param(stop(), [OPEN, session(8, id_token="OTHER")], False, id="two sessions"),
        pytest.param(stop(), [OVER], False, id="no session"),
        pytest.param(stop(end_wh=3995.0), [OPEN], True, id="a meter that is rounded"),
        pytest.param(stop(end_wh=3000.0), [OPEN], False, id="a meter below what is known"),
        pytest.param(stop(end_wh=None), [OPEN], True, id="no meter"),
        pytest.param(stop(at=at(-1)), [OPEN], False, id="before the start"),
        pytest.param(stop(received_at=at(-1)), [OPEN], False, id="received before the start"),
    ],
)
def test_whose_stop_it_is(said: Report, open_ones: list[Transaction], joined: bool) -> None:
    assert may_be_nameless(said)
    assert meant_by(said, open_ones, group_of) is (open_ones[0] if joined else None)


def test_a_joined_stop_ends_the_session_and_is_corrected_by_one_that_names_it() -> None:
    verdict = TokenInfo(Authorization.ACCEPTED)
    decision = decide_joined(OPEN, stop(id_token="WIFE", meter_values=metered(4500)), verdict, [OPEN])
    ended = decision.transaction
    assert ended
    assert (ended.ended_by, ended.stopped_at, ended.energy_wh) == ("joined", at(30), 4000)
    assert (ended.stop_id_token, ended.id_token, ended.stop_reason) == ("WIFE", "T", "Local")
    assert decision.revision
    assert (decision.revision.number, decision.revision.reason) == (1, RevisionReason.ENDED)
    assert decision.orphan
    assert (decision.orphan.joined_id, decision.reply.__class__.__name__) == (7, "Updated")
    corrected = decide(ended, stop(number=7, end_wh=5500.0, at=at(29)))
    assert corrected.transaction
    assert (corrected.transaction.ended_by, corrected.transaction.energy_wh) == ("station", 4500)
    assert corrected.revision
    assert corrected.revision.reason == RevisionReason.LATE_END


def test_who_is_named_is_never_joined() -> None:
    assert not may_be_nameless(replace(stop(), key="id:tx"))
    assert not may_be_nameless(replace(stop(), kind=ReportKind.UPDATED))


def test_the_same_stop_told_again_is_the_same() -> None:
    first, again = orphan_stop(stop(call_id="a")), orphan_stop(stop(call_id="b", received_at=at(40)), joined_id=7)
    assert first.key == again.key
    assert first.key != orphan_stop(stop(end_wh=5001.0)).key
