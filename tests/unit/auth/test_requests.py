"""What stations ask of auth: the replies, and the payloads of each version."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.auth.dialects import BY_VERSION, DIALECTS
from services.auth.domain.requests import (
    RECORDED,
    REPLIES,
    Authorize,
    ContractCheck,
    CustomerInformation,
    Empty,
    GetCertificateChainStatus,
    GetCertificateStatus,
    GetContractCertificate,
    NoCertificateStatus,
    NoContractCertificate,
    Reply,
    Request,
    SignCertificate,
    SigningAnswered,
    Verdict,
    decide,
)
from services.common.authorization.judge import Place
from services.common.calls.call import Refused
from services.common.calls.dialects import Dialect
from services.ocpp.id_tokens import Authorization, IdToken, Token, TokenInfo
from services.ocpp.versions import VERSIONS
from tests.unit.common.calls import call

PLACE = Place("CP1")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CARD = IdToken("ABCD", "ISO14443")
EMAID = IdToken("DE8AACA2B3C4D5", "eMAID")
TOKENS = {
    "abcd": Token("AbCd", "ISO14443", Authorization.ACCEPTED, group_id="FLEET"),
    "de8aaca2b3c4d5": Token("DE8AACA2B3C4D5", "eMAID", Authorization.ACCEPTED),
}


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        (Authorize(CARD), Verdict(CARD, TokenInfo(Authorization.ACCEPTED, group_id="FLEET"))),
        (Authorize(IdToken("no")), Verdict(IdToken("no"), TokenInfo(Authorization.UNKNOWN))),
        (Authorize(EMAID), Verdict(EMAID, TokenInfo(Authorization.ACCEPTED))),
        (
            Authorize(EMAID, by_contract=True),
            Verdict(EMAID, TokenInfo(Authorization.INVALID), ContractCheck.UNVERIFIED),
        ),
    ],
)
def test_verdicts(request_: Authorize, reply: Verdict) -> None:
    """C01.FR.07, C07.FR.17."""
    assert decide(request_, TOKENS, NOW, PLACE) == reply


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        (GetContractCertificate(), NoContractCertificate),
        (GetCertificateStatus(), NoCertificateStatus),
        (CustomerInformation(), Empty),
    ],
)
def test_nothing_is_promised_that_cannot_be_done(request_: Request, reply: type[Reply]) -> None:
    """M01, M06.FR.04, N09.FR.05."""
    assert isinstance(decide(request_, {}, NOW, PLACE), reply)


def test_all_but_verdicts_is_recorded() -> None:
    assert {*REPLIES, GetCertificateChainStatus, SignCertificate} == set(RECORDED)


@pytest.mark.parametrize(
    ("version", "payload", "request_"),
    [
        ("1.6", {"idTag": "ABCD"}, Authorize(IdToken("ABCD"), starts=True)),
        ("2.0.1", {"idToken": {"idToken": "ABCD", "type": "ISO14443"}}, Authorize(CARD)),
        (
            "2.0.1",
            {"idToken": {"idToken": "", "type": "NoAuthorization"}},
            Authorize(IdToken("", "NoAuthorization")),
        ),
        (
            "2.0.1",
            {"idToken": {"idToken": EMAID.value, "type": "eMAID"}, "certificate": "PEM"},
            Authorize(EMAID, by_contract=True),
        ),
    ],
)
def test_authorize_is_read(version: str, payload: Any, request_: Authorize) -> None:
    assert DIALECTS.read(call("Authorize", payload, version)) == request_


@pytest.mark.parametrize("version", BY_VERSION)
def test_all_that_the_gateway_sends_is_read(version: str) -> None:
    owned = {action for action, owner in VERSIONS[version].from_station.items() if owner == "auth"}
    assert BY_VERSION[version].read.keys() == owned


@pytest.mark.parametrize("status", Authorization)
@pytest.mark.parametrize("contract", [None, ContractCheck.UNVERIFIED])
def test_every_verdict_can_be_written(status: Authorization, contract: ContractCheck | None) -> None:
    info = TokenInfo(status, NOW, "G" * 36, NOW, "en-US", language2="de", evse_ids=(1, 2))
    for version in BY_VERSION:
        authorize = call("Authorize", {"idTag": "x"}, version)
        VERSIONS[version].schemas.check_response("Authorize", DIALECTS.write(authorize, Verdict(CARD, info, contract)))


@pytest.mark.parametrize("dialect", BY_VERSION.values(), ids=BY_VERSION)
def test_a_dialect_writes_every_reply_to_what_it_reads(dialect: Dialect[Request]) -> None:
    payload = {"idTag": "x", "idToken": {"idToken": "x", "type": "Local"}, "certificateStatusRequests": []}
    requests = [reader(call("x", payload | {"csr": "x"})) for reader in dialect.read.values()]
    decided = {type(decide(one, {}, NOW, PLACE)) for one in requests if not isinstance(one, SignCertificate)}
    signing = {SigningAnswered} if "SignCertificate" in dialect.read else set()
    assert decided | signing == set(dialect.write)


def test_what_no_dialect_reads_is_refused() -> None:
    refused = DIALECTS.read(call("GetCertificateStatus", {}))
    assert isinstance(refused, Refused)
    assert refused.code == "NotSupported"
    assert isinstance(DIALECTS.read(call("Authorize", {}, "9.9")), Refused)
