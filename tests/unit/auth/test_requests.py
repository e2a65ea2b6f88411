"""What stations ask of auth: the replies, and the payloads of each version."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.auth.dialects import BY_VERSION, DIALECTS
from services.auth.domain.contract_requests import ContractAction, Wanted
from services.auth.domain.requests import (
    RECORDED,
    REPLIES,
    Authorize,
    CertificateStatus,
    Contract,
    ContractCertificate,
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
    contract_verdict,
    decide,
)
from services.common.authorization.judge import Place
from services.common.calls.call import Refused
from services.common.calls.dialects import Dialect
from services.ocpp.id_tokens import Authorization, IdToken, Token, TokenInfo, token_key
from services.ocpp.versions import VERSIONS
from tests.unit.common.calls import call

PLACE = Place("CP1")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WANTED = Wanted(ContractAction.INSTALL, "urn:iso:15118:2:2013:MsgDef", "gJ8B")
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
            Authorize(EMAID, Contract()),
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
        (GetContractCertificate(WANTED), NoContractCertificate),
        (GetCertificateStatus({}), NoCertificateStatus),
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
            Authorize(EMAID, Contract("PEM")),
        ),
        (
            "2.1",
            {"idToken": {"idToken": EMAID.value, "type": "eMAID"}, "iso15118CertificateHashData": [{}]},
            Authorize(EMAID, Contract(hash_data=({},))),
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
@pytest.mark.parametrize("contract", [None, *ContractCheck])
def test_every_verdict_can_be_written(status: Authorization, contract: ContractCheck | None) -> None:
    info = TokenInfo(status, NOW, "G" * 36, NOW, "en-US", language2="de", evse_ids=(1, 2))
    for version in BY_VERSION:
        authorize = call("Authorize", {"idTag": "x"}, version)
        VERSIONS[version].schemas.check_response("Authorize", DIALECTS.write(authorize, Verdict(CARD, info, contract)))


@pytest.mark.parametrize(
    ("check", "token", "status", "said"),
    [
        # FR.14: also what is refused for another reason than that the contract does not count.
        (ContractCheck.ACCEPTED, Authorization.ACCEPTED, Authorization.ACCEPTED, ContractCheck.ACCEPTED),
        (ContractCheck.ACCEPTED, Authorization.NO_CREDIT, Authorization.NO_CREDIT, ContractCheck.ACCEPTED),
        (ContractCheck.ACCEPTED, Authorization.CONCURRENT_TX, Authorization.CONCURRENT_TX, ContractCheck.ACCEPTED),
        # FR.13
        (ContractCheck.ACCEPTED, Authorization.BLOCKED, Authorization.BLOCKED, ContractCheck.CANCELLED),
        (ContractCheck.ACCEPTED, Authorization.EXPIRED, Authorization.EXPIRED, ContractCheck.CANCELLED),
        (ContractCheck.ACCEPTED, Authorization.INVALID, Authorization.INVALID, ContractCheck.CANCELLED),
        (ContractCheck.ACCEPTED, None, Authorization.UNKNOWN, ContractCheck.CANCELLED),
        # FR.15 to FR.17: however good the eMAID is.
        (ContractCheck.EXPIRED, Authorization.ACCEPTED, Authorization.EXPIRED, ContractCheck.EXPIRED),
        (ContractCheck.REVOKED, Authorization.ACCEPTED, Authorization.INVALID, ContractCheck.REVOKED),
        (ContractCheck.UNVERIFIED, Authorization.ACCEPTED, Authorization.INVALID, ContractCheck.UNVERIFIED),
    ],
)
def test_verdicts_on_contracts(
    check: ContractCheck, token: Authorization | None, status: Authorization, said: ContractCheck
) -> None:
    """The table of C07.FR.13 to FR.17."""
    known = {EMAID.key: Token(EMAID.value, "eMAID", token)} if token else {}
    found = contract_verdict(Authorize(EMAID, Contract()), check, known, NOW, PLACE)
    assert (found.info.status, found.contract) == (status, said)


@pytest.mark.parametrize("registered", ["DE8AACA2B3C4D5", "de-8aa-ca2b3c4d5", "DE-8AA-CA2B3C4D5-K", "DE8AACA2B3C4D5K"])
@pytest.mark.parametrize("presented", ["DE8AACA2B3C4D5K", "DE-8AA-CA2B3C4D5-K"])
def test_an_emaid_is_found_however_it_is_written(registered: str, presented: str) -> None:
    known = {token_key(registered): Token(registered, "eMAID", Authorization.ACCEPTED)}
    verdict = decide(Authorize(IdToken(presented, "eMAID")), known, NOW, PLACE)
    assert verdict == Verdict(IdToken(presented, "eMAID"), TokenInfo(Authorization.ACCEPTED))
    # Of a card it is the text that counts.
    assert decide(Authorize(IdToken(presented.lower() + "0", "Local")), known, NOW, PLACE) != verdict


@pytest.mark.parametrize(("version", "longest"), [("2.0.1", 5500), ("2.1", 18_000)])
def test_an_answer_of_a_responder_is_told_if_there_is_room(version: str, longest: int) -> None:
    """M06.FR.02, FR.04"""
    asked = call("GetCertificateStatus", {}, version)
    for size, status in ((longest // 4 * 3, "Accepted"), (longest, "Failed")):
        written = DIALECTS.write(asked, CertificateStatus(bytes(size)))
        VERSIONS[version].schemas.check_response("GetCertificateStatus", written)
        assert written["status"] == status


@pytest.mark.parametrize("dialect", BY_VERSION.values(), ids=BY_VERSION)
def test_a_dialect_writes_every_reply_to_what_it_reads(dialect: Dialect[Request]) -> None:
    payload = {
        "idTag": "x",
        "idToken": {"idToken": "x", "type": "Local"},
        "certificateStatusRequests": [],
        "ocspRequestData": {},
    }
    payload |= {"iso15118SchemaVersion": "x", "exiRequest": "x"}
    requests = [reader(call("x", payload | {"csr": "x"})) for reader in dialect.read.values()]
    decided = {type(decide(one, {}, NOW, PLACE)) for one in requests if not isinstance(one, SignCertificate)}
    signing = {SigningAnswered} if "SignCertificate" in dialect.read else set()
    later = {CertificateStatus, ContractCertificate} if "GetCertificateStatus" in dialect.read else set()
    assert decided | signing | later == set(dialect.write)


def test_what_no_dialect_reads_is_refused() -> None:
    refused = DIALECTS.read(call("GetCertificateStatus", {}))
    assert isinstance(refused, Refused)
    assert refused.code == "NotSupported"
    assert isinstance(DIALECTS.read(call("Authorize", {}, "9.9")), Refused)
