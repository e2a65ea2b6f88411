"""OCPP 2.0.1, blocks A, C, M and N: payload to request, reply to payload."""

import base64
from collections.abc import Mapping
from functools import partial
from typing import Any

from services.auth.dialects.dialect import Dialect, OcppRequest, install_root
from services.auth.domain.contract_requests import ContractAction, Wanted
from services.auth.domain.password_changes import ChangeState, SetPassword
from services.auth.domain.profile_upgrades import Step, UpgradeAnswer, UpgradeRequest
from services.auth.domain.requests import (
    Authorize,
    CertificateStatus,
    Contract,
    ContractCertificate,
    ContractCheck,
    CustomerInformation,
    Empty,
    GetCertificateStatus,
    GetContractCertificate,
    NoCertificateStatus,
    NoContractCertificate,
    Request,
    SignCertificate,
    SigningAnswered,
    Verdict,
)
from services.auth.domain.roots import InstallRoot, RootType
from services.auth.domain.signing_requests import MEANINGS, Fault, InstallSigned, Purpose, RenewCertificate
from services.common.calls.call import Call
from services.common.commands.command import Unrenderable
from services.ocpp.errors import ErrorCode
from services.ocpp.id_tokens import IdToken
from services.ocpp.v201 import id_token_info

# A01.FR.03. What is changed only after a reboot is not changed yet, and will be (B05.FR.10).
PASSWORD_STATES = {"Accepted": ChangeState.TAKEN, "RebootRequired": ChangeState.AWAITED}
TYPES = frozenset({Purpose.STATION, Purpose.V2G, Purpose.V2G_20})
ROOT_TYPES: Mapping[RootType, str] = {
    RootType.CSMS: "CSMSRootCertificate",
    RootType.MANUFACTURER: "ManufacturerRootCertificate",
    RootType.V2G: "V2GRootCertificate",
    RootType.MOBILITY_OPERATOR: "MORootCertificate",
}
TRIGGERS = {
    Purpose.STATION: "SignChargingStationCertificate",
    Purpose.V2G: "SignV2GCertificate",
    Purpose.COMBINED: "SignCombinedCertificate",
}
# C07.FR.13 to FR.17.
CERTIFICATE_STATUS = {
    ContractCheck.ACCEPTED: "Accepted",
    ContractCheck.CANCELLED: "ContractCancelled",
    ContractCheck.EXPIRED: "CertificateExpired",
    ContractCheck.REVOKED: "CertificateRevoked",
    ContractCheck.UNVERIFIED: "CertChainError",
}
# Characters that an answer to a vehicle may have, in base64.
LONGEST_EXI = 5600
# Of additionalInfo.
LONGEST_REASON = 512
# Characters that an OCSPResponse may have, in base64.
LONGEST_OCSP = 5500


def authorize(call: Call) -> Request:
    token = call.payload["idToken"]
    return Authorize(IdToken(token["idToken"], token.get("type")), _contract(call.payload))


def _contract(payload: dict[str, Any]) -> Contract | None:
    if "certificate" not in payload and "iso15118CertificateHashData" not in payload:
        return None
    return Contract(payload.get("certificate"), tuple(payload.get("iso15118CertificateHashData", ())))


def sign_certificate(call: Call) -> SignCertificate:
    """Without a type it is for both, CSMS and vehicles (A02.FR.13)."""
    return SignCertificate(call.payload["csr"], _purpose(call.payload.get("certificateType")))


def _purpose(said: str | None) -> Purpose:
    if said is None:
        return Purpose.COMBINED
    return Purpose(said) if said in TYPES else Purpose.UNKNOWN


def get_15118_ev_certificate(call: Call) -> Request:
    return GetContractCertificate(wanted(call.payload))


def wanted(payload: dict[str, Any]) -> Wanted:
    """An action that is none of OCPP is taken for an installation: what is asked for stands in the EXI.

    There its version stands as well: where the station does not say it, it is empty.
    """
    update = payload.get("action") == ContractAction.UPDATE
    action = ContractAction.UPDATE if update else ContractAction.INSTALL
    return Wanted(action, payload.get("iso15118SchemaVersion", ""), payload["exiRequest"])


def get_certificate_status(call: Call) -> Request:
    return GetCertificateStatus(call.payload["ocspRequestData"])


def notify_customer_information(_: Call) -> Request:
    return CustomerInformation()


def verdict(reply: Verdict) -> dict[str, Any]:
    info = {"idTokenInfo": id_token_info(reply.info)}
    return info | {"certificateStatus": CERTIFICATE_STATUS[reply.contract]} if reply.contract else info


def signing_answered(reply: SigningAnswered) -> dict[str, Any]:
    """A02.FR.11, FR.12."""
    if reply.fault is None:
        return {"status": "Accepted"}
    meaning = MEANINGS[reply.fault]
    if reply.fault is Fault.NO_SIGNER:
        return {"status": "Rejected", "statusInfo": not_enabled(meaning)}
    return {"status": "Rejected", "statusInfo": {"reasonCode": "InvalidCSR", "additionalInfo": meaning}}


def install_signed(request: InstallSigned) -> OcppRequest:
    """A02.FR.14: with the type that was asked for."""
    about = {} if request.purpose is Purpose.COMBINED else {"certificateType": request.purpose.value}
    return "CertificateSigned", {"certificateChain": request.chain} | about


def contract_certificate(reply: ContractCertificate, longest: int = LONGEST_EXI) -> dict[str, Any]:
    """M01, M02. One that is too long for this version cannot be told."""
    if len(reply.exi) > longest:
        reason = f"the pool's answer has {len(reply.exi)} characters, of {longest}"
        return no_contract_certificate(NoContractCertificate(reason))
    return {"status": "Accepted", "exiResponse": reply.exi}


def no_contract_certificate(reply: NoContractCertificate) -> dict[str, Any]:
    """exiResponse is required by the schema, and empty where there is none (Iso15118EVCertificateStatusEnumType)."""
    return {"status": "Failed", "exiResponse": "", "statusInfo": unspecified(reply.reason)}


def certificate_status(reply: CertificateStatus, longest: int = LONGEST_OCSP) -> dict[str, Any]:
    """M06.FR.02, FR.03, FR.09. One that is too long for this version cannot be told."""
    written = base64.b64encode(reply.ocsp).decode()
    if len(written) > longest:
        return no_certificate_status(NoCertificateStatus(f"its answer has {len(written)} characters, of {longest}"))
    return {"status": "Accepted", "ocspResult": written}


def no_certificate_status(reply: NoCertificateStatus) -> dict[str, Any]:
    return {"status": "Failed", "statusInfo": unspecified(reply.reason)}


def unspecified(reason: str) -> dict[str, Any]:
    """statusInfo with what there is no reason code for."""
    return {"reasonCode": "Unspecified", "additionalInfo": reason[:LONGEST_REASON]}


def empty(_: Empty) -> dict[str, Any]:
    return {}


def not_enabled(reason: str) -> dict[str, Any]:
    """statusInfo with a reason code of the appendices."""
    return {"reasonCode": "NotEnabled", "additionalInfo": reason}


def set_password(request: SetPassword) -> OcppRequest:
    """A01.FR.02."""
    component, variable = {"name": "SecurityCtrlr"}, {"name": "BasicAuthPassword"}
    item = {"component": component, "variable": variable, "attributeValue": request.password}
    return "SetVariables", {"setVariableData": [item]}


def renew_certificate(request: RenewCertificate) -> OcppRequest:
    """F06, A02."""
    if request.purpose not in TRIGGERS:
        raise Unrenderable(ErrorCode.NOT_SUPPORTED, f"nothing asks for a {request.purpose.value} in this version")
    return "TriggerMessage", {"requestedMessage": TRIGGERS[request.purpose]}


def upgrade(request: UpgradeRequest) -> OcppRequest:
    """B09, B10, A05: what it has stays behind the new one. It boots when no transaction runs (B12)."""
    priority = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "NetworkConfigurationPriority"}}
    if request.step is Step.READ:
        return "GetVariables", {"getVariableData": [priority]}
    if request.step is Step.STORE:
        return "SetNetworkProfile", {"configurationSlot": request.slot, "connectionData": _connection(request)}
    if request.step is Step.RESET:
        return "Reset", {"type": "OnIdle"}
    return "SetVariables", {"setVariableData": [priority | {"attributeValue": request.priority}]}


def _connection(request: UpgradeRequest) -> dict[str, Any]:
    return {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": request.url,
        "messageTimeout": request.timeout,
        "securityProfile": request.profile,
        "ocppInterface": request.interface,
    }


def read_upgrade(_: Step, answer: Any) -> UpgradeAnswer:
    """Scheduled: it boots later."""
    for name in ("getVariableResult", "setVariableResult"):
        if name in answer:
            result = (answer[name] or [{}])[0]
            status = result.get("attributeStatus")
            ok = status in ("Accepted", "RebootRequired")
            return UpgradeAnswer(ok, value=result.get("attributeValue"), reason=status)
    status = answer.get("status")
    return UpgradeAnswer(status in ("Accepted", "Scheduled"), reason=status)


def password_fault(_: str) -> str | None:
    """A00.FR.205: what REST takes for a password, it takes."""
    return None


def read_password_status(answer: Any) -> str | None:
    """One variable was set, so there is one result (B05.FR.02)."""
    results = answer.get("setVariableResult") or [{}]
    status: str | None = results[0].get("attributeStatus")
    return status


DIALECT = Dialect(
    read={
        "Authorize": authorize,
        "SignCertificate": sign_certificate,
        "Get15118EVCertificate": get_15118_ev_certificate,
        "GetCertificateStatus": get_certificate_status,
        "NotifyCustomerInformation": notify_customer_information,
    },
    write={
        Verdict: verdict,
        SigningAnswered: signing_answered,
        ContractCertificate: contract_certificate,
        NoContractCertificate: no_contract_certificate,
        CertificateStatus: certificate_status,
        NoCertificateStatus: no_certificate_status,
        Empty: empty,
    },
    requests={
        SetPassword: set_password,
        InstallSigned: install_signed,
        RenewCertificate: renew_certificate,
        UpgradeRequest: upgrade,
        InstallRoot: partial(install_root, ROOT_TYPES),
    },
    read_password_status=read_password_status,
    password_states=PASSWORD_STATES,
    password_fault=password_fault,
    upgrade_steps=(Step.READ, Step.STORE, Step.PRIORITIZE, Step.RESET, Step.AWAIT, Step.RESTORE),
    read_upgrade=read_upgrade,
)
