"""What stations ask of auth and are answered, and what is announced: requests, replies, decisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TypeAlias, get_args

from services.auth.domain.contract_requests import Wanted
from services.auth.domain.signing_requests import Fault, Purpose
from services.common.authorization.judge import Place, Rule, judge
from services.ocpp.id_tokens import CENTRAL, Authorization, IdToken, Token, TokenInfo, token_key


@dataclass(frozen=True, slots=True)
class Contract:
    """What a vehicle shows of its contract: its certificate with those above it, as PEM, or hashes of them, or both.

    hash_data: with where each can be asked about, in the station's words (OCSPRequestDataType).
    """

    certificate: str | None = None
    hash_data: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Authorize:
    """May this idToken charge? contract: what came with it.

    starts: whether a session starts where it is accepted: of a version that has no master passes, which stop them.
    """

    token: IdToken
    contract: Contract | None = None
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

    wanted: Wanted


@dataclass(frozen=True, slots=True)
class GetCertificateStatus:
    """Is a certificate still valid (M06)? hash_data: which, and where that is known (OCSPRequestDataType)."""

    hash_data: Mapping[str, str]


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
# Somebody else is asked, so that the answer comes later. So it is with an Authorize that comes with a contract.
SLOW = (GetCertificateStatus, GetContractCertificate)


class ContractCheck(Enum):
    """The result of checking a contract certificate: whether it is in order, and then whether its contract counts."""

    ACCEPTED = "it is in order"
    CANCELLED = "it is in order, and its contract does not count"
    EXPIRED = "its chain has expired"
    REVOKED = "its chain was revoked"
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
class ContractCertificate:
    """A contract certificate for the vehicle, as the pool answers it. remaining: how many more it may ask for."""

    exi: str
    remaining: int | None = None


@dataclass(frozen=True, slots=True)
class NoContractCertificate:
    """There is no contract certificate for the vehicle."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoCertificateStatus:
    """The status is unknown."""

    reason: str


@dataclass(frozen=True, slots=True)
class CertificateStatus:
    """What a responder says of a certificate. ocsp: its OCSPResponse, DER."""

    ocsp: bytes


@dataclass(frozen=True, slots=True)
class NoCertificateStatuses:
    """The status of none of these certificates is known. at: from when on it may be asked again."""

    asked: Sequence[CertificateQuestion]
    at: datetime


@dataclass(frozen=True, slots=True)
class Empty:
    """An empty answer."""


Reply: TypeAlias = (
    Verdict
    | SigningAnswered
    | ContractCertificate
    | NoContractCertificate
    | CertificateStatus
    | NoCertificateStatus
    | NoCertificateStatuses
    | Empty
)
RegisteredTokens: TypeAlias = Mapping[str, Token]


def verdict(request: Authorize, tokens: RegisteredTokens, now: datetime, place: Place) -> Verdict:
    """The verdict on an idToken. tokens: the registered ones and those of their groups, by key.

    How many sessions it has is not looked at: ConcurrentTx answers starts alone (1.6 §7.2, 2.1 §3.3,
    AuthorizationStatusEnumType).

    With a contract it is the verdict on one that could not be verified, see contract_verdict.
    """
    if request.contract:
        return contract_verdict(request, ContractCheck.UNVERIFIED, tokens, now, place)
    return Verdict(request.token, _judged(request, tokens, now, place))


def contract_verdict(
    request: Authorize, check: ContractCheck, tokens: RegisteredTokens, now: datetime, place: Place
) -> Verdict:
    """The verdict on an eMAID with its contract certificate (C07.FR.13 to FR.17). check: of the certificate alone.

    One that is not in order makes its eMAID refused, however good that is.
    """
    if refused := REFUSED_CONTRACTS.get(check):
        return Verdict(request.token, refused, check)
    info = _judged(request, tokens, now, place)
    return Verdict(request.token, info, ContractCheck.CANCELLED if info.status in CANCELLED else ContractCheck.ACCEPTED)


# C07.FR.15 to FR.17.
REFUSED_CONTRACTS: Mapping[ContractCheck, TokenInfo] = {
    ContractCheck.EXPIRED: TokenInfo(Authorization.EXPIRED, rule=Rule.CONTRACT_EXPIRED),
    ContractCheck.REVOKED: TokenInfo(Authorization.INVALID, rule=Rule.CONTRACT_REVOKED),
    ContractCheck.UNVERIFIED: TokenInfo(Authorization.INVALID, rule=Rule.CONTRACT_UNVERIFIED),
}
# C07.FR.13 says Restricted and Expiration, which are no words of AuthorizationStatusEnumType.
CANCELLED = frozenset({Authorization.BLOCKED, Authorization.EXPIRED, Authorization.INVALID, Authorization.UNKNOWN})


def _judged(request: Authorize, tokens: RegisteredTokens, now: datetime, place: Place) -> TokenInfo:
    known = next((found for key in request.token.keys if (found := tokens.get(key))), None)
    return judge(request.token, known, now, place, group=_group(known, tokens), starts=request.starts)


def _group(member: Token | None, tokens: RegisteredTokens) -> Token | None:
    """See find_group."""
    group = tokens.get(token_key(member.group_id)) if member and member.group_id else None
    return group if group and group.type == CENTRAL else None


# The replies to requests that are recorded and of which nothing is to be decided.
REPLIES: Mapping[type[RecordedRequest], Reply] = {
    # M01, M02: nobody has answered in time.
    GetContractCertificate: NoContractCertificate("no pool of contract certificates has answered"),
    # M06.FR.04: nobody has answered in time.
    GetCertificateStatus: NoCertificateStatus("no OCSP responder has answered"),
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
