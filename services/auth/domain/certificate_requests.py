"""What stations want signed, from the request to the certificate that is installed (A02, A03). Pure.

    asked ──▶ signed ──▶ installed   the station has taken it
      │ ▲        ├─────▶ refused     by the station; or before that by us, by an operator, or by the CA
      ▼ │        └─────▶ failed      it never got it, or nobody has signed it in time
    waiting                          an operator, or the CA, takes his time

A newer request of the same station for the same certificate makes an older one superseded. What was told twice (the
reply was lost, or the record is read again) is one request. One that has ended and is told anew begins anew: a
certificate that was signed and has not been refused is sent again, anything else is signed again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services.auth.domain.chains import Issued
from services.auth.domain.signing_requests import Fault, Purpose, Subject

# Nobody signs one that is older; the station asks again (A02.FR.17).
GIVE_UP = timedelta(days=7)
# Between two tries with a signer that is away: doubling, up to the longest.
FIRST, LONGEST = timedelta(seconds=10), timedelta(minutes=30)


class RequestState(StrEnum):
    """How far a request has come. SENT is what it is called while the station has a signed one to answer."""

    ASKED = "asked"
    WAITING = "waiting"
    SIGNED = "signed"
    SENT = "sent"
    INSTALLED = "installed"
    REFUSED = "refused"
    FAILED = "failed"
    SUPERSEDED = "superseded"


class RefusedBy(StrEnum):
    """Who did not want it."""

    CSMS = "csms"
    OPERATOR = "operator"
    AUTHORITY = "authority"
    STATION = "station"


# Certificates that are signed for a station in a day: whoever wants more is not renewing them.
MOST_A_DAY = 20
DAY = timedelta(days=1)
UNSIGNED = frozenset({RequestState.ASKED, RequestState.WAITING})
UNDER_WAY = UNSIGNED | {RequestState.SIGNED}


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRequest:
    """One request. csr: as DER, with its subject; None: it was refused before it was known whose it is.

    request_id: of 2.1, by which the station knows it. reason: why it is where it is. author: the operator who signed or
    refused it. told_at: when the station last told it. due_at: when something is to be done for it; tries: how often
    that was in vain. command_id: by which it is sent.
    """

    id: str
    station_id: str
    purpose: Purpose
    csr_hash: bytes
    asked_at: datetime
    told_at: datetime
    changed_at: datetime
    state: RequestState = RequestState.ASKED
    csr: bytes | None = None
    subject: Subject | None = None
    request_id: int | None = None
    reason: str | None = None
    refused_by: RefusedBy | None = None
    author: str | None = None
    due_at: datetime | None = None
    tries: int = 0
    command_id: str | None = None
    issued: Issued | None = None

    @property
    def key(self) -> tuple[Purpose, bytes]:
        """Among those of its station."""
        return self.purpose, self.csr_hash

    def is_for_the_same(self, other: "CertificateRequest") -> bool:
        """Whether it would take the other's place. A station has a certificate for vehicles of each SECC."""
        same_name = (self.subject and self.subject.common_name) == (other.subject and other.subject.common_name)
        return self.purpose == other.purpose and same_name


def told(known: Sequence[CertificateRequest], new: CertificateRequest) -> list[CertificateRequest]:
    """What changes when a station tells a request. known: all of it. new: as if told the first time."""
    same = next((one for one in known if one.key == new.key), None)
    if same and new.told_at <= same.told_at:
        return []
    after = _again(same, new) if same else new
    if after.state is RequestState.REFUSED:
        return [after]
    rivals = [one for one in known if one is not same and one.state in UNDER_WAY and one.is_for_the_same(after)]
    if any(one.told_at > after.told_at for one in rivals):
        return [superseded(after, new.told_at)]
    return [after, *(superseded(one, new.told_at) for one in rivals)]


def _again(same: CertificateRequest, new: CertificateRequest) -> CertificateRequest:
    """The same request, told once more."""
    if new.state is RequestState.REFUSED:
        return replace(new, id=same.id, asked_at=same.asked_at)
    moved = replace(same, told_at=new.told_at, request_id=new.request_id)
    if same.state in UNSIGNED or (same.state is RequestState.SIGNED and same.request_id == new.request_id):
        return moved
    if same.issued and same.state is not RequestState.REFUSED and same.issued.ends_at > new.told_at:
        return replace(
            moved, state=RequestState.SIGNED, reason=None, changed_at=new.changed_at, due_at=new.changed_at, tries=0
        )
    return replace(new, id=same.id, asked_at=same.asked_at)


def superseded(request: CertificateRequest, now: datetime) -> CertificateRequest:
    """A newer one has come; what is on its way to the station is still to be taken back."""
    return replace(request, state=RequestState.SUPERSEDED, changed_at=now, due_at=now if request.command_id else None)


def checked(request: CertificateRequest, found: Subject | Fault, why: str, now: datetime) -> CertificateRequest:
    """After it was looked at here. why: in words, if it is at fault."""
    if isinstance(found, Fault):
        return refused(request, RefusedBy.CSMS, why, now)
    return replace(request, subject=found, due_at=now)


def signed(request: CertificateRequest, issued: Issued, now: datetime, author: str | None = None) -> CertificateRequest:
    """It is to be sent. author: the operator who has had it signed."""
    return replace(
        request,
        state=RequestState.SIGNED,
        issued=issued,
        reason=None,
        author=author,
        changed_at=now,
        due_at=now,
        tries=0,
    )


def waiting(request: CertificateRequest, again_at: datetime | None, now: datetime) -> CertificateRequest:
    """Somebody takes his time. again_at: when he is asked again; None: he comes by himself."""
    changed_at = request.changed_at if request.state is RequestState.WAITING else now
    return replace(request, state=RequestState.WAITING, reason=None, changed_at=changed_at, due_at=again_at, tries=0)


def delayed(request: CertificateRequest, why: str, now: datetime) -> CertificateRequest:
    """The signer is away: it is asked again, but not for ever."""
    if now - request.told_at >= GIVE_UP:
        return failed(request, why, now)
    wait: timedelta = min(FIRST * 2 ** min(request.tries, 20), LONGEST)
    return replace(request, reason=why, tries=request.tries + 1, due_at=now + wait)


def refused(
    request: CertificateRequest, by: RefusedBy, why: str, now: datetime, author: str | None = None
) -> CertificateRequest:
    """It will come to nothing; others are still to be told so."""
    return replace(
        request,
        state=RequestState.REFUSED,
        refused_by=by,
        reason=why,
        author=author,
        changed_at=now,
        due_at=now,
    )


def failed(request: CertificateRequest, why: str, now: datetime) -> CertificateRequest:
    """It came to nothing, and nobody wanted that; others are still to be told so."""
    return replace(request, state=RequestState.FAILED, reason=why, changed_at=now, due_at=now)


def answered(
    request: CertificateRequest, status: str | None, why: str, now: datetime, *, refused_by_station: bool
) -> CertificateRequest:
    """After the command that sent it has ended. status: the station's word, if it gave one. why: in words.

    What it says late counts, too: what it has installed, it has.
    """
    late = request.state in (RequestState.FAILED, RequestState.SUPERSEDED)
    if status == "Accepted" and (late or request.state is RequestState.SIGNED):
        return replace(request, state=RequestState.INSTALLED, reason=None, changed_at=now, due_at=now)
    if refused_by_station and request.state in (RequestState.FAILED, RequestState.SIGNED):
        return refused(request, RefusedBy.STATION, why, now)
    return failed(request, why, now) if request.state is RequestState.SIGNED else request


def are_too_many(known: Iterable[CertificateRequest], now: datetime) -> bool:
    """Whether no more is signed for a station now. known: all of it."""
    return sum(one.issued is not None and one.told_at > now - DAY for one in known) >= MOST_A_DAY
