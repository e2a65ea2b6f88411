"""Who pays: the first card that was accepted, whatever comes first or twice; all are kept."""

from hypothesis import given
from hypothesis import strategies as st

from services.ocpp.id_tokens import Authorization, TokenInfo
from services.transactions.domain.cards import MOST, Card, Cards, payer, with_card
from services.transactions.domain.decide import decide
from services.transactions.domain.messages import Report, ReportKind
from services.transactions.domain.transaction import Transaction
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
    assert payer(kept) == payer(tuple(cards))
    assert {card.id_token for card in kept} == {card.id_token for card in cards}
