"""A, security: who is let in, and how passwords and certificates are changed."""

import ssl
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import websockets
from cryptography import x509

from tests.certification import tls
from tests.certification.operator import Operator
from tests.certification.states import ACCEPTED, booted
from tests.certification.station import Answer, Station
from tests.clients.certificates import Authority, Issued, client

BASIC_AUTH_PASSWORD = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
PRIORITY = "OCPPCommCtrlr.NetworkConfigurationPriority"


async def test_tc_a_01(station: Station) -> None:
    """A station with its password is let in (A00.FR.204, B01.FR.02)."""
    await booted(station)


async def test_tc_a_02(known: Station) -> None:
    """A station whose user name is not its id is turned away (A00.FR.204)."""
    with pytest.raises(websockets.InvalidStatus) as refused:
        await known.connect(username=f"{known.id}Invalid")
    assert refused.value.response.status_code == 401


async def test_tc_a_03(known: Station) -> None:
    """A station with a wrong password is turned away (A00.FR.204)."""
    with pytest.raises(websockets.InvalidStatus) as refused:
        await known.connect(password="not-the-password-of-it")
    assert refused.value.response.status_code == 401


async def test_tc_a_04(known: Station) -> None:
    """The server proves who it is, with each cipher suite that must be there (A00.FR.306, FR.307, FR.312, FR.318,
    FR.321, FR.502, FR.503, FR.507, FR.508, FR.510)."""
    await known.connect(tls=client())
    assert known.tls.version() in ("TLSv1.2", "TLSv1.3")
    assert not tls.faults(known.tls.getpeercert(binary_form=True), urlsplit(known.endpoint).hostname or "")
    await booted(known)
    for suites in tls.CIPHER_SUITES.values():
        for suite in suites:
            await known.reconnect(tls=client(version=ssl.TLSVersion.TLSv1_2, ciphers=suite))
            assert known.cipher == suite


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
async def test_tc_a_06(known: Station) -> None:
    """TLS before 1.2 is turned away, 1.2 is not (A00.FR.314, FR.315, FR.409, FR.416, FR.417, FR.418)."""
    with pytest.raises(ssl.SSLError, match=r"PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL"):
        await known.connect(tls=client(version=ssl.TLSVersion.TLSv1_1, ciphers="DEFAULT:@SECLEVEL=0"))
    await known.connect(tls=client(version=ssl.TLSVersion.TLSv1_2))
    await booted(known)


async def test_tc_a_07(known: Station, authority: Authority) -> None:
    """A station with its certificate is let in (A00.FR.409, FR.410, FR.415, FR.416, FR.421)."""
    await known.connect(tls=client(authority.issue(known.id, tls.CPO)), password="")
    assert known.tls.version() in ("TLSv1.2", "TLSv1.3")
    await booted(known)


async def test_tc_a_08(known: Station, operator: Operator, authority: Authority) -> None:
    """A certificate that has expired, is of somebody else, or is of an unknown authority is turned away
    (A00.FR.405, FR.407, FR.409, FR.410)."""
    await operator.put("auth", f"/v1/stations/{known.id}", {"security_profile": 3})
    expired = authority.issue(known.id, tls.CPO, expires=timedelta(days=-1))
    for wrong in (expired, authority.issue("another", tls.CPO)):
        with pytest.raises(websockets.InvalidStatus) as refused:
            await known.connect(tls=client(wrong), password="")
        assert refused.value.response.status_code == 403
    unknown = Authority("Unknown").issue(known.id, tls.CPO)
    with pytest.raises(ssl.SSLError, match=r"UNKNOWN_CA"):
        await known.connect(tls=client(unknown, version=ssl.TLSVersion.TLSv1_2), password="")
    await known.connect(tls=client(authority.issue(known.id, tls.CPO)), password="")
    await booted(known)


async def test_tc_a_09(station: Station, operator: Operator) -> None:
    """A station that takes its new password is let in with it (A01.FR.02, FR.03)."""
    await booted(station)
    password = await change_password(station, operator, "Accepted", "taken")
    await station.reconnect(password=password)
    await booted(station)


async def test_tc_a_10(station: Station, operator: Operator) -> None:
    """A station that refuses its new password is let in with the old one (A01.FR.02, FR.04, FR.05)."""
    await booted(station)
    await change_password(station, operator, "Rejected", "kept")
    await station.reconnect()
    await booted(station)


async def change_password(station: Station, operator: Operator, status: str, state: str) -> str:
    """The station is told its new password, answers so, and the operator sees what came of it; the password."""
    path = f"/v1/stations/{station.id}/password"
    told = await operator.post("auth", f"{path}/change")
    answer = {"setVariableResult": [BASIC_AUTH_PASSWORD | {"attributeStatus": status}]}
    asked = await station.expects("SetVariables", answer)
    assert asked == {"setVariableData": [BASIC_AUTH_PASSWORD | {"attributeValue": told["password"]}]}
    seen = await operator.until("auth", path, lambda seen: seen["changes"][0]["state"] != "asked")
    assert (seen["changes"][0]["state"], seen["changes"][0]["reason"]) == (state, status)
    return str(told["password"])


async def test_tc_a_11(station: Station, operator: Operator) -> None:
    """A station renews its certificate when it is asked to, and comes with it (A02.FR.08, FR.11, FR.14, F06.FR.01)."""
    renewed = await certificate_renewed(station, operator, "ChargingStationCertificate")
    await station.reconnect(tls=client(renewed), password="")
    await booted(station)


async def test_tc_a_12(station: Station, operator: Operator) -> None:
    """A station renews its certificate for EVs when it is asked to (A02.FR.11, F06.FR.01)."""
    await certificate_renewed(station, operator, "V2GCertificate")


async def test_tc_a_13(station: Station, operator: Operator) -> None:
    """A station renews the certificate that it has for both when it is asked to (A02.FR.11)."""
    await certificate_renewed(station, operator, None)


async def test_tc_a_14(station: Station, operator: Operator) -> None:
    """A station refuses the certificate that was signed for it (A02)."""
    await certificate_renewed(station, operator, "ChargingStationCertificate", {"status": "Rejected"})


TRIGGERS = {
    "ChargingStationCertificate": "SignChargingStationCertificate",
    "V2GCertificate": "SignV2GCertificate",
    None: "SignCombinedCertificate",
}
"""What is triggered for a type of certificate; without a type it is for both."""


async def certificate_renewed(
    station: Station, operator: Operator, kind: str | None, answer: Answer = ACCEPTED
) -> Issued:
    """RenewChargingStationCertificate: asked for by an operator; that it is signed, and sent, is up to the CSMS."""
    await booted(station)
    command = await operator.command(station.id, "TriggerMessage", {"requestedMessage": TRIGGERS[kind]})
    assert await station.expects("TriggerMessage", ACCEPTED) == {"requestedMessage": TRIGGERS[kind]}
    await command.answered("accepted")
    key = tls.key()
    about = {} if kind is None else {"certificateType": kind}
    signed = await station.call("SignCertificate", {"csr": tls.signing_request(key, station.id)} | about)
    assert signed["status"] == "Accepted"
    sent = await station.expects("CertificateSigned", answer)
    assert sent.get("certificateType") == kind
    chain = sent["certificateChain"]
    assert tls.is_of(chain, key, station.id)
    state = "installed" if answer == ACCEPTED else "refused"
    path = "/v1/certificates/requests"
    await operator.until("auth", path, lambda seen: state in {one["state"] for one in of(station, seen["items"])})
    return Issued(x509.load_pem_x509_certificate(chain.encode()), key, chain)


def of(station: Station, requests: list[Any]) -> list[Any]:
    return [one for one in requests if one["station_id"] == station.id]


async def test_tc_a_19(station: Station, operator: Operator) -> None:
    """A station goes over to a higher security profile, and never back (A05.FR.04, FR.07)."""
    await booted(station)
    address = station.secured_endpoint
    connection = {
        "messageTimeout": 30,
        "ocppCsmsUrl": address,
        "ocppInterface": "Wired0",
        "ocppTransport": "JSON",
        "ocppVersion": "OCPP20",
        "securityProfile": 2,
    }
    wanted = {"configurationSlot": 2, "connectionData": connection}
    profile = await operator.command(station.id, "SetNetworkProfile", wanted)
    assert await station.expects("SetNetworkProfile", ACCEPTED) == wanted
    await profile.answered("accepted")
    await operator.configure(station.id, {PRIORITY: "2,1"})
    variable = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "NetworkConfigurationPriority"}}
    taken = {"setVariableResult": [variable | {"attributeStatus": "RebootRequired"}]}
    asked = await station.expects("SetVariables", taken)
    assert asked == {"setVariableData": [variable | {"attributeValue": "2,1"}]}
    reset = await operator.reset(station.id, "on_idle")
    await station.expects("Reset", ACCEPTED)
    await reset.answered("accepted")
    await station.reconnect(tls=client())
    await booted(station, "RemoteReset")
    path = f"/v1/stations/{station.id}"
    await operator.until("auth", path, lambda seen: seen["security_profile"] == 2)
    with pytest.raises(websockets.InvalidStatus):
        await station.reconnect()
