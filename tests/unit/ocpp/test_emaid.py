"""EMAIDs, however they are written."""

import pytest

from services.ocpp.emaid import contract_of, spellings
from services.ocpp.id_tokens import Authorization, IdToken, Token, find

ONE = "DE8AACA2B3C4D5"


@pytest.mark.parametrize(
    "text",
    [ONE, "de8aaca2b3c4d5", "DE-8AA-CA2B3C4D5", "DE8AACA2B3C4D5K", "DE-8AA-CA2B3C4D5-K", "de-8aa-ca2b3c4d5-k"],
)
def test_one_contract(text: str) -> None:
    """ISO 15118-2 Annex H: separators and check digit may be left out."""
    assert contract_of(text) == ONE
    assert ONE in (one.upper() for one in spellings(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "DE8AACA2B3C4D",
        "DE-8AACA2B3C4D5",
        "DE8AACA2B3C4D5KK",
        "D18AACA2B3C4D5",
        "DE8AACA2B3C4Ö5",
        ONE + "\n",
        "DE-8AA-CA2B3C4D5K",
    ],
)
def test_what_is_no_emaid(text: str) -> None:
    assert contract_of(text) is None
    assert spellings(text) == ()


def test_what_is_written_alike_comes_first() -> None:
    keys = IdToken("DE-8AA-CA2B3C4D5-K", "eMAID").keys
    assert keys == ("de-8aa-ca2b3c4d5-k", "de8aaca2b3c4d5", "de-8aa-ca2b3c4d5", "de8aaca2b3c4d5k")
    assert IdToken("DE-8AA-CA2B3C4D5-K", "Local").keys == keys[:1]


def test_it_is_found_among_the_tokens_of_the_topic() -> None:
    """So that a session on it is not refused after its Authorize was accepted."""
    registered = Token(ONE, "eMAID", Authorization.ACCEPTED)
    known = {f"eMAID/{ONE.lower()}": registered}
    assert find(IdToken("DE-8AA-CA2B3C4D5-K", "eMAID"), known.get) is registered
    assert find(IdToken("DE-8AA-CA2B3C4D5-K", "Central"), known.get) is None
