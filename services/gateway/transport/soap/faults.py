"""Errors of OCPP-J as faults of SOAP, and the other way round (OCPP-S 1.6 §4)."""

from collections.abc import Mapping

from services.gateway.transport.handshake import Refused
from services.ocpp.errors import ErrorCode
from services.ocpp.refusals import RefusalReason
from services.ocpp.soap.envelope import Fault, FaultCode, SubCode

PROTOCOL = (FaultCode.SENDER, SubCode.PROTOCOL_ERROR)
CODES: Mapping[str, tuple[FaultCode, SubCode]] = {
    ErrorCode.SECURITY_ERROR: (FaultCode.SENDER, SubCode.SECURITY_ERROR),
    ErrorCode.NOT_IMPLEMENTED: (FaultCode.RECEIVER, SubCode.NOT_SUPPORTED),
    ErrorCode.NOT_SUPPORTED: (FaultCode.RECEIVER, SubCode.NOT_SUPPORTED),
    ErrorCode.INTERNAL_ERROR: (FaultCode.RECEIVER, SubCode.INTERNAL_ERROR),
    ErrorCode.GENERIC_ERROR: (FaultCode.RECEIVER, SubCode.INTERNAL_ERROR),
}
# SOAP 1.2 part 2 §7.5.2.2: all others are 500.
STATUS: Mapping[str, int] = {FaultCode.SENDER: 400}
# What a station means by the code of its fault.
ERRORS: Mapping[str, ErrorCode] = {
    SubCode.SECURITY_ERROR: ErrorCode.SECURITY_ERROR,
    SubCode.PROTOCOL_ERROR: ErrorCode.PROTOCOL_ERROR,
    SubCode.INTERNAL_ERROR: ErrorCode.INTERNAL_ERROR,
    SubCode.NOT_SUPPORTED: ErrorCode.NOT_SUPPORTED,
}
# Of who is not let in.
IDENTITY = frozenset({RefusalReason.UNKNOWN_STATION, RefusalReason.AMBIGUOUS_ID, RefusalReason.UNUSABLE_ID})


def of_error(code: str, description: str) -> Fault:
    """A CALLERROR, by its common or spelled code."""
    whose, what = CODES.get(code, PROTOCOL)
    return Fault(whose, what, description or code)


def of_refusal(refused: Refused) -> Fault:
    """A station that is not let in."""
    if refused.status >= 500:
        return Fault(FaultCode.RECEIVER, SubCode.INTERNAL_ERROR, refused.text)
    about_id = refused.reason in IDENTITY or refused.reason is None
    code = SubCode.IDENTITY_MISMATCH if about_id else SubCode.SECURITY_ERROR
    return Fault(FaultCode.SENDER, code, refused.text)


def status_of(fault: Fault) -> int:
    """The status of HTTP that goes with it."""
    return STATUS.get(fault.code, 500)


def as_error(fault: Fault) -> tuple[str, str]:
    """Code and description of a CALLERROR that says the same as a station's fault."""
    code = ERRORS.get(fault.sub_code, ErrorCode.GENERIC_ERROR)
    named = fault.sub_code if code is ErrorCode.GENERIC_ERROR else ""
    return code.value, ": ".join(part for part in (named, fault.reason) if part) or fault.code
