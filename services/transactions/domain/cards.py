"""The idTokens that were presented for a transaction, in order, and who of them pays."""

from typing import NamedTuple

from services.ocpp.id_tokens import Authorization, token_key

# Of one transaction; nobody presents so many.
MOST = 50


class Card(NamedTuple):
    """One that was presented. order: of the report. authorization: the verdict then. ends: whether it was to stop."""

    order: int
    id_token: str
    type: str | None
    authorization: str | None
    ends: bool

    @property
    def key(self) -> tuple[str, str]:
        return token_key(self.id_token), self.type or ""

    @property
    def rank(self) -> tuple[bool, bool, int, tuple[str, str]]:
        """Who pays has the lowest: whoever stops pays only where nobody else is known, a refused one where all were."""
        return self.ends, self.authorization != Authorization.ACCEPTED, self.order, self.key


Cards = tuple[Card, ...]


def with_card(cards: Cards, card: Card) -> Cards:
    """With one that was presented; the same object where it was before, however the verdict on it is now."""
    if not cards:
        return (card,)
    if any(_tells(one, card) for one in cards):
        return cards
    kept = [*(one for one in cards if not _tells(card, one)), card]
    if card.order > cards[-1].order and len(kept) <= MOST:
        return tuple(kept)
    if len(kept) > MOST:
        kept = sorted(kept, key=lambda one: one.rank)[:MOST]
    return tuple(sorted(kept, key=lambda one: (one.order, one.key)))


def payer(cards: Cards) -> Card | None:
    """The first that was accepted (C01, E03), or the first of all."""
    return cards[0] if len(cards) == 1 else min(cards, key=lambda one: one.rank, default=None)


def _tells(known: Card, other: Card) -> bool:
    """Whether one says all that the other says: the same card in the same report, or earlier with the same verdict."""
    if known.ends != other.ends or known.key != other.key:
        return False
    return known.order == other.order or (known.authorization == other.authorization and known.order < other.order)
