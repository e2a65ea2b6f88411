"""A station's compression is understood by the gateway, and the other way round."""

import pytest
from websockets.exceptions import NegotiationError

from services.gateway.transport.deflate import negotiate
from voltbus.simulator.station.deflate import OFFER, agreed

MESSAGE = b'[3,"17",{"currentTime":"2026-03-01T12:00:00Z","interval":300,"status":"Accepted"}]' * 3


def test_both_sides_agree_and_understand_each_other() -> None:
    answer, gateway = negotiate([OFFER]) or pytest.fail("the offer is acceptable")
    station = agreed(answer)
    for _ in range(2):
        there, back = station.deflate(MESSAGE), gateway.deflate(MESSAGE)
        assert max(len(there), len(back)) < len(MESSAGE)
        assert gateway.inflate(there, 10_000) == station.inflate(back) == MESSAGE


def test_an_answer_to_another_offer() -> None:
    with pytest.raises(NegotiationError):
        agreed("permessage-deflate; unheard_of")
