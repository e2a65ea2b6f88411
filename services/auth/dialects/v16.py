"""OCPP 1.6 with its security extension: payload to request, reply to payload."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from services.auth.dialects.dialect import Dialect, OcppRequest, install_root
from services.auth.domain.password_changes import ChangeState, SetPassword
from services.auth.domain.profile_upgrades import Step, UpgradeAnswer, UpgradeRequest
from services.auth.domain.requests import Authorize, Request, SignCertificate, SigningAnswered, Verdict
from services.auth.domain.roots import InstallRoot, RootType
from services.auth.domain.signing_requests import InstallSigned, Purpose, RenewCertificate
from services.common.calls.call import Call
from services.common.commands.command import Unrenderable
from services.ocpp.errors import ErrorCode
from services.ocpp.id_tokens import IdToken
from services.ocpp.passwords import is_authorization_key
from services.ocpp.v16 import id_tag_info

# A01.FR.03. What is changed only after a reboot is not changed yet, and will be (1.6 §7.22, B05.FR.10).
PASSWORD_STATES = {"Accepted": ChangeState.TAKEN, "RebootRequired": ChangeState.AWAITED}
# Security whitepaper §6.1: nothing about vehicles.
ROOT_TYPES: Mapping[RootType, str] = {
    RootType.CSMS: "CentralSystemRootCertificate",
    RootType.MANUFACTURER: "ManufacturerRootCertificate",
}
NOT_HEXADECIMAL = "must have 32 to 40 hexadecimal digits, an even number (AuthorizationKey of OCPP 1.6)"


def authorize(call: Call) -> Request:
    return Authorize(IdToken(call.payload["idTag"]), starts=True)


def sign_certificate(call: Call) -> Request:
    """It has no types: the certificate is for the Central System."""
    return SignCertificate(call.payload["csr"], Purpose.STATION)


def verdict(reply: Verdict) -> dict[str, Any]:
    return {"idTagInfo": id_tag_info(reply.info)}


def signing_answered(reply: SigningAnswered) -> dict[str, Any]:
    return {"status": "Rejected" if reply.fault else "Accepted"}


def install_signed(request: InstallSigned) -> OcppRequest:
    return "CertificateSigned", {"certificateChain": request.chain}


def set_password(request: SetPassword) -> OcppRequest:
    """Security whitepaper A01.FR.02, A00.FR.205: an AuthorizationKey is written in hexadecimal digits."""
    if not request.hexadecimal:
        raise Unrenderable(ErrorCode.PROPERTY_CONSTRAINT_VIOLATION, f"the password {NOT_HEXADECIMAL}")
    return "ChangeConfiguration", {"key": "AuthorizationKey", "value": request.password}


def renew_certificate(_: RenewCertificate) -> OcppRequest:
    """Security whitepaper A02.FR.02."""
    return "ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"}


def upgrade(request: UpgradeRequest) -> OcppRequest:
    """Security whitepaper A05: a station goes to the profile, and back by itself where it cannot."""
    if request.step is Step.RESET:
        return "Reset", {"type": "Soft"}
    return "ChangeConfiguration", {"key": "SecurityProfile", "value": str(request.profile)}


def read_upgrade(_: Step, answer: Any) -> UpgradeAnswer:
    status = answer.get("status")
    return UpgradeAnswer(status in ("Accepted", "RebootRequired"), reboot=status == "RebootRequired", reason=status)


def password_fault(password: str) -> str | None:
    return None if is_authorization_key(password) else NOT_HEXADECIMAL


def read_password_status(answer: Any) -> str | None:
    status: str | None = answer.get("status")
    return status


DIALECT = Dialect(
    read={
        "Authorize": authorize,
        "SignCertificate": sign_certificate,
    },
    write={
        Verdict: verdict,
        SigningAnswered: signing_answered,
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
    upgrade_steps=(Step.SWITCH, Step.RESET, Step.AWAIT),
    read_upgrade=read_upgrade,
)
