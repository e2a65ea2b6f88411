"""M, certificates: installed, read and deleted at the station; of vehicles; and whether they are revoked."""

import base64
from typing import Any

from cryptography.x509 import ocsp

from tests.certification.certificates import hash_data, root
from tests.certification.contracts import contract
from tests.certification.operator import Operator
from tests.certification.states import booted, certificate_installed, installed_certificates
from tests.certification.station import Station

ALGORITHMS = ("SHA256", "SHA384", "SHA512")
ROOTS = ("CSMSRootCertificate", "ManufacturerRootCertificate", "V2GRootCertificate", "MORootCertificate")


def chain(kind: str, algorithm: str = "SHA256", certificate: str = "") -> dict[str, Any]:
    """A certificate of a type as a station lists it."""
    of = certificate or root(f"Example {kind}")
    return {"certificateType": kind, "certificateHashData": hash_data(of, algorithm)}


def v2g_chain() -> dict[str, Any]:
    """The station's own certificate for ISO 15118, with those that it is under."""
    under = [hash_data(root(f"Sub-CA {number}")) for number in (2, 1)]
    return chain("V2GCertificateChain") | {"childCertificateHashData": under}


async def test_tc_m_01(station: Station, operator: Operator) -> None:
    """A root certificate of the CSMS is installed (M05.FR.01)."""
    await booted(station)
    await certificate_installed(station, operator, "CSMSRootCertificate")


async def test_tc_m_02(station: Station, operator: Operator) -> None:
    """A root certificate of the manufacturer is installed (M05.FR.01)."""
    await booted(station)
    await certificate_installed(station, operator, "ManufacturerRootCertificate")


async def test_tc_m_03(station: Station, operator: Operator) -> None:
    """A V2G root certificate is installed (M05.FR.01)."""
    await booted(station)
    await certificate_installed(station, operator, "V2GRootCertificate")


async def test_tc_m_04(station: Station, operator: Operator) -> None:
    """A root certificate of a mobility operator is installed (M05.FR.01)."""
    await booted(station)
    await certificate_installed(station, operator, "MORootCertificate")


async def test_tc_m_05(station: Station, operator: Operator) -> None:
    """A certificate cannot be installed: the operator sees that it failed (M05.FR.01, FR.03)."""
    await booted(station)
    certificate = root("Example")
    command = await operator.act("auth", station.id, "install-root", {"type": "csms", "certificate": certificate})
    asked = await station.expects("InstallCertificate", {"status": "Failed"})
    assert asked == {"certificateType": "CSMSRootCertificate", "certificate": certificate}
    assert (await command.answered("refused"))["response"] == {"status": "Failed"}


async def test_tc_m_12(station: Station, operator: Operator) -> None:
    """The root certificates of the CSMS are read, with each hash algorithm that there is (M03.FR.01)."""
    await booted(station)
    for algorithm in ALGORITHMS:
        chains = [chain("CSMSRootCertificate", algorithm)]
        await installed_certificates(station, operator, "CSMSRootCertificate", chains=chains)


async def test_tc_m_13(station: Station, operator: Operator) -> None:
    """The root certificates of the manufacturer are read (M03.FR.01)."""
    await booted(station)
    chains = [chain("ManufacturerRootCertificate"), chain("ManufacturerRootCertificate")]
    await installed_certificates(station, operator, "ManufacturerRootCertificate", chains=chains)


async def test_tc_m_14(station: Station, operator: Operator) -> None:
    """The V2G root certificates are read (M03.FR.01)."""
    await booted(station)
    await installed_certificates(station, operator, "V2GRootCertificate", chains=[chain("V2GRootCertificate")])


async def test_tc_m_15(station: Station, operator: Operator) -> None:
    """A V2G certificate is read with those that it is under (M03.FR.01, FR.05)."""
    await booted(station)
    await installed_certificates(station, operator, "V2GCertificateChain", chains=[v2g_chain()])


async def test_tc_m_16(station: Station, operator: Operator) -> None:
    """The root certificates of mobility operators are read (M03.FR.01)."""
    await booted(station)
    await installed_certificates(station, operator, "MORootCertificate", chains=[chain("MORootCertificate")])


async def test_tc_m_17(station: Station, operator: Operator) -> None:
    """Certificates of two types are read at once (M03.FR.01)."""
    await booted(station)
    kinds = ROOTS[:2]
    await installed_certificates(station, operator, *kinds, chains=[chain(kind) for kind in kinds])


async def test_tc_m_18(station: Station, operator: Operator) -> None:
    """All certificates of a station are read (M03.FR.01)."""
    await booted(station)
    await installed_certificates(station, operator, chains=[*map(chain, ROOTS), v2g_chain()])


async def test_tc_m_19(station: Station, operator: Operator) -> None:
    """There is no certificate of the type that is asked for (M03.FR.01, FR.02)."""
    await booted(station)
    payload = {"certificateType": ["ManufacturerRootCertificate"]}
    command = await operator.command(station.id, "GetInstalledCertificateIds", payload)
    assert await station.expects("GetInstalledCertificateIds", {"status": "NotFound"}) == payload
    assert (await command.answered("refused"))["response"] == {"status": "NotFound"}


async def deleted(station: Station, operator: Operator, algorithm: str, status: str) -> Any:
    """The operator has a certificate deleted that the station has listed, which says status to it; the command."""
    certificate = await certificate_installed(station, operator, "CSMSRootCertificate")
    listed = [chain("CSMSRootCertificate", algorithm, certificate)]
    [seen] = await installed_certificates(station, operator, "CSMSRootCertificate", chains=listed)
    payload = {"certificateHashData": seen["certificateHashData"]}
    command = await operator.command(station.id, "DeleteCertificate", payload)
    asked = await station.expects("DeleteCertificate", {"status": status})
    assert asked == {"certificateHashData": hash_data(certificate, algorithm)}
    return await command.answered()


async def test_tc_m_20(station: Station, operator: Operator) -> None:
    """A certificate is deleted, with each hash algorithm that there is (M04.FR.01, FR.07)."""
    await booted(station)
    for algorithm in ALGORITHMS:
        assert (await deleted(station, operator, algorithm, "Accepted"))["effect"] == "accepted"


async def test_tc_m_21(station: Station, operator: Operator) -> None:
    """A certificate cannot be deleted: the operator sees that it failed (M04.FR.01, FR.03, FR.07)."""
    await booted(station)
    command = await deleted(station, operator, "SHA256", "Failed")
    assert (command["effect"], command["response"]) == ("refused", {"status": "Failed"})


async def test_tc_m_24(station: Station) -> None:
    """The CSMS asks whether a certificate of a V2G chain is revoked (M06.FR.01, FR.02, FR.03, FR.08, FR.09)."""
    await booted(station)
    async with contract(station.id) as responder:
        [about] = responder.contract.hash_data
        answer = await station.call("GetCertificateStatus", {"ocspRequestData": about})
        assert responder.asked == [responder.contract.own.serial_number]
    assert answer["status"] == "Accepted"
    told = ocsp.load_der_ocsp_response(base64.b64decode(answer["ocspResult"], validate=True))
    assert (told.serial_number, told.certificate_status) == (responder.asked[0], ocsp.OCSPCertStatus.GOOD)


async def contract_asked(station: Station, action: str) -> None:
    """A vehicle asks for its contract certificate, and gets it."""
    await booted(station)
    request = {"iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef", "exiRequest": "gJgCAQ=="}
    answer = await station.call("Get15118EVCertificate", request | {"action": action})
    assert answer["status"] == "Accepted"
    assert base64.b64decode(answer["exiResponse"], validate=True)


async def test_tc_m_26(station: Station) -> None:
    """A vehicle gets a contract certificate (M01.FR.01)."""
    await contract_asked(station, "Install")


async def test_tc_m_28(station: Station) -> None:
    """A vehicle gets a new contract certificate in place of its old one (M02.FR.01)."""
    await contract_asked(station, "Update")
