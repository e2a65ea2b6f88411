"""What stations ask of auth, what they are told, and what is announced: commands, replies, decisions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, TypeAlias

from services.ocpp.id_tokens import Authorization, IdToken, Token, TokenInfo, authorize


@dataclass(frozen=True, slots=True)
class Authorize:
    """May this idToken charge? by_contract: a contract certificate, or hashes of one, came with it."""

    token: IdToken
    by_contract: bool = False


@dataclass(frozen=True, slots=True)
class SignCertificate:
    """A certificate signing request (A02, A03)."""


@dataclass(frozen=True, slots=True)
class GetContractCertificate:
    """A vehicle wants a contract certificate, or a newer one (M01, M02)."""


@dataclass(frozen=True, slots=True)
class GetCertificateStatus:
    """Is a certificate still good (M06)?"""


@dataclass(frozen=True, slots=True)
class NoteCustomer:
    """What a station holds about a customer (N09, N10)."""


Kept: TypeAlias = SignCertificate | GetContractCertificate | GetCertificateStatus | NoteCustomer
Request: TypeAlias = Authorize | Kept
KEPT = (SignCertificate, GetContractCertificate, GetCertificateStatus, NoteCustomer)


class Contract(Enum):
    """What was found about a contract certificate."""

    UNVERIFIED = "its chain cannot be verified"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a station is told about an idToken, and about the contract certificate that came with it."""

    token: IdToken
    info: TokenInfo
    contract: Contract | None = None


@dataclass(frozen=True, slots=True)
class NotSigned:
    """No certificate will come."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoContractCertificate:
    """There is nothing to give to the vehicle."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoCertificateStatus:
    """The status was not found out."""

    reason: str


@dataclass(frozen=True, slots=True)
class Noted:
    """There is nothing to say."""


Reply: TypeAlias = Verdict | NotSigned | NoContractCertificate | NoCertificateStatus | Noted
Known: TypeAlias = Mapping[str, Token]


def verdict(request: Authorize, known: Known, now: datetime) -> Verdict:
    """The verdict on an idToken, given those that are registered, by key.

    Contract certificates cannot be verified here yet, and one that cannot be verified makes its idToken Invalid,
    however good the idToken itself is (C07.FR.17).
    """
    if request.by_contract:
        return Verdict(request.token, TokenInfo(Authorization.INVALID), Contract.UNVERIFIED)
    return Verdict(request.token, authorize(request.token, known.get(request.token.key), now))


def not_signed(*_: object) -> NotSigned:
    """A02.FR.12: what cannot be processed is Rejected."""
    return NotSigned("no certificate authority is connected")


def no_contract_certificate(*_: object) -> NoContractCertificate:
    """M01, M02: no pool of contract certificates to forward the request to."""
    return NoContractCertificate("no provider of contract certificates is connected")


def no_certificate_status(*_: object) -> NoCertificateStatus:
    """M06.FR.04: OCSP responders are not asked."""
    return NoCertificateStatus("OCSP responders are not asked from here")


def noted(*_: object) -> Noted:
    """N09.FR.05: the station informs, and that is all."""
    return Noted()


DECIDE: Mapping[type, Callable[[Any, Known, datetime], Reply]] = {
    Authorize: verdict,
    SignCertificate: not_signed,
    GetContractCertificate: no_contract_certificate,
    GetCertificateStatus: no_certificate_status,
    NoteCustomer: noted,
}


def decide(request: Request, known: Known, now: datetime) -> Reply:
    """What a station is told."""
    return DECIDE[type(request)](request, known, now)


@dataclass(frozen=True, slots=True)
class Decided:
    """A station was told whether an idToken may charge. cause: the id of the call that asked."""

    station_id: str
    token: IdToken
    status: Authorization
    at: datetime
    cause: str
