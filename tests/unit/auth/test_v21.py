"""OCPP 2.1: what it asks of auth beyond 2.0.1."""

from typing import Any

import pytest

from services.auth.dialects import DIALECTS
from services.auth.domain.requests import decide
from services.common.authorization.judge import Place
from services.common.calls.call import Refused
from services.ocpp.versions import VERSIONS
from tests.unit.common.calls import NOW, call

SCHEMAS = VERSIONS["2.1"].schemas
HASHES = {"hashAlgorithm": "SHA384", "issuerNameHash": "aa", "issuerKeyHash": "bb", "serialNumber": "1"}


def answer(asked: list[Any]) -> list[Any]:
    message = call("GetCertificateChainStatus", {"certificateStatusRequests": asked}, "2.1")
    request = DIALECTS.read(message)
    assert not isinstance(request, Refused)
    written = DIALECTS.write(message, decide(request, {}, NOW, Place("CP1")))
    SCHEMAS.check_response("GetCertificateChainStatus", written)
    found: list[Any] = written["certificateStatus"]
    return found


def test_the_status_of_no_certificate_of_a_chain_is_known() -> None:
    """M07.FR.02, M07.FR.05, M07.FR.08; nothing is kept of it, for it may be asked again at once."""
    asked = [{"source": source, "urls": ["https://x"], "certificateHashData": HASHES} for source in ("OCSP", "CRL")]
    assert answer(asked) == [
        {"certificateHashData": HASHES, "source": source, "status": "Failed", "nextUpdate": "2026-03-01T12:00:00.000Z"}
        for source in ("OCSP", "CRL")
    ]


@pytest.mark.parametrize(
    "odd",
    [
        {"certificateHashData": {"serialNumber": "1" * 99}},
        {"source": "Guess", "certificateHashData": HASHES | {"hashAlgorithm": "MD5", "issuerKeyHash": "b" * 999}},
    ],
)
def test_what_is_not_of_ocpp_is_answered_all_the_same(odd: Any) -> None:
    assert [one["status"] for one in answer([odd] * 9)] == ["Failed"] * 4
