"""OCPP 2.1: as 2.0.1, and the status of certificate chains (M07)."""

from dataclasses import replace
from functools import partial
from typing import Any

from services.auth.dialects import v201
from services.auth.dialects.dialect import OcppRequest, install_root
from services.auth.domain.requests import (
    CertificateQuestion,
    CertificateStatus,
    ContractCertificate,
    GetCertificateChainStatus,
    GetContractCertificate,
    NoCertificateStatuses,
    Request,
)
from services.auth.domain.roots import InstallRoot, RootType
from services.auth.domain.signing_requests import InstallSigned, Purpose, RenewCertificate
from services.common.calls.call import Call
from services.ocpp.timestamps import write_time

SOURCES, HASHES = ("OCSP", "CRL"), ("SHA256", "SHA384", "SHA512")
MOST = 4
# Characters that an answer to a vehicle may have, in base64.
LONGEST_EXI = 17_000
# Characters that an OCSPResponse may have, in base64.
LONGEST_OCSP = 18_000
# No table has room for one that is larger.
MOST_REQUEST_ID = 2**63
# What an answer has room for, of hashes that are longer than any are.
ROOT_TYPES = {**v201.ROOT_TYPES, RootType.OEM: "OEMRootCertificate"}
LONGEST = {"issuerNameHash": 128, "issuerKeyHash": 128, "serialNumber": 40}


def get_certificate_chain_status(call: Call) -> Request:
    """What is no source or hash of OCPP becomes the first of them: the answer is that nothing is known."""
    asked = call.payload["certificateStatusRequests"]
    return GetCertificateChainStatus([_question(one) for one in asked])


def _question(one: dict[str, Any]) -> CertificateQuestion:
    hashes, algorithm = one["certificateHashData"], one["certificateHashData"].get("hashAlgorithm")
    said = {name: hashes.get(name, "")[:longest] for name, longest in LONGEST.items()}
    said["hashAlgorithm"] = algorithm if algorithm in HASHES else HASHES[0]
    source = one.get("source")
    return CertificateQuestion(source if source in SOURCES else SOURCES[0], said)


def sign_certificate(call: Call) -> Request:
    """A02.FR.25: it may have a number by which the station knows it."""
    said = call.payload.get("requestId")
    return replace(
        v201.sign_certificate(call), request_id=said if said is None or abs(said) < MOST_REQUEST_ID else None
    )


def renew_certificate(request: RenewCertificate) -> OcppRequest:
    """A02.FR.23: ISO 15118-20 has a certificate of its own."""
    if request.purpose is Purpose.V2G_20:
        return "TriggerMessage", {"requestedMessage": "SignV2G20Certificate"}
    return v201.renew_certificate(request)


def install_signed(request: InstallSigned) -> OcppRequest:
    """A02.FR.25."""
    action, payload = v201.install_signed(request)
    return action, payload if request.request_id is None else payload | {"requestId": request.request_id}


def no_certificate_statuses(reply: NoCertificateStatuses) -> dict[str, Any]:
    """M07.FR.02, M07.FR.05, M07.FR.08: Failed, to be asked again at any time; of four, as many as there may be."""
    statuses = [
        {
            "certificateHashData": dict(one.hash_data),
            "source": one.source,
            "status": "Failed",
            "nextUpdate": write_time(reply.at),
        }
        for one in reply.asked[:MOST]
    ]
    return {"certificateStatus": statuses}


def get_15118_ev_certificate(call: Call) -> Request:
    """M01.FR.03: with how many contracts a vehicle of ISO 15118-20 takes, and which it would like first."""
    said = call.payload
    most, emaids = said.get("maximumContractCertificateChains"), tuple(said.get("prioritizedEMAIDs", ()))
    return GetContractCertificate(replace(v201.wanted(said), most=most, emaids=emaids))


def contract_certificate(reply: ContractCertificate) -> dict[str, Any]:
    """M01.FR.04: of a vehicle that takes several, with how many more there are."""
    written = v201.contract_certificate(reply, LONGEST_EXI)
    return written if reply.remaining is None else written | {"remainingContracts": reply.remaining}


def certificate_status(reply: CertificateStatus) -> dict[str, Any]:
    """As in 2.0.1, with more room."""
    return v201.certificate_status(reply, LONGEST_OCSP)


DIALECT = replace(
    v201.DIALECT,
    read={
        **v201.DIALECT.read,
        "SignCertificate": sign_certificate,
        "Get15118EVCertificate": get_15118_ev_certificate,
        "GetCertificateChainStatus": get_certificate_chain_status,
    },
    write={
        **v201.DIALECT.write,
        CertificateStatus: certificate_status,
        ContractCertificate: contract_certificate,
        NoCertificateStatuses: no_certificate_statuses,
    },
    requests={
        **v201.DIALECT.requests,
        InstallSigned: install_signed,
        RenewCertificate: renew_certificate,
        InstallRoot: partial(install_root, ROOT_TYPES),
    },
)
