"""The idTokens that were presented for a transaction, in order, and who of them pays."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from services.ocpp.id_tokens import Authorization, token_key

# Of one transaction; nobody presents so many.
MOST = 50


class Card(NamedTuple):
    """One that was presented. order: of the report. ends: whether it was to stop.

    authorization: the verdict then; of a report that was told again, Accepted if it ever was.
    """

    order: int
    id_token: str
    type: str | None
    authorization: str | None
    ends: bool

    @property
    def key(self) -> tuple[str, str]:
        return token_key(self.id_token), self.type or ""


Cards = tuple[Card, ...]
Rank = tuple[bool, bool, int, tuple[str, str]]


def with_card(cards: Cards, card: Card) -> Cards:
    """With one that was presented; the same object where it was before, unless it is accepted only now."""
    if not cards:
        return (card,)
    if any(_tells(one, card) for one in cards):
        return cards
    kept = [*(one for one in cards if not _tells(card, one)), card]
    if card.order > cards[-1].order and len(kept) <= MOST:
        return tuple(kept)
    if len(kept) > MOST:
        kept = sorted(kept, key=_rank_among(kept))[:MOST]
    return tuple(sorted(kept, key=lambda one: (one.order, one.key)))


def payer(cards: Cards) -> Card | None:
    """The first that was accepted (C01, E03), or the first of all. cards: in order."""
    if not cards or len(cards) == 1 or _charges(cards[0]):
        # As in most: nobody ranks before it.
        return cards[0] if cards else None
    return min(cards, key=_rank_among(cards))


def _charges(card: Card) -> bool:
    return not card.ends and card.authorization == Authorization.ACCEPTED


def _rank_among(cards: Sequence[Card]) -> Callable[[Card], Rank]:
    """Who pays has the lowest: who only stops pays only where nobody else is known, a refused one where all were."""
    charging = {one.key for one in cards if not one.ends}
    return lambda one: (one.key not in charging, one.authorization != Authorization.ACCEPTED, one.order, one.key)


def _tells(known: Card, other: Card) -> bool:
    """Whether one says all that the other says: the same card in the same report, or earlier with the same verdict.

    A verdict that accepts says more than one that refuses, and is not undone: energy flowed on it.
    """
    if known.ends != other.ends or known.key != other.key:
        return False
    if known.order == other.order:
        return known.authorization == Authorization.ACCEPTED or other.authorization != Authorization.ACCEPTED
    return known.authorization == other.authorization and known.order < other.order
