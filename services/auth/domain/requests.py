"""What stations ask of auth and are answered, and what is announced: requests, replies, decisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TypeAlias, get_args

from services.auth.domain.signing_requests import Fault, Purpose
from services.common.authorization.judge import Place, Rule, judge
from services.ocpp.id_tokens import CENTRAL, Authorization, IdToken, Token, TokenInfo, token_key


@dataclass(frozen=True, slots=True)
class Authorize:
    """May this idToken charge? by_contract: a contract certificate, or hashes of one, came with it.

    starts: whether a session starts where it is accepted: of a version that has no master passes, which stop them.
    """

    token: IdToken
    by_contract: bool = False
    starts: bool = False


@dataclass(frozen=True, slots=True)
class CertificateQuestion:
    """One certificate, by its hashes, and where its status is to be looked up: OCSP or CRL."""

    source: str
    hash_data: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SignCertificate:
    """A certificate signing request (A02, A03). csr: as it was sent. request_id: of 2.1."""

    csr: str
    purpose: Purpose
    request_id: int | None = None


@dataclass(frozen=True, slots=True)
class GetContractCertificate:
    """A vehicle wants a contract certificate, or a newer one (M01, M02)."""


@dataclass(frozen=True, slots=True)
class GetCertificateStatus:
    """Is a certificate still valid (M06)?"""


@dataclass(frozen=True, slots=True)
class GetCertificateChainStatus:
    """Are the certificates of a chain still valid (2.1 M07)? asked: for which, in the station's words."""

    asked: Sequence[CertificateQuestion]


@dataclass(frozen=True, slots=True)
class CustomerInformation:
    """What a station holds about a customer (N09, N10)."""


RecordedRequest: TypeAlias = (
    SignCertificate | GetContractCertificate | GetCertificateStatus | GetCertificateChainStatus | CustomerInformation
)
Request: TypeAlias = Authorize | RecordedRequest
RECORDED = get_args(RecordedRequest)


class ContractCheck(Enum):
    """The result of checking a contract certificate."""

    UNVERIFIED = "its chain cannot be verified"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer about an idToken, and about the contract certificate that came with it."""

    token: IdToken
    info: TokenInfo
    contract: ContractCheck | None = None


@dataclass(frozen=True, slots=True)
class SigningAnswered:
    """The signing request is taken, and its certificate follows; or it is rejected, and why."""

    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class NoContractCertificate:
    """There is no contract certificate for the vehicle."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoCertificateStatus:
    """The status is unknown."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoCertificateStatuses:
    """The status of none of these certificates is known. at: from when on it may be asked again."""

    asked: Sequence[CertificateQuestion]
    at: datetime


@dataclass(frozen=True, slots=True)
class Empty:
    """An empty answer."""


Reply: TypeAlias = (
    Verdict | SigningAnswered | NoContractCertificate | NoCertificateStatus | NoCertificateStatuses | Empty
)
RegisteredTokens: TypeAlias = Mapping[str, Token]


def verdict(request: Authorize, tokens: RegisteredTokens, now: datetime, place: Place) -> Verdict:
    """The verdict on an idToken. tokens: the registered ones and those of their groups, by key.

    How many sessions it has is not looked at: ConcurrentTx answers starts alone (1.6 §7.2, 2.1 §3.3,
    AuthorizationStatusEnumType).

    Contract certificates cannot be verified here yet, and one that cannot be verified makes its idToken Invalid,
    however good the idToken itself is (C07.FR.17).
    """
    if request.by_contract:
        return Verdict(
            request.token, TokenInfo(Authorization.INVALID, rule=Rule.CONTRACT_UNVERIFIED), ContractCheck.UNVERIFIED
        )
    known = tokens.get(request.token.key)
    info = judge(request.token, known, now, place, group=_group(known, tokens), starts=request.starts)
    return Verdict(request.token, info)


def _group(member: Token | None, tokens: RegisteredTokens) -> Token | None:
    """See find_group."""
    group = tokens.get(token_key(member.group_id)) if member and member.group_id else None
    return group if group and group.type == CENTRAL else None


# The replies to requests that are recorded and of which nothing is to be decided.
REPLIES: Mapping[type[RecordedRequest], Reply] = {
    # M01, M02: no pool of contract certificates to forward the request to.
    GetContractCertificate: NoContractCertificate("no provider of contract certificates is connected"),
    # M06.FR.04: OCSP responders are not asked.
    GetCertificateStatus: NoCertificateStatus("OCSP responders are not asked from here"),
    # N09.FR.05: nothing is asked for.
    CustomerInformation: Empty(),
}


def decide(request: Request, tokens: RegisteredTokens, now: datetime, place: Place) -> Reply:
    """The reply to a request. That to SignCertificate depends on more: see domain/certificate_requests.py."""
    if isinstance(request, Authorize):
        return verdict(request, tokens, now, place)
    if isinstance(request, GetCertificateChainStatus):
        return NoCertificateStatuses(request.asked, now)
    return REPLIES[type(request)]


@dataclass(frozen=True, slots=True)
class AuthorizationDecided:
    """A verdict on an idToken was given. call_id, action, received_at: of the message that asked for it."""

    station_id: str
    token: IdToken
    info: TokenInfo
    at: datetime
    call_id: str
    action: str
    received_at: datetime
