"""Who pays: the first card that was accepted, whatever comes first or twice; all are kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.ocpp.id_tokens import Authorization, TokenInfo
from services.transactions.domain.cards import MOST, Card, Cards, payer, with_card
from services.transactions.domain.decide import decide
from services.transactions.domain.going_on import taken_back
from services.transactions.domain.messages import Report, ReportKind, Started
from services.transactions.domain.transaction import EndedBy, Transaction
from tests.unit.transactions.making import report, start

ACCEPTED, BLOCKED = Authorization.ACCEPTED, Authorization.BLOCKED
VERDICTS = {"A": BLOCKED, "B": ACCEPTED, "C": ACCEPTED}

# A station presents a card in a report once, and the verdict on it changes in between.
presented = st.lists(
    st.builds(
        Card,
        order=st.integers(0, 9),
        id_token=st.sampled_from("ABC"),
        type=st.sampled_from([None, "eMAID", "Local"]),
        authorization=st.sampled_from([ACCEPTED, BLOCKED, None]),
        ends=st.booleans(),
    ),
    unique_by=lambda card: (card.order, card.id_token),
)


def folded(*reports: Report) -> Transaction:
    current: Transaction | None = None
    for one in reports:
        verdict = TokenInfo(VERDICTS[one.id_token]) if one.id_token else None
        current = decide(current, one, 7, verdict).transaction
    assert current
    return current


def all_of(cards: list[Card]) -> Cards:
    kept: Cards = ()
    for card in cards:
        kept = with_card(kept, card)
    return kept


def in_order(cards: list[Card]) -> Cards:
    """All of them, those that say nothing more too."""
    return tuple(sorted(cards, key=lambda one: (one.order, one.key)))


def test_a_refused_card_does_not_pay_where_another_is_accepted() -> None:
    """Updated with card A, Blocked, then card B, Accepted."""
    made = folded(report(ReportKind.STARTED, seq_no=0), report(seq_no=1, id_token="A"), report(seq_no=2, id_token="B"))
    assert (made.id_token, made.authorization) == ("B", "Accepted")
    assert [(one["id_token"], one["authorization"]) for one in made.id_tokens] == [("A", "Blocked"), ("B", "Accepted")]


def test_the_first_accepted_card_pays() -> None:
    first = report(seq_no=1, id_token="B")
    later = report(seq_no=2, id_token="C")
    assert folded(first, later).id_token == folded(later, first).id_token == "B"


def test_where_all_were_refused_it_is_the_first() -> None:
    assert folded(report(seq_no=1, id_token="A"), report(seq_no=2)).authorization == "Blocked"


def test_who_stops_does_not_pay() -> None:
    """C09.FR.03, E07.FR.02: whatever triggered the end."""
    stop = report(ReportKind.ENDED, seq_no=3, id_token="B", ends_authorization=True, trigger="EVCommunicationLost")
    made = folded(report(ReportKind.STARTED, seq_no=0, id_token="A"), stop)
    assert (made.id_token, made.authorization, made.stop_id_token) == ("A", "Blocked", "B")
    assert folded(stop).id_token == "B"


def test_of_1_6_the_card_of_the_start_pays() -> None:
    stop = report(
        ReportKind.ENDED, order=ReportKind.ENDED, key=None, number=7, id_token="C", ends_authorization=True, end_wh=1.0
    )
    assert folded(start(id_token="A"), stop).id_token == "A"


UNKNOWN_CARD, ACCEPTED_CARD = TokenInfo(Authorization.UNKNOWN), TokenInfo(Authorization.ACCEPTED)
BLOCKED_CARD = TokenInfo(Authorization.BLOCKED)


@pytest.mark.parametrize("told", [start(), report(ReportKind.STARTED, id_token="T")], ids=["1.6", "2.0.1"])
def test_a_start_told_again_after_its_card_was_registered_is_paid(told: Report) -> None:
    """1.6 §4.8, E01.FR.11: the station is told Accepted the second time, and energy flows on that."""
    first = decide(None, told, 7, UNKNOWN_CARD)
    again = decide(first.transaction, replace(told, call_id="c.9"), 8, ACCEPTED_CARD)
    assert (first.starts, again.starts, again.is_news) == (True, False, True)
    assert again.transaction
    assert again.reply == Started(7, ACCEPTED_CARD)
    assert again.transaction.authorization == "Accepted"
    assert again.transaction.id_tokens == [{"id_token": "T", "type": None, "authorization": "Accepted"}]
    third = decide(again.transaction, told, 8, UNKNOWN_CARD)
    assert not third.changed


@pytest.mark.parametrize("told", [start(), report(ReportKind.STARTED, id_token="T")], ids=["1.6", "2.0.1"])
def test_a_start_told_again_after_its_card_was_blocked_changes_nothing_of_who_pays(told: Report) -> None:
    first = decide(None, told, 7, ACCEPTED_CARD)
    again = decide(first.transaction, told, 8, BLOCKED_CARD)
    assert again.reply == Started(7, BLOCKED_CARD)
    assert again.transaction is first.transaction


STOP_OF_1_6 = replace(
    report(ReportKind.ENDED, order=ReportKind.ENDED, key=None, number=7, id_token="t", ends_authorization=True),
    seq_no=None,
)
STOP_OF_2_X = report(ReportKind.ENDED, seq_no=3, id_token="T", ends_authorization=True)


@pytest.mark.parametrize(
    ("begin", "stop"),
    [(start(), STOP_OF_1_6), (report(ReportKind.STARTED, id_token="T"), STOP_OF_2_X)],
    ids=["1.6", "2.0.1"],
)
@pytest.mark.parametrize("told_before", [False, True])
def test_a_card_that_is_accepted_by_the_time_it_ends_its_own_session_pays(
    begin: Report, stop: Report, told_before: bool
) -> None:
    """E07.FR.02: it is the card of the session, and no other that only stops it. Told again it is a revision."""
    current = decide(None, begin, 7, UNKNOWN_CARD).transaction
    if told_before:
        current = decide(current, stop, 7, UNKNOWN_CARD).transaction
        assert current
        assert current.authorization == "Unknown"
    decision = decide(current, stop, 7, ACCEPTED_CARD)
    assert decision.transaction
    assert decision.revision
    assert (decision.transaction.authorization, decision.revision.number) == ("Accepted", 1 + told_before)
    assert [one["authorization"] for one in decision.transaction.id_tokens] == ["Unknown", "Accepted"]
    other = replace(stop, id_token="OTHER")
    assert folded_with(begin, UNKNOWN_CARD, other, ACCEPTED_CARD).authorization == "Unknown"


def folded_with(begin: Report, first: TokenInfo, stop: Report, second: TokenInfo) -> Transaction:
    made = decide(decide(None, begin, 7, first).transaction, stop, 7, second).transaction
    assert made
    return made


def test_a_session_that_goes_on_after_its_end_has_the_card_of_its_start() -> None:
    """What a stop said that was not of it does not accept its card either."""
    ended = replace(folded_with(start(), UNKNOWN_CARD, STOP_OF_1_6, ACCEPTED_CARD), ended_by=EndedBy.JOINED)
    assert ended.field_order["id_token"] == ReportKind.ENDED
    again = taken_back(ended, None)
    assert (again.authorization, again.field_order["id_token"]) == ("Unknown", ReportKind.STARTED)


def test_a_card_in_every_event_is_kept_once() -> None:
    made = folded(*[report(seq_no=n, id_token="B") for n in range(200)])
    assert len(made.cards) == 1


def test_so_many_cards_are_no_cards() -> None:
    many = [Card(n, f"T{n}", None, BLOCKED, False) for n in range(3 * MOST)]
    kept = all_of([*many, Card(3 * MOST, "B", None, ACCEPTED, False)])
    assert len(kept) == MOST
    paying = payer(kept)
    assert paying
    assert paying.id_token == "B"


@given(st.data(), presented)
def test_in_any_order_and_repeated_they_are_the_same(data: st.DataObject, cards: list[Card]) -> None:
    repeated = cards + (data.draw(st.lists(st.sampled_from(cards))) if cards else [])
    kept = all_of(data.draw(st.permutations(repeated)))
    assert kept == all_of(cards)
    assert payer(kept) == payer(in_order(cards))
    assert {card.id_token for card in kept} == {card.id_token for card in cards}


@given(st.data(), presented)
def test_who_was_accepted_in_a_report_is_so_whenever_that_was(data: st.DataObject, cards: list[Card]) -> None:
    """A report that is told again has its card judged again: in any order of the verdicts the same pays."""
    told = cards + [
        card._replace(authorization=data.draw(st.sampled_from([ACCEPTED, card.authorization]))) for card in cards
    ]
    kept = all_of(data.draw(st.permutations(told)))
    accepted = [card for card in kept if card.authorization == ACCEPTED]
    assert accepted == [card for card in all_of(told) if card.authorization == ACCEPTED]
    assert payer(kept) == payer(in_order(told))
