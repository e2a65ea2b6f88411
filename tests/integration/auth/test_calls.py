"""What stations ask of auth, from the record of the call to the reply and the events."""

import json
from datetime import timedelta
from typing import Any

import pytest

from services.common.kafka.bus import Record
from services.common.process.errors import Unavailable
from services.ocpp.timestamps import write_time
from tests.integration.common.running import START, Running, registered
from voltbus.v1.bus_pb2 import Call
from voltbus.v1.state_pb2 import Registration

HASH = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "aa",
    "issuerKeyHash": "bb",
    "serialNumber": "01",
    "responderURL": "http://ocsp.example",
}
V16, V201 = "1.6", "2.0.1"


async def token(auth: Running, id_token: str, **fields: Any) -> None:
    answer = await auth.http.put(f"/v1/tokens/{id_token}", json={"type": "ISO14443"} | fields)
    assert answer.status_code in (200, 201), answer.text


async def asked16(auth: Running, id_tag: str) -> Any:
    return (await auth.ask(auth.call("Authorize", {"idTag": id_tag})))["idTagInfo"]


async def asked201(auth: Running, id_token: str, type_: str = "ISO14443", **more: Any) -> Any:
    payload = {"idToken": {"idToken": id_token, "type": type_}} | more
    return await auth.ask(auth.call("Authorize", payload, version=V201))


@pytest.mark.parametrize(
    ("fields", "v16", "v201"),
    [
        ({}, "Accepted", "Accepted"),
        ({"status": "Blocked"}, "Blocked", "Blocked"),
        ({"status": "Expired"}, "Expired", "Expired"),
        ({"status": "Invalid"}, "Invalid", "Invalid"),
        ({"status": "NoCredit"}, "Blocked", "NoCredit"),
        ({"expires_at": START.isoformat()}, "Expired", "Expired"),
        # What other systems write for "ever" and "never".
        ({"expires_at": "0001-01-01T00:00:00Z"}, "Expired", "Expired"),
        ({"expires_at": "9999-12-31T23:59:59.999999Z"}, "Accepted", "Accepted"),
        ({"expires_at": (START + timedelta(seconds=1)).isoformat()}, "Accepted", "Accepted"),
        ({"status": "Blocked", "expires_at": START.isoformat()}, "Blocked", "Blocked"),
    ],
)
async def test_the_status_of_a_token(auth: Running, fields: Any, v16: str, v201: str) -> None:
    """1.6 §5.1 Authorize; C01.FR.07, TC_C_06_CSMS, TC_C_07_CSMS."""
    await token(auth, "T1", **fields)
    assert (await asked16(auth, "T1"))["status"] == v16
    assert (await asked201(auth, "T1"))["idTokenInfo"]["status"] == v201


async def test_an_unknown_token(auth: Running) -> None:
    """C01.FR.07, C06.FR.04, TC_C_02_CSMS; 1.6 has no Unknown. C04.FR.01: an unknown key code is Invalid."""
    assert await asked16(auth, "T1") == {"status": "Invalid"}
    assert await asked201(auth, "T1") == {"idTokenInfo": {"status": "Unknown"}}
    assert await asked201(auth, "1234", "KeyCode") == {"idTokenInfo": {"status": "Invalid"}}
    assert await asked16(auth, "a\0b") == {"status": "Invalid"}


async def test_a_start_button(auth: Running) -> None:
    """C02.FR.02."""
    assert await asked201(auth, "", "NoAuthorization") == {"idTokenInfo": {"status": "Accepted"}}


async def test_case_and_type(auth: Running) -> None:
    """IdTokens are case-insensitive; readers mix up the two card standards; another type is another token."""
    await token(auth, "AbCdEf")
    assert (await asked16(auth, "ABCDEF"))["status"] == "Accepted"
    assert (await asked201(auth, "abcdef", "ISO15693"))["idTokenInfo"]["status"] == "Accepted"
    assert (await asked201(auth, "abcdef", "eMAID"))["idTokenInfo"]["status"] == "Unknown"


async def test_group_cache_and_language(auth: Running) -> None:
    """C01.FR.06, C09.FR.02, C10.FR.13, TC_C_39_CSMS; 1.6 §7.27."""
    soon, later = START + timedelta(hours=1), START + timedelta(days=400)
    more = {"group_id": "FLEET", "cache_expires_at": soon.isoformat(), "language": "de"}
    await token(auth, "T1", expires_at=later.isoformat(), **more)
    assert await asked16(auth, "T1") == {"status": "Accepted", "expiryDate": write_time(soon), "parentIdTag": "FLEET"}
    assert (await asked201(auth, "T1"))["idTokenInfo"] == {
        "status": "Accepted",
        "cacheExpiryDateTime": write_time(soon),
        "groupIdToken": {"idToken": "FLEET", "type": "Central"},
        "language1": "de",
    }


async def test_where_and_from_when_on_it_may_charge(auth: Running) -> None:
    """C01.FR.20, FR.22, C01.FR.09; 1.6 has neither the status nor EVSEs."""
    known = Registration(station_id="CP1", groups=["vienna"])
    await auth.bus.publish([Record("registrations", b"CP1", known.SerializeToString())])
    await token(auth, "T1", allowed_groups=["vienna"], evses=["CP1/2"], language="de", language2="en")
    assert (await asked201(auth, "T1"))["idTokenInfo"] == {
        "status": "Accepted",
        "language1": "de",
        "language2": "en",
        "evseId": [2],
    }
    assert await asked16(auth, "T1") == {"status": "Accepted"}
    await token(auth, "T1", allowed_groups=["graz"])
    assert (await asked201(auth, "T1"))["idTokenInfo"] == {"status": "NotAtThisLocation"}
    assert await asked16(auth, "T1") == {"status": "Invalid"}
    await token(auth, "T1", valid_from=(START + timedelta(seconds=1)).isoformat())
    assert (await asked201(auth, "T1"))["idTokenInfo"] == {"status": "NotAtThisTime"}
    rules = [one["rule"] for one in (await auth.get("/v1/decisions"))["items"]]
    assert sorted(rules) == ["elsewhere", "elsewhere", "not_yet_valid", "registered", "registered"]


async def test_a_master_pass_is_told_its_group_where_there_are_master_passes(auth: Running) -> None:
    """C16: it is accepted with its group; in 1.6, which has none, it would start a session (C16.FR.03)."""
    await token(auth, "POLICE", type="Central", master_pass=True)
    await token(auth, "T1", group_id="POLICE")
    group = {"idToken": "POLICE", "type": "Central"}
    assert (await asked201(auth, "T1"))["idTokenInfo"] == {"status": "Accepted", "groupIdToken": group}
    assert (await asked16(auth, "T1"))["status"] == "Invalid"


@pytest.mark.parametrize(
    "evidence", [{"certificate": "-----BEGIN CERTIFICATE-----"}, {"iso15118CertificateHashData": [HASH]}]
)
async def test_a_contract_that_cannot_be_verified_is_not_accepted(auth: Running, evidence: Any) -> None:
    """C07.FR.17: CertChainError and Invalid, however good the eMAID is; alone it speaks for itself."""
    await token(auth, "DE8AACA2B3C4D5", type="eMAID")
    payload = {"idToken": {"idToken": "DE8AACA2B3C4D5", "type": "eMAID"}} | evidence
    assert await auth.ask_slowly(auth.call("Authorize", payload, version=V201)) == {
        "idTokenInfo": {"status": "Invalid"},
        "certificateStatus": "CertChainError",
    }
    assert await asked201(auth, "DE8AACA2B3C4D5", "eMAID") == {"idTokenInfo": {"status": "Accepted"}}


async def test_a_verdict_is_announced(auth: Running) -> None:
    await token(auth, "T1", status="Blocked")
    call = auth.call("Authorize", {"idTag": "t1"}, station_id="CP7")
    await auth.put(call)
    (event,) = auth.announced("AuthorizationDecided")
    assert (event.station_id, event.id_token, event.status) == ("CP7", "t1", "Blocked")


async def test_a_batch_is_one_query_and_one_row_of_the_outbox(auth: Running) -> None:
    """Every call has its own answer, and a token changed in between counts from the next batch on."""
    for number in range(3):
        await token(auth, f"T{number}", group_id=f"G{number}")
    await auth.put(*(auth.call("Authorize", {"idTag": f"T{n % 4}"}, station_id=f"CP{n}") for n in range(40)))
    by_station = {out.station_id: json.loads(out.reply.payload)["idTagInfo"] for out in auth.replies()}
    assert by_station == {
        f"CP{n}": {"status": "Invalid"} if n % 4 == 3 else {"status": "Accepted", "parentIdTag": f"G{n % 4}"}
        for n in range(40)
    }
    assert len(auth.announced("AuthorizationDecided")) == 40


CSR = {"csr": "-----BEGIN CERTIFICATE REQUEST-----\n…\u0000"}
EXI = {"iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef", "action": "Install", "exiRequest": "gJ8B"}
CUSTOMER = {"data": "a customer", "seqNo": 0, "generatedAt": "2026-03-01T12:00:00Z", "requestId": 1}


@pytest.mark.parametrize(
    ("version", "action", "payload", "said"),
    [
        (V16, "SignCertificate", CSR, {"status": "Rejected"}),
        (V201, "SignCertificate", CSR, {"status": "Rejected"}),
        (V201, "Get15118EVCertificate", EXI, {"status": "Failed", "exiResponse": ""}),
        (V201, "GetCertificateStatus", {"ocspRequestData": HASH}, {"status": "Failed"}),
        (V201, "NotifyCustomerInformation", CUSTOMER, None),
    ],
)
async def test_what_is_not_decided_is_kept_announced_and_answered(
    auth: Running, version: str, action: str, payload: Any, said: Any
) -> None:
    """A02.FR.12, M01, M06.FR.04, N09.FR.05: legal answers, and nothing promised."""
    call = auth.call(action, payload, version=version)
    if said is None:
        await auth.put(call)
        assert not auth.replies()
    else:
        answer = await auth.ask_slowly(call)
        assert {name: answer[name] for name in said} == said
        assert ("statusInfo" in answer) == (version == V201)
    (event,) = auth.announced("MessageRecorded")
    assert (event.station_id, event.action, json.loads(event.payload)) == ("CP1", action, payload)
    (kept,) = (await auth.get("/v1/stations/CP1/messages"))["items"]
    assert (kept["action"], kept["payload"], kept["id"]) == (action, payload, call.id)


async def test_read_again_changes_nothing_and_answers_the_same(auth: Running) -> None:
    await token(auth, "T1")
    calls = [auth.call("Authorize", {"idTag": "T1"}), auth.call("SignCertificate", CSR)]
    await auth.put(*calls)
    await auth.until(lambda: bool(auth.announced("CertificateRejected")))
    await auth.restart(commit=False)
    await auth.settled()
    assert len((await auth.get("/v1/stations/CP1/messages"))["items"]) == 1
    replies = [out.SerializeToString() for out in auth.replies()]
    assert len(replies) == 4
    assert len(set(replies)) == 2
    ids = [dict(record.headers)["ce_id"] for record in auth.bus.all("events.auth")]
    assert len(ids) == len(set(ids)) == 4


async def test_a_bad_record_does_not_harm_its_batch(auth: Running) -> None:
    """An action that is not auth's is refused; nonsense, and what nobody waits for, goes to the dead letters."""
    good = [auth.call("Authorize", {"idTag": "T1"}, station_id="CP1") for _ in range(5)]
    foreign = auth.call("DataTransfer", {"vendorId": "x"}, station_id="CP1")
    acknowledged = auth.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"})
    empty = auth.call("Authorize", {"idTag": "T1"})
    broken = Call(**{f.name: v for f, v in empty.ListFields()} | {"payload": b"{", "message_id": "broken"})
    nonsense = Record("ocpp.calls.auth", b"CP1", b"\xff\xff")
    await auth.put(*good[:2], nonsense, foreign, *good[2:4], acknowledged, broken, good[4])
    outcomes = {out.reply.message_id: out.reply.WhichOneof("outcome") for out in auth.replies()}
    assert outcomes == {call.message_id: "payload" for call in good} | {foreign.message_id: "refusal"}
    assert len(auth.dead()) == 3


async def test_no_database_is_no_verdict(auth: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver is not refused because Postgres is away: the call waits, and is answered when it is back."""
    await token(auth, "T1")
    tries = []
    transaction = auth.database.transaction

    def away() -> Any:
        tries.append(auth.replies())
        if len(tries) == 3:
            monkeypatch.undo()
        if len(tries) < 3:
            raise Unavailable("Postgres: gone for a moment")
        return transaction()

    monkeypatch.setattr(auth.database, "transaction", away)
    assert (await asked16(auth, "T1"))["status"] == "Accepted"
    assert tries == [[], [], []]


async def test_stations_are_told_to_forget_their_cards_in_no_more_words(auth: Running) -> None:
    """C11.FR.01, 1.6 §5.4."""
    await auth.bus.publish(registered("CP1"))
    one = await auth.http.post("/v1/stations/CP1/clear-cache")
    assert (one.status_code, one.json()["action"], one.json()["payload"]) == (202, "ClearCache", {})
    many = await auth.http.post("/v1/clear-cache", json={"all": True})
    assert (many.status_code, many.json()["stations"]) == (202, 1)


async def test_a_card_of_a_blocked_group_is_blocked(auth: Running) -> None:
    """C09.FR.13: a group is called by the idToken of type Central that has its id; of its group the card stays."""
    await token(auth, "T1", group_id="Fleet-7")
    await token(auth, "T2", group_id="OTHER")
    await token(auth, "FLEET-7", type="Central", status="Blocked")
    await token(auth, "OTHER", status="Blocked")
    assert await asked16(auth, "t1") == {"status": "Blocked", "parentIdTag": "Fleet-7"}
    assert (await asked201(auth, "T1"))["idTokenInfo"]["status"] == "Blocked"
    assert (await asked16(auth, "T2"))["status"] == "Accepted"
    await token(auth, "FLEET-7", type="Central")
    assert (await asked16(auth, "T1"))["status"] == "Accepted"
