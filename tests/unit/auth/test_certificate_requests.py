"""What stations want signed, from the request to the certificate: told late, twice, and while another is under way."""

import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.auth.certificate_signing import _answered
from services.auth.dialects import DIALECTS
from services.auth.domain.certificate_requests import (
    FIRST,
    GIVE_UP,
    LONGEST,
    MOST_A_DAY,
    CertificateRequest,
    RefusedBy,
    RequestState,
    are_too_many,
    checked,
    delayed,
    signed,
    superseded,
    told,
)
from services.auth.domain.chains import Issued
from services.auth.domain.requests import SignCertificate, SigningAnswered
from services.auth.domain.signing_requests import Fault, Purpose, Subject
from services.auth.remote import INSTALL_SIGNED, RENDERERS, RENEW
from services.common.commands.command import Command, End, Status, Unrenderable
from services.ocpp.versions import VERSIONS
from tests.unit.common.calls import call

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SUBJECT = Subject("Example Charging", "CP1")
COUNT = itertools.count()
ISSUED = Issued("PEM", "1a", "CN=CA", "f" * 64, NOW, NOW + timedelta(days=365))
S = RequestState


def new(
    csr: bytes = b"a", at: datetime = NOW, *, fault: Fault | None = None, name: str = "CP1", **more: Any
) -> CertificateRequest:
    """As the handler makes one of each SignCertificate."""
    fields: dict[str, Any] = {"purpose": Purpose.STATION, "csr": csr} | more
    made = CertificateRequest(
        id=str(next(COUNT)), station_id="CP1", csr_hash=csr, asked_at=at, told_at=at, changed_at=at, **fields
    )
    return checked(made, fault or Subject(SUBJECT.organization, name), "why", at)


def of(request: CertificateRequest, state: RequestState) -> CertificateRequest:
    """The same, as far as that."""
    own = replace(request, state=state, due_at=None)
    return own if state in (S.ASKED, S.WAITING) else replace(own, issued=ISSUED, command_id="c1")


def states(known: list[CertificateRequest], *more: CertificateRequest) -> dict[bytes, RequestState]:
    """After each was told, in this order."""
    for one in more:
        for after in told(known, one):
            known = [other for other in known if other.id != after.id] + [after]
    return {one.csr_hash: one.state for one in known}


@pytest.mark.parametrize("state", S)
def test_a_record_that_is_read_again_changes_nothing(state: RequestState) -> None:
    """After a crash, whatever has become of it."""
    assert not told([of(new(), state)], new())
    assert not told([of(new(at=NOW + MINUTE), state)], new())


@pytest.mark.parametrize("state", [S.ASKED, S.WAITING, S.SIGNED])
def test_the_same_csr_told_again_is_one_request(state: RequestState) -> None:
    """Its reply was lost, or it asks again while nobody has signed (A02.FR.17): nothing is asked twice."""
    known = replace(of(new(), state), due_at=None)
    [after] = told([known], new(at=NOW + MINUTE))
    assert (after.id, after.state, after.told_at, after.due_at) == (known.id, state, NOW + MINUTE, None)


@pytest.mark.parametrize("state", [S.INSTALLED, S.FAILED, S.SUPERSEDED])
def test_what_was_signed_is_sent_again_to_who_asks_again(state: RequestState) -> None:
    known = of(new(), state)
    [after] = told([known], new(at=NOW + MINUTE))
    assert (after.id, after.state, after.issued, after.due_at) == (known.id, S.SIGNED, ISSUED, NOW + MINUTE)


def test_what_the_station_has_refused_or_has_expired_is_signed_anew() -> None:
    refused, expired = of(new(), S.REFUSED), of(new(), S.INSTALLED)
    later = NOW + timedelta(days=365)
    for known, at in ((refused, NOW + MINUTE), (expired, later)):
        [after] = told([known], new(at=at))
        assert (after.id, after.state, after.issued, after.due_at) == (known.id, S.ASKED, None, at)


def test_a_newer_request_takes_the_place_of_one_that_is_under_way() -> None:
    """A02.FR.17: with another key."""
    for state in (S.ASKED, S.WAITING, S.SIGNED):
        found = told([of(new(b"a"), state)], new(b"b", NOW + MINUTE))
        assert {one.csr_hash: one.state for one in found} == {b"a": S.SUPERSEDED, b"b": S.ASKED}
    # What is on its way is taken back, and nothing else is to be done.
    assert superseded(of(new(), S.SIGNED), NOW).due_at == NOW
    assert superseded(of(new(), S.ASKED), NOW).due_at is None
    assert states([of(new(b"a"), S.INSTALLED)], new(b"b", NOW + MINUTE)) == {b"a": S.INSTALLED, b"b": S.ASKED}


def test_an_older_request_that_is_heard_late_does_not() -> None:
    assert states([], new(b"b", NOW + MINUTE), new(b"a", NOW)) == {b"b": S.ASKED, b"a": S.SUPERSEDED}


def test_each_type_and_each_secc_has_its_own() -> None:
    """2.1 A02: a station has a certificate for vehicles of each SECC."""
    v2g = [new(b"b", purpose=Purpose.V2G, name="SECC1"), new(b"c", purpose=Purpose.V2G, name="SECC2")]
    assert set(states([], new(b"a"), *v2g).values()) == {S.ASKED}
    assert states([], new(b"a"), new(b"a", purpose=Purpose.COMBINED)) == {b"a": S.ASKED}


def test_one_that_is_refused_takes_nobodys_place() -> None:
    """A station that sends nonsense now and then still gets what it asked for."""
    found = states([], new(b"a"), new(b"b", NOW + MINUTE, fault=Fault.WEAK_KEY))
    assert found == {b"a": S.ASKED, b"b": S.REFUSED}


def test_one_that_was_refused_and_is_right_now_begins_anew() -> None:
    """Its serial number was registered in the meantime."""
    refused = new(fault=Fault.WRONG_COMMON_NAME)
    assert (refused.refused_by, refused.due_at) == (RefusedBy.CSMS, NOW)
    [after] = told([refused], new(at=NOW + MINUTE))
    assert (after.id, after.state, after.refused_by, after.reason) == (refused.id, S.ASKED, None, None)


def test_a_signer_that_is_away_is_asked_again_but_not_for_ever() -> None:
    request, now, waits = new(), NOW, []
    for _ in range(12):
        request = delayed(request, "away", now)
        assert request.due_at is not None
        waits.append(request.due_at - now)
        now = request.due_at
    assert waits[:3] == [FIRST, 2 * FIRST, 4 * FIRST]
    assert waits[-1] == LONGEST
    assert delayed(request, "away", NOW + GIVE_UP).state is S.FAILED


def test_so_many_a_day() -> None:
    known = [signed(new(str(n).encode()), ISSUED, NOW) for n in range(MOST_A_DAY)]
    assert are_too_many(known, NOW)
    assert not are_too_many(known[1:], NOW)
    assert not are_too_many(known, NOW + timedelta(days=1))


def answered(
    state: RequestState, outcome: End, answer: Any = None, code: str | None = None
) -> tuple[RequestState, str | None, RefusedBy | None]:
    command = Command(
        id="c1",
        number=1,
        station_id="CP1",
        action=INSTALL_SIGNED,
        payload={},
        status=Status.ANSWERED,
        created_at=NOW,
        expires_at=NOW,
        ended_at=NOW,
        outcome=outcome,
        response=answer,
        error_code=code,
    )
    after = _answered(of(new(), state), command)
    return after.state, after.reason, after.refused_by


REJECTED = {"status": "Rejected", "statusInfo": {"reasonCode": "InvalidCertificate"}}


@pytest.mark.parametrize("before", [S.SIGNED, S.FAILED, S.SUPERSEDED])
@pytest.mark.parametrize("outcome", [End.ANSWERED, End.LATE])
def test_what_a_station_has_installed_it_has(before: RequestState, outcome: End) -> None:
    """A02.FR.08; also when it says so late, or a newer one is under way."""
    assert answered(before, outcome, {"status": "Accepted"}) == (S.INSTALLED, None, None)


def test_what_a_station_has_not() -> None:
    """A02.FR.07, TC_A_14_CSMS."""
    refused = (S.REFUSED, "Rejected: InvalidCertificate", RefusedBy.STATION)
    assert answered(S.SIGNED, End.ANSWERED, REJECTED) == refused
    assert answered(S.FAILED, End.LATE, REJECTED) == refused
    assert answered(S.SIGNED, End.REFUSED, code="NotImplemented") == (S.REFUSED, "NotImplemented", RefusedBy.STATION)
    assert answered(S.SIGNED, End.EXPIRED, code="Expired") == (S.FAILED, "Expired", None)
    assert answered(S.SIGNED, End.INVALID, "nonsense", "InvalidAnswer") == (S.FAILED, "InvalidAnswer", None)
    for end in (End.EXPIRED, End.CANCELLED, End.ANSWERED):
        assert answered(S.SUPERSEDED, end, REJECTED)[0] is S.SUPERSEDED
        assert answered(S.INSTALLED, end, REJECTED)[0] is S.INSTALLED


@pytest.mark.parametrize(
    ("version", "payload", "purpose", "sent"),
    [
        ("1.6", {}, Purpose.STATION, {}),
        ("2.0.1", {}, Purpose.COMBINED, {}),
        ("2.0.1", {"certificateType": "V2GCertificate"}, Purpose.V2G, {"certificateType": "V2GCertificate"}),
        (
            "2.1",
            {"certificateType": "ChargingStationCertificate", "requestId": 7},
            Purpose.STATION,
            {"certificateType": "ChargingStationCertificate", "requestId": 7},
        ),
        (
            "2.1",
            {"certificateType": "V2G20Certificate"},
            Purpose.V2G_20,
            {"certificateType": "V2G20Certificate"},
        ),
    ],
)
def test_the_words_of_each_version(version: str, payload: Any, purpose: Purpose, sent: Any) -> None:
    """A02.FR.13, FR.14, FR.25."""
    message = call("SignCertificate", {"csr": "PEM"} | payload, version)
    assert DIALECTS.read(message) == SignCertificate("PEM", purpose, payload.get("requestId"))
    said = {"chain": "CHAIN", "purpose": purpose.value, "request_id": payload.get("requestId")}
    command = Command(
        id="1",
        number=1,
        station_id="CP1",
        action=INSTALL_SIGNED,
        payload=json.loads(json.dumps(said)),
        status=Status.ACCEPTED,
        created_at=NOW,
        expires_at=NOW,
    )
    assert RENDERERS[INSTALL_SIGNED](command, version) == ("CertificateSigned", {"certificateChain": "CHAIN"} | sent)
    for fault in (None, *Fault):
        answer = DIALECTS.write(message, SigningAnswered(fault))
        VERSIONS[version].schemas.check_response("SignCertificate", answer)
        assert answer["status"] == ("Rejected" if fault else "Accepted")


def test_a_type_that_is_not_known() -> None:
    odd = call("SignCertificate", {"csr": "PEM", "certificateType": "Firmware", "requestId": 2**80}, "2.1")
    assert DIALECTS.read(odd) == SignCertificate("PEM", Purpose.UNKNOWN, None)


@pytest.mark.parametrize(
    ("version", "purpose", "action", "asked"),
    [
        ("1.6", Purpose.STATION, "ExtendedTriggerMessage", "SignChargePointCertificate"),
        ("2.0.1", Purpose.STATION, "TriggerMessage", "SignChargingStationCertificate"),
        ("2.0.1", Purpose.V2G, "TriggerMessage", "SignV2GCertificate"),
        ("2.0.1", Purpose.COMBINED, "TriggerMessage", "SignCombinedCertificate"),
        ("2.1", Purpose.COMBINED, "TriggerMessage", "SignCombinedCertificate"),
        ("2.1", Purpose.V2G_20, "TriggerMessage", "SignV2G20Certificate"),
    ],
)
def test_a_renewal_in_the_words_of_each_version(version: str, purpose: Purpose, action: str, asked: str) -> None:
    """A02.FR.22, FR.23, F06; security whitepaper A02."""
    assert RENDERERS[RENEW](renewal(purpose), version) == (action, {"requestedMessage": asked})


def test_what_a_version_cannot_ask_for() -> None:
    """A station that went back from 2.1."""
    with pytest.raises(Unrenderable):
        RENDERERS[RENEW](renewal(Purpose.V2G_20), "2.0.1")


def renewal(purpose: Purpose) -> Command:
    return Command(
        id="1",
        number=1,
        station_id="CP1",
        action=RENEW,
        payload={"purpose": purpose.value},
        status=Status.ACCEPTED,
        created_at=NOW,
        expires_at=NOW,
    )
