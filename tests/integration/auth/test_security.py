"""Security profiles and revoked certificates by REST, and what gateways get to know of them."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.common.kafka.bus import Record
from services.ocpp.certificates import by_serial_number
from tests.clients.certificates import Authority
from tests.clients.system import eventually
from tests.integration.auth.conftest import compacted, credentials, registrations
from tests.integration.auth.test_stations import put
from tests.integration.common.running import Running
from voltbus.v1.bus_pb2 import OUTCOME_SECURED, Result
from voltbus.v1.credentials_pb2 import Revocation
from voltbus.v1.state_pb2 import Inventory


async def patch(auth: Running, status: int = 200, **body: Any) -> Any:
    answer = await auth.http.patch("/v1/stations/CP1", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def lower(auth: Running, to: int, status: int = 200) -> Any:
    answer = await auth.http.post("/v1/stations/CP1/security-profile", json={"security_profile": to})
    assert answer.status_code == status, answer.text
    return answer.json()


async def profile(auth: Running) -> int:
    return int((await auth.http.get("/v1/stations/CP1")).json()["security_profile"])


async def reached(auth: Running, to: int, at: datetime | None = None) -> None:
    """A gateway says that the station has come with that profile."""
    result = Result(station_id="CP1", outcome=OUTCOME_SECURED, security_profile=to)
    result.at.FromDatetime(at or auth.time() + timedelta(seconds=1))
    await auth.bus.publish([Record("ocpp.results.auth", b"CP1", result.SerializeToString())])


async def test_a_profile_rises_by_itself_and_falls_by_an_operator(auth: Running) -> None:
    """A05.FR.07"""
    assert (await put(auth))["security_profile"] == 1
    before = auth.time() - timedelta(minutes=1)
    await reached(auth, 3, before)
    await reached(auth, 2, before)
    await eventually(lambda: profile(auth), lambda found: found == 3)
    await auth.settled()
    assert (found := credentials(auth)["CP1"])
    assert found.security_profile == 3
    assert (told := registrations(auth)["CP1"])
    assert told.security_profile == 3
    # Neither does a PUT, which replaces what it does not name, nor a PATCH.
    assert (await put(auth, body={"description": "hall"}, status=200))["security_profile"] == 3
    problem = await patch(auth, 409, security_profile=2)
    assert problem["errors"][0]["field"] == "body.security_profile"
    assert (await patch(auth, security_profile=3))["security_profile"] == 3
    lowered = await lower(auth, 1)
    assert (lowered["security_profile"], lowered["author"]) == (1, "test")
    # Told again, or late.
    await reached(auth, 3, before)
    await reached(auth, 2)
    await eventually(lambda: profile(auth), lambda found: found == 2)


async def test_profiles_that_need_a_password(auth: Running) -> None:
    await put(auth, body={"auth": "none", "security_profile": 3})
    await lower(auth, 2, 409)
    problem = await auth.http.put("/v1/stations/CP2", json={"auth": "none", "security_profile": 2})
    assert (problem.status_code, problem.json()["errors"][0]["field"]) == (409, "body.security_profile")
    await auth.http.post("/v1/stations/CP1/password")
    assert (await lower(auth, 2))["security_profile"] == 2
    assert (await auth.http.put("/v1/stations/CP1", json={"auth": "none"})).status_code == 409


async def test_what_is_registered_of_certificates(auth: Running) -> None:
    body = {"serial_number": "SN-1", "downgrade_allowed": True, "expired_certificate_allowed": True}
    shown = await put(auth, body=body | {"security_profile": 3})
    assert {name: shown[name] for name in body} == body
    await auth.settled()
    known = credentials(auth)["CP1"]
    assert known
    assert (known.serial_number, known.downgrade_allowed, known.expired_certificate_allowed) == ("SN-1", True, True)
    # What a PUT does not name is as for a new one, but for the profile.
    shown = await put(auth, status=200)
    assert (shown["serial_number"], shown["downgrade_allowed"], shown["security_profile"]) == (None, False, 3)


async def test_a_station_says_that_it_may_downgrade(auth: Running) -> None:
    """A05.FR.08: by the inventory, as long as it says so; what is told late changes nothing."""

    async def told(allowed: bool, second: int, station_id: str = "CP1") -> None:
        said = Inventory(station_id=station_id, version="2.0.1", downgrade_allowed=allowed)
        said.changed_at.FromSeconds(second)
        await auth.bus.publish([Record("inventory", station_id.encode(), said.SerializeToString())])

    async def counts() -> tuple[bool, bool]:
        await auth.settled()
        shown = (await auth.http.get("/v1/stations/CP1")).json()
        known = credentials(auth)["CP1"]
        assert known
        assert not shown["downgrade_allowed"]
        return shown["downgrade_told"], known.downgrade_allowed

    await told(True, 10)
    await put(auth)
    await put(auth, "CP2")
    await eventually(counts, lambda found: found == (True, True))
    await told(False, 20)
    await eventually(counts, lambda found: found == (False, False))
    await told(True, 15)
    await told(True, 1, "CP2")
    await eventually(lambda: auth.http.get("/v1/stations/CP2"), lambda found: found.json()["downgrade_told"])
    assert await counts() == (False, False)
    # It stays beside what an operator says.
    await told(True, 30)
    await eventually(counts, lambda found: found == (True, True))
    await patch(auth, description="another")
    assert await counts() == (True, True)


async def test_a_serial_number_is_of_one_station(auth: Running) -> None:
    """A00.FR.405: or one certificate would prove that it is two."""
    await put(auth, body={"serial_number": "SN-1"})
    for name, body in (("put", {"serial_number": "SN-1"}), ("patch", {"serial_number": "SN-1"})):
        if name == "patch":
            await put(auth, "CP2")
        problem = await auth.http.request(name, "/v1/stations/CP2", json=body)
        assert (problem.status_code, problem.json()["errors"][0]["field"]) == (409, "body.serial_number")
    for _ in range(2):
        await patch(auth, serial_number="SN-1", description="again")
    # Two at once.
    answers = await asyncio.gather(
        *(auth.http.put(f"/v1/stations/CP{n}", json={"serial_number": "SN-9"}) for n in (3, 4))
    )
    assert sorted(one.status_code for one in answers) == [201, 409]
    # Twice from before: each may be changed otherwise, and one of them may get its own.
    async with auth.database.connection() as db:
        await db.execute("update station set serial_number = 'SN-1' where station_id = 'CP2'")
    await patch(auth, description="goes on")
    await patch(auth, serial_number="SN-2")
    await patch(auth, 409, serial_number="SN-1")


@pytest.mark.parametrize("dry_run", ["true", "false"])
async def test_a_file_gives_no_serial_number_twice(auth: Running, dry_run: str) -> None:
    for n in (1, 2, 3):
        await put(auth, f"CP{n}", {"serial_number": f"SN-{n}"})

    async def import_(*lines: str) -> Any:
        answer = await auth.http.post(
            f"/v1/stations/import?dry_run={dry_run}",
            content="\n".join(("station_id,auth,serial_number", *lines)),
            headers={"Content-Type": "text/csv"},
        )
        return [(one["field"], one["message"]) for one in answer.json().get("errors", ())] or answer.status_code

    said = "is that of CP3: a certificate proves that it is one station"
    assert await import_("CP1,none,SN-3") == [("body.lines.2.serial_number", said)]
    same = [("body.lines.3.serial_number", "line 2 has the same")]
    assert await import_("CP8,none,SN-8", "CP9,none,SN-8") == same
    assert await import_("CP1,none,SN-1", "CP9,none,SN-1") == same
    # Two that change it between them.
    assert await import_("CP1,none,SN-2", "CP2,none,SN-1") == 200


async def revoke(auth: Running, status: int, **body: Any) -> Any:
    answer = await auth.http.post("/v1/revoked-certificates", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_certificates_are_revoked_and_taken_off_the_list(auth: Running) -> None:
    issued = Authority("CN of an authority, with a comma").issue("CP1", "Example")
    first = await revoke(auth, 201, certificate=issued.pem, reason="stolen")
    assert (first["id"], first["reason"], first["author"]) == (first["fingerprint"], "stolen", "test")
    # Once more, as people write it.
    digits = first["fingerprint"].upper()
    again = await revoke(auth, 200, fingerprint=":".join(digits[at : at + 2] for at in range(0, 64, 2)), reason="other")
    assert again == first
    issuer, serial = issued.certificate.issuer.rfc4514_string(), f"0{issued.certificate.serial_number:X}"
    other = await revoke(auth, 201, serial_number=serial, issuer=issuer)
    listed = (await auth.http.get("/v1/revoked-certificates")).json()["items"]
    assert sorted(listed, key=lambda one: one["id"]) == sorted([first, other], key=lambda one: one["id"])
    await auth.settled()
    keys = {first["fingerprint"], by_serial_number(issued.certificate.serial_number, issuer)}
    assert {key for key, value in compacted(auth, "revocations", Revocation).items() if value} == keys
    for one in (first, other):
        path = f"/v1/revoked-certificates/{one['id']}"
        assert (await auth.http.get(path)).json() == one
        assert (await auth.http.delete(path)).status_code == 204
        assert (await auth.http.delete(path)).status_code == (await auth.http.get(path)).status_code == 404
    await auth.settled()
    assert not any(compacted(auth, "revocations", Revocation).values())
    told = {(one.revocation_id, one.author) for one in auth.announced("CertificateRevoked")}
    assert told == {(first["id"], "test"), (other["id"], "test")}
    assert len(auth.announced("CertificateRevocationWithdrawn")) == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"certificate": "no PEM"}, "body.certificate"),
        ({"fingerprint": "00"}, "body.fingerprint"),
        ({"serial_number": "0A"}, "body"),
        ({"serial_number": "0A", "issuer": "Example"}, "body.issuer"),
        ({"fingerprint": "0" * 64, "serial_number": "0A", "issuer": "CN=x"}, "body"),
    ],
)
async def test_what_cannot_be_revoked(auth: Running, body: Any, field: str) -> None:
    assert (await revoke(auth, 422, **body))["errors"][0]["field"] == field
